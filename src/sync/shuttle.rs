//! shuttle's primitives, for scenes too large to be checked in every order.

pub(crate) use shuttle::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize};
pub(crate) use shuttle::sync::{Condvar, Mutex};

use super::{Forks, new_thread_number};
use crate::batch::Waits;
use crate::cursor::Registry;
use std::cell::Cell;

pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

impl<T> UnsafeCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }
}

/// Every pause is a point where another thread runs.
pub(crate) struct Backoff;

impl Backoff {
    pub(crate) fn new() -> Self {
        Self
    }

    pub(crate) fn spin(&self) {
        shuttle::thread::yield_now();
    }

    pub(crate) fn snooze(&self) {
        shuttle::thread::yield_now();
    }
}

pub(crate) fn look_briefly(ready: impl Fn() -> bool) -> bool {
    ready()
}

pub(crate) fn look_for_a_while(_ready: impl Fn() -> bool) -> bool {
    false
}

shuttle::lazy_static! {
    static ref WAITS: Mutex<Waits> = Mutex::new(Waits::new());
    static ref CURSORS: Mutex<Registry> = Mutex::new(Registry::new());
}

pub(crate) fn with_waits<R>(f: impl FnOnce(&mut Waits) -> R) -> R {
    f(&mut WAITS.lock().unwrap())
}

pub(crate) fn with_cursors<R>(f: impl FnOnce(&Registry) -> R) -> R {
    f(&CURSORS.lock().unwrap())
}

/// No scene forks for real.
pub(crate) fn renew_statics() {}

std::thread_local! {
    // All threads of a scene are one to the operating system.
    static FORKS: Forks = const { Forks::none() };
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

shuttle::thread_local! {
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

/// Everything is sequentially consistent here.
pub(crate) fn barriers_are_asymmetric() -> bool {
    true
}

pub(crate) fn light_barrier() {}

pub(crate) fn heavy_barrier() -> bool {
    true
}

pub(crate) fn watch_barriers() {}

/// What only the calling thread writes, or threads that have handed that on to it.
#[inline]
pub(crate) fn own(atomic: &AtomicU64) -> u64 {
    atomic.load(std::sync::atomic::Ordering::Relaxed)
}
