//! How a thread gets many results in one call.

use super::Batch;
use super::own::Origin;
use crate::error::LoadError;
use crate::host::{Host, Word};
use crate::memory::wipe;
use crate::panic::Panicked;
use crate::process::generation;
use crate::source::Source;
use std::time::{Duration, Instant};

/// The most results that one load of many claims at once.
const CHUNK: usize = 64;

/// Results on their way to the caller of a load of many. They arrive even if the host unwinds.
struct Chunk<'a, H: Host, S: Source<H>> {
    batch: &'a Batch<H, S>,
    words: [Word; CHUNK],
    loaded: usize,
    results: &'a mut Vec<H::Object>,
}

impl<H: Host, S: Source<H>> Drop for Chunk<'_, H, S> {
    fn drop(&mut self) {
        let words = &self.words[..self.loaded];
        // SAFETY: as in `load`.
        let objects = words.iter().map(|&word| unsafe { self.batch.host.adopt_word(word) });
        self.results.extend(objects);
        if self.batch.options.wipe {
            // SAFETY: the words are its own.
            unsafe { wipe(self.words.as_mut_ptr().cast(), size_of_val(&self.words)) };
        }
    }
}

impl<H: Host, S: Source<H>> Batch<H, S> {
    /// Takes the next `count` results and appends them to `results`: fewer only if the source ends
    /// or the batch is closed. Waits as [`load_within`](Self::load_within) does; without a
    /// `timeout`, there is no limit.
    ///
    /// # Errors
    /// See [`LoadError`]. Results taken before an error are in `results`. If the source has ended
    /// or the batch was closed, there is an error only if no result was taken.
    ///
    /// # Example
    /// ```
    /// # use ft_local::{Batch, Iter, Native};
    /// let batch = Batch::new(Native::<usize>::new(), Iter(1..), 8)?;
    /// let mut results = Vec::new();
    /// batch.load_many(3, None, &mut results)?;
    /// assert_eq!(results, [1, 2, 3]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn load_many(
        &self,
        count: usize,
        timeout: Option<Duration>,
        results: &mut Vec<H::Object>,
    ) -> Result<(), LoadError<S::Error>> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let (before, mut here) = (results.len(), generation());
        while results.len() - before < count {
            let left = count - (results.len() - before);
            // Before the results are taken, since it may fail.
            results.reserve(left.min(CHUNK));
            let mut chunk = Chunk { batch: self, words: [0; CHUNK], loaded: 0, results };
            let room = &mut chunk.words[..left.min(CHUNK)];
            let outcome = self.fill_words(room, &mut chunk.loaded, deadline);
            let loaded = chunk.loaded;
            drop(chunk);
            if self.forks_without_keeping(&mut here) {
                let parents = before..results.len() - loaded;
                self.counters.others.dropped_by_cursors.add(parents.len() as u64);
                drop(results.drain(parents));
            }
            if outcome.is_err() {
                return Self::end_if_none(outcome, results.len() - before);
            }
        }
        Ok(())
    }

    /// Writes the next results to `room`, as [`load_many`](Self::load_many) does, and counts them
    /// in `loaded`, which is correct even if the host unwinds.
    ///
    /// # Errors
    /// As for `load_many`.
    pub fn load_words(
        &self,
        room: &mut [Word],
        loaded: &mut usize,
        deadline: Option<Instant>,
    ) -> Result<(), LoadError<S::Error>> {
        let outcome = self.fill_words(room, loaded, deadline);
        Self::end_if_none(outcome, *loaded)
    }

    /// The outcome of a load of many: that there are no more is an error only if there were none.
    fn end_if_none(
        outcome: Result<(), LoadError<S::Error>>,
        loaded: usize,
    ) -> Result<(), LoadError<S::Error>> {
        match outcome {
            Err(LoadError::Ended | LoadError::Closed) if loaded > 0 => Ok(()),
            outcome => outcome,
        }
    }

    /// Fills `room` with the next results, completely if there is no error.
    fn fill_words(
        &self,
        room: &mut [Word],
        loaded: &mut usize,
        deadline: Option<Instant>,
    ) -> Result<(), LoadError<S::Error>> {
        *loaded = 0;
        let mut here = generation();
        while *loaded < room.len() {
            let taken = self.take_ready(&mut room[*loaded..])?;
            let mut acquired = if taken > 0 {
                // The last one is the batch's again, should the source fail.
                *loaded += taken - 1;
                self.refill_after_claim(room[*loaded], Origin::Load, deadline.into())
            } else {
                self.acquire_for_load(deadline.into())
            };
            if self.forks_without_keeping(&mut here) {
                // SAFETY: as in `load`. An object meanwhile, since the host may unwind.
                let mine = acquired.map(|word| unsafe { self.host.adopt_word(word) });
                self.release_parents(room, loaded);
                acquired = mine.map(H::into_word);
            }
            room[*loaded] = acquired?;
            *loaded += 1;
        }
        Ok(())
    }

    /// Whether this process was forked since `here`, and may not hand out results loaded before
    /// that.
    fn forks_without_keeping(&self, here: &mut u64) -> bool {
        std::mem::replace(here, generation()) != generation() && !self.keeps_on_fork()
    }

    /// In the child of a fork: releases what was loaded before it.
    fn release_parents(&self, room: &mut [Word], loaded: &mut usize) {
        while *loaded > 0 {
            *loaded -= 1;
            self.count_dropped_by_cursor();
            // SAFETY: this process's copy of the reference, which is given up once.
            drop(unsafe { self.host.adopt_word(std::mem::take(&mut room[*loaded])) });
        }
    }

    /// Takes as many ready results as fit, if the gate allows it.
    fn take_ready(&self, room: &mut [Word]) -> Result<usize, Panicked> {
        if !self.front.gate.is_open() {
            return Ok(0);
        }
        self.guarded(|| {
            self.queue.claim_many(room, |there| there).map_or(0, |claimed| claimed.count)
        })
    }
}
