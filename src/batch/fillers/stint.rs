//! What one of several fillers does with its permit.

use super::Permit;
use crate::batch::deadlock::{count_fills, end_fill};
use crate::batch::fill::run::{CALLS_BETWEEN_QUESTIONS, TURN};
use crate::batch::fill_state::FillState;
use crate::batch::fork::Parents;
use crate::batch::own::Origin;
use crate::batch::role::Vacancy;
use crate::batch::stats::nanoseconds;
use crate::batch::{Batch, gate};
use crate::error::LoadError;
use crate::host::{Host, Word};
use crate::panic::Panicked;
use crate::process::generation;
use crate::source::{Filled, Filler, Made, Slots, Source};
use crate::sync::has_lasted;
use std::any::Any;
use std::time::{Duration, Instant};

/// How long a load runs its source for others too, without a budget and while nobody waits. A source
/// that takes longer makes one result for each load: other loads make theirs at the same time.
const QUICK: Duration = Duration::from_micros(100);

/// A permit, held by this thread. Dropping it, also when host code unwinds, keeps every result that
/// was made and gives the permit up.
pub(in crate::batch) struct Stint<'a, H: Host, S: Source<H>> {
    batch: &'a Batch<H, S>,
    permit: Permit<'a, S>,
    /// How many results were made, in this process.
    made: usize,
    /// The most results to be made.
    limit: usize,
    /// Whether the results are for later, and nobody waits for this thread.
    is_ahead: bool,
    started: Option<Instant>,
    /// The process in which it began.
    generation: u64,
}

impl<'a, H: Host, S: Source<H>> Stint<'a, H, S> {
    /// Must be called by the thread that has just taken the permit.
    pub(in crate::batch) fn new(
        batch: &'a Batch<H, S>,
        permit: Permit<'a, S>,
        vacancy: Vacancy,
    ) -> Result<Self, Panicked> {
        count_fills(1);
        let (generation, started) = (generation(), None);
        let stint = Self { batch, permit, made: 0, limit: 0, is_ahead: false, started, generation };
        if vacancy == Vacancy::Orphaned {
            batch.guarded(|| {
                // As in `Fill::new`.
                stint.empty_scratch();
                batch.give_back_own(permit.own);
            })?;
            batch.call_waiters();
        }
        Ok(stint)
    }

    /// Runs the source for a thread that has no result, and returns one. Returns `None` if the
    /// source ended without one.
    pub(in crate::batch) fn run(
        mut self,
        argument: Option<&dyn Any>,
    ) -> Result<Option<Word>, LoadError<S::Error>> {
        self.make(self.batch.budget(), true, argument)?;
        Ok(self.finish())
    }

    /// As `Fill::run_with`.
    pub(super) fn run_with(
        mut self,
        mine: Word,
        origin: Origin,
        argument: Option<&dyn Any>,
    ) -> Result<Option<Word>, LoadError<S::Error>> {
        if self.permit.own.put(mine, origin).is_err() {
            return Ok(Some(mine));
        }
        if !self.is_full() {
            self.make(self.batch.budget(), false, argument)?;
        }
        Ok(self.finish())
    }

    /// Runs the source to make up to `limit` results for other threads. Returns how many it made.
    pub(super) fn run_ahead(mut self, limit: usize) -> Result<usize, LoadError<S::Error>> {
        self.is_ahead = true;
        self.make(limit, false, None)?;
        Ok(self.made)
    }

    /// As `Fill::finish`.
    fn finish(self) -> Option<Word> {
        let batch = self.batch;
        let (word, origin) = self.permit.own.take()?;
        batch.counters.filler.own.add(u64::from(origin == Origin::Fill));
        batch.keep_in_hand(word, || drop(self))
    }

    fn make(
        &mut self,
        limit: usize,
        keep_first: bool,
        argument: Option<&dyn Any>,
    ) -> Result<(), LoadError<S::Error>> {
        let batch = self.batch;
        if self.cannot_begin() {
            return Ok(());
        }
        (self.limit, self.started) = (limit, Some(Instant::now()));
        batch.guarded(|| batch.wake_for_another_permit())?;
        batch.call_waiters();
        let workspace = self.permit.workspace;
        let mut outcome = Ok(());
        let run = Run { stint: self, keep_first, argument, outcome: &mut outcome };
        // SAFETY: this thread holds the permit, and nothing that the source calls reaches it again: a
        // source that loads from its own batch is turned away.
        unsafe { workspace.with_source(|source| source.run(run)) };
        outcome?;
        if batch.front.gate.flags(gate::FORKED) == 0 { Ok(()) } else { Err(LoadError::Forked) }
    }

    /// Whether a source has ended, or the batch was closed, since this thread checked.
    pub(super) fn cannot_begin(&self) -> bool {
        self.batch.front.gate.flags(gate::ENDS) != 0
            || self.batch.permits.have_ended()
            // Said by a thread that a fork has left behind.
            || self.with_state(|state| state.ended)
    }

    fn is_full(&self) -> bool {
        self.batch.queue.len() >= self.batch.size
    }

    /// How many results one call may make. Those of a load may be too many for the buffer together
    /// with those that other calls make meanwhile; what is made ahead may not.
    fn room_for_one_call(&self) -> usize {
        let taken = if self.is_ahead { self.batch.queue.len() } else { 0 };
        self.batch.size.saturating_sub(taken).max(1)
    }

    /// Whether the source is to be called again.
    fn goes_on(&self) -> bool {
        if self.made >= self.limit || self.is_full() || self.batch.permits.have_ended() {
            return false;
        }
        if self.is_ahead || self.batch.options.fill_budget != 0 {
            return true;
        }
        let has_lasted = |period| self.started.is_none_or(|started| has_lasted(started, period));
        !has_lasted(QUICK) || (self.batch.parking.somebody_starves() && !has_lasted(TURN))
    }

    fn with_state<R>(&self, f: impl FnOnce(&mut FillState) -> R) -> R {
        // SAFETY: as in `make`.
        unsafe { self.permit.workspace.with_state(f) }
    }

    fn empty_scratch(&self) {
        self.with_state(FillState::empty_scratch);
    }

    /// As `Fill::handle_change`.
    #[cold]
    fn handle_change(&mut self) -> Result<(), Panicked> {
        drop(self.leave_to_the_parent()?);
        if self.batch.front.gate.flags(gate::ENDS) != 0 {
            self.limit = 0;
        }
        Ok(())
    }

    /// As `Fill::leave_to_the_parent`.
    fn leave_to_the_parent(&mut self) -> Result<Option<Parents<H>>, Panicked> {
        if self.generation == generation() {
            return Ok(None);
        }
        let batch = self.batch;
        self.generation = generation();
        let parents = batch.take_parents_and(self.permit.own)?;
        if !batch.keeps_on_fork() {
            self.made = 0;
        }
        Ok(Some(parents))
    }
}

impl<H: Host, S: Source<H>> Drop for Stint<'_, H, S> {
    fn drop(&mut self) {
        let batch = self.batch;
        // As in the drop of `Fill`: the permit is given up in any case, and host code comes last.
        let _parents = self.leave_to_the_parent();
        let _ = batch.guarded(|| self.hand_over());
        end_fill(self.permit.role);
        // In this order: see the head of `fillers.rs`.
        let flags = batch.front.gate.latest();
        let _ = batch.guarded(|| {
            let flags = flags | batch.end_if_last();
            batch.wake_waiters(1);
            batch.low.wake(1);
            if flags & gate::ENDS != 0 {
                batch.wake_all_waiters();
                batch.low.wake_all();
            }
        });
        batch.call_host_after_fill(flags);
    }
}

impl<H: Host, S: Source<H>> Stint<'_, H, S> {
    /// Makes all results available to other threads.
    fn hand_over(&mut self) {
        let batch = self.batch;
        // There is something only if the source was unwound out of.
        let _ = self.accept(false);
        if self.with_state(|state| state.writing) {
            self.empty_scratch();
        }
        if self.with_state(|state| state.ended) {
            // Also if the call that said so failed, or was unwound out of.
            batch.permits.end();
        }
        batch.give_back_own(self.permit.own);
        if let Some(started) = self.started {
            let counters = &batch.counters.filler;
            counters.fills.add(1);
            counters.nanoseconds.add(nanoseconds(started.elapsed()));
        }
    }

    /// Takes what the source has just written to the scratch slots, and returns how many results
    /// that were.
    fn accept(&mut self, keep_first: bool) -> usize {
        let produced = self.with_state(|state| std::mem::take(&mut state.produced));
        if produced > 0 {
            // The source does not run, and this thread has the slots to itself.
            self.with_state(|state| {
                let words = &mut state.scratch[..produced];
                let kept = keep_first && self.keep(words[0]);
                self.batch.publish(&words[usize::from(kept)..]);
                words.fill(0);
            });
            self.made += produced;
        }
        produced
    }

    /// Keeps a result for this thread, unless that of a fill that failed is still there.
    fn keep(&self, word: Word) -> bool {
        let kept = self.permit.own.put(word, Origin::Fill).is_ok();
        self.batch.counters.filler.first_results.add(u64::from(kept));
        kept
    }

    fn one_by_one(
        &mut self,
        keep_first: bool,
        mut next: impl FnMut(&H) -> Result<Option<Made<H>>, S::Error>,
    ) -> Result<(), LoadError<S::Error>> {
        let batch = self.batch;
        let mut calls = 0_usize;
        while self.made < self.limit {
            // Host code: no border, and nothing borrowed that its unwinding would leave undone.
            let made = next(&batch.host);
            if !batch.front.gate.is_open() {
                self.handle_change()?;
            }
            let Some(made) = made.map_err(|error| self.failure(error))? else {
                batch.permits.end();
                return Ok(());
            };
            let word = made.into_word();
            batch.guarded(|| {
                if !(keep_first && self.made == 0 && self.keep(word)) {
                    batch.publish(&[word]);
                }
            })?;
            self.made += 1;
            batch.call_waiters();
            if !self.goes_on() {
                return Ok(());
            }
            calls += 1;
            self.check_for_interrupt(calls)?;
        }
        Ok(())
    }

    fn many(
        &mut self,
        keep_first: bool,
        mut fill: impl FnMut(&H, &mut Slots<'_, H>) -> Result<(), S::Error>,
    ) -> Result<(), LoadError<S::Error>> {
        let batch = self.batch;
        let mut calls = 0_usize;
        while self.made < self.limit {
            let room = (self.limit - self.made).min(self.room_for_one_call());
            let (result, ended) =
                self.with_state(|state| state.write(room, |slots| fill(&batch.host, slots)));
            if !batch.front.gate.is_open() {
                self.handle_change()?;
            }
            let is_first = keep_first && self.made == 0;
            let produced = batch.guarded(|| self.accept(is_first))?;
            if batch.options.wipe {
                // Also what the source has written and not counted.
                self.empty_scratch();
            }
            batch.call_waiters();
            result.map_err(|error| self.failure(error))?;
            if ended {
                return Ok(());
            }
            if produced == 0 {
                return if self.made > 0 { Ok(()) } else { Err(LoadError::NothingProduced) };
            }
            if !self.goes_on() {
                return Ok(());
            }
            calls += 1;
            self.check_for_interrupt(calls)?;
        }
        Ok(())
    }

    fn failure(&self, error: S::Error) -> LoadError<S::Error> {
        self.batch.counters.filler.errors.add(1);
        LoadError::Source(error)
    }

    fn check_for_interrupt(&mut self, calls: usize) -> Result<(), LoadError<S::Error>> {
        if !calls.is_multiple_of(CALLS_BETWEEN_QUESTIONS) {
            return Ok(());
        }
        if self.batch.host.interrupted() {
            return Err(LoadError::Interrupted);
        }
        // The host may have forked.
        Ok(self.handle_change()?)
    }
}

/// What the source gets to fill with.
struct Run<'f, 'a, H: Host, S: Source<H>> {
    stint: &'f mut Stint<'a, H, S>,
    keep_first: bool,
    argument: Option<&'f dyn Any>,
    outcome: &'f mut Result<(), LoadError<S::Error>>,
}

impl<H: Host, S: Source<H>> Filler<H, S::Error> for Run<'_, '_, H, S> {
    fn one_by_one(self, next: impl FnMut(&H) -> Result<Option<Made<H>>, S::Error>) -> Filled {
        *self.outcome = self.stint.one_by_one(self.keep_first, next);
        Filled::new()
    }

    fn many(self, fill: impl FnMut(&H, &mut Slots<'_, H>) -> Result<(), S::Error>) -> Filled {
        *self.outcome = self.stint.many(self.keep_first, fill);
        Filled::new()
    }

    fn many_with(
        self,
        mut fill: impl FnMut(&H, &mut Slots<'_, H>, Option<&dyn Any>) -> Result<(), S::Error>,
    ) -> Filled {
        let argument = self.argument;
        self.many(|host, slots| fill(host, slots, argument))
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests;
