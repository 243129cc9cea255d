//! The generation of a model's process. No model forks for real.

use super::{GENERATION_STEP, Renew};
use crate::memory::OutOfMemory;
use std::cell::Cell;

std::thread_local! {
    // All threads of a model are one to the operating system, so these are the model's own.
    static GENERATION: Cell<u64> = const { Cell::new(GENERATION_STEP) };
    static SURVIVOR: Cell<u64> = const { Cell::new(0) };
    static RENEW: Cell<Option<Renew>> = const { Cell::new(None) };
}

pub(super) fn watch(renew: Renew) -> Result<(), OutOfMemory> {
    RENEW.set(Some(renew));
    Ok(())
}

pub(crate) fn with_signals_held<R>(f: impl FnOnce() -> R) -> R {
    f()
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
    if let Some(renew) = RENEW.get() {
        // SAFETY: of the threads that may have used it, those are left that do so from now on.
        unsafe { renew() }
    }
}
