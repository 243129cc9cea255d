//! The one result that belongs to the thread that fills.

use crate::host::Word;
use crate::sync::{AtomicU64, AtomicUsize, CachePadded, Ordering, vanishing_point};

/// Where the filler's own result came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The first one that the fill made, so that the thread cannot starve.
    Fill,
    /// One that the thread had loaded before it began to fill.
    Load,
    /// One that a cursor of the thread had claimed before.
    Claim,
}

/// The filler's own result. It never passes through the queue, where other threads could take it.
/// It is in the batch, not on the filler's stack, so that a collector sees it.
///
/// If the fill fails, the result stays here, and a single store offers it to all threads. Until a
/// thread has taken it, no fill keeps another.
pub(super) struct Own(CachePadded<Place>);

struct Place {
    word: AtomicUsize,
    /// The kind of the result and, in steps of [`STEP`], how many results were ever put here.
    state: AtomicU64,
}

const NOTHING: u64 = 0;
const MADE: u64 = 1;
const LOADED: u64 = 2;
/// Any thread may take it.
const BACK: u64 = 3;
const CLAIMED: u64 = 4;
/// A thread is taking it and wipes it.
const WIPED: u64 = 5;
const STEP: u64 = 8;

const fn kind(state: u64) -> u64 {
    state % STEP
}

impl Own {
    pub(super) fn new() -> Self {
        Self(CachePadded::new(Place { word: AtomicUsize::new(0), state: AtomicU64::new(NOTHING) }))
    }

    /// For the filler: keeps a result, unless there is one.
    pub(super) fn put(&self, word: Word, origin: Origin) -> Result<(), Word> {
        // Acquire: with the Release in `take_back`, whose copy of the word before is over.
        let state = self.0.state.load(Ordering::Acquire);
        if kind(state) != NOTHING {
            return Err(word);
        }
        self.0.word.store(word, Ordering::Relaxed);
        let kind = match origin {
            Origin::Fill => MADE,
            Origin::Load => LOADED,
            Origin::Claim => CLAIMED,
        };
        // Relaxed: only the filler goes by it, until it says that it is anybody's.
        self.0.state.store(state + STEP + kind, Ordering::Relaxed);
        Ok(())
    }

    /// Takes the result. For the filler, and for the child of a fork if the filler did not survive
    /// the fork.
    pub(super) fn take(&self) -> Option<(Word, Origin)> {
        let state = self.0.state.load(Ordering::Relaxed);
        let origin = origin(state)?;
        let word = self.0.word.load(Ordering::Relaxed);
        self.0.state.store(state - kind(state), Ordering::Relaxed);
        self.0.word.store(0, Ordering::Relaxed);
        Some((word, origin))
    }

    /// For the filler: offers the result to all threads, and returns where it came from.
    pub(super) fn give_back(&self) -> Option<Origin> {
        let state = self.0.state.load(Ordering::Relaxed);
        let origin = origin(state)?;
        // Release: with the Acquire in `take_back`, for the word.
        self.0.state.store(state - kind(state) + BACK, Ordering::Release);
        Some(origin)
    }

    /// Whether there is a result that any thread may take.
    pub(super) fn is_back(&self) -> bool {
        // Acquire: as in `take_back`, for a caller that relies on it.
        kind(self.0.state.load(Ordering::Acquire)) == BACK
    }

    /// Takes the result that any thread may take.
    pub(super) fn take_back(&self) -> Option<Word> {
        // Acquire: with the Release in `give_back`.
        let state = self.0.state.load(Ordering::Acquire);
        if kind(state) != BACK {
            return None;
        }
        let word = self.0.word.load(Ordering::Relaxed);
        // Release: with the Acquire in `put`. If it fails, another thread has taken the result: the
        // count tells it from one that was put here later.
        self.0
            .state
            .compare_exchange(state, state - BACK, Ordering::Release, Ordering::Relaxed)
            .ok()
            .map(|_| word)
    }

    /// As `take_back`, and wipes the word.
    pub(super) fn take_back_and_wipe(&self) -> Option<Word> {
        let state = self.0.state.load(Ordering::Relaxed);
        if kind(state) != BACK {
            return None;
        }
        let taking = state - BACK + WIPED;
        // Acquire: with the Release in `give_back`. Nobody else touches the word from here on.
        self.0.state.compare_exchange(state, taking, Ordering::Acquire, Ordering::Relaxed).ok()?;
        let word = self.0.word.load(Ordering::Relaxed);
        self.0.word.store(0, Ordering::Relaxed);
        vanishing_point();
        // Release: with the Acquire in `put`.
        self.0.state.store(state - BACK, Ordering::Release);
        Some(word)
    }

    /// For the child of a fork, while no other thread uses this: a thread of the parent may have
    /// been wiping the word.
    pub(super) fn renew(&self) {
        let state = self.0.state.load(Ordering::Relaxed);
        if [NOTHING, WIPED].contains(&kind(state)) {
            self.0.word.store(0, Ordering::Relaxed);
            self.0.state.store(state - kind(state), Ordering::Relaxed);
        }
    }

    /// Where the filler's result came from, if there is one.
    pub(super) fn is_fillers(&self) -> Option<Origin> {
        origin(self.0.state.load(Ordering::Relaxed))
    }

    /// What is in its memory.
    #[cfg(test)]
    pub(super) fn memory(&self) -> Word {
        self.0.word.load(Ordering::Relaxed)
    }

    /// The result, of any kind. The caller must know that no thread changes it during the call.
    pub(super) fn get(&self) -> Option<Word> {
        let there = ![NOTHING, WIPED].contains(&kind(self.0.state.load(Ordering::Acquire)));
        there.then(|| self.0.word.load(Ordering::Relaxed))
    }
}

fn origin(state: u64) -> Option<Origin> {
    match kind(state) {
        MADE => Some(Origin::Fill),
        LOADED => Some(Origin::Load),
        CLAIMED => Some(Origin::Claim),
        _ => None,
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    const ORIGINS: [Origin; 3] = [Origin::Fill, Origin::Load, Origin::Claim];

    /// How many results were put here, and the kind of what is there.
    fn state(own: &Own) -> (u64, u64) {
        let state = own.0.state.load(Ordering::Relaxed);
        (state / STEP, kind(state))
    }

    #[test]
    fn a_result_is_the_fillers_until_it_is_offered() {
        let own = Own::new();
        for (before, origin) in (0..).zip(ORIGINS) {
            assert_eq!(
                (own.get(), own.is_fillers(), own.take(), own.give_back()),
                (None, None, None, None)
            );
            own.put(7, origin).unwrap();
            assert_eq!(
                (own.get(), own.is_fillers(), own.is_back()),
                (Some(7), Some(origin), false)
            );
            assert_eq!((own.take_back(), own.take_back_and_wipe()), (None, None));
            assert_eq!((own.take(), own.memory()), (Some((7, origin)), 0));
            assert_eq!(state(&own), (before + 1, NOTHING));
        }
    }

    #[test]
    fn a_result_that_is_offered_is_taken_once() {
        let own = Own::new();
        for (before, origin) in (0..).zip(ORIGINS) {
            own.put(7, origin).unwrap();
            assert_eq!((own.give_back(), own.is_back(), own.get()), (Some(origin), true, Some(7)));
            assert_eq!((own.is_fillers(), own.take(), own.give_back()), (None, None, None));
            assert_eq!((own.take_back(), own.take_back(), own.is_back()), (Some(7), None, false));
            own.put(8, origin).unwrap();
            own.give_back().unwrap();
            assert_eq!((own.take_back_and_wipe(), own.memory()), (Some(8), 0));
            assert_eq!((own.take_back_and_wipe(), state(&own)), (None, (2 * before + 2, NOTHING)));
        }
    }

    #[test]
    fn a_child_wipes_what_a_thread_of_its_parent_was_taking() {
        let renewed = |kind| {
            let own = Own::new();
            own.0.word.store(7, Ordering::Relaxed);
            own.0.state.store(3 * STEP + kind, Ordering::Relaxed);
            let there = own.get();
            own.renew();
            (there, own.memory(), state(&own))
        };
        for kind in [NOTHING, WIPED] {
            assert_eq!(renewed(kind), (None, 0, (3, NOTHING)));
        }
        for kind in [MADE, LOADED, BACK, CLAIMED] {
            assert_eq!(renewed(kind), (Some(7), 7, (3, kind)));
        }
    }
}
