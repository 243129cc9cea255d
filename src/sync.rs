//! The synchronisation primitives of the core: those of `std`, or loom's when a model is checked.

#[cfg(not(loom))]
mod imp {
    pub(crate) use crossbeam_utils::Backoff;
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
    pub(crate) use std::sync::{Condvar, Mutex};

    use crate::batch::Waits;
    use std::cell::Cell;

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

    static WAITS: Mutex<Waits> = Mutex::new(Waits::new());

    pub(crate) fn with_waits<R>(f: impl FnOnce(&mut Waits) -> R) -> R {
        f(&mut WAITS.lock().unwrap_or_else(|poison| poison.into_inner()))
    }

    thread_local! {
        static FILLS: Cell<isize> = const { Cell::new(0) };
    }

    /// How many fills this thread is in the middle of, after `change` more.
    pub(crate) fn fills_of_this_thread(change: isize) -> isize {
        FILLS.set(FILLS.get() + change);
        FILLS.get()
    }

    /// A word that differs between all threads that live at the same time, and is never 0.
    pub(crate) fn thread_token() -> usize {
        // SAFETY: `pthread_self` has no preconditions.
        unsafe { libc::pthread_self() as usize }
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

    loom::thread_local! {
        static TOKEN: Box<u8> = Box::new(0);
        static FILLS: Cell<isize> = Cell::new(0);
    }

    pub(crate) fn fills_of_this_thread(change: isize) -> isize {
        FILLS.with(|fills| {
            fills.set(fills.get() + change);
            fills.get()
        })
    }

    pub(crate) fn thread_token() -> usize {
        TOKEN.with(|token| std::ptr::from_ref::<u8>(token) as usize)
    }
}

pub(crate) use crossbeam_utils::CachePadded;
pub(crate) use imp::*;
pub(crate) use std::sync::atomic::Ordering;
