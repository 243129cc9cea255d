//! Loads that are awaited, polled by hand.

use super::notify::{Calls, count, waiter, with_a_filler};
use super::*;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

type Loaded<E> = Poll<Result<usize, LoadError<E>>>;

fn poll<E>(
    future: &mut (impl Future<Output = Result<usize, LoadError<E>>> + Unpin),
    waker: &Waker,
) -> Loaded<E> {
    pin!(future).poll(&mut Context::from_waker(waker))
}

fn counts(waiters: &[(Arc<Calls>, Waker)]) -> Vec<usize> {
    waiters.iter().map(|(calls, _)| count(calls)).collect()
}

/// A future for each waiter. None is ready.
fn all_pending<F, E>(waiters: &[(Arc<Calls>, Waker)], future: impl Fn() -> F) -> Vec<F>
where
    F: Future<Output = Result<usize, LoadError<E>>> + Unpin,
{
    let wait = |(_, waker): &(_, Waker)| {
        let mut future = future();
        assert!(poll(&mut future, waker).is_pending());
        future
    };
    waiters.iter().map(wait).collect()
}

#[test]
fn a_future_that_need_not_wait_is_ready_at_once() {
    let batch = Batch::new(VALUES, counter(), 2).unwrap();
    let (calls, waker) = waiter();
    for number in 1..=3 {
        assert_eq!(poll(&mut batch.load_async(), &waker), Poll::Ready(Ok(number)));
    }
    let mut cursor = batch.cursor().unwrap();
    assert_eq!(poll(&mut cursor.next_async(), &waker), Poll::Ready(Ok(4)));
    assert_eq!((count(&calls), Arc::strong_count(&calls)), (0, 2), "nothing was registered");
}

#[test]
fn each_result_wakes_one_future_the_oldest_first() {
    let batch = Batch::new(VALUES, counter(), 8).unwrap();
    let waiters: Vec<_> = (0..4).map(|_| waiter()).collect();
    with_a_filler(&batch, || {
        let mut futures = all_pending(&waiters, || batch.load_async());
        batch.give_back(&mut vec![7]).unwrap();
        assert_eq!(counts(&waiters), [1, 0, 0, 0]);
        assert_eq!(poll(&mut futures[0], &waiters[0].1), Poll::Ready(Ok(7)));
        batch.give_back(&mut vec![8, 9]).unwrap();
        assert_eq!(counts(&waiters), [1, 1, 1, 0]);
        batch.close().unwrap();
        assert_eq!(counts(&waiters), [1, 1, 1, 1]);
        assert_eq!(poll(&mut futures[3], &waiters[3].1), Poll::Ready(Err(LoadError::Closed)));
    });
}

#[test]
fn a_future_keeps_its_turn_when_another_task_polls_it() {
    let batch = Batch::new(VALUES, counter(), 8).unwrap();
    let waiters: Vec<_> = (0..3).map(|_| waiter()).collect();
    with_a_filler(&batch, || {
        let (mut first, mut second) = (batch.load_async(), batch.load_async());
        assert!(poll(&mut first, &waiters[0].1).is_pending());
        assert!(poll(&mut second, &waiters[1].1).is_pending());
        for _ in 0..2 {
            assert!(poll(&mut first, &waiters[2].1).is_pending());
        }
        assert_eq!(batch.notices.len(&batch.parking), 2);
        assert_eq!(Arc::strong_count(&waiters[0].0), 2, "the old task is let go");
        batch.give_back(&mut vec![7]).unwrap();
        assert_eq!(counts(&waiters), [0, 0, 1]);
        assert_eq!(poll(&mut first, &waiters[2].1), Poll::Ready(Ok(7)));
    });
}

#[test]
fn a_dropped_future_passes_on_what_it_was_woken_for() {
    let batch = Batch::new(VALUES, counter(), 8).unwrap();
    let waiters: Vec<_> = (0..3).map(|_| waiter()).collect();
    with_a_filler(&batch, || {
        let mut futures = all_pending(&waiters, || batch.load_async());
        drop(futures.remove(0));
        batch.give_back(&mut vec![7]).unwrap();
        assert_eq!(counts(&waiters), [0, 1, 0], "the first waits no more");
        drop(futures.remove(0));
        assert_eq!(counts(&waiters), [0, 1, 1]);
        assert_eq!(poll(&mut futures[0], &waiters[2].1), Poll::Ready(Ok(7)));
    });
}

#[test]
fn a_future_that_was_faster_leaves_no_registration() {
    let batch = Batch::new(VALUES, counter(), 8).unwrap();
    let waiters: Vec<_> = (0..3).map(|_| waiter()).collect();
    with_a_filler(&batch, || {
        let mut futures = all_pending(&waiters, || batch.load_async());
        // The first is woken, and the second, which its task polls for another reason, is faster.
        batch.give_back(&mut vec![7]).unwrap();
        assert_eq!(poll(&mut futures[1], &waiters[1].1), Poll::Ready(Ok(7)));
        assert!(poll(&mut futures[0], &waiters[0].1).is_pending());
        assert_eq!(batch.notices.len(&batch.parking), 2);
        batch.give_back(&mut vec![8, 9]).unwrap();
        assert_eq!(counts(&waiters), [2, 0, 1]);
        // One that was woken and has loaded does not wake another.
        assert_eq!(poll(&mut futures[0], &waiters[0].1), Poll::Ready(Ok(8)));
        assert_eq!(counts(&waiters), [2, 0, 1]);
        assert_eq!(poll(&mut futures[2], &waiters[2].1), Poll::Ready(Ok(9)));
    });
}

#[test]
fn a_future_that_was_woken_and_has_loaded_wakes_no_other() {
    let batch = Batch::new(VALUES, counter(), 8).unwrap();
    let waiters: Vec<_> = (0..3).map(|_| waiter()).collect();
    with_a_filler(&batch, || {
        let mut futures = all_pending(&waiters, || batch.load_async());
        batch.give_back(&mut vec![7, 8]).unwrap();
        assert_eq!(poll(&mut futures[0], &waiters[0].1), Poll::Ready(Ok(7)));
        drop(futures.remove(0));
        assert_eq!(counts(&waiters), [1, 1, 0], "what is left is the second's");
    });
}
