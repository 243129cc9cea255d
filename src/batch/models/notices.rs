//! The list of waiters that are called instead of sleeping, with the place where it wakes threads.

use super::super::notices::{ALL, Notices, Ticket, Wake};
use super::super::parking::Parking;
use super::check_parking;
use super::notify::Calls;
use crate::sync::{AtomicUsize, Ordering};
use loom::sync::Arc;
use loom::thread;
use std::sync::Arc as Plain;

/// A place where threads and registrations wait until `made` is not 0.
struct Place {
    parking: Parking,
    notices: Notices,
    made: AtomicUsize,
}

impl Place {
    fn new() -> Arc<Self> {
        let (parking, notices) = (Parking::new(), Notices::new());
        Arc::new(Self { parking, notices, made: AtomicUsize::new(0) })
    }

    fn is_ready(&self) -> bool {
        self.made.load(Ordering::Acquire) > 0
    }

    fn add(&self, calls: &Plain<Calls>) -> Ticket {
        let wake = Wake::Waker(calls.clone().into());
        self.notices.add(&self.parking, wake).map_err(|_| ()).unwrap()
    }

    fn notify(&self, calls: &Plain<Calls>) -> Ticket {
        let ticket = self.add(calls);
        if self.is_ready()
            && let Some(wake) = self.notices.remove(&self.parking, ticket)
        {
            wake.call();
        }
        ticket
    }

    /// Stores `count` results, and wakes for them.
    fn make(&self, count: usize) {
        self.made.fetch_add(count, Ordering::Release);
        self.wake(count);
    }

    fn wake(&self, count: usize) {
        if self.parking.somebody_sleeps() {
            self.notices.ring(&self.parking, count);
        }
        self.pay();
    }

    fn pay(&self) {
        if self.notices.owes() {
            self.notices.pay(|debt| Ok(debt.next(&self.parking))).unwrap();
        }
    }

    fn forget(&self, ticket: Ticket) -> bool {
        let forgotten = self.notices.remove(&self.parking, ticket).is_some();
        if !forgotten && self.is_ready() {
            self.wake(1);
        }
        forgotten
    }
}

fn spawn<R: 'static>(
    place: &Arc<Place>,
    work: impl FnOnce(&Place) -> R + 'static,
) -> thread::JoinHandle<R> {
    let place = place.clone();
    thread::spawn(move || work(&place))
}

#[test]
fn a_result_is_never_missed_by_a_waiter_that_registers_meanwhile() {
    check_parking("publish against notify", || {
        let (place, calls) = (Place::new(), Calls::new());
        let maker = spawn(&place, |place| place.make(1));
        place.notify(&calls);
        maker.join().unwrap();
        assert_eq!(calls.count(), 1);
        assert!(!place.parking.is_marked());
    });
}

#[test]
fn a_waiter_that_registers_behind_another_misses_no_result_either() {
    check_parking("publish against notify against an earlier one", || {
        let (place, first, calls) = (Place::new(), Calls::new(), Calls::new());
        place.add(&first);
        let maker = spawn(&place, |place| place.make(2));
        place.notify(&calls);
        maker.join().unwrap();
        assert_eq!((first.count(), calls.count()), (1, 1));
    });
}

#[test]
fn one_result_wakes_one_of_the_registrations() {
    check_parking("publish against publish, and three wait", || {
        let (place, all) = (Place::new(), [Calls::new(), Calls::new(), Calls::new()]);
        all.iter().for_each(|calls| {
            place.add(calls);
        });
        let maker = spawn(&place, |place| place.make(1));
        place.make(1);
        maker.join().unwrap();
        assert_eq!(all.each_ref().map(|calls| calls.count()), [1, 1, 0]);
        assert!(place.parking.is_marked(), "one still waits");
    });
}

#[test]
fn a_forgotten_waiter_is_not_called_and_its_wake_up_goes_to_the_next() {
    check_parking("publish against forget", || {
        let (place, first, second) = (Place::new(), Calls::new(), Calls::new());
        let ticket = place.add(&first);
        place.add(&second);
        let maker = spawn(&place, |place| place.make(1));
        let forgotten = place.forget(ticket);
        maker.join().unwrap();
        assert_eq!(first.count(), usize::from(!forgotten), "it is called, or forgotten");
        assert_eq!(second.count(), 1, "what the first was called for is the second's");
    });
}

#[test]
fn the_wake_up_of_a_forgotten_waiter_goes_to_a_thread_if_no_other_is_registered() {
    check_parking("publish against forget and park", || {
        let (place, calls) = (Place::new(), Calls::new());
        let ticket = place.add(&calls);
        let sleeper = spawn(&place, |place| {
            while !place.is_ready() {
                place.parking.wait(None, || false, || place.is_ready());
            }
        });
        // One wake-up for the two of them.
        place.made.store(1, Ordering::Release);
        place.wake(1);
        assert_eq!(place.forget(ticket), calls.count() == 0);
        sleeper.join().unwrap();
        assert!(place.parking.is_quiet());
    });
}

/// Forgets another waiter when it is called.
struct Forgets {
    place: Arc<Place>,
    other: Ticket,
}

impl std::task::Wake for Forgets {
    fn wake(self: Plain<Self>) {
        assert!(self.place.forget(self.other), "it was not called yet");
    }
}

#[test]
fn what_is_owed_and_finds_no_registration_wakes_a_thread() {
    check_parking("publish against park, and a waiter that forgets the next", || {
        let (place, calls) = (Place::new(), Calls::new());
        let forgets = Forgets { place: place.clone(), other: Ticket::from_number(2) };
        let first = Wake::Waker(Plain::new(forgets).into());
        assert!(place.notices.add(&place.parking, first).is_ok());
        assert_eq!(place.add(&calls), Ticket::from_number(2));
        let sleeper = spawn(&place, |place| {
            while !place.is_ready() {
                place.parking.wait(None, || false, || place.is_ready());
            }
        });
        // Both wake-ups are owed to registrations, and when the second is paid there is none.
        place.make(2);
        sleeper.join().unwrap();
        assert_eq!(calls.count(), 0);
    });
}

#[test]
fn a_close_calls_every_waiter_once() {
    check_parking("wake all against notify", || {
        let (place, early, late) = (Place::new(), Calls::new(), Calls::new());
        place.add(&early);
        let closer = spawn(&place, |place| {
            place.made.store(1, Ordering::Release);
            place.wake(ALL);
        });
        place.notify(&late);
        closer.join().unwrap();
        assert_eq!((early.count(), late.count()), (1, 1));
        assert_eq!(place.notices.len(&place.parking), 0);
    });
}
