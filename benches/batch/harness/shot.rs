//! What a thread does in a sample: take items and work on them until it is told to stop.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

/// How many items are taken between two looks at the clock's flag.
pub(crate) const BLOCK: u64 = 64;

/// What was taken, or made: the number and the wrapping sum of the values.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) items: u64,
    pub(crate) sum: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, value: usize) {
        self.items += 1;
        self.sum = self.sum.wrapping_add(value as u64);
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.items += other.items;
        self.sum = self.sum.wrapping_add(other.sum);
    }
}

/// How often each of the first values was taken.
pub(crate) struct Seen {
    counts: Vec<AtomicUsize>,
    taken: AtomicU64,
}

impl Seen {
    pub(crate) fn new(values: usize) -> Self {
        Self {
            counts: (0..values).map(|_| AtomicUsize::new(0)).collect(),
            taken: AtomicU64::new(0),
        }
    }

    /// Relaxed: the counts are looked at after the threads were joined.
    pub(crate) fn mark(&self, value: usize) {
        if let Some(count) = self.counts.get(value) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many of the values from 1 to `produced` were not taken exactly once.
    pub(crate) fn faults(&self, produced: u64) -> usize {
        let produced = usize::try_from(produced).unwrap_or(usize::MAX);
        let wrong = |count: &&AtomicUsize| count.load(Ordering::Relaxed) != 1;
        self.counts.iter().skip(1).take(produced).filter(wrong).count()
    }
}

/// One sample, as its threads see it.
pub(crate) struct Shot<'a> {
    /// Ends the sample.
    pub(crate) stop: AtomicBool,
    /// How many dependent multiplications follow on each item.
    pub(crate) work: u32,
    /// In a check and not a sample: every value is marked here.
    pub(crate) seen: Option<&'a Seen>,
}

impl Shot<'_> {
    /// Takes items one by one until the sample ends.
    #[inline]
    pub(crate) fn run(&self, take: impl FnMut() -> usize) -> Tally {
        // Two loops, because one without work must not carry the test for it.
        match (self.seen, self.work) {
            (Some(seen), _) => self.mark(seen, take),
            (None, 0) => self.each(take, |_| ()),
            (None, work) => {
                let mut carried = 1;
                let tally = self.each(take, |value| carried = multiply(carried ^ value, work));
                black_box(carried);
                tally
            }
        }
    }

    /// Has `take` take a number of items at once, and return the sum of their values. There is no
    /// work on the items.
    pub(crate) fn run_blocks(&self, mut take: impl FnMut(u64) -> u64) -> Tally {
        let mut tally = Tally::default();
        while !self.stop.load(Ordering::Relaxed) {
            tally.sum = tally.sum.wrapping_add(take(BLOCK));
            tally.items += BLOCK;
        }
        tally
    }

    #[inline]
    fn each(&self, mut take: impl FnMut() -> usize, mut then: impl FnMut(usize)) -> Tally {
        let mut tally = Tally::default();
        while !self.stop.load(Ordering::Relaxed) {
            for _ in 0..BLOCK {
                let value = take();
                tally.sum = tally.sum.wrapping_add(value as u64);
                then(value);
            }
            tally.items += BLOCK;
        }
        tally
    }

    fn mark(&self, seen: &Seen, mut take: impl FnMut() -> usize) -> Tally {
        let mut tally = Tally::default();
        // Leaves room for the values that are made and not taken.
        while seen.taken.fetch_add(1, Ordering::Relaxed) < seen.counts.len() as u64 / 2 {
            let value = take();
            tally.add(value);
            seen.mark(value);
        }
        tally
    }
}

/// Work that cannot be done in parallel, nor left out.
#[inline]
fn multiply(mut value: usize, times: u32) -> usize {
    for _ in 0..times {
        value = value.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as usize) ^ 0x55;
    }
    value
}

/// The number of multiplications that take `ns` nanoseconds on this machine, and what they take.
pub(crate) fn calibrated(ns: f64) -> (u32, f64) {
    // Short, so that some trial has the core to itself.
    const ROUNDS: u32 = 500;
    let time = |times: u32| {
        let trial = || {
            let start = Instant::now();
            let mut carried = black_box(1);
            for value in 0..ROUNDS as usize {
                carried = multiply(carried ^ value, black_box(times));
            }
            black_box(carried);
            start.elapsed().as_secs_f64() * 1e9 / f64::from(ROUNDS)
        };
        // The shortest is the one that nothing disturbed.
        (0..300).map(|_| trial()).fold(f64::INFINITY, f64::min)
    };
    let (few, many) = (time(20), time(220));
    let each = (many - few) / 200.0;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let times = ((ns / each).round() as u32).max(1);
    (times, time(times))
}
