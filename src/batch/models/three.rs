//! Parts used by three threads, which is too much for every order of their steps.

use super::super::parking::Parking;
use super::queue::{claim, ring};
use super::{check, check_parking, sorted, wait_for};
use crate::sync::{AtomicUsize, Ordering};
use loom::sync::Arc;
use loom::thread;

#[test]
fn two_consumers_never_get_the_same_item() {
    check("claim against claim against push", || {
        let ring = ring(1..=1);
        let consumers: Vec<_> = (0..2)
            .map(|_| {
                let ring = ring.clone();
                thread::spawn(move || claim(&ring))
            })
            .collect();
        ring.begin();
        assert!(ring.push(2));
        ring.publish();
        while ring.len() == 2 {
            thread::yield_now();
        }
        ring.begin();
        assert!(ring.push(3));
        let taken = consumers.into_iter().filter_map(|consumer| consumer.join().unwrap());
        let rest = std::iter::from_fn(|| claim(&ring));
        assert_eq!(sorted(taken.chain(rest).collect()), [1, 2, 3]);
    });
}

#[test]
fn two_that_found_nothing_are_both_woken() {
    check_parking("publish against park against park", || {
        let (parking, made) = (Arc::new(Parking::new()), Arc::new(AtomicUsize::new(0)));
        let waiters = [1, 2].map(|wanted| wait_for(&parking, &made, wanted));
        made.store(2, Ordering::Release);
        parking.wake_all();
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
    });
}

#[test]
fn no_thread_sleeps_without_barriers_when_another_is_the_first_to_be_refused_one() {
    check_parking("publish against park, after a park that ended", || {
        let (parking, made) = (Arc::new(Parking::new()), Arc::new(AtomicUsize::new(0)));
        let first = {
            let parking = parking.clone();
            thread::spawn(move || parking.wait(None, || false, || true))
        };
        let waiter = wait_for(&parking, &made, 1);
        made.store(1, Ordering::Release);
        parking.wake(1);
        first.join().unwrap();
        waiter.join().unwrap();
    });
}
