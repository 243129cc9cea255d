//! Fills: of the one filler, and of one of several.

use super::{Fault, LoadError, Manner, Model, Outcome, Said};

/// What one of several fillers does with its permit. Others may do anything between two of its calls.
#[derive(Debug)]
pub(in crate::batch::tests) struct Stint {
    permit: usize,
    limit: usize,
    pub(in crate::batch::tests) is_ahead: bool,
    keep_first: bool,
    /// As a stint begins, the source decides whether it makes many at a time.
    is_bulk: bool,
    mine: Option<usize>,
    made: usize,
    /// How many results its call may make, as it was when that began.
    room: usize,
}

/// What comes after a call of the source.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::batch::tests) enum Progress<T> {
    AnotherCall,
    Over(Outcome<T>),
}

/// The result of the thread that fills, if it has one, and how many were made.
type Filled = (Option<usize>, usize);

impl Model {
    pub(super) fn budget(&self) -> usize {
        if self.options.fill_budget == 0 { self.size } else { self.options.fill_budget }
    }

    fn nobody_fills(&self) -> bool {
        !self.permits.iter().any(|permit| permit.is_taken)
    }

    /// The permit that a thread would take.
    pub(super) fn free_permit(&self) -> Option<usize> {
        if self.has_ended && !self.nobody_fills() {
            return None;
        }
        self.permits.iter().position(|permit| !permit.is_taken)
    }

    /// Runs the source for up to `limit` results, for a thread that has `mine` or wants one.
    pub(super) fn fill(
        &mut self,
        permit: usize,
        limit: usize,
        mine: Option<usize>,
        keep_first: bool,
    ) -> Outcome<Filled> {
        if self.permits.len() == 1 {
            return self.fill_alone(limit, mine, keep_first);
        }
        let is_ahead = mine.is_none() && !keep_first;
        let mut stint = self.begin(permit, limit, is_ahead);
        (stint.mine, stint.keep_first) = (mine, keep_first);
        loop {
            if let Progress::Over(outcome) = self.call_for(&mut stint) {
                return outcome;
            }
        }
    }

    fn fill_alone(
        &mut self,
        limit: usize,
        mut mine: Option<usize>,
        keep_first: bool,
    ) -> Outcome<Filled> {
        let limit = limit.min(self.size - self.queue.len());
        self.stats.fills += 1;
        self.begin_round();
        let (mut made, mut outcome) = (0, Ok(()));
        let is_bulk = self.source.bulk > 0;
        while made < limit && outcome.is_ok() && !self.ended {
            let (results, said) = self.call(limit - made, is_bulk);
            assert!(!results.is_empty() || said.is_some());
            for result in results {
                made += 1;
                // The first is nobody's in particular if the call that made it did not return.
                let unwound = is_bulk && said == Some(Said::Unwinds);
                if keep_first && made == 1 && !unwound {
                    mine = Some(result);
                } else {
                    self.queue.push_back(result);
                }
            }
            outcome = self.outcome_of(said);
            self.ended = self.has_ended;
        }
        self.end_fill(0, mine, keep_first, outcome).map(|mine| (mine, made))
    }

    /// What a call that said this comes to, for the thread that made it.
    fn outcome_of(&mut self, said: Option<Said>) -> Outcome<()> {
        match said {
            Some(Said::Fails) => {
                self.stats.errors += 1;
                Err(LoadError::Source(Fault::Failed))
            }
            Some(Said::Unwinds) => Err(LoadError::Source(Fault::Unwound)),
            _ => Ok(()),
        }
    }

    /// If the fill failed, the thread's own result is left to any thread.
    fn end_fill(
        &mut self,
        permit: usize,
        mine: Option<usize>,
        keep_first: bool,
        outcome: Outcome<()>,
    ) -> Outcome<Option<usize>> {
        if outcome.is_ok() {
            return Ok(mine);
        }
        if mine.is_some() {
            self.permits[permit].back = mine;
            // One that the fill made was never handed out.
            self.stats.given_back += u64::from(!keep_first);
        }
        outcome.map(|()| None)
    }

    /// One call of the source: what it makes, and what else it has to say.
    fn call(&mut self, room: usize, is_bulk: bool) -> (Vec<usize>, Option<Said>) {
        let mut results = Vec::new();
        let most = if is_bulk { self.source.bulk.max(1).min(room) } else { 1 };
        let said = loop {
            if results.len() == most {
                break None;
            }
            match self.source.make() {
                Said::Result(result) => results.push(result),
                Said::Ends => {
                    self.has_ended = true;
                    let manner = if is_bulk { self.source.manner } else { Manner::Quietly };
                    break Some(match manner {
                        Manner::Quietly => Said::Ends,
                        Manner::Failing => Said::Fails,
                        Manner::Unwinding => Said::Unwinds,
                    });
                }
                said => break Some(said),
            }
        };
        self.stats.produced += results.len() as u64;
        (results, said)
    }
}

impl Model {
    /// Begins a load in another thread, if it would run the source.
    pub(in crate::batch::tests) fn begin_load(&mut self) -> Option<Stint> {
        if self.closed || self.ended || self.len() > 0 {
            return None;
        }
        let permit = self.free_permit()?;
        let mut stint = self.begin(permit, self.budget(), false);
        stint.keep_first = true;
        Some(stint)
    }

    /// The same for results that are made ahead of loads.
    pub(in crate::batch::tests) fn begin_prefill(
        &mut self,
        low_mark: usize,
        max: usize,
    ) -> Option<Stint> {
        let is_low = self.len() < low_mark.min(self.size) && max > 0;
        if self.closed || self.ended || !is_low {
            return None;
        }
        let permit = self.free_permit()?;
        Some(self.begin(permit, max, true))
    }

    fn begin(&mut self, permit: usize, limit: usize, is_ahead: bool) -> Stint {
        self.permits[permit].is_taken = true;
        let is_bulk = self.source.bulk > 0;
        let mut stint = Stint {
            permit,
            limit,
            is_ahead,
            keep_first: false,
            is_bulk,
            mine: None,
            made: 0,
            room: 0,
        };
        self.begin_call(&mut stint);
        stint
    }

    fn begin_call(&self, stint: &mut Stint) {
        // What is made ahead leaves room for itself.
        let taken = if stint.is_ahead { self.queue.len() } else { 0 };
        stint.room = self.size.saturating_sub(taken).max(1).min(stint.limit - stint.made);
    }

    /// The call of the source that the thread of this stint is in. Returns what comes to its caller,
    /// who waits for nothing.
    pub(in crate::batch::tests) fn go_on(&mut self, stint: &mut Stint) -> Progress<usize> {
        match self.call_for(stint) {
            Progress::AnotherCall => Progress::AnotherCall,
            Progress::Over(Err(error)) => Progress::Over(Err(error)),
            Progress::Over(Ok((_, made))) if stint.is_ahead => Progress::Over(Ok(made)),
            Progress::Over(Ok((Some(mine), _))) => {
                self.stats.loads += 1;
                Progress::Over(Ok(mine))
            }
            Progress::Over(Ok((None, _))) => Progress::Over(self.acquire_for_load()),
        }
    }

    fn call_for(&mut self, stint: &mut Stint) -> Progress<Filled> {
        let (results, said) = self.call(stint.room, stint.is_bulk);
        let count = results.len();
        let mut results = results.into_iter();
        let unwound = stint.is_bulk && said == Some(Said::Unwinds);
        if stint.keep_first && stint.made == 0 && !unwound && count > 0 {
            stint.mine = results.next();
        }
        if (stint.is_bulk && count > 0) || results.len() > 0 {
            self.begin_round();
            self.queue.extend(results);
        }
        stint.made += count;
        let is_over = self.has_ended
            || self.closed
            || stint.made >= stint.limit
            || self.queue.len() >= self.size;
        match self.outcome_of(said) {
            Ok(()) if !is_over => {
                self.begin_call(stint);
                Progress::AnotherCall
            }
            outcome => Progress::Over(self.end(stint, outcome)),
        }
    }

    fn end(&mut self, stint: &Stint, outcome: Outcome<()>) -> Outcome<Filled> {
        let outcome = self.end_fill(stint.permit, stint.mine, stint.keep_first, outcome);
        self.stats.fills += 1;
        self.permits[stint.permit].is_taken = false;
        self.ended = self.has_ended && self.nobody_fills();
        if self.closed {
            self.clear();
        }
        outcome.map(|mine| (mine, stint.made))
    }
}
