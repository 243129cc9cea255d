//! What loom's and shuttle's primitives have in common. Neither has time, nor threads that are the
//! operating system's.

use super::{Condvar, Mutex};
#[cfg(loom)]
pub(crate) use loom as checker;
#[cfg(shuttle)]
pub(crate) use shuttle as checker;
use std::time::{Duration, Instant};

macro_rules! global {
    ($(#[$doc:meta])* $name:ident: $type:ty = $value:expr) => {
        $crate::sync::checker::lazy_static! { $(#[$doc])* static ref $name: $type = $value; }
    };
}

macro_rules! per_thread {
    ($(#[$doc:meta])* $name:ident: $type:ty = $value:expr) => {
        $crate::sync::checker::thread_local! { $(#[$doc])* static $name: $type = $value; }
    };
}
pub(crate) use {global, per_thread};

/// The operating system's, whose own steps are not checked.
pub(crate) struct Semaphore {
    count: Mutex<usize>,
    bell: Condvar,
}

impl Semaphore {
    pub(crate) fn new() -> Self {
        Self { count: Mutex::new(0), bell: Condvar::new() }
    }

    pub(crate) fn give(&self, count: usize) {
        *self.count.lock().unwrap() += count;
        (0..count).for_each(|_| self.bell.notify_one());
    }

    #[cfg(loom)]
    pub(crate) fn is_empty(&self) -> bool {
        *self.count.lock().unwrap() == 0
    }

    /// No period ends.
    pub(crate) fn take(&self, _period: Option<Duration>) -> bool {
        let mut count = self.count.lock().unwrap();
        while *count == 0 {
            count = self.bell.wait(count).unwrap();
        }
        *count -= 1;
        true
    }
}

/// A thread of a model that waits does not fork.
pub(crate) fn end_wait_in_child() {}

/// Every pause is a point where another thread may run.
pub(crate) struct Backoff;

impl Backoff {
    pub(crate) fn new() -> Self {
        Self
    }

    pub(crate) fn spin(&self) {
        checker::thread::yield_now();
    }

    pub(crate) fn snooze(&self) {
        checker::thread::yield_now();
    }
}

pub(crate) fn look_briefly(ready: impl Fn() -> bool) -> bool {
    ready()
}

/// Models go straight to sleeping, which is what they are there to check.
pub(crate) fn look_for_a_while(_ready: impl Fn() -> bool) -> bool {
    false
}

pub(crate) fn watch_barriers() {}

pub(crate) const MOST_CALLS: usize = 64;

/// Models make few calls of a source, and take all of them for quick ones.
pub(crate) fn next_pace(calls: usize, _start: Instant) -> usize {
    2 * calls
}

/// What takes time has always lasted long enough in a model, and in a scene by chance.
pub(crate) fn has_lasted(_start: Instant, _period: Duration) -> bool {
    #[cfg(shuttle)]
    {
        shuttle::rand::Rng::gen_bool(&mut shuttle::rand::thread_rng(), 0.5)
    }
    #[cfg(loom)]
    {
        true
    }
}
