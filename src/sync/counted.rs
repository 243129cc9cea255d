//! `std`'s mutex for tests, which count how often each thread has locked one.

use std::cell::Cell;
use std::sync::{LockResult, MutexGuard};

thread_local! {
    static LOCKS: Cell<usize> = const { Cell::new(0) };
}

/// How often this thread has locked one of the library's mutexes.
#[cfg(feature = "test-hooks")]
pub(crate) fn locks_of_this_thread() -> usize {
    LOCKS.get()
}

pub(crate) struct Mutex<T>(std::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(std::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        LOCKS.set(LOCKS.get() + 1);
        self.0.lock()
    }
}
