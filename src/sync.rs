//! The synchronisation primitives of the core: those of `std`, or loom's when a model is checked.

#[cfg(not(loom))]
mod imp {
    pub(crate) use crossbeam_utils::Backoff;
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
    pub(crate) use std::sync::{Condvar, Mutex};

    use super::{Ordering, Renewable};
    use crate::batch::Waits;
    use std::cell::Cell;
    use std::sync::atomic::AtomicU32;

    /// `std`'s cell with the access by closure that loom needs to see who touches it.
    pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

    impl<T> UnsafeCell<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(std::cell::UnsafeCell::new(value))
        }

        pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
            f(self.0.get())
        }
    }

    static WAITS: Renewable<Mutex<Waits>> = Renewable::new(Mutex::new(Waits::new()));

    pub(crate) fn with_waits<R>(f: impl FnOnce(&mut Waits) -> R) -> R {
        f(&mut WAITS.lock().unwrap_or_else(|poison| poison.into_inner()))
    }

    /// For the child of a fork: a thread of the parent may have held the lock.
    pub(crate) fn renew_statics() {
        // SAFETY: the child has one thread, which is here and not in `with_waits`.
        unsafe { WAITS.renew(Mutex::new(Waits::new())) }
    }

    thread_local! {
        static FILLS: Cell<isize> = const { Cell::new(0) };
    }

    /// How many fills this thread is in the middle of, after `change` more.
    pub(crate) fn fills_of_this_thread(change: isize) -> isize {
        FILLS.set(FILLS.get() + change);
        FILLS.get()
    }

    // Relaxed everywhere: a child writes these while it has one thread, before it can have others.
    static GENERATION: AtomicU32 = AtomicU32::new(0);
    static SURVIVOR: AtomicU64 = AtomicU64::new(0);

    /// The generation of this process: how many forks lie between it and the first.
    #[inline]
    pub(crate) fn generation() -> u32 {
        GENERATION.load(Ordering::Relaxed)
    }

    /// The thread that the last fork has copied, if there was one.
    pub(crate) fn survivor() -> u64 {
        SURVIVOR.load(Ordering::Relaxed)
    }

    pub(crate) fn begin_generation(survivor: u64) {
        SURVIVOR.store(survivor, Ordering::Relaxed);
        GENERATION.fetch_add(1, Ordering::Relaxed);
    }

    thread_local! {
        static NUMBER: Cell<u64> = const { Cell::new(0) };
    }

    /// A number for this thread, counted from 1.
    pub(crate) fn thread_number() -> u64 {
        if NUMBER.get() == 0 {
            NUMBER.set(super::new_thread_number());
        }
        NUMBER.get()
    }
}

#[cfg(loom)]
mod imp {
    pub(crate) use loom::cell::UnsafeCell;
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
    pub(crate) use loom::sync::{Condvar, Mutex};

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

        /// Models go straight to parking, which is what they are there to check.
        pub(crate) fn is_completed(&self) -> bool {
            true
        }
    }

    use crate::batch::Waits;
    use std::cell::Cell;

    loom::lazy_static! {
        static ref WAITS: Mutex<Waits> = Mutex::new(Waits::new());
    }

    pub(crate) fn with_waits<R>(f: impl FnOnce(&mut Waits) -> R) -> R {
        f(&mut WAITS.lock().unwrap())
    }

    /// No model forks for real.
    pub(crate) fn renew_statics() {}

    std::thread_local! {
        // All threads of a model are one to the operating system, so this is the model's own.
        static FORKS: Cell<(u32, u64)> = const { Cell::new((0, 0)) };
    }

    pub(crate) fn generation() -> u32 {
        FORKS.get().0
    }

    pub(crate) fn survivor() -> u64 {
        FORKS.get().1
    }

    pub(crate) fn begin_generation(survivor: u64) {
        FORKS.set((generation() + 1, survivor));
    }

    loom::thread_local! {
        static NUMBER: u64 = super::new_thread_number();
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
}

fn new_thread_number() -> u64 {
    static LAST: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

/// What the child of a fork writes anew, because threads that it has not may have been using it.
pub(crate) struct Renewable<T>(std::cell::UnsafeCell<T>);

// SAFETY: shared references are given out as `T` allows; `renew` says what it needs.
unsafe impl<T: Sync> Sync for Renewable<T> {}

impl<T> Renewable<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    /// Overwrites the value. What it was is forgotten, not dropped: it is in no state to be.
    ///
    /// # Safety
    /// Nobody may be using the value.
    pub(crate) unsafe fn renew(&self, value: T) {
        // SAFETY: the caller's promise.
        unsafe { self.0.get().write(value) }
    }
}

impl<T> std::ops::Deref for Renewable<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: `renew` is not called while the reference is in use.
        unsafe { &*self.0.get() }
    }
}

pub(crate) use crossbeam_utils::CachePadded;
pub(crate) use imp::*;
pub(crate) use std::sync::atomic::Ordering;
