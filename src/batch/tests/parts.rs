//! The parts of a batch, each alone, where a whole batch would hide what they do.

use super::*;
use crate::batch::parking::Parking;

/// Adds the items from `first` on, as many as fit in the next row of `most`. Returns how many.
fn push_row(ring: &Ring, first: usize, most: usize) -> usize {
    let mut row = ring.row(most);
    let count = row.len();
    (first..first + count).for_each(|item| row.push(item));
    assert_eq!(row.len(), 0);
    ring.publish_group();
    count
}

#[test]
fn rows_end_where_a_group_is_published() {
    let ring = Ring::with_room(256).unwrap();
    assert_eq!(push_row(&ring, 0, 10), 10);
    assert!(!ring.has_published());
    assert_eq!(push_row(&ring, 10, 200), 54);
    assert!(ring.has_published());
    let mut room = [0; 64];
    let claimed = ring.claim_many(&mut room, |there| there).unwrap();
    assert_eq!((claimed.position, claimed.count, room[63]), (0, 64, 63));
    assert!(!ring.has_published());
    assert_eq!(push_row(&ring, 64, 200), 64);
}

#[test]
fn rows_end_where_the_memory_ends() {
    let ring = Ring::with_room(4).unwrap();
    assert_eq!(push_row(&ring, 0, 3), 3);
    assert_eq!([ring.claim(), ring.claim()], [Some((0, 2)), Some((1, 1))]);
    assert_eq!((ring.begin(), push_row(&ring, 3, 3), push_row(&ring, 4, 3)), (1, 1, 2));
    assert_eq!((ring.len(), push_row(&ring, 6, 3)), (4, 0));
}

#[test]
fn a_child_wipes_the_slots_whose_items_were_taken_and_no_others() {
    let ring = Ring::with_room(4).unwrap();
    assert_eq!(push_row(&ring, 5, 3), 3);
    // As a thread of the parent that was not copied before it could wipe.
    assert_eq!([ring.claim(), ring.claim()], [Some((5, 2)), Some((6, 1))]);
    assert_eq!(ring.memory().collect::<Vec<_>>(), [5, 6, 7, 0]);
    ring.wipe_taken();
    assert_eq!(ring.memory().collect::<Vec<_>>(), [0, 0, 7, 0]);
    assert_eq!(ring.claim(), Some((7, 0)));
}

#[test]
fn a_waker_counts_those_on_their_way() {
    let rung = |count| {
        let parking = Parking::with_one_asleep_and_one_woken();
        assert!(parking.somebody_sleeps());
        let left = parking.ring(count);
        (left, parking.sleepers())
    };
    assert_eq!([rung(0), rung(1), rung(2), rung(5)], [(0, 1), (0, 1), (0, 0), (3, 0)]);
    assert_eq!(rung(usize::MAX), (usize::MAX, 0));
}

#[test]
fn a_waker_counts_none_on_their_way_if_there_are_waiters_that_do_not_sleep() {
    let parking = Parking::with_one_asleep_and_one_woken();
    assert!(parking.look().somebody_comes());
    parking.mark();
    assert!(parking.is_marked() && !parking.look().somebody_comes());
    assert_eq!((parking.ring(1), parking.sleepers()), (0, 0));
    assert_eq!(parking.ring(1), 1);
    parking.unmark();
    assert_eq!((parking.is_marked(), parking.ring(1), parking.ring(3)), (false, 0, 1));
}

#[test]
fn a_place_where_nobody_waits_says_so() {
    let parking = Parking::new();
    assert_eq!(
        (parking.starving(), parking.somebody_starves(), parking.is_marked()),
        (0, false, false)
    );
    assert_eq!((parking.sleepers(), parking.ring(2)), (0, 2));
    parking.wait_asleep(None, || true, || ());
    parking.wait(None, || false, || true);
    assert_eq!((parking.starving(), parking.sleepers()), (0, 0), "nobody does any more");
}
