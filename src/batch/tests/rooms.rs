//! Every fixed room says when it is full, in release builds too, and nothing is overwritten.

use super::*;
use crate::batch::heap::COMPARED;
use crate::batch::node::Node;
use crate::batch::own::{Origin, Own};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

#[test]
fn a_ring_takes_no_more_than_it_has_room_for() {
    let ring = Ring::with_room(2).unwrap();
    assert_eq!([1, 2, 3].map(|item| ring.push(item)), [true, true, false]);
    assert_eq!(ring.claim(), Some((1, 1)));
    // The slot is free when the producer has looked.
    assert!(!ring.push(3));
    assert_eq!((ring.begin(), ring.push(3), ring.push(4)), (1, true, false));
    assert_eq!([ring.claim(), ring.claim(), ring.claim()], [Some((2, 1)), Some((3, 0)), None]);
}

#[test]
fn a_ring_takes_no_more_at_once_than_it_has_room_for() {
    let ring = Ring::with_room(4).unwrap();
    ring.push_all(&[1, 2, 3]);
    assert!(catch_unwind(AssertUnwindSafe(|| ring.push_all(&[4, 5]))).is_err());
    ring.push_all(&[4]);
    let all: Vec<_> = std::iter::from_fn(|| ring.claim()).map(|(item, _)| item).collect();
    assert_eq!(all, [1, 2, 3, 4]);
}

#[test]
fn the_filler_keeps_one_result_until_a_thread_has_taken_it() {
    let own = Own::new();
    assert_eq!(own.put(1, Origin::Fill), Ok(()));
    assert_eq!(own.put(2, Origin::Fill), Err(2));
    assert_eq!(own.give_back(), Some(Origin::Fill));
    assert_eq!(own.put(2, Origin::Load), Err(2));
    assert_eq!((own.take_back(), own.put(2, Origin::Load)), (Some(1), Ok(())));
    assert_eq!((own.take_back(), own.take()), (None, Some((2, Origin::Load))));
}

#[test]
fn a_result_without_room_stops_fills_and_overwrites_none() {
    // A buffer that takes less than it says, as if the library had counted wrongly.
    let mut batch = Batch::new(VALUES, counter(), 4).unwrap();
    batch.queue = Ring::with_room(2).unwrap();
    assert_eq!(batch.load(), Err(LoadError::Panicked));
    assert_eq!([(); 3].map(|()| batch.load()), [Ok(1), Ok(2), Ok(3)]);
    assert_eq!(batch.load(), Err(LoadError::Panicked));
}

#[test]
fn a_cursor_is_not_refilled_over_what_it_has_in_hand() {
    let node = crate::batch::node::node_of(&[1, 2], 0, std::ptr::null()).unwrap();
    // SAFETY: just made, and freed below.
    let it = unsafe { node.as_ref() };
    let refill = |count| catch_unwind(AssertUnwindSafe(|| it.refill(|_| Some((0, count, ())))));
    assert!(refill(1).is_err());
    assert_eq!([it.pop(), it.pop(), it.pop()], [Some(1), Some(2), None]);
    assert!(refill(3).is_err(), "it has two slots");
    assert_eq!(it.pop(), None);
    // SAFETY: nobody uses it from now on.
    unsafe { Node::free(node) };
}

#[test]
fn prefills_whose_source_panics_lose_nothing_and_hand_out_nothing_twice() {
    const PANICS: usize = 200;
    let mut made = 0;
    let source = Bulk(move |slots: &mut Slots<'_, _>| {
        made += 1;
        slots.push(made);
        if made <= PANICS {
            resume_unwind(Box::new(()));
        }
        slots.end();
        Ok(())
    });
    let batch = Batch::new(VALUES, source, 2 * PANICS).unwrap();
    for _ in 0..PANICS {
        let ahead = || batch.prefill(2 * PANICS, 2 * PANICS, Some(Duration::ZERO));
        assert!(catch_unwind(AssertUnwindSafe(ahead)).is_err());
    }
    assert_eq!(batch.len(), PANICS);
    let all: Vec<_> = std::iter::from_fn(|| batch.load().ok()).collect();
    assert_eq!(all, (1..=PANICS + 1).collect::<Vec<_>>());
    assert_balanced(&batch);
}

#[test]
fn many_results_that_came_back_one_by_one_are_found_quickly() {
    const MANY: usize = 1 << 12;
    let batch = Batch::new(VALUES, Iter(0..MANY), MANY).unwrap();
    let all: Vec<_> = std::iter::from_fn(|| batch.load().ok()).collect();
    all.into_iter().for_each(|value| batch.give_back(&mut vec![value]).unwrap());
    let before = COMPARED.get();
    let all: Vec<_> = std::iter::from_fn(|| batch.load().ok()).collect();
    assert_eq!(all, (0..MANY).rev().collect::<Vec<_>>());
    let compared = COMPARED.get() - before;
    assert!(compared < 3 * 12 * MANY, "{compared} comparisons for {MANY} results");
}
