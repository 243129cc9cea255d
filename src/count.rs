//! A reference count that costs its owner's thread no locked instruction.

use crate::sync::thread_pointer;
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts the references to a handle: in a plain word for the thread that made it, in an atomic one
/// for all others. The owner's references together are one reference in the atomic count.
///
/// The idea is that of biased reference counting (Choi, Shull and Torrellas, "Biased reference
/// counting", PACT 2018), which free-threaded CPython uses (PEP 703). Unlike there, a reference
/// must be dropped by the thread that took it, so that neither count ever lends to the other; the
/// last one may be dropped by any thread.
#[derive(Debug)]
pub struct Count {
    owner: usize,
    /// The owner's references.
    local: Cell<usize>,
    /// Those of other threads, and one for the owner's as long as there are any.
    shared: AtomicUsize,
}

// SAFETY: only the owner's thread touches `local`, or a thread that has the last reference.
unsafe impl Sync for Count {}

impl Default for Count {
    fn default() -> Self {
        Self::new()
    }
}

impl Count {
    /// One reference, of the calling thread.
    pub fn new() -> Self {
        let (local, shared) = (Cell::new(1), AtomicUsize::new(1));
        Self { owner: thread_pointer(), local, shared }
    }

    /// Counts one more reference of the calling thread.
    ///
    /// # Safety
    /// Some reference must be counted and stay until this returns.
    #[inline]
    pub unsafe fn take(&self) {
        if self.owner == thread_pointer() && self.local.get() > 0 {
            self.local.set(self.local.get() + 1);
        } else {
            // Relaxed: whoever takes a reference has one, or knows of one.
            self.shared.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts one reference less. Returns whether it was the last, and all that other threads did
    /// with theirs has happened before.
    ///
    /// # Safety
    /// The calling thread must have taken the reference, or it must be the last.
    #[inline]
    pub unsafe fn give_back(&self) -> bool {
        if self.owner == thread_pointer() && self.local.get() > 0 {
            self.drop_local()
        } else {
            self.drop_elsewhere()
        }
    }

    #[inline]
    fn drop_local(&self) -> bool {
        let left = self.local.get() - 1;
        self.local.set(left);
        // Acquire: with the Release of the others' drops. If they have none left, nobody can take
        // one any more, and the owner's own share need not be given back by a locked instruction.
        left == 0 && (self.shared.load(Ordering::Acquire) == 1 || self.drop_shared())
    }

    #[cold]
    fn drop_elsewhere(&self) -> bool {
        // Acquire: with the Release of the others' drops, for the owner's count.
        if self.shared.load(Ordering::Acquire) == 1 && self.local.get() > 0 {
            // What is left are the owner's references, and the caller has the last of all.
            return self.drop_local();
        }
        self.drop_shared()
    }

    fn drop_shared(&self) -> bool {
        // AcqRel: with itself in other threads.
        self.shared.fetch_sub(1, Ordering::AcqRel) == 1
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::thread;

    #[test]
    fn the_last_reference_of_the_owner_is_told() {
        let count = Count::new();
        // SAFETY: the first reference is there until the last drop.
        unsafe {
            count.take();
            count.take();
            assert_eq!(
                [count.give_back(), count.give_back(), count.give_back()],
                [false, false, true]
            );
        }
    }

    #[test]
    fn another_thread_may_drop_the_last() {
        let count = Count::new();
        // SAFETY: what this thread took, and the first reference is there.
        let last = unsafe {
            count.take();
            count.give_back()
        };
        assert!(!last);
        // SAFETY: the last reference.
        let elsewhere = || unsafe { count.give_back() };
        assert!(thread::scope(|scope| scope.spawn(elsewhere).join().unwrap()));
    }

    #[test]
    fn the_owner_outlived_by_another_takes_part_like_any_other() {
        let count = Count::new();
        thread::scope(|scope| {
            let (taken, wait) = std::sync::mpsc::channel::<()>();
            let (done, told) = std::sync::mpsc::channel::<()>();
            let count = &count;
            let other = scope.spawn(move || {
                // SAFETY: the owner's reference is there.
                unsafe { count.take() };
                taken.send(()).unwrap();
                told.recv().unwrap();
                // SAFETY: taken above.
                unsafe { count.give_back() }
            });
            wait.recv().unwrap();
            // SAFETY: the first is the owner's own, and the other thread's is there all the time.
            let ends = unsafe {
                let first = count.give_back();
                count.take();
                [first, count.give_back()]
            };
            assert_eq!(ends, [false; 2]);
            done.send(()).unwrap();
            assert!(other.join().unwrap());
        });
    }

    #[test]
    fn references_of_many_threads_end_once() {
        for _ in 0..200 {
            let count = Arc::new(Count::new());
            let others: Vec<_> = (0..3)
                .map(|_| {
                    // SAFETY: this thread has a reference.
                    unsafe { count.take() };
                    let (taken, go) = std::sync::mpsc::channel::<()>();
                    let theirs = Arc::clone(&count);
                    let other = thread::spawn(move || {
                        // SAFETY: the reference of the thread that started this one is there.
                        unsafe { theirs.take() };
                        let _ = taken.send(());
                        // SAFETY: this thread's own reference is there until the last call.
                        let again = || unsafe {
                            theirs.take();
                            theirs.give_back()
                        };
                        assert!(!(0..100).any(|_| again()));
                        // SAFETY: as above.
                        usize::from(unsafe { theirs.give_back() })
                    });
                    go.recv().unwrap();
                    other
                })
                .collect();
            // SAFETY: one for each other thread, and the first.
            let mine = (0..4).filter(|_| unsafe { count.give_back() }).count();
            let theirs: usize = others.into_iter().map(|other| other.join().unwrap()).sum();
            assert_eq!(mine + theirs, 1);
        }
    }
}
