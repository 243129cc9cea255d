//! shuttle's primitives, for scenes too large to be checked in every order.

pub(crate) use shuttle::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize};
pub(crate) use shuttle::sync::{Condvar, Mutex};

pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

impl<T> UnsafeCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }
}

/// Everything is sequentially consistent here.
pub(crate) fn barriers_are_asymmetric() -> bool {
    true
}

pub(crate) fn light_barrier() {}

pub(crate) fn heavy_barrier() -> bool {
    true
}

/// Between two plain stores, after the first of which a scene may make this thread vanish.
pub(crate) fn vanishing_point() {
    if VANISHING.get() {
        shuttle::thread::yield_now();
    }
}

std::thread_local! {
    static VANISHING: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Whether the scenes of this thread of the operating system make threads vanish.
#[cfg(test)]
pub(crate) fn let_threads_vanish(vanishing: bool) {
    VANISHING.set(vanishing);
}

pub(crate) fn await_stores() {}

/// What only the calling thread writes, or threads that have handed that on to it.
pub(crate) fn own(atomic: &AtomicU64) -> u64 {
    atomic.load(std::sync::atomic::Ordering::Relaxed)
}
