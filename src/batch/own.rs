//! The one result that belongs to the thread that fills.

use crate::host::Word;
use crate::sync::unordered::AtomicUsize;
use crate::sync::{CachePadded, Ordering};

/// Whose result it is that a filler has for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The first one that the fill made: with it the thread cannot starve.
    Fill,
    /// One that the thread had loaded before it began to fill.
    Load,
}

/// The filler's own result. It never passes through the queue, where others might take it. It lies
/// in the batch, and not on the filler's stack, so that a collector is shown it.
///
/// Only the holder of the fill role writes here, so all is relaxed.
pub(super) struct Own(CachePadded<Place>);

struct Place {
    word: AtomicUsize,
    state: AtomicUsize,
}

const NOTHING: usize = 0;
const MADE: usize = 1;
const LOADED: usize = 2;

impl Own {
    pub(super) fn new() -> Self {
        let (word, state) = (AtomicUsize::new(0), AtomicUsize::new(NOTHING));
        Self(CachePadded::new(Place { word, state }))
    }

    pub(super) fn put(&self, word: Word, origin: Origin) {
        let state = match origin {
            Origin::Fill => MADE,
            Origin::Load => LOADED,
        };
        self.0.word.store(word, Ordering::Relaxed);
        self.0.state.store(state, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> Option<(Word, Origin)> {
        let origin = match self.0.state.load(Ordering::Relaxed) {
            MADE => Origin::Fill,
            LOADED => Origin::Load,
            _ => return None,
        };
        Some((self.0.word.load(Ordering::Relaxed), origin))
    }

    pub(super) fn take(&self) -> Option<(Word, Origin)> {
        let taken = self.get();
        self.0.state.store(NOTHING, Ordering::Relaxed);
        taken
    }
}
