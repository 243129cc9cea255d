//! What a batch does, in one thread and without anything that makes it fast.

use super::*;
use std::collections::VecDeque;

/// 1, 2, 3, ..., until it is told to fail, to unwind or to end. It would go on after each of these.
#[derive(Debug, Clone, Default)]
pub(super) struct Script {
    made: usize,
    /// After how many more results it fails, once.
    pub(super) fails_after: Option<usize>,
    /// After how many more results it unwinds, once.
    pub(super) unwinds_after: Option<usize>,
    /// After how many more results it ends, once, and in what manner.
    pub(super) ends_after: Option<usize>,
    pub(super) manner: Manner,
    /// How many results each call makes at most; 0 for a source of one at a time.
    pub(super) bulk: usize,
}

impl Script {
    pub(super) fn make(&mut self) -> Said {
        let due = |after: &mut Option<usize>| after.take_if(|left| *left == 0).is_some();
        if due(&mut self.fails_after) {
            return Said::Fails;
        }
        if due(&mut self.unwinds_after) {
            return Said::Unwinds;
        }
        if due(&mut self.ends_after) {
            return Said::Ends;
        }
        let counts = [&mut self.fails_after, &mut self.unwinds_after, &mut self.ends_after];
        counts.into_iter().flatten().for_each(|left| *left -= 1);
        self.made += 1;
        Said::Result(self.made)
    }
}

/// What one step of the source brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    Result(usize),
    Ends,
    Fails,
    Unwinds,
}

/// What a source of many does in the call in which it has said that it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Manner {
    #[default]
    Quietly,
    Failing,
    Unwinding,
}

/// How a call of the source went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Failed,
    Unwound,
}

pub(super) type Outcome<T> = Result<T, LoadError<Fault>>;

/// Results that came back together, and how many were taken before them.
struct Node {
    place: i64,
    results: VecDeque<usize>,
}

/// The cursors that share: those that asked for results in this round or in the one before.
#[derive(Default)]
struct Rounds {
    ends_at: i64,
    /// Whether each open cursor is one of this round's.
    counted: Vec<bool>,
    count: usize,
    before: usize,
}

pub(super) struct Model {
    size: usize,
    options: Options,
    pub(super) source: Script,
    first: VecDeque<usize>,
    returned: Vec<Node>,
    queue: VecDeque<usize>,
    taken_from_queue: i64,
    given_back: i64,
    ended: bool,
    closed: bool,
    /// What each open cursor has in hand.
    pub(super) cursors: Vec<VecDeque<usize>>,
    places: Vec<i64>,
    rounds: Rounds,
    pub(super) stats: Stats,
}

impl Model {
    pub(super) fn new(size: usize, options: Options) -> Self {
        Self {
            size,
            options,
            source: Script::default(),
            first: VecDeque::new(),
            returned: Vec::new(),
            queue: VecDeque::new(),
            taken_from_queue: 0,
            given_back: 0,
            ended: false,
            closed: false,
            cursors: Vec::new(),
            places: Vec::new(),
            rounds: Rounds::default(),
            stats: Stats::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        let returned: usize = self.returned.iter().map(|node| node.results.len()).sum();
        self.first.len() + returned + self.queue.len()
    }

    fn is_plain(&self) -> bool {
        self.first.is_empty() && self.returned.is_empty() && !self.ended && !self.closed
    }

    fn pop_queue(&mut self) -> Option<usize> {
        let result = self.queue.pop_front()?;
        self.taken_from_queue += 1;
        Some(result)
    }

    /// What came back: the first result of a failed fill, then the oldest.
    fn take_returned(&mut self) -> Option<usize> {
        if let Some(result) = self.first.pop_front() {
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

    /// Runs the source for up to `limit` results, for a thread that has `mine` or wants one.
    fn fill(
        &mut self,
        limit: usize,
        mut mine: Option<usize>,
        keep_first: bool,
    ) -> Outcome<(Option<usize>, usize)> {
        let limit = limit.min(self.size - self.queue.len());
        self.stats.fills += 1;
        self.begin_round();
        let mut made = 0;
        let mut outcome = Ok(());
        while made < limit && outcome.is_ok() && !self.ended {
            let (results, said) = self.call(limit - made);
            assert!(!results.is_empty() || said.is_some());
            self.stats.produced += results.len() as u64;
            for result in results {
                made += 1;
                // The first is nobody's in particular if the call that made it did not return.
                let unwound = self.source.bulk > 0 && said == Some(Said::Unwinds);
                if keep_first && made == 1 && !unwound {
                    mine = Some(result);
                } else {
                    self.queue.push_back(result);
                }
            }
            match said {
                Some(Said::Fails) => {
                    self.stats.errors += 1;
                    outcome = Err(LoadError::Source(Fault::Failed));
                }
                Some(Said::Unwinds) => outcome = Err(LoadError::Source(Fault::Unwound)),
                _ => {}
            }
        }
        if let Err(error) = outcome {
            if let Some(mine) = mine {
                self.first.push_back(mine);
                // One that the fill made was never handed out.
                self.stats.given_back += u64::from(!keep_first);
            }
            return Err(error);
        }
        Ok((mine, made))
    }

    fn begin_round(&mut self) {
        let queued = self.taken_from_queue + self.queue.len() as i64;
        if queued >= self.rounds.ends_at {
            self.rounds.ends_at = queued + self.size.div_ceil(2) as i64;
            self.rounds.before = std::mem::take(&mut self.rounds.count);
            self.rounds.counted.fill(false);
        }
    }

    /// One call of the source: what it makes, and what else it has to say.
    fn call(&mut self, room: usize) -> (Vec<usize>, Option<Said>) {
        let mut results = Vec::new();
        while results.len() < self.source.bulk.max(1).min(room) {
            match self.source.make() {
                Said::Result(result) => results.push(result),
                Said::Ends => {
                    self.ended = true;
                    let manner =
                        if self.source.bulk > 0 { self.source.manner } else { Manner::Quietly };
                    let said = match manner {
                        Manner::Quietly => Said::Ends,
                        Manner::Failing => Said::Fails,
                        Manner::Unwinding => Said::Unwinds,
                    };
                    return (results, Some(said));
                }
                said => return (results, Some(said)),
            }
        }
        (results, None)
    }

    fn budget(&self) -> usize {
        if self.options.fill_budget == 0 { self.size } else { self.options.fill_budget }
    }

    fn check_terminal(&self) -> Outcome<()> {
        if self.ended { Err(LoadError::Ended) } else { Ok(()) }
    }

    /// A result by `take`, which counts it, or from a fill, which `own` counts.
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
            if let (Some(result), _) = self.fill(self.budget(), None, true)? {
                own(&mut self.stats);
                return Ok(result);
            }
        }
    }

    /// For a load that has `mine`: makes more if that is what it left too little for.
    fn refill_if_low(&mut self, mine: usize) -> Outcome<usize> {
        let low = self.queue.len() < self.options.low_mark;
        if !low || self.ended || self.closed || !self.first.is_empty() {
            return Ok(mine);
        }
        self.fill(self.budget(), Some(mine), false).map(|_| mine)
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
        if self.len() >= low_mark {
            return Ok(0);
        }
        self.fill(max, None, false).map(|(_, made)| made)
    }

    pub(super) fn open_cursor(&mut self) {
        self.cursors.push(VecDeque::new());
        self.places.push(0);
        self.rounds.counted.push(false);
    }

    pub(super) fn next(&mut self, cursor: usize) -> Outcome<usize> {
        if let Some(result) = self.cursors[cursor].pop_front() {
            self.places[cursor] += 1;
            return Ok(result);
        }
        let own = |stats: &mut Stats| {
            stats.claims += 1;
            stats.claimed += 1;
        };
        let result = self.acquire(|model| model.claim(cursor), own)?;
        self.refill_if_low(result)
    }

    fn claim(&mut self, cursor: usize) -> Option<usize> {
        if let Some(result) = self.take_returned() {
            self.stats.claims += 1;
            self.stats.claimed += 1;
            return Some(result);
        }
        let Rounds { counted, count, before, .. } = &mut self.rounds;
        *count += usize::from(!std::mem::replace(&mut counted[cursor], true));
        if self.queue.is_empty() {
            return None;
        }
        let share = self.queue.len() / (*count).max(*before).max(2);
        let count = share.max(4).min(self.queue.len()).min(64);
        self.stats.claims += 1;
        self.stats.claimed += count as u64;
        self.places[cursor] = self.taken_from_queue + 1;
        let claimed: Vec<_> = (0..count).filter_map(|_| self.pop_queue()).collect();
        self.cursors[cursor] = claimed.into();
        self.cursors[cursor].pop_front()
    }

    pub(super) fn drop_cursor(&mut self, cursor: usize) {
        let (results, place) = (self.cursors.remove(cursor), self.places.remove(cursor));
        self.rounds.counted.remove(cursor);
        self.come_back(Node { place, results });
    }

    pub(super) fn give_back(&mut self, results: Vec<usize>) {
        self.given_back += i64::try_from(results.len()).unwrap();
        self.come_back(Node { place: -self.given_back, results: results.into() });
    }

    fn come_back(&mut self, node: Node) {
        if !node.results.is_empty() {
            self.stats.given_back += node.results.len() as u64;
            self.returned.push(node);
        }
        if self.closed {
            self.clear();
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
