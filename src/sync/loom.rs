//! loom's primitives, for the model checks.

pub(crate) use loom::cell::UnsafeCell;
pub(crate) use loom::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize};
pub(crate) use loom::sync::{Condvar, Mutex};

use super::{Forks, Ordering, new_thread_number};
use crate::batch::Waits;
use crate::cursor::Registry;
use std::cell::Cell;

/// A model has no time to pass: every pause is a point where another thread may run.
pub(crate) struct Backoff;

impl Backoff {
    pub(crate) fn new() -> Self {
        Self
    }

    pub(crate) fn spin(&self) {
        loom::thread::yield_now();
    }

    pub(crate) fn snooze(&self) {
        loom::thread::yield_now();
    }
}

pub(crate) fn look_briefly(ready: impl Fn() -> bool) -> bool {
    ready()
}

/// Models go straight to sleeping, which is what they are there to check.
pub(crate) fn look_for_a_while(_ready: impl Fn() -> bool) -> bool {
    false
}

loom::lazy_static! {
    static ref WAITS: Mutex<Waits> = Mutex::new(Waits::new());
    static ref CURSORS: Mutex<Registry> = Mutex::new(Registry::new());
}

pub(crate) fn with_waits<R>(f: impl FnOnce(&mut Waits) -> R) -> R {
    f(&mut WAITS.lock().unwrap())
}

pub(crate) fn with_cursors<R>(f: impl FnOnce(&Registry) -> R) -> R {
    f(&CURSORS.lock().unwrap())
}

/// No model forks for real.
pub(crate) fn renew_statics() {}

std::thread_local! {
    // All threads of a model are one to the operating system, so these are the model's own.
    static FORKS: Forks = const { Forks::none() };
    static ASYMMETRIC: Cell<bool> = const { Cell::new(false) };
}

pub(crate) fn generation() -> u64 {
    FORKS.with(Forks::generation)
}

pub(crate) fn survivor() -> u64 {
    FORKS.with(Forks::survivor)
}

pub(crate) fn begin_generation(survivor: u64) {
    FORKS.with(|forks| forks.begin(survivor));
}

loom::thread_local! {
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

pub(crate) fn thread_pointer() -> usize {
    usize::try_from(thread_number()).unwrap()
}

/// A model is checked with both kinds of barriers.
pub(crate) fn make_barriers_asymmetric(asymmetric: bool) {
    ASYMMETRIC.set(asymmetric);
}

pub(crate) fn barriers_are_asymmetric() -> bool {
    ASYMMETRIC.get()
}

/// What a light and a heavy barrier are together: a full fence in either thread.
pub(crate) fn light_barrier() {
    if barriers_are_asymmetric() {
        loom::sync::atomic::fence(Ordering::SeqCst);
    }
}

pub(crate) fn heavy_barrier() -> bool {
    loom::sync::atomic::fence(Ordering::SeqCst);
    true
}

pub(crate) fn watch_barriers() {}

/// What only the calling thread writes, or threads that have handed that on to it. loom sees to it
/// that this is so.
pub(crate) fn own(atomic: &AtomicU64) -> u64 {
    // SAFETY: loom panics if another thread's write does not happen before.
    unsafe { atomic.unsync_load() }
}
