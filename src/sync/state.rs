//! What the three sets of primitives share.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number for a thread. One operation, so that a thread which vanishes in a fork leaves at most a
/// number that no thread has.
pub(crate) fn new_number() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

/// What the child of a fork writes anew, because threads that it has not may have been using it. So
/// it may have been copied in any state, even while another child's thread was writing it anew.
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

/// A value under a lock, for all threads of the process. The child of a fork renews it.
pub(crate) struct Global<T>(Renewable<super::Mutex<T>>);

impl<T> Global<T> {
    #[cfg(not(all(test, any(loom, shuttle))))]
    pub(crate) const fn new(value: T) -> Self {
        Self(Renewable::new(super::Mutex::new(value)))
    }

    #[cfg(all(test, any(loom, shuttle)))]
    pub(crate) fn new(value: T) -> Self {
        Self(Renewable::new(super::Mutex::new(value)))
    }

    /// Gives `f` the value, under the lock.
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        f(&mut self.0.lock().unwrap_or_else(|poison| poison.into_inner()))
    }

    /// For the child of a fork: a thread of the parent may have held the lock.
    ///
    /// # Safety
    /// No thread of this process may be using the value.
    pub(crate) unsafe fn renew(&self, value: T) {
        // SAFETY: the caller's promise.
        unsafe { self.0.renew(super::Mutex::new(value)) }
    }
}
