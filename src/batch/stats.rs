//! The counters of a batch.

use crate::sync::unordered::AtomicU64;
use crate::sync::{CachePadded, Ordering};
use std::time::Duration;

/// Counts of what a batch has done. A load that finds a result updates no counter: the number of
/// loads follows from the buffer's own counts.
///
/// ```
/// use ft_local::{Batch, Iter, Native};
///
/// let batch = Batch::new(Native::<usize>::new(), Iter(0..9), 4).unwrap();
/// batch.load().unwrap();
/// let stats = batch.stats();
/// assert_eq!((stats.loads, stats.produced, stats.fills), (1, 4, 1));
/// ```
///
/// When no thread uses the batch, the counters balance: `produced + given_back` equals `loads +
/// claimed + released + dropped_on_fork` and the number of results that are ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Results handed out by loads.
    pub loads: u64,
    /// Claims by cursors.
    pub claims: u64,
    /// Results that cursors have claimed.
    pub claimed: u64,
    /// How often a thread took the role of running the source, and ran it.
    pub fills: u64,
    /// Results that the source has made.
    pub produced: u64,
    /// Loads that had to wait for another thread.
    pub waits: u64,
    /// How long they waited.
    pub wait_time: Duration,
    /// How long fills took, from the first call of the source to the last.
    pub source_time: Duration,
    /// Failures of the source.
    pub errors: u64,
    /// Results that cursors held, or that were loaded, and that were given back.
    pub given_back: u64,
    /// Results released because the batch was cleared or closed.
    pub released: u64,
    /// Results that the child of a fork dropped, because the parent hands them out.
    pub dropped_on_fork: u64,
}

/// The counters behind `Stats`, on cache lines that a load writes to only if it waits.
pub(super) struct Counters {
    pub(super) filler: CachePadded<Filler>,
    pub(super) others: CachePadded<Others>,
}

/// Written by the holder of the fill role only.
#[derive(Default)]
pub(super) struct Filler {
    pub(super) fills: Counter,
    /// Results that fills made for their own thread, and not for the queue.
    pub(super) first_results: Counter,
    /// Those that the thread got.
    pub(super) own: Counter,
    pub(super) errors: Counter,
    pub(super) nanoseconds: Counter,
}

/// Written by any thread, in rare cases.
#[derive(Default)]
pub(super) struct Others {
    pub(super) waits: Counter,
    pub(super) waited_nanoseconds: Counter,
    pub(super) given_back: Counter,
    /// Results that were given back and taken again.
    pub(super) taken_back: Counter,
    pub(super) released: Counter,
    pub(super) dropped_on_fork: Counter,
    /// Results that were dropped on fork and were no longer in the buffer: a filler's own.
    pub(super) dropped_in_hand: Counter,
    /// The same of cursors, which had claimed them.
    pub(super) dropped_by_cursors: Counter,
}

impl Counters {
    pub(super) fn new() -> Self {
        Self { filler: CachePadded::default(), others: CachePadded::default() }
    }
}

/// A counter. All accesses are relaxed, because it orders nothing.
pub(super) struct Counter(AtomicU64);

impl Default for Counter {
    fn default() -> Self {
        Self(AtomicU64::new(0))
    }
}

impl Counter {
    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// For counters that only one thread at a time writes.
    pub(super) fn add_alone(&self, more: u64) {
        self.0.store(self.get() + more, Ordering::Relaxed);
    }

    pub(super) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }
}

pub(super) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
