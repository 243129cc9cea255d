//! Among how many cursors the results are shared.

use super::node::Node;
use crate::sync::unordered::AtomicU64;
use crate::sync::{CachePadded, Ordering};

/// Counts the cursors that claim, so that each leaves the others their share. A cursor that claims
/// nothing is not counted, and costs the others nothing.
///
/// Time is divided into rounds, in each of which at least half a buffer of results is made. A cursor
/// counts itself at its first claim in a round. What counts is this round or the one before, whichever
/// had more, since a round begins with no cursor.
///
/// All of it is a hint: a cursor that counts itself just when a round begins may not be counted, or
/// be counted twice.
pub(super) struct Sharers(CachePadded<Rounds>);

struct Rounds {
    /// How many cursors have claimed in this round and, in steps of [`ROUND`], its number.
    now: AtomicU64,
    /// How many claimed in the round before.
    before: AtomicU64,
    /// The next round begins with the fill that finds as many results made. For the filler.
    next: AtomicU64,
}

const ROUND: u64 = 1 << 32;

impl Sharers {
    /// Begins with round 0, in which there is no result, and which every new node has seen.
    pub(super) fn new() -> Self {
        let [now, before, next] = [0; 3].map(AtomicU64::new);
        Self(CachePadded::new(Rounds { now, before, next }))
    }

    /// For the filler, when it begins: `made` results were made so far.
    pub(super) fn begin_fill(&self, made: u64, size: usize) {
        let Rounds { now, before, next } = &*self.0;
        if made < next.load(Ordering::Relaxed) {
            return;
        }
        next.store(made + (size as u64).div_ceil(2), Ordering::Relaxed);
        let last = now.load(Ordering::Relaxed);
        before.store(last % ROUND, Ordering::Relaxed);
        now.store((last - last % ROUND).wrapping_add(ROUND), Ordering::Relaxed);
    }

    /// How many cursors share the results. Counts that of `node`, which claims some.
    pub(super) fn with(&self, node: &Node) -> u64 {
        let mut now = self.0.now.load(Ordering::Relaxed);
        if now / ROUND != node.round.get() {
            now = self.0.now.fetch_add(1, Ordering::Relaxed) + 1;
            node.round.set(now / ROUND);
        }
        (now % ROUND).max(self.0.before.load(Ordering::Relaxed)).max(1)
    }
}

/// The fewest results that a cursor claims from a buffer of `size`, if there are that many: where many
/// threads claim, a smaller claim costs more than it saves.
fn least(size: usize) -> usize {
    (size / 64).clamp(4, 16)
}

/// How many of the results that are `there` one of `cursors` claims: its share of what remains if each
/// thread that has nothing gets one, and half at most, since others may load one at a time.
pub(super) fn share(there: usize, cursors: u64, starving: usize, size: usize) -> usize {
    let free = there.saturating_sub(starving);
    let even = usize::try_from(free as u64 / cursors.max(2)).unwrap_or(usize::MAX);
    even.max(least(size)).min(free).max(1)
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use std::ptr;

    #[test]
    fn a_cursor_claims_its_share_of_what_it_may_and_half_at_most() {
        let claimed = [(64, 1, 0), (64, 2, 0), (64, 1, 20), (64, 8, 0)];
        assert_eq!(
            claimed.map(|(there, cursors, starving)| share(there, cursors, starving, 64)),
            [32, 32, 22, 8]
        );
        let few = [(3, 1, 0), (10, 1, 7), (10, 1, 9), (10, 1, 10), (10, 1, 20)];
        assert_eq!(
            few.map(|(there, cursors, starving)| share(there, cursors, starving, 64)),
            [3, 3, 1, 1, 1]
        );
    }

    /// The number of sharers that a cursor with each of the nodes gets.
    fn sharers_with<const N: usize>(sharers: &Sharers, nodes: [&Node; N]) -> [u64; N] {
        nodes.map(|node| sharers.with(node))
    }

    #[test]
    fn those_of_the_last_two_rounds_share() {
        let nodes = [0; 3].map(|_| Node::new(1, ptr::null(), true, false).unwrap());
        // SAFETY: freed below.
        let [a, b, c] = nodes.map(|node| unsafe { &*node.as_ptr().cast_const() });
        let sharers = Sharers::new();
        sharers.begin_fill(0, 9);
        assert_eq!(sharers_with(&sharers, [a, b, c, a]), [1, 2, 3, 3]);
        sharers.begin_fill(4, 9);
        assert_eq!(sharers_with(&sharers, [a]), [3], "the round is not over");
        sharers.begin_fill(5, 9);
        assert_eq!(sharers_with(&sharers, [a, a, b]), [3; 3]);
        sharers.begin_fill(20, 9);
        assert_eq!(sharers_with(&sharers, [b]), [2], "c is idle");
        sharers.begin_fill(24, 9);
        sharers.begin_fill(25, 9);
        assert_eq!(sharers_with(&sharers, [b, c, a]), [1, 2, 3]);
        // SAFETY: made above, and not used from here on.
        nodes.into_iter().for_each(|node| unsafe { Node::free(node) });
    }
}
