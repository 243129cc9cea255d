//! What only the filler touches.

use crate::host::{Host, Word};
use crate::memory::{OutOfMemory, try_zeroed};
use crate::source::Slots;
use crate::sync::UnsafeCell;

/// The source, and where it writes to. Two cells, because the source is borrowed as long as it runs.
pub(super) struct Workspace<S> {
    source: UnsafeCell<S>,
    state: UnsafeCell<FillState>,
}

/// The state of a fill, and what remains of it between two fills.
pub(super) struct FillState {
    /// The slots that a source of many results writes to. All zero between its calls.
    pub(super) scratch: Box<[Word]>,
    /// How many of the scratch slots hold a result.
    pub(super) produced: usize,
    /// Whether the source has ended. It is not called again.
    pub(super) ended: bool,
    /// Whether the source is writing to the scratch slots. If this is still set when the fill ends,
    /// the source was left by an unwind.
    pub(super) writing: bool,
    /// How many calls of the source there are between two looks at the clock.
    pub(super) pace: usize,
}

impl FillState {
    /// Lets a source of many results write up to `room` of them. Returns what `fill` does, and whether
    /// the source has ended.
    pub(super) fn write<H: Host, R>(
        &mut self,
        room: usize,
        fill: impl FnOnce(&mut Slots<'_, H>) -> R,
    ) -> (R, bool) {
        let Self { scratch, produced, ended, writing, .. } = self;
        *writing = true;
        let result = fill(&mut Slots::new(&mut scratch[..room], produced, ended));
        *writing = false;
        (result, *ended)
    }

    /// Forgets what the source has written.
    pub(super) fn empty_scratch(&mut self) {
        self.scratch.fill(0);
        (self.produced, self.writing) = (0, false);
    }
}

impl<S> Workspace<S> {
    pub(super) fn new(source: S, size: usize) -> Result<Self, OutOfMemory> {
        let scratch = try_zeroed(size)?;
        let state = FillState { scratch, produced: 0, ended: false, writing: false, pace: 1 };
        Ok(Self { source: UnsafeCell::new(source), state: UnsafeCell::new(state) })
    }

    /// # Safety
    /// This thread must hold the fill role, and `f` must not reach the source again.
    #[inline]
    pub(super) unsafe fn with_source<R>(&self, f: impl FnOnce(&mut S) -> R) -> R {
        // SAFETY: the caller's promise.
        self.source.with_mut(|source| f(unsafe { &mut *source }))
    }

    /// # Safety
    /// This thread must hold the fill role, and `f` must not reach the state again.
    #[inline]
    pub(super) unsafe fn with_state<R>(&self, f: impl FnOnce(&mut FillState) -> R) -> R {
        // SAFETY: the caller's promise.
        self.state.with_mut(|state| f(unsafe { &mut *state }))
    }

    /// Moves the source out, and frees the slots.
    ///
    /// # Safety
    /// Nobody may use the workspace from now on, nor drop it.
    pub(super) unsafe fn take_source(&self) -> S {
        // SAFETY: the caller's promise.
        unsafe {
            self.state.with_mut(|state| state.drop_in_place());
            self.source.with_mut(|source| source.read())
        }
    }
}
