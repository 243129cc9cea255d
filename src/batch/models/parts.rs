//! The parts of a batch, each alone: small enough to check every order of their steps, without a
//! bound on preemptions.

use super::super::gate::{CLOSED, Gate, RETURNED};
use super::super::own::{Origin, Own};
use super::super::parking::Parking;
use super::super::role::{FillRole, Taken, Vacancy};
use super::{check, check_parking, sorted, wait_for};
use crate::process::{begin_generation, thread_number};
use crate::sync::{AtomicUsize, Ordering};
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

/// A count that the holder of `by` may change. loom checks each access.
struct Guarded<B> {
    by: B,
    count: UnsafeCell<usize>,
}

// SAFETY: `count` is touched by one thread at a time, which the models are there to show.
unsafe impl<B: Sync> Sync for Guarded<B> {}

impl<B> Guarded<B> {
    fn new(by: B) -> Arc<Self> {
        Arc::new(Self { by, count: UnsafeCell::new(0) })
    }

    fn add(&self) {
        // SAFETY: loom panics if two threads are here.
        self.count.with_mut(|count| unsafe { *count += 1 });
    }

    fn count(&self) -> usize {
        // SAFETY: as above.
        self.count.with(|count| unsafe { *count })
    }
}

#[test]
fn publishing_wakes_a_thread_that_found_nothing() {
    check_parking("publish against park", || {
        let (parking, made) = (Arc::new(Parking::new()), Arc::new(AtomicUsize::new(0)));
        let waiter = wait_for(&parking, &made, 1);
        made.store(1, Ordering::Release);
        parking.wake(1);
        waiter.join().unwrap();
    });
}

#[test]
fn a_thread_that_need_not_sleep_leaves_no_token_behind() {
    check_parking("publish against park of one that looks once more", || {
        let (parking, made) = (Arc::new(Parking::new()), Arc::new(AtomicUsize::new(0)));
        let waiter = wait_for(&parking, &made, 1);
        made.store(1, Ordering::Release);
        parking.wake(1);
        waiter.join().unwrap();
        assert!(parking.is_quiet());
    });
}

#[test]
fn a_thread_that_need_not_sleep_leaves_the_token_to_one_that_does() {
    check_parking("publish against park, then another that does not park", || {
        let (parking, ended) = (Arc::new(Parking::new()), Arc::new(AtomicUsize::new(0)));
        let waiter = wait_for(&parking, &ended, 1);
        ended.store(1, Ordering::Release);
        parking.wake_all();
        // Finds what it looked for just when it was about to sleep.
        parking.wait(None, || false, || true);
        waiter.join().unwrap();
    });
}

#[test]
fn what_is_published_while_a_woken_thread_is_on_its_way_wakes_the_next() {
    check_parking("publish against a thread that was woken", || {
        let parking = Arc::new(Parking::with_one_asleep_and_one_woken());
        let made = Arc::new(AtomicUsize::new(0));
        let woken = {
            let (parking, made) = (parking.clone(), made.clone());
            thread::spawn(move || {
                parking.wake_up();
                // As a load that has a result, and sees whether there is another.
                if made.load(Ordering::Relaxed) > 0 {
                    parking.wake(1);
                }
            })
        };
        made.store(1, Ordering::Relaxed);
        // As a filler.
        let look = parking.look();
        if look.somebody_sleeps() && !look.somebody_comes() {
            parking.ring(1);
        }
        woken.join().unwrap();
        assert_eq!(parking.sleepers(), 0, "both left it to the other");
    });
}

#[test]
fn the_role_is_one_threads_at_a_time_and_carries_what_it_did() {
    check("role against role", || {
        let role = Guarded::new(FillRole::new());
        let fill = |role: &Guarded<FillRole>| {
            let taken = role.by.take() == Ok(Vacancy::Free);
            if taken {
                role.add();
                role.by.give_up();
            }
            usize::from(taken)
        };
        let other = {
            let role = role.clone();
            thread::spawn(move || fill(&role) + fill(&role))
        };
        let mine = fill(&role);
        assert_eq!(mine + other.join().unwrap(), role.count());
        assert!(role.count() > 0 && role.by.is_free());
    });
}

#[test]
fn one_thread_of_a_child_takes_over_from_a_filler_that_is_not_there() {
    check("role of nobody", || {
        let role = Arc::new(FillRole::new());
        let filler = {
            let role = role.clone();
            thread::spawn(move || role.take())
        };
        assert_eq!(filler.join().unwrap(), Ok(Vacancy::Free));
        begin_generation(thread_number());
        let other = {
            let role = role.clone();
            thread::spawn(move || role.take())
        };
        let takes = [role.take(), other.join().unwrap()];
        assert!(takes.contains(&Ok(Vacancy::Orphaned)), "{takes:?}");
        assert!(takes.contains(&Err(Taken::ByAnother)), "{takes:?}");
    });
}

#[test]
fn one_thread_of_a_child_adopts_and_the_other_finds_it_done() {
    check("gate against gate", || {
        let gate = Guarded::new(Gate::new());
        begin_generation(thread_number());
        let enter = |gate: &Guarded<Gate>| {
            if gate.by.is_stale() {
                gate.by.adopt(|| gate.add());
            }
            assert!(gate.by.is_open());
            gate.count()
        };
        let other = {
            let gate = gate.clone();
            thread::spawn(move || enter(&gate))
        };
        assert_eq!([enter(&gate), other.join().unwrap()], [1, 1]);
    });
}

#[test]
fn of_two_that_raise_a_flag_one_sees_the_other() {
    check("close against give back, flags", || {
        let gate = Arc::new(Gate::new());
        let done = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
        let raise = |gate: &Gate, done: &[AtomicUsize; 2], mine: usize| {
            let flags = [CLOSED, RETURNED];
            done[mine].store(1, Ordering::Relaxed);
            let sees = gate.raise(flags[mine]) & flags[1 - mine] != 0;
            assert!(!sees || done[1 - mine].load(Ordering::Relaxed) == 1);
            sees
        };
        let other = {
            let (gate, done) = (gate.clone(), done.clone());
            thread::spawn(move || raise(&gate, &done, 0))
        };
        assert!(raise(&gate, &done, 1) | other.join().unwrap());
    });
}

fn what_a_failed_fill_leaves(name: &str, take_back: fn(&Own) -> Option<usize>) {
    check(name, move || {
        let own = Arc::new(Own::new());
        assert_eq!(own.put(1, Origin::Fill), Ok(()));
        let taker = {
            let own = own.clone();
            thread::spawn(move || take_back(&own))
        };
        assert_eq!(own.give_back(), Some(Origin::Fill));
        let mine = take_back(&own);
        if own.put(2, Origin::Load).is_ok() {
            assert_eq!(own.give_back(), Some(Origin::Load));
        }
        let mut all: Vec<_> = mine.into_iter().chain(taker.join().unwrap()).collect();
        let last = take_back(&own);
        all.extend(last);
        assert!(all == [1] || sorted(all.clone()) == [1, 2], "{all:?}");
        assert_eq!((own.get(), take_back(&own)), (None, None));
    });
}

#[test]
fn what_a_failed_fill_leaves_goes_to_one_thread_and_makes_room_for_the_next() {
    what_a_failed_fill_leaves("take back against take back against put", Own::take_back);
}

#[test]
fn a_word_that_is_wiped_is_not_one_of_the_next_fill() {
    what_a_failed_fill_leaves("take back and wipe against put", Own::take_back_and_wipe);
}
