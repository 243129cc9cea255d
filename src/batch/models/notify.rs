//! Batches with waiters that are called instead of sleeping.

use super::super::{Batch, Options};
use super::{check, check_parking, counter, sorted};
use crate::error::LoadError;
use crate::host::Native;
use crate::process::{begin_generation, thread_number};
use crate::source::{Iter, Source};
use crate::sync::Ordering;
use loom::sync::Arc;
use loom::thread;
use std::sync::Arc as Plain;
use std::sync::atomic::AtomicUsize;

/// How often a waiter was called. Not one of loom's, since it orders nothing.
#[derive(Default)]
pub(super) struct Calls(AtomicUsize);

impl std::task::Wake for Calls {
    fn wake(self: Plain<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Calls {
    pub(super) fn new() -> Plain<Self> {
        Plain::default()
    }

    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Loads without waiting in the library: registers, and tries again when it was called.
fn load_by_calls(batch: &Batch<Native<usize>, impl Source<Native<usize>>>) -> usize {
    loop {
        match batch.load_now() {
            Ok(word) => return word,
            Err(LoadError::WouldWait) => {
                let calls = Calls::new();
                assert!(batch.notify(calls.clone().into()).is_ok());
                while calls.count() == 0 {
                    thread::yield_now();
                }
            }
            Err(_) => panic!("the source does not fail"),
        }
    }
}

#[test]
fn a_waiter_of_a_whole_batch_gets_its_result_or_the_role() {
    check_parking("load against load that does not wait", || {
        let batch = Arc::new(Batch::new(Native::<usize>::new(), Iter(1..), 1).unwrap());
        let other = {
            let batch = batch.clone();
            thread::spawn(move || batch.load().unwrap())
        };
        let loaded = vec![load_by_calls(&batch), other.join().unwrap()];
        assert_eq!(sorted(loaded), [1, 2]);
    });
}

#[test]
fn a_waiter_learns_of_a_close_and_of_the_end_of_a_fill() {
    check_parking("close against notify", || {
        let batch = Arc::new(Batch::new(Native::<usize>::new(), counter(&[]), 1).unwrap());
        let closer = {
            let batch = batch.clone();
            thread::spawn(move || {
                // A filler that is at work when the batch is closed.
                let vacancy = batch.role.take();
                batch.close().unwrap();
                if vacancy.is_ok() {
                    batch.role.give_up();
                }
            })
        };
        let calls = Calls::new();
        let ticket = batch.notify(calls.clone().into()).unwrap();
        closer.join().unwrap();
        assert_eq!(calls.count(), 1);
        assert!(!batch.forget(ticket));
    });
}

/// A second result comes back while a thread takes the first. The one that gave it back registers
/// between the moment when the flag of what came back is down and the one when it is up again, or not.
fn comes_back_while(take: impl Fn(&Values) + Copy + Send + Sync + 'static) {
    check_parking("give back and wait against take", move || {
        let batch = Arc::new(Values::new(Native::new(), Iter(1..), 1).unwrap());
        assert!(batch.role.take().is_ok());
        assert_eq!(batch.take_words_back(&[1]), Ok(()));
        let other = {
            let batch = batch.clone();
            thread::spawn(move || {
                assert_eq!(batch.take_words_back(&[2]), Ok(()));
                load_by_calls(&batch)
            })
        };
        take(&batch);
        other.join().unwrap();
    });
}

type Values = Batch<Native<usize>, Iter<std::ops::RangeFrom<usize>>>;

#[test]
fn a_result_that_comes_back_while_another_is_taken_wakes_a_waiter() {
    comes_back_while(|batch| assert!(batch.try_load().unwrap().is_some()));
}

#[test]
fn a_result_that_comes_back_while_another_is_loaded_wakes_a_waiter() {
    comes_back_while(|batch| assert!(load_by_calls(batch) > 0));
}

#[test]
fn a_child_calls_no_waiter_of_its_parent() {
    check("fork", || {
        let options = Options::default();
        let batch = Batch::with_options(Native::<usize>::new(), Iter(1..), 2, options).unwrap();
        let batch = Arc::new(batch);
        assert!(batch.role.take().is_ok());
        let (parents, childs) = (Calls::new(), Calls::new());
        let ticket = batch.notify(parents.clone().into()).unwrap();
        batch.role.give_up();
        begin_generation(thread_number());
        let other = {
            let batch = batch.clone();
            thread::spawn(move || batch.load().unwrap())
        };
        assert!(!batch.forget(ticket), "it is not known whether the parent was calling it");
        let new = batch.notify(childs.clone().into()).unwrap();
        assert_ne!(new, ticket);
        other.join().unwrap();
        assert_eq!((parents.count(), childs.count()), (0, 1));
    });
}
