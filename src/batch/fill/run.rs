//! How a fill runs its source: one result at a time, or many.

use super::Fill;
use crate::batch::own::Origin;
use crate::batch::parking::Look;
use crate::error::LoadError;
use crate::host::{Host, Word};
use crate::panic::Panicked;
use crate::source::{Filled, Filler, Made, Slots, Source};
use crate::sync::{MOST_CALLS, has_lasted, next_pace};
use std::any::Any;
use std::time::{Duration, Instant};

/// How many calls of the source there are between two checks for an interrupt. A source that never
/// checks for signals is quick, and a slow one checks by itself.
pub(in crate::batch) const CALLS_BETWEEN_QUESTIONS: usize = 64;

/// How long a thread that has a result runs the source, without a budget, while other threads load:
/// much longer than it takes to change threads, and so short that a load does not take `size` times
/// as long as the source.
pub(in crate::batch) const TURN: Duration = Duration::from_millis(1);

/// What the source gets to fill the buffer with.
pub(super) struct Run<'f, 'a, H: Host, S: Source<H>> {
    pub(super) fill: &'f mut Fill<'a, H, S>,
    pub(super) keep_first: bool,
    /// What the load that runs the source was given for it.
    pub(super) argument: Option<&'f dyn Any>,
    pub(super) outcome: &'f mut Result<(), LoadError<S::Error>>,
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

    #[inline]
    fn many_with(
        self,
        mut fill: impl FnMut(&H, &mut Slots<'_, H>, Option<&dyn Any>) -> Result<(), S::Error>,
    ) -> Filled {
        let argument = self.argument;
        self.many(|host, slots| fill(host, slots, argument))
    }
}

impl<H: Host, S: Source<H>> Fill<'_, H, S> {
    fn make_one_by_one(
        &mut self,
        keep_first: bool,
        mut next: impl FnMut(&H) -> Result<Option<Made<H>>, S::Error>,
    ) -> Result<(), LoadError<S::Error>> {
        // In a variable, which the compiler knows that no source changes.
        let batch = self.batch;
        let mut for_me = keep_first;
        let mut pace = Self::fill_state(batch, |fill_state| fill_state.pace);
        let mut unasked = 0;
        while self.made() < self.limit {
            // A look at the clock takes as long as a quick call.
            let start = (pace < MOST_CALLS || self.others_load()).then(Instant::now);
            let mut calls = pace.min(self.limit - self.made());
            unasked += calls;
            if std::mem::take(&mut for_me) {
                let made = next(&batch.host);
                let Some(word) = self.accept_one(made)? else { return Ok(()) };
                self.keep(word)?;
                calls -= 1;
            }
            while calls > 0 && self.limit > 0 {
                let mut row = batch.queue.row(calls);
                if row.len() == 0 {
                    return Err(batch.no_room().into());
                }
                calls -= row.len();
                // The loop that makes most results: a call of the source, two stores, and a check
                // whether anything has changed and whether a thread sleeps. Host code: no border,
                // and nothing borrowed that its unwinding would leave undone. Nor can the rest panic.
                while row.len() > 0 {
                    match next(&batch.host) {
                        Ok(Some(made)) if batch.front.gate.is_open() => row.push(made.into_word()),
                        made => {
                            let Some(word) = self.accept_one(made)? else { return Ok(()) };
                            row.push(word);
                            if self.limit == 0 {
                                row.end();
                            }
                        }
                    }
                    let look = batch.parking.look();
                    if look.somebody_sleeps() && self.serve_sleepers(look)? {
                        return Ok(());
                    }
                }
                batch.queue.publish_group();
            }
            if unasked >= CALLS_BETWEEN_QUESTIONS || self.made() >= self.limit {
                unasked = 0;
                self.check_for_interrupt()?;
            }
            if self.others_load() && self.turn_is_over() {
                return Ok(());
            }
            if let Some(start) = start {
                pace = next_pace(pace, start);
                Self::fill_state(batch, |fill_state| fill_state.pace = pace);
            }
        }
        Ok(())
    }

    /// The result of a call of the source, if it made one and did not end, after a look at what has
    /// changed meanwhile.
    #[cold]
    fn accept_one(
        &mut self,
        made: Result<Option<Made<H>>, S::Error>,
    ) -> Result<Option<Word>, LoadError<S::Error>> {
        let batch = self.batch;
        if !batch.front.gate.is_open() {
            self.handle_change()?;
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
    fn serve_sleepers(&self, look: Look) -> Result<bool, Panicked> {
        let batch = self.batch;
        if look.somebody_comes() && !batch.host.has_one_lock() {
            // It is awake as soon as it has a core. Until then nothing is done for each result, since
            // even a look at the clock takes longer than a quick source.
            return Ok(false);
        }
        let others_wait = batch.parking.somebody_starves();
        batch.wake_one_waiter()?;
        Ok(others_wait && self.turn_is_over())
    }

    /// Whether another thread has taken a result during this fill.
    fn others_load(&self) -> bool {
        self.batch.queue.taken() != self.taken
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
                fill_state.write(room, |slots| fill(&batch.host, slots))
            });
            if !batch.front.gate.is_open() {
                self.handle_change()?;
            }
            let others_load = batch.parking.somebody_starves() || self.others_load();
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
            if others_load && self.turn_is_over() {
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
    pub(super) fn accept(&mut self, keep_first: bool) -> Result<usize, LoadError<S::Error>> {
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

    fn failure(&self, error: S::Error) -> LoadError<S::Error> {
        self.batch.counters.filler.errors.add_alone(1);
        LoadError::Source(error)
    }

    #[cold]
    fn check_for_interrupt(&mut self) -> Result<(), LoadError<S::Error>> {
        if self.batch.host.interrupted() {
            return Err(LoadError::Interrupted);
        }
        // The host may have forked.
        Ok(self.handle_change()?)
    }

    /// Keeps a result for this thread. There is room for it, because a load fills only if no result
    /// came back.
    fn keep(&mut self, word: Word) -> Result<(), LoadError<S::Error>> {
        if let Err(word) = self.batch.own.put(word, Origin::Fill) {
            let queued = self.batch.queue.push(word);
            return if queued { Ok(()) } else { Err(self.batch.no_room().into()) };
        }
        self.made_own = true;
        self.batch.counters.filler.first_results.add_alone(1);
        Ok(())
    }
}
