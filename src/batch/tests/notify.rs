//! Waiters that are called instead of sleeping.

use super::*;
use crate::batch::RawWake;
use std::ffi::c_void;
use std::ptr;
use std::task::{Wake, Waker};

/// Counts its calls.
#[derive(Default)]
pub(super) struct Calls(AtomicUsize);

impl Wake for Calls {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

pub(super) fn waiter() -> (Arc<Calls>, Waker) {
    let calls = Arc::new(Calls::default());
    (calls.clone(), calls.into())
}

pub(super) fn count(calls: &Calls) -> usize {
    calls.0.load(Ordering::Relaxed)
}

/// Runs `test` while another thread has the fill role of the batch.
pub(super) fn with_a_filler<S: Source<Native<usize>>>(
    batch: &Batch<Native<usize>, S>,
    test: impl FnOnce(),
) {
    let taken = Barrier::new(2);
    std::thread::scope(|scope| {
        // It goes with this closure, so that a failure in the test lets the other thread end.
        let (_go_on, told) = mpsc::channel::<()>();
        let taken = &taken;
        scope.spawn(move || {
            assert!(batch.role.take().is_ok());
            taken.wait();
            assert!(told.recv().is_err());
            batch.role.give_up();
        });
        taken.wait();
        test();
    });
}

#[test]
fn a_load_that_does_not_wait_takes_what_is_ready_and_fills() {
    let batch = Batch::new(VALUES, counter(), 2).unwrap();
    assert_eq!([batch.load_now(), batch.load_now(), batch.load_now()], [Ok(1), Ok(2), Ok(3)]);
    with_a_filler(&batch, || {
        assert_eq!(batch.load_now(), Ok(4), "it was ready");
        assert_eq!(batch.load_now(), Err(LoadError::WouldWait));
        let mut cursor = batch.cursor().unwrap();
        assert_eq!(cursor.next_now(), Err(LoadError::WouldWait));
    });
    assert_eq!(batch.stats().waits, 0);
    assert_eq!(batch.cursor().unwrap().next_now(), Ok(5));
    batch.close().unwrap();
    assert_eq!(batch.load_now(), Err(LoadError::Closed));
}

#[test]
fn a_load_that_finds_a_result_first_calls_the_waiter_that_is_to_be_woken() {
    let batch = Batch::new(VALUES, counter(), 2).unwrap();
    let (calls, waker) = waiter();
    batch.role.take().unwrap();
    batch.notify(waker).unwrap();
    batch.queue.begin();
    batch.queue.push_all(&[7, 8]);
    batch.notices.ring(&batch.parking, 1);
    assert_eq!(count(&calls), 0);
    assert_eq!((batch.try_load(), count(&calls)), (Ok(Some(7)), 1));
    batch.role.give_up();
}

#[test]
fn a_waiter_that_need_not_wait_is_called_at_once() {
    let batch = Batch::new(VALUES, counter(), 2).unwrap();
    let (calls, waker) = waiter();
    let ticket = batch.notify(waker.clone()).unwrap();
    assert_eq!(count(&calls), 1, "the role is free");
    assert!(!batch.forget(ticket));
    assert_eq!(batch.load(), Ok(1));
    with_a_filler(&batch, || {
        batch.notify(waker.clone()).unwrap();
        assert_eq!(count(&calls), 2, "a result is ready");
    });
    batch.close().unwrap();
    batch.notify(waker).unwrap();
    assert_eq!(count(&calls), 3, "the batch is closed");
}

#[test]
fn each_result_calls_one_waiter_the_oldest_first() {
    let batch = Batch::new(VALUES, counter(), 8).unwrap();
    let waiters: Vec<_> = (0..5).map(|_| waiter()).collect();
    let called = || waiters.iter().map(|(calls, _)| count(calls)).collect::<Vec<_>>();
    with_a_filler(&batch, || {
        waiters.iter().for_each(|(_, waker)| {
            batch.notify(waker.clone()).unwrap();
        });
        batch.give_back(&mut vec![7]).unwrap();
        assert_eq!(called(), [1, 0, 0, 0, 0]);
        batch.give_back(&mut vec![8, 9]).unwrap();
        assert_eq!(called(), [1, 1, 1, 0, 0]);
        batch.close().unwrap();
        assert_eq!(called(), [1, 1, 1, 1, 1]);
        batch.close().unwrap();
        assert_eq!(called(), [1, 1, 1, 1, 1]);
    });
}

#[test]
fn a_fill_calls_one_waiter_for_each_result_and_one_for_the_role() {
    let (go_on, source) = waits_from(1);
    let batch = Batch::new(VALUES, source, 3).unwrap();
    let waiters: Vec<_> = (0..9).map(|_| waiter()).collect();
    let called = || waiters.iter().map(|(calls, _)| count(calls)).sum::<usize>();
    std::thread::scope(|scope| {
        let filler = scope.spawn(|| batch.load());
        while batch.role.is_free() {
            std::thread::yield_now();
        }
        waiters.iter().for_each(|(_, waker)| {
            batch.notify(waker.clone()).unwrap();
        });
        assert_eq!(called(), 0);
        (0..3).for_each(|_| go_on.send(()).unwrap());
        assert_eq!(filler.join().unwrap(), Ok(1));
    });
    // Two for the results that the filler left, one for the role.
    assert_eq!(called(), 3);
}

#[test]
fn a_waiter_that_is_forgotten_is_not_called_and_passes_on_what_it_was_called_for() {
    let batch = Batch::new(VALUES, counter(), 2).unwrap();
    let [(first, one), (second, two), (third, three)] = [waiter(), waiter(), waiter()];
    with_a_filler(&batch, || {
        let tickets = [one, two, three].map(|waker| batch.notify(waker).unwrap());
        assert!(batch.forget(tickets[0]));
        assert!(!batch.forget(tickets[0]), "there is nothing left to forget");
        batch.give_back(&mut vec![7]).unwrap();
        assert_eq!([&first, &second, &third].map(|calls| count(calls)), [0, 1, 0]);
        assert!(!batch.forget(tickets[1]));
        assert_eq!([&first, &second, &third].map(|calls| count(calls)), [0, 1, 1]);
        assert_eq!(batch.try_load(), Ok(Some(7)));
        assert!(!batch.forget(tickets[2]));
    });
    assert_eq!(Arc::strong_count(&first), 1, "a forgotten waker is dropped");
}

#[test]
fn many_forgotten_waiters_leave_no_room_taken() {
    let batch = Batch::new(VALUES, counter(), 2).unwrap();
    let (calls, waker) = waiter();
    with_a_filler(&batch, || {
        // One that stays, before all others, and some that go in another order than they came.
        batch.notify(waker.clone()).unwrap();
        for round in 0..100 {
            let mut tickets: Vec<_> =
                (0..8).map(|_| batch.notify(waker.clone()).unwrap()).collect();
            tickets.rotate_left(round % 8);
            let forget = |ticket: Ticket| batch.forget(Ticket::from_number(ticket.number()));
            assert!(tickets.into_iter().all(forget));
        }
        assert_eq!(batch.notices.len(&batch.parking), 1);
        assert!(batch.notices.room(&batch.parking) <= 16, "{}", batch.notices.room(&batch.parking));
        batch.close().unwrap();
    });
    assert_eq!(count(&calls), 1);
    assert!(!batch.parking.is_marked());
}

#[test]
fn a_batch_that_is_dropped_calls_the_waiters_that_are_left() {
    let batch = Batch::new(VALUES, counter(), 2).unwrap();
    let [(first, one), (second, two)] = [waiter(), waiter()];
    assert!(batch.role.take().is_ok());
    batch.notify(one).unwrap();
    batch.notify(two).unwrap();
    drop(batch.into_source());
    assert_eq!([count(&first), count(&second)], [1, 1]);
}

#[test]
fn threads_and_registrations_are_woken_in_turn() {
    let batch = Batch::new(VALUES, counter(), 2).unwrap();
    let waiters: Vec<_> = (0..2).map(|_| waiter()).collect();
    with_a_filler(&batch, || {
        std::thread::scope(|scope| {
            let sleepers: Vec<_> = (0..2).map(|_| scope.spawn(|| batch.load())).collect();
            while batch.parking.sleepers() < 2 {
                std::thread::yield_now();
            }
            waiters.iter().for_each(|(_, waker)| {
                batch.notify(waker.clone()).unwrap();
            });
            for made in 1..=2 {
                batch.notices.ring(&batch.parking, 1);
                batch.notices.ring(&batch.parking, 1);
                batch.call_waiters();
                let called = || waiters.iter().map(|(calls, _)| count(calls)).sum::<usize>();
                // The thread that was woken may be the one that calls.
                until(|| called() >= made);
                assert_eq!(called(), made);
            }
            batch.give_back(&mut vec![1, 2]).unwrap();
            sleepers.into_iter().for_each(|sleeper| assert!(sleeper.join().unwrap().is_ok()));
        });
    });
}

#[test]
fn a_thread_that_was_woken_and_does_not_run_yet_does_not_answer_for_registrations() {
    let (place, notices) = (Parking::with_one_asleep_and_one_woken(), Notices::new());
    let [(first, one), (second, two)] = [waiter(), waiter()];
    for waker in [one, two] {
        assert!(notices.add(&place, notices::Wake::Waker(waker)).is_ok());
    }
    // Three results: one for each registration, and one for the thread that sleeps.
    for _ in 0..3 {
        notices.ring(&place, 1);
        assert!(notices.pay(|debt| Ok(debt.next(&place))).is_ok());
    }
    assert_eq!(([count(&first), count(&second)], place.sleepers()), ([1, 1], 0));
}

/// A host whose threads are interrupted together, and that otherwise asks after a time that no test
/// takes.
#[derive(Default)]
struct Interruptible(AtomicBool);

// SAFETY: the word is the object.
unsafe impl Host for &Interruptible {
    words_are_objects!();

    fn interrupt_period(&self) -> Option<Duration> {
        Some(60 * LONG)
    }

    fn interrupted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[test]
fn an_interrupt_makes_threads_that_sleep_ask_at_once() {
    let host = Interruptible::default();
    let batch = Batch::new(&host, counter(), 2).unwrap();
    assert!(batch.role.take().is_ok());
    std::thread::scope(|scope| {
        let sleeper = scope.spawn(|| batch.load());
        until(|| batch.parking.sleepers() == 1);
        // It is not interrupted, and sleeps again.
        batch.interrupt();
        until(|| batch.parking.sleepers() == 1);
        host.0.store(true, Ordering::Relaxed);
        batch.interrupt();
        assert_eq!(sleeper.join().unwrap(), Err(LoadError::Interrupted));
    });
    batch.role.give_up();
    host.0.store(false, Ordering::Relaxed);
    assert_eq!(batch.load(), Ok(1));
}

/// What a raw waiter is given.
struct Raw<'b, S: Source<Native<usize>>> {
    batch: &'b Batch<Native<usize>, S>,
    calls: AtomicUsize,
    unwinds: bool,
}

unsafe extern "C-unwind" fn call<S: Source<Native<usize>>>(arg: *mut c_void) {
    // SAFETY: registered with this type, which lives as long as the test.
    let raw = unsafe { &*arg.cast::<Raw<'_, S>>() };
    raw.calls.fetch_add(1, Ordering::Relaxed);
    // No lock is held, so a waiter may use the batch.
    let _ = raw.batch.notify(Waker::noop().clone()).map(|ticket| raw.batch.forget(ticket));
    if raw.unwinds {
        std::panic::resume_unwind(Box::new(()));
    }
}

fn register<S: Source<Native<usize>>>(raw: &Raw<'_, S>) {
    let wake = RawWake { function: call::<S>, arg: std::ptr::from_ref(raw).cast_mut().cast() };
    // SAFETY: `raw` lives as long as the batch is used.
    unsafe { raw.batch.notify_raw(wake) }.unwrap_or_else(|_| panic!("it is registered"));
}

#[test]
fn a_waiter_may_use_the_batch_and_one_that_unwinds_loses_no_other_and_no_result() {
    let batch = Batch::new(VALUES, counter(), 2).unwrap();
    let raws = [false, true, false].map(|unwinds| Raw { batch: &batch, calls: 0.into(), unwinds });
    with_a_filler(&batch, || {
        raws.iter().for_each(register);
        let close = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| batch.close()));
        assert!(close.is_err());
    });
    assert_eq!(raws.each_ref().map(|raw| raw.calls.load(Ordering::Relaxed)), [1, 1, 1]);
    assert_eq!(batch.load_now(), Err(LoadError::Closed));
}

unsafe extern "C-unwind" fn unwind(_: *mut c_void) {
    std::panic::resume_unwind(Box::new(()));
}

#[test]
fn a_waiter_that_unwinds_leaves_the_calls_of_others() {
    let batch = Batch::new(VALUES, counter(), 2).unwrap();
    let mut results = vec![batch.load().unwrap(), batch.load().unwrap()];
    let (calls, waker) = waiter();
    with_a_filler(&batch, || {
        // SAFETY: the function may be called in any thread, with anything.
        let first = unsafe { batch.notify_raw(RawWake { function: unwind, arg: ptr::null_mut() }) };
        assert!(first.is_ok());
        batch.notify(waker).unwrap();
        let give = std::panic::AssertUnwindSafe(|| batch.give_back(&mut results));
        assert!(std::panic::catch_unwind(give).is_err());
        assert_eq!(count(&calls), 1);
    });
}

#[test]
fn the_end_calls_all_waiters() {
    let (enter, entered) = mpsc::channel();
    let (go_on, told) = mpsc::channel::<usize>();
    let source = std::iter::from_fn(move || {
        enter.send(()).unwrap();
        told.recv().ok()
    });
    let batch = Batch::new(VALUES, Iter(source), 2).unwrap();
    let waiters = [waiter(), waiter(), waiter()];
    std::thread::scope(|scope| {
        let filler = scope.spawn(|| batch.load());
        entered.recv().unwrap();
        for (_, waker) in &waiters {
            batch.notify(waker.clone()).unwrap();
        }
        drop(go_on);
        assert_eq!(filler.join().unwrap(), Err(LoadError::Ended));
    });
    assert_eq!(waiters.each_ref().map(|(calls, _)| count(calls)), [1, 1, 1]);
}

#[test]
fn the_child_of_a_fork_calls_no_waiter_of_its_parent() {
    let batch = Batch::new(VALUES, counter(), 2).unwrap();
    let [(parents, one), (childs, two)] = [waiter(), waiter()];
    assert!(batch.role.take().is_ok());
    let ticket = batch.notify(one).unwrap();
    batch.role.give_up();
    assert!(super::forks::passes_in_child(|| {
        assert!(!batch.forget(ticket));
        let new = batch.notify(two.clone()).unwrap();
        assert_ne!(new, ticket);
        assert_eq!(batch.load(), Ok(1));
        batch.close().unwrap();
        assert_eq!([count(&parents), count(&childs)], [0, 1]);
    }));
    assert!(batch.forget(ticket));
}
