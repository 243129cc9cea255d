//! What is compared. Every queue is in a steady state: the thread that finds it empty refills it from
//! a source that makes the numbers from 1 on, one per call, through a pointer that the compiler
//! cannot see through.

pub(crate) mod bare;
pub(crate) mod ours;
pub(crate) mod peers;
pub(crate) mod ft_utils;

use crate::harness::shot::{Shot, Tally};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The results of one refill.
pub(crate) const SIZE: usize = 1024;

/// A way to hand numbers out to threads.
pub(crate) trait Candidate: Sync {
    /// What one thread does in a sample; `thread` counts from 0.
    fn shot(&self, thread: usize, shot: &Shot<'_>) -> Tally;

    /// To be called when no thread uses it: hands out what is left, and says how many numbers were
    /// made in all; `None` if it hands out nothing.
    fn settle(&self, left: &mut dyn FnMut(usize)) -> Option<u64>;

    /// Whether it is known to lose items and to hand them out twice.
    fn is_racy(&self) -> bool {
        false
    }
}

/// The source. One thread at a time uses it; each candidate ensures that.
pub(crate) struct Numbers {
    made: AtomicUsize,
    next: fn(&AtomicUsize) -> usize,
}

#[inline(never)]
fn next(made: &AtomicUsize) -> usize {
    // Relaxed, and no read-modify-write: the candidate's lock or role orders the callers.
    let number = made.load(Ordering::Relaxed) + 1;
    made.store(number, Ordering::Relaxed);
    number
}

impl Numbers {
    pub(crate) fn new() -> Self {
        Self { made: AtomicUsize::new(0), next: black_box(next) }
    }

    #[inline]
    pub(crate) fn next(&self) -> usize {
        (self.next)(&self.made)
    }

    /// Many at a time.
    pub(crate) fn make(&self, count: usize, take: impl FnOnce(std::ops::Range<usize>)) {
        let made = self.made.load(Ordering::Relaxed);
        take(made + 1..made + 1 + count);
        self.made.store(made + count, Ordering::Relaxed);
    }

    pub(crate) fn made(&self) -> u64 {
        self.made.load(Ordering::Relaxed) as u64
    }
}

/// The unit: no shared queue can hand out an item for less.
pub(crate) struct FetchAdd(crossbeam_utils::CachePadded<AtomicUsize>);

impl FetchAdd {
    pub(crate) fn new() -> Self {
        Self(AtomicUsize::new(1).into())
    }
}

impl Candidate for FetchAdd {
    fn shot(&self, _thread: usize, shot: &Shot<'_>) -> Tally {
        shot.run(|| self.0.fetch_add(1, Ordering::Relaxed))
    }

    fn settle(&self, _left: &mut dyn FnMut(usize)) -> Option<u64> {
        Some(self.0.load(Ordering::Relaxed) as u64 - 1)
    }
}
