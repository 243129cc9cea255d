//! One thread's turn as the filler.

use super::deadlock::count_fills;
use super::fill_state::FillState;
use super::fork::Dropped;
use super::own::Origin;
use super::role::Vacancy;
use super::stats::nanoseconds;
use super::{Batch, gate};
use crate::error::LoadError;
use crate::host::{Host, Word};
use crate::panic::{Defer, Panicked};
use crate::process::generation;
use crate::source::{Filled, Filler, Made, Slots, Source};
use crate::sync::has_lasted;
use std::time::{Duration, Instant};

/// How many calls of the source there are between two checks for an interrupt. A source that never
/// checks for signals is quick, and a slow one checks by itself.
const CALLS_BETWEEN_QUESTIONS: usize = 64;

/// How long a thread that has a result runs the source, without a budget, while another has none:
/// much longer than it takes to change threads, and so short that a load does not take `size` times
/// as long as the source.
pub(super) const TURN: Duration = Duration::from_millis(1);

/// The fill role, held by this thread. Dropping it, also when host code unwinds, keeps every result
/// that was made and hands the role on.
pub(super) struct Fill<'a, H: Host, S: Source<H>> {
    batch: &'a Batch<H, S>,
    /// Whether the fill made a result for its own thread.
    made_own: bool,
    /// How many results the queue had ever held when the fill began.
    began: u64,
    /// The most results that the fill makes.
    limit: usize,
    started: Option<Instant>,
    /// Whether the fill may end early, because another thread has nothing.
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
        Self::fill_state(self.batch, |fill_state| {
            fill_state.scratch.fill(0);
            (fill_state.produced, fill_state.writing) = (0, false);
        });
    }

    /// Runs the source for a thread that has no result, and returns one. Returns `None` if the
    /// source ended without one.
    pub(super) fn run(mut self) -> Result<Option<Word>, LoadError<S::Error>> {
        self.make_for_load(true)?;
        Ok(self.finish())
    }

    /// Runs the source for a thread that already has a result. Returns that result, or gives it
    /// back to the batch if the source fails. Returns `None` if the source forked and this is the
    /// child: the result belongs to the parent.
    pub(super) fn run_with(
        mut self,
        mine: Word,
        origin: Origin,
    ) -> Result<Option<Word>, LoadError<S::Error>> {
        if self.batch.own.put(mine, origin).is_err() {
            // That of a fill that failed is still there. It will be made later.
            return Ok(Some(mine));
        }
        self.make_for_load(false)?;
        Ok(self.finish())
    }

    /// Ends the fill and takes its own result. The end may call the host, and the host may unwind.
    /// Until then the result is an object, so that an unwind releases it.
    fn finish(self) -> Option<Word> {
        let batch = self.batch;
        let own = batch.own.take().map(|(word, origin)| {
            batch.counters.filler.own.add_alone(u64::from(origin == Origin::Fill));
            // SAFETY: the word came from the source, and is nowhere else.
            unsafe { batch.host.adopt_word(word) }
        });
        drop(self);
        own.map(H::into_word)
    }

    /// Runs the source to make up to `limit` results for other threads. Returns how many it made.
    pub(super) fn run_ahead(mut self, limit: usize) -> Result<usize, LoadError<S::Error>> {
        self.make(limit, false)?;
        Ok(self.made())
    }

    fn make_for_load(&mut self, keep_first: bool) -> Result<(), LoadError<S::Error>> {
        self.takes_turns = self.batch.options.fill_budget == 0;
        self.make(self.batch.budget(), keep_first)
    }

    fn make(&mut self, limit: usize, keep_first: bool) -> Result<(), LoadError<S::Error>> {
        let batch = self.batch;
        if self.cannot_begin() {
            return Ok(());
        }
        self.limit = limit.min(batch.guarded(|| batch.room())?);
        self.started = Some(Instant::now());
        let mut outcome = Ok(());
        let run = Run { fill: self, keep_first, outcome: &mut outcome };
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

    fn make_one_by_one(
        &mut self,
        keep_first: bool,
        mut next: impl FnMut(&H) -> Result<Option<Made<H>>, S::Error>,
    ) -> Result<(), LoadError<S::Error>> {
        // In a variable, which the compiler knows that no source changes.
        let batch = self.batch;
        let mut for_me = keep_first;
        while self.made() < self.limit {
            let mut calls = CALLS_BETWEEN_QUESTIONS.min(self.limit - self.made());
            if std::mem::take(&mut for_me) {
                let Some(word) = self.call_source(batch, &mut next, &mut calls)? else {
                    return Ok(());
                };
                self.keep(word)?;
            }
            // The loop that makes most results: a call of the source, two stores, and a check
            // whether anything has changed and whether a thread sleeps.
            while calls > 0 {
                let Some(word) = self.call_source(batch, &mut next, &mut calls)? else {
                    return Ok(());
                };
                // No border: neither this nor a look at the sleepers can panic.
                if !batch.queue.push(word) {
                    return Err(batch.no_room_for(word));
                }
                if batch.parking.somebody_sleeps() && self.serve_sleepers()? {
                    return Ok(());
                }
            }
            self.check_for_interrupt()?;
        }
        Ok(())
    }

    /// The next result of the source; `None` if it has ended. `calls` is how many more calls there
    /// are until something else is to be done.
    #[inline(always)]
    fn call_source(
        &mut self,
        batch: &Batch<H, S>,
        next: &mut impl FnMut(&H) -> Result<Option<Made<H>>, S::Error>,
        calls: &mut usize,
    ) -> Result<Option<Word>, LoadError<S::Error>> {
        *calls -= 1;
        // Host code: no border, and nothing borrowed that its unwinding would leave undone.
        let made = next(&batch.host);
        if !batch.front.gate.is_open() {
            self.handle_change()?;
            if self.limit == 0 {
                *calls = 0;
            }
        }
        match made {
            Ok(Some(made)) => Ok(Some(made.into_word())),
            Ok(None) => {
                Self::fill_state(batch, |fill_state| fill_state.ended = true);
                Ok(None)
            }
            Err(error) => Err(self.failure(error)),
        }
    }

    /// Wakes a thread that has nothing. Returns whether this thread's turn is over.
    #[cold]
    fn serve_sleepers(&self) -> Result<bool, Panicked> {
        let others_wait = self.batch.parking.somebody_starves();
        self.batch.wake_one_waiter()?;
        Ok(others_wait && self.turn_is_over())
    }

    fn turn_is_over(&self) -> bool {
        self.takes_turns && self.started.is_some_and(|started| has_lasted(started, TURN))
    }

    fn make_many(
        &mut self,
        keep_first: bool,
        mut fill: impl FnMut(&H, &mut Slots<'_, H>) -> Result<(), S::Error>,
    ) -> Result<(), LoadError<S::Error>> {
        let batch = self.batch;
        let mut calls = 0_usize;
        while self.made() < self.limit {
            let (result, ended) = Self::fill_state(batch, |fill_state| {
                let room = self.limit - self.made();
                let FillState { scratch, produced, ended, writing } = fill_state;
                *writing = true;
                let result =
                    fill(&batch.host, &mut Slots::new(&mut scratch[..room], produced, ended));
                *writing = false;
                (result, *ended)
            });
            if !batch.front.gate.is_open() {
                self.handle_change()?;
            }
            let others_wait = batch.parking.somebody_starves();
            let produced = batch.guarded(|| self.accept(keep_first))??;
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
                // It has no more at the moment. What there is will do, if there is something.
                return if self.made() > 0 { Ok(()) } else { Err(LoadError::NothingProduced) };
            }
            if others_wait && self.turn_is_over() {
                return Ok(());
            }
            calls += 1;
            if calls.is_multiple_of(CALLS_BETWEEN_QUESTIONS) {
                self.check_for_interrupt()?;
            }
        }
        Ok(())
    }

    /// Moves the results that the source has just written to the scratch slots into the queue, and
    /// returns how many there were.
    fn accept(&mut self, keep_first: bool) -> Result<usize, LoadError<S::Error>> {
        let batch = self.batch;
        let is_first = keep_first && self.made() == 0 && batch.own.get().is_none();
        let produced =
            Self::fill_state(batch, |fill_state| std::mem::take(&mut fill_state.produced));
        if produced == 0 {
            return Ok(0);
        }
        let first = Self::fill_state(batch, |fill_state| {
            let mut words = &mut fill_state.scratch[..produced];
            let first =
                if is_first { words.split_off_first_mut().map(std::mem::take) } else { None };
            if !words.is_empty() {
                batch.queue.push_all(words);
                words.fill(0);
            }
            first
        });
        if let Some(word) = first {
            self.keep(word)?;
        }
        if produced > usize::from(first.is_some()) {
            batch.wake_waiters(produced - usize::from(first.is_some()));
        }
        Ok(produced)
    }

    /// How many results the fill has made. Derived from the queue, so that the loop above needs no
    /// count that survives an unwinding source.
    fn made(&self) -> usize {
        let in_queue = usize::try_from(self.batch.queue.made() - self.began);
        in_queue.unwrap_or(usize::MAX) + usize::from(self.made_own)
    }

    fn failure(&self, error: S::Error) -> LoadError<S::Error> {
        self.batch.counters.filler.errors.add_alone(1);
        LoadError::Source(error)
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

    #[cold]
    fn check_for_interrupt(&mut self) -> Result<(), LoadError<S::Error>> {
        if self.batch.host.interrupted() {
            return Err(LoadError::Interrupted);
        }
        // The host may have forked.
        Ok(self.handle_change()?)
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
        let own = if batch.keeps_on_fork() { None } else { batch.own.take() };
        let own = own.map(|(word, origin)| {
            batch.count_dropped(origin);
            // SAFETY: the word came from the source, and is nowhere else.
            unsafe { batch.host.adopt_word(word) }
        });
        let others =
            if batch.front.gate.is_stale() { batch.adopt_for_later()? } else { Dropped::none() };
        if !batch.keeps_on_fork() {
            // What was dropped has left its room.
            batch.room();
            self.began = batch.queue.made();
            self.made_own = false;
        }
        Ok((own, others))
    }

    #[inline]
    fn fill_state<R>(batch: &Batch<H, S>, f: impl FnOnce(&mut FillState) -> R) -> R {
        // SAFETY: this thread holds the fill role, and nothing that `f` calls reaches the state
        // again: a source that loads from its own batch is turned away at the role.
        unsafe { batch.workspace.with_state(f) }
    }

    /// Keeps a result for this thread. There is room for it, because a load fills only if no result
    /// came back.
    fn keep(&mut self, word: Word) -> Result<(), LoadError<S::Error>> {
        if let Err(word) = self.batch.own.put(word, Origin::Fill) {
            let queued = self.batch.queue.push(word);
            return if queued { Ok(()) } else { Err(self.batch.no_room_for(word)) };
        }
        self.made_own = true;
        self.batch.counters.filler.first_results.add_alone(1);
        Ok(())
    }

    /// Updates the counters while only this thread writes them.
    fn count(&self) {
        let counters = &self.batch.counters.filler;
        if let Some(started) = self.started {
            counters.fills.add_alone(1);
            counters.nanoseconds.add_alone(nanoseconds(started.elapsed()));
        }
    }
}

/// What the source gets to fill the buffer with.
struct Run<'f, 'a, H: Host, S: Source<H>> {
    fill: &'f mut Fill<'a, H, S>,
    keep_first: bool,
    outcome: &'f mut Result<(), LoadError<S::Error>>,
}

impl<H: Host, S: Source<H>> Filler<H, S::Error> for Run<'_, '_, H, S> {
    #[inline]
    fn one_by_one(self, next: impl FnMut(&H) -> Result<Option<Made<H>>, S::Error>) -> Filled {
        *self.outcome = self.fill.make_one_by_one(self.keep_first, next);
        Filled::new()
    }

    #[inline]
    fn many(self, fill: impl FnMut(&H, &mut Slots<'_, H>) -> Result<(), S::Error>) -> Filled {
        *self.outcome = self.fill.make_many(self.keep_first, fill);
        Filled::new()
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
        batch.role.give_up();
        count_fills(-1);
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
        let _last = Defer(|| {
            if flags & gate::CLOSED != 0 {
                // The closing thread may have checked before the last result was there.
                batch.release_all();
            }
        });
        batch.call_waiters();
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
}

/// In the child of a fork: copies of results that the parent hands out.
type Parents<H> = (Option<<H as Host>::Object>, Dropped<H>);
