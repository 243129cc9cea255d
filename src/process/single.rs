//! Where processes do not fork, as on Windows: one generation, and no signals that interrupt a
//! thread at any instruction.

use super::{GENERATION_STEP, Renew};
use crate::memory::OutOfMemory;

pub(crate) fn generation_at_a_glance() -> u64 {
    GENERATION_STEP
}

pub(crate) fn generation() -> u64 {
    GENERATION_STEP
}

/// No thread was ever copied.
pub(crate) fn survivor() -> u64 {
    0
}

pub(super) fn watch(_renew: Renew) -> Result<(), OutOfMemory> {
    Ok(())
}

pub(crate) fn with_signals_held<R>(f: impl FnOnce() -> R) -> R {
    f()
}
