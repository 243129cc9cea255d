//! What a batch does, in one thread and without anything that makes it fast.
//!
//! Of several fillers, others may be in the middle of their calls: see `Stint`.

mod cursors;
mod fill;
mod script;

use super::*;
use cursors::{Node, Rounds};
pub(super) use fill::{Progress, Stint};
pub(super) use script::{Manner, Said, Script};
use std::collections::VecDeque;

/// How a call of the source went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Failed,
    Unwound,
}

pub(super) type Outcome<T> = Result<T, LoadError<Fault>>;

pub(super) struct Model {
    size: usize,
    options: Options,
    pub(super) source: Script,
    permits: Vec<Permit>,
    returned: Vec<Node>,
    queue: VecDeque<usize>,
    taken_from_queue: i64,
    given_back: i64,
    /// Whether the source has said that it ends, and whether loads know.
    has_ended: bool,
    ended: bool,
    closed: bool,
    /// What each open cursor has in hand.
    pub(super) cursors: Vec<VecDeque<usize>>,
    places: Vec<i64>,
    rounds: Rounds,
    pub(super) stats: Stats,
}

/// What one of the fillers has.
#[derive(Default, Clone)]
struct Permit {
    /// The first result of a fill that failed.
    back: Option<usize>,
    is_taken: bool,
}

impl Model {
    pub(super) fn new(fillers: usize, size: usize, options: Options) -> Self {
        Self {
            size,
            options,
            source: Script::default(),
            permits: vec![Permit::default(); fillers],
            returned: Vec::new(),
            queue: VecDeque::new(),
            taken_from_queue: 0,
            given_back: 0,
            has_ended: false,
            ended: false,
            closed: false,
            cursors: Vec::new(),
            places: Vec::new(),
            rounds: Rounds::default(),
            stats: Stats::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        let back = self.permits.iter().filter(|permit| permit.back.is_some()).count();
        let returned: usize = self.returned.iter().map(|node| node.results.len()).sum();
        back + returned + self.queue.len()
    }

    fn is_plain(&self) -> bool {
        self.len() == self.queue.len() && !self.ended && !self.closed
    }

    fn pop_queue(&mut self) -> Option<usize> {
        let result = self.queue.pop_front()?;
        self.taken_from_queue += 1;
        Some(result)
    }

    /// What came back: the first result of a failed fill, then the oldest.
    fn take_returned(&mut self) -> Option<usize> {
        if let Some(result) = self.permits.iter_mut().find_map(|permit| permit.back.take()) {
            return Some(result);
        }
        let oldest = (0..self.returned.len()).min_by_key(|&index| self.returned[index].place)?;
        let node = &mut self.returned[oldest];
        node.place += 1;
        let result = node.results.pop_front();
        if node.results.is_empty() {
            self.returned.remove(oldest);
        }
        result
    }

    fn take(&mut self) -> Option<usize> {
        self.take_returned().or_else(|| self.pop_queue())
    }

    fn check_terminal(&self) -> Outcome<()> {
        if self.ended { Err(LoadError::Ended) } else { Ok(()) }
    }

    /// A result by `take`, which counts it, or from a fill, which `own` counts. It waits for no time.
    fn acquire(
        &mut self,
        take: impl Fn(&mut Self) -> Option<usize>,
        own: impl Fn(&mut Stats),
    ) -> Outcome<usize> {
        loop {
            if self.closed {
                return Err(LoadError::Closed);
            }
            if let Some(result) = take(self) {
                return Ok(result);
            }
            self.check_terminal()?;
            let Some(permit) = self.free_permit() else {
                self.stats.waits += 1;
                return Err(LoadError::TimedOut);
            };
            if let (Some(result), _) = self.fill(permit, self.budget(), None, true)? {
                own(&mut self.stats);
                return Ok(result);
            }
        }
    }

    /// For a load that has `mine`: makes more if that is what it left too little for.
    fn refill_if_low(&mut self, mine: usize) -> Outcome<usize> {
        let low = self.queue.len() < self.options.low_mark;
        if !low || self.ended || self.closed {
            return Ok(mine);
        }
        match self.free_permit() {
            Some(permit) if self.permits[permit].back.is_none() => {
                self.fill(permit, self.budget(), Some(mine), false).map(|_| mine)
            }
            _ => Ok(mine),
        }
    }

    fn take_for_load(&mut self) -> Option<usize> {
        let result = self.take()?;
        self.stats.loads += 1;
        Some(result)
    }

    pub(super) fn load(&mut self) -> Outcome<usize> {
        if self.is_plain()
            && let Some(result) = self.take_for_load()
        {
            return self.refill_if_low(result);
        }
        self.acquire_for_load()
    }

    fn acquire_for_load(&mut self) -> Outcome<usize> {
        self.acquire(Self::take_for_load, |stats| stats.loads += 1)
    }

    pub(super) fn try_load(&mut self) -> Outcome<Option<usize>> {
        if self.closed {
            return Err(LoadError::Closed);
        }
        match self.take_for_load() {
            Some(result) => Ok(Some(result)),
            None => self.check_terminal().map(|()| None),
        }
    }

    pub(super) fn load_many(&mut self, count: usize) -> (Vec<usize>, Outcome<()>) {
        let mut results = Vec::new();
        while results.len() < count {
            // It takes them 64 by 64.
            let room = (count - results.len()).min(64 - results.len() % 64);
            match self.take_some_for_load(room, &mut results) {
                Ok(result) => results.push(result),
                Err(LoadError::Ended | LoadError::Closed) if !results.is_empty() => break,
                Err(error) => return (results, Err(error)),
            }
        }
        (results, Ok(()))
    }

    /// Takes up to `count` ready results, and returns the last; or one as a load does.
    fn take_some_for_load(&mut self, count: usize, results: &mut Vec<usize>) -> Outcome<usize> {
        if !self.is_plain() || self.queue.is_empty() {
            return self.acquire_for_load();
        }
        let taken: Vec<_> = (0..count).map_while(|_| self.pop_queue()).collect();
        self.stats.loads += taken.len() as u64;
        let (&last, others) = taken.split_last().expect("the queue was not empty");
        results.extend(others);
        self.refill_if_low(last)
    }

    pub(super) fn prefill(&mut self, low_mark: usize, max: usize) -> Outcome<usize> {
        let low_mark = low_mark.min(self.size);
        if max == 0 || low_mark == 0 {
            return Ok(0);
        }
        if self.closed {
            return Err(LoadError::Closed);
        }
        self.check_terminal()?;
        match self.free_permit() {
            Some(permit) if self.len() < low_mark => {
                self.fill(permit, max, None, false).map(|(_, made)| made)
            }
            _ => Ok(0),
        }
    }

    pub(super) fn clear(&mut self) {
        while self.take().is_some() {
            self.stats.released += 1;
        }
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
        self.clear();
    }
}
