//! One thread's turn as the filler.

pub(super) mod run;

use super::deadlock::{count_fills, end_fill};
use super::fill_state::FillState;
use super::fork::Parents;
use super::own::Origin;
use super::role::Vacancy;
use super::stats::nanoseconds;
use super::{Batch, gate};
use crate::error::LoadError;
use crate::host::{Host, Word};
use crate::panic::{Defer, Panicked};
use crate::process::generation;
use crate::source::Source;
use run::Run;
use std::any::Any;
use std::time::Instant;

/// The fill role, held by this thread. Dropping it, also when host code unwinds, keeps every result
/// that was made and hands the role on.
pub(super) struct Fill<'a, H: Host, S: Source<H>> {
    batch: &'a Batch<H, S>,
    /// Whether the fill made a result for its own thread.
    made_own: bool,
    /// How many results the queue had ever held when the fill began.
    began: u64,
    /// How many results had ever been taken when the fill began.
    taken: u64,
    /// The most results that the fill makes.
    limit: usize,
    started: Option<Instant>,
    /// Whether the fill may end early, because other threads load too.
    takes_turns: bool,
    /// The process in which the fill began.
    generation: u64,
}

impl<'a, H: Host, S: Source<H>> Fill<'a, H, S> {
    /// Must be called by the thread that has just taken the role.
    pub(super) fn new(batch: &'a Batch<H, S>, vacancy: Vacancy) -> Result<Self, Panicked> {
        count_fills(1);
        let generation = generation();
        let began = batch.queue.made();
        let fill = Self {
            batch,
            made_own: false,
            began,
            taken: 0,
            limit: 0,
            started: None,
            takes_turns: false,
            generation,
        };
        if vacancy == Vacancy::Orphaned {
            batch.guarded(|| {
                // What the parent's filler was just making is the parent's.
                fill.empty_scratch();
                // Not dropped at the adoption, so it is kept.
                batch.give_own_back();
            })?;
            batch.call_waiters();
        }
        Ok(fill)
    }

    fn empty_scratch(&self) {
        Self::fill_state(self.batch, FillState::empty_scratch);
    }

    /// Runs the source for a thread that has no result, and returns one. Returns `None` if the
    /// source ended without one.
    pub(super) fn run(
        mut self,
        argument: Option<&dyn Any>,
    ) -> Result<Option<Word>, LoadError<S::Error>> {
        self.make_for_load(true, argument)?;
        Ok(self.finish())
    }

    /// Runs the source for a thread that already has a result. Returns that result, or gives it
    /// back to the batch if the source fails. Returns `None` if the source forked and this is the
    /// child: the result belongs to the parent.
    pub(super) fn run_with(
        mut self,
        mine: Word,
        origin: Origin,
        argument: Option<&dyn Any>,
    ) -> Result<Option<Word>, LoadError<S::Error>> {
        if self.batch.own.put(mine, origin).is_err() {
            // That of a fill that failed is still there. It will be made later.
            return Ok(Some(mine));
        }
        self.make_for_load(false, argument)?;
        Ok(self.finish())
    }

    /// Ends the fill and takes its own result. The end may call the host. `None` if there is no result,
    /// or as in `keep_in_hand`.
    fn finish(self) -> Option<Word> {
        let batch = self.batch;
        let (word, origin) = batch.own.take()?;
        batch.counters.filler.own.add_alone(u64::from(origin == Origin::Fill));
        batch.keep_in_hand(word, || drop(self))
    }

    /// Runs the source to make up to `limit` results for other threads. Returns how many it made.
    pub(super) fn run_ahead(mut self, limit: usize) -> Result<usize, LoadError<S::Error>> {
        self.make(limit, false, None)?;
        Ok(self.made())
    }

    fn make_for_load(
        &mut self,
        keep_first: bool,
        argument: Option<&dyn Any>,
    ) -> Result<(), LoadError<S::Error>> {
        self.takes_turns = self.batch.options.fill_budget == 0;
        self.make(self.batch.budget(), keep_first, argument)
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
        batch.sharers.begin_fill(self.began, batch.size);
        self.limit = limit.min(batch.guarded(|| batch.room())?);
        self.taken = batch.queue.taken();
        self.started = Some(Instant::now());
        let mut outcome = Ok(());
        let run = Run { fill: self, keep_first, argument, outcome: &mut outcome };
        // SAFETY: this thread holds the fill role, and nothing that the source calls reaches it
        // again: a source that loads from its own batch is turned away at the role.
        unsafe { batch.workspace.with_source(|source| source.run(run)) };
        outcome?;
        if batch.front.gate.flags(gate::FORKED) == 0 { Ok(()) } else { Err(LoadError::Forked) }
    }

    /// Whether the source has ended, or the batch was closed, since this thread checked: the
    /// previous filler may have been the last.
    pub(super) fn cannot_begin(&self) -> bool {
        self.batch.front.gate.flags(gate::ENDS) != 0
            || Self::fill_state(self.batch, |fill_state| fill_state.ended)
    }

    /// How many results the fill has made. Derived from the queue, so that the loop above needs no
    /// count that survives an unwinding source.
    fn made(&self) -> usize {
        let in_queue = usize::try_from(self.batch.queue.made() - self.began);
        in_queue.unwrap_or(usize::MAX) + usize::from(self.made_own)
    }

    /// Handles a change while the source ran: this process forked, the batch was closed, or
    /// something less important happened.
    #[cold]
    fn handle_change(&mut self) -> Result<(), Panicked> {
        drop(self.leave_to_the_parent()?);
        if self.batch.front.gate.flags(gate::ENDS) != 0 {
            // Results made so far are kept, for the thread that cleans up, and no more are made.
            self.limit = 0;
        }
        Ok(())
    }

    /// After a fork in host code: the results made before it belong to the parent, and the child
    /// starts again. The caller releases the returned objects when it may call the host.
    #[inline]
    fn leave_to_the_parent(&mut self) -> Result<Option<Parents<H>>, Panicked> {
        if self.generation == generation() { Ok(None) } else { self.start_again().map(Some) }
    }

    #[cold]
    fn start_again(&mut self) -> Result<Parents<H>, Panicked> {
        let batch = self.batch;
        self.generation = generation();
        let parents = batch.take_parents_and(&batch.own)?;
        if !batch.keeps_on_fork() {
            // What was dropped has left its room.
            batch.room();
            self.began = batch.queue.made();
            self.made_own = false;
        }
        Ok(parents)
    }

    #[inline]
    fn fill_state<R>(batch: &Batch<H, S>, f: impl FnOnce(&mut FillState) -> R) -> R {
        // SAFETY: this thread holds the fill role, and nothing that `f` calls reaches the state
        // again: a source that loads from its own batch is turned away at the role.
        unsafe { batch.workspace.with_state(f) }
    }

    /// Updates the counters while only this thread writes them.
    fn count(&self) {
        let counters = &self.batch.counters.filler;
        if let Some(started) = self.started {
            counters.fills.add_alone(1);
            counters.nanoseconds.add_alone(nanoseconds(started.elapsed()));
            if self.batch.threads_linger() {
                self.batch.one_lock.note_pace(started, self.made());
            }
        }
    }
}

impl<H: Host, S: Source<H>> Drop for Fill<'_, H, S> {
    fn drop(&mut self) {
        let batch = self.batch;
        // Errors are dealt with by `guarded`, which makes later loads fail; the role is given up
        // in any case, so that nobody waits for it. Host code comes last, in no border and with
        // everything in order, since it may unwind.
        let _parents = self.leave_to_the_parent();
        let _ = batch.guarded(|| self.hand_over());
        end_fill(&batch.role);
        if batch.waits_for_whole_fills() {
            let _ = batch.guarded(|| batch.one_lock.lingering.wake_all());
        }
        let _ = batch.guarded(|| {
            // One is enough to take the role, and it wakes others when it has something for them.
            batch.wake_waiters(1);
            batch.low.wake(1);
        });
        let flags = batch.front.gate.latest();
        if flags & gate::ENDS != 0 {
            let _ = batch.guarded(|| {
                batch.wake_all_waiters();
                batch.low.wake_all();
            });
        }
        batch.call_host_after_fill(flags);
    }
}

impl<H: Host, S: Source<H>> Fill<'_, H, S> {
    /// Makes all results available to other threads.
    fn hand_over(&mut self) {
        let batch = self.batch;
        // There is something only if the source was unwound out of.
        let _ = self.accept(false);
        if Self::fill_state(batch, |fill_state| fill_state.writing) {
            self.empty_scratch();
        }
        batch.give_own_back();
        batch.queue.publish();
        if Self::fill_state(batch, |fill_state| fill_state.ended) {
            // After the last result: who sees the end sees that too.
            batch.front.gate.raise(gate::ENDED);
        }
        self.count();
    }
}

impl<H: Host, S: Source<H>> Batch<H, S> {
    /// For the filler: how many results it may make.
    fn room(&self) -> usize {
        if self.options.wipe {
            let (count, room) = self.queue.begin_with_wiped();
            room.min(self.size - count)
        } else {
            self.size - self.queue.begin()
        }
    }

    /// The end of a fill, after which the gate had these flags.
    pub(super) fn call_host_after_fill(&self, flags: u64) {
        let _last = Defer(|| {
            if flags & gate::CLOSED != 0 {
                // The closing thread may have checked before the last result was there.
                self.release_all();
            }
        });
        self.call_waiters();
    }
}
