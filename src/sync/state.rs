//! What the three sets of primitives share.

use std::sync::atomic::{AtomicU64, Ordering};

/// One operation, so that a thread which vanishes in a fork leaves at most a number that is
/// nobody's.
pub(crate) fn new_thread_number() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

/// The generation of a process is counted in steps of this: the bits below are for what is kept
/// beside it. They leave room for a trillion threads, and those above for 16 million processes,
/// each the child of the last.
pub(crate) const GENERATION_STEP: u64 = 1 << 40;

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
