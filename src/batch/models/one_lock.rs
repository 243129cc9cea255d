//! Hosts with one lock. No nap ends by itself here, so each is ended by another thread.

use super::super::Batch;
use super::super::one_lock::OneLock;
use super::{check_parking, counter, sorted};
use crate::host::{Host, Word};
use crate::sync::{AtomicUsize, Ordering};
use loom::sync::Arc;
use loom::thread;

#[test]
fn a_thread_that_is_let_in_comes_in_and_the_one_at_the_door_follows() {
    check_parking("door against lingering", || {
        let (one_lock, is_in) = (Arc::new(OneLock::new(true)), Arc::new(AtomicUsize::new(0)));
        let lingering = {
            let (one_lock, is_in) = (one_lock.clone(), is_in.clone());
            thread::spawn(move || {
                one_lock.wait_outside(None, || false);
                is_in.store(1, Ordering::Release);
                one_lock.let_the_door_go();
            })
        };
        one_lock.wait_at_the_door(None, || is_in.load(Ordering::Acquire) == 1);
        lingering.join().unwrap();
    });
}

struct OneLocked;

// SAFETY: the word is the object.
unsafe impl Host for OneLocked {
    type Object = usize;

    fn into_word(object: usize) -> Word {
        object
    }

    unsafe fn adopt_word(&self, word: Word) -> usize {
        word
    }

    fn has_one_lock(&self) -> bool {
        true
    }
}

#[test]
fn a_thread_that_lets_others_in_is_not_left_outside() {
    check_parking("load against load, with one lock", || {
        let batch = Arc::new(Batch::new(OneLocked, counter(&[]), 2).unwrap());
        let other = {
            let batch = batch.clone();
            thread::spawn(move || batch.load().unwrap())
        };
        let loaded = vec![batch.load().unwrap(), other.join().unwrap()];
        assert_eq!(sorted(loaded), [1, 2]);
    });
}
