//! The source, and what else only the filler touches.

use crate::host::Word;
use crate::memory::{OutOfMemory, try_zeroed};

/// What only the filler touches.
pub(super) struct FillState<S> {
    pub(super) source: S,
    /// The slots that a source of many results writes to. All zero between its calls.
    pub(super) scratch: Box<[Word]>,
    /// How many of the scratch slots hold a result.
    pub(super) produced: usize,
    /// Whether the source has ended. It is not called again.
    pub(super) ended: bool,
    /// Whether the source is writing to the scratch slots. If this is still set when the fill ends,
    /// the source was left by an unwind.
    pub(super) writing: bool,
}

impl<S> FillState<S> {
    pub(super) fn new(source: S, size: usize) -> Result<Self, OutOfMemory> {
        Ok(Self { source, scratch: try_zeroed(size)?, produced: 0, ended: false, writing: false })
    }

    pub(super) fn into_source(self) -> S {
        self.source
    }
}
