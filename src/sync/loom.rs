//! loom's primitives, for the model checks.

pub(crate) use loom::cell::UnsafeCell;
pub(crate) use loom::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize};
pub(crate) use loom::sync::{Condvar, Mutex};

use super::Ordering;
use std::cell::Cell;

std::thread_local! {
    // All threads of a model are one to the operating system, so this is the model's own.
    static BARRIERS: Cell<Barriers> = const { Cell::new(Barriers::Plain) };
}

/// What barriers a model is checked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Barriers {
    Plain,
    Asymmetric,
    /// Asymmetric ones when the batch was made, and none any more when a thread needs one.
    Refused,
}

pub(crate) fn set_barriers(barriers: Barriers) {
    BARRIERS.set(barriers);
}

pub(crate) fn barriers_are_asymmetric() -> bool {
    BARRIERS.get() != Barriers::Plain
}

/// What a light and a heavy barrier are together: a full fence in either thread.
pub(crate) fn light_barrier() {
    if barriers_are_asymmetric() {
        loom::sync::atomic::fence(Ordering::SeqCst);
    }
}

pub(crate) fn heavy_barrier() -> bool {
    let passed = BARRIERS.get() != Barriers::Refused;
    if passed {
        loom::sync::atomic::fence(Ordering::SeqCst);
    }
    passed
}

/// Time does here what a heavy barrier does.
pub(crate) fn await_stores() {
    loom::sync::atomic::fence(Ordering::SeqCst);
}

/// No thread of a model vanishes.
pub(crate) fn vanishing_point() {}

/// What only the calling thread writes, or threads that have handed that on to it. loom checks
/// that this is so.
pub(crate) fn own(atomic: &AtomicU64) -> u64 {
    // SAFETY: loom panics if another thread's write does not happen before.
    unsafe { atomic.unsync_load() }
}
