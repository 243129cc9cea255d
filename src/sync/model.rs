//! What loom's and shuttle's primitives have in common. Neither has time, nor threads that are the
//! operating system's.

use super::new_thread_number;
use super::state::{GENERATION_STEP, Renewable};
use super::{Condvar, Mutex};
use crate::batch::Waits;
use crate::cursor::Registry;
use crate::memory::OutOfMemory;
#[cfg(loom)]
use loom as checker;
#[cfg(shuttle)]
use shuttle as checker;
use std::cell::Cell;
use std::time::Duration;

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

checker::lazy_static! {
    static ref WAITS: Renewable<checker::sync::Mutex<Waits>> =
        Renewable::new(checker::sync::Mutex::new(Waits::new()));
    static ref CURSORS: Registry = Registry::new();
    static ref CURSORS_LOCK: Renewable<checker::sync::Mutex<()>> =
        Renewable::new(checker::sync::Mutex::new(()));
}

pub(crate) fn with_waits<R>(f: impl FnOnce(&mut Waits) -> R) -> R {
    f(&mut WAITS.lock().unwrap())
}

pub(crate) fn with_cursors<R>(f: impl FnOnce(&Registry) -> R) -> R {
    let _guard = CURSORS_LOCK.lock().unwrap();
    f(&CURSORS)
}

/// No model forks for real.
pub(crate) fn watch_forks() -> Result<(), OutOfMemory> {
    Ok(())
}

pub(crate) fn watch_barriers() {}

pub(crate) fn with_signals_held<R>(f: impl FnOnce() -> R) -> R {
    f()
}

std::thread_local! {
    // All threads of a model are one to the operating system, so these are the model's own.
    static GENERATION: Cell<u64> = const { Cell::new(GENERATION_STEP) };
    static SURVIVOR: Cell<u64> = const { Cell::new(0) };
}

pub(crate) fn generation() -> u64 {
    GENERATION.get()
}

pub(crate) use generation as generation_at_a_glance;

pub(crate) fn survivor() -> u64 {
    SURVIVOR.get()
}

/// A fork that has copied the thread `survivor`, and this is the child.
#[cfg(test)]
pub(crate) fn begin_generation(survivor: u64) {
    GENERATION.set(generation() + GENERATION_STEP);
    SURVIVOR.set(survivor);
    // SAFETY: of the threads that may have used them, those are left that do so from now on.
    unsafe {
        WAITS.renew(checker::sync::Mutex::new(Waits::new()));
        CURSORS_LOCK.renew(checker::sync::Mutex::new(()));
    }
    CURSORS.set_aside();
}

checker::thread_local! {
    static NUMBER: u64 = new_thread_number();
    static FILLS: Cell<isize> = Cell::new(0);
}

pub(crate) fn fills_of_this_thread(change: isize) -> isize {
    FILLS.with(|fills| {
        fills.set(fills.get() + change);
        fills.get()
    })
}

pub(crate) fn thread_number() -> u64 {
    NUMBER.with(|number| *number)
}
