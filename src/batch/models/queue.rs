//! The ring alone.

use super::super::ring::Ring;
use super::{check, sorted};
use loom::sync::Arc;
use loom::thread;

pub(super) fn ring(items: std::ops::RangeInclusive<usize>) -> Arc<Ring> {
    let ring = Ring::with_room(2).unwrap();
    items.for_each(|item| assert!(ring.push(item)));
    Arc::new(ring)
}

pub(super) fn claim(ring: &Ring) -> Option<usize> {
    ring.claim().map(|(item, _)| item)
}

/// Adds items up to `last` as there is room, as a filler does.
fn produce(ring: &Ring, next: usize, last: usize, publish: bool) {
    let mut next = next;
    while next <= last {
        if ring.begin() < 2 {
            assert!(ring.push(next));
            next += 1;
            if publish {
                ring.publish();
            }
        } else {
            thread::yield_now();
        }
    }
}

#[test]
fn the_ring_gives_each_item_once_while_slots_are_reused() {
    for publish in [false, true] {
        check(&format!("claim against push, published: {publish}"), move || {
            let ring = ring(1..=2);
            let consumer = {
                let ring = ring.clone();
                thread::spawn(move || [claim(&ring), claim(&ring)])
            };
            // The slots of 1 and 2 are overwritten as soon as they are free.
            produce(&ring, 3, 3, publish);
            let mine = claim(&ring);
            let theirs = consumer.join().unwrap();
            assert!(theirs[0] < theirs[1] || theirs[1].is_none(), "out of order: {theirs:?}");
            let rest = std::iter::from_fn(|| claim(&ring));
            let all = theirs.into_iter().chain([mine]).flatten().chain(rest).collect();
            assert_eq!(sorted(all), [1, 2, 3]);
        });
    }
}

#[test]
fn a_slot_is_not_used_again_before_it_is_wiped() {
    check("claim and wipe against push", || {
        // One of them is 0.
        let ring = ring(0..=1);
        let consumer = {
            let ring = ring.clone();
            thread::spawn(move || [ring.claim_and_wipe(), ring.claim_and_wipe()])
        };
        let mut next = 2;
        while next <= 3 {
            if ring.begin_with_wiped().1 > 0 {
                assert!(ring.push(next));
                next += 1;
            } else {
                thread::yield_now();
            }
        }
        let theirs = consumer.join().unwrap();
        let rest = std::iter::from_fn(|| ring.claim_and_wipe());
        let all = theirs.into_iter().flatten().chain(rest).collect();
        assert_eq!(sorted(all), [0, 1, 2, 3]);
        assert!(ring.memory().all(|word| word == 0), "a word is left");
    });
}

#[test]
fn a_claim_of_many_gets_items_that_follow_each_other() {
    check("claim of many against claim against push", || {
        let ring = ring(1..=2);
        let consumer = {
            let ring = ring.clone();
            thread::spawn(move || {
                let mut room = [0; 3];
                let claimed = ring.claim_many(&mut room, |there| there);
                claimed.map_or(vec![], |claimed| {
                    assert_eq!(claimed.position + 1, room[0] as u64);
                    room[..claimed.count].to_vec()
                })
            })
        };
        let mine = claim(&ring);
        produce(&ring, 3, 3, true);
        let theirs = consumer.join().unwrap();
        assert!(theirs.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{theirs:?}");
        let rest = std::iter::from_fn(|| claim(&ring));
        assert_eq!(sorted(theirs.into_iter().chain(mine).chain(rest).collect()), [1, 2, 3]);
    });
}
