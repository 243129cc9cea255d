//! Cursors, and what comes back.

use super::{Model, Outcome, Stats};
use std::collections::VecDeque;

/// Results that came back together, and how many were taken before them.
pub(super) struct Node {
    pub(super) place: i64,
    pub(super) results: VecDeque<usize>,
}

/// The cursors that share: those that asked for results in this round or in the one before.
#[derive(Default)]
pub(super) struct Rounds {
    ends_at: i64,
    /// Whether each open cursor is one of this round's.
    counted: Vec<bool>,
    count: usize,
    before: usize,
}

impl Model {
    /// For a fill that is about to add results to the queue.
    pub(super) fn begin_round(&mut self) {
        let queued = self.taken_from_queue + self.queue.len() as i64;
        if queued >= self.rounds.ends_at {
            self.rounds.ends_at = queued + self.size.div_ceil(2) as i64;
            self.rounds.before = std::mem::take(&mut self.rounds.count);
            self.rounds.counted.fill(false);
        }
    }

    pub(in crate::batch::tests) fn open_cursor(&mut self) {
        self.cursors.push(VecDeque::new());
        self.places.push(0);
        self.rounds.counted.push(false);
    }

    pub(in crate::batch::tests) fn next(&mut self, cursor: usize) -> Outcome<usize> {
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

    pub(in crate::batch::tests) fn drop_cursor(&mut self, cursor: usize) {
        let (results, place) = (self.cursors.remove(cursor), self.places.remove(cursor));
        self.rounds.counted.remove(cursor);
        self.come_back(Node { place, results });
    }

    pub(in crate::batch::tests) fn give_back(&mut self, results: Vec<usize>) {
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
}
