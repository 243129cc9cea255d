//! Threads, each kept on a core, that begin together.

use super::machine::{core_delay, cores, cpu_time, pin};
use super::shot::{Seen, Shot, Tally};
use crate::candidates::Candidate;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A sample is long enough that its beginning and end do not matter. With more threads than cores it
/// lasts as much longer, so that each has its turn.
const LENGTH: Duration = Duration::from_millis(4);
/// A sample in which the threads had less of their cores than this is taken again.
const SHARE: f64 = 0.97;
const ATTEMPTS: usize = 40;

/// One sample.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) taken: Tally,
    /// Wall time over the items of all threads.
    pub(crate) ns_per_item: f64,
    /// The part of the cores' time that nobody else took.
    pub(crate) share: f64,
}

impl Sample {
    /// Whether nobody else had the cores meanwhile.
    pub(crate) fn is_clean(&self) -> bool {
        self.share >= SHARE
    }
}

/// What one thread did in a sample.
struct Turn {
    start: Instant,
    end: Instant,
    on_core: Duration,
    /// Time without a core that it would have used.
    lost: Duration,
    tally: Tally,
}

/// Lets all threads go on at the same time.
pub(crate) struct Gate {
    threads: usize,
    arrived: AtomicUsize,
}

impl Gate {
    pub(crate) fn new(threads: usize) -> Self {
        Self { threads, arrived: AtomicUsize::new(0) }
    }

    pub(crate) fn pass(&self) {
        // Relaxed: nothing but the moment goes from one to the other.
        self.arrived.fetch_add(1, Ordering::Relaxed);
        while self.arrived.load(Ordering::Relaxed) < self.threads {
            // There may be fewer cores than threads.
            thread::yield_now();
        }
    }
}

/// Samples until one is clean, and returns it, or the cleanest if none was. All that was taken is
/// in the tally.
pub(crate) fn sample(candidate: &dyn Candidate, threads: usize, work: u32) -> (Sample, Tally) {
    let mut all = Tally::default();
    let mut best: Option<Sample> = None;
    for _ in 0..ATTEMPTS {
        let sample = shoot(candidate, threads, work);
        all.join(sample.taken);
        if best.is_none_or(|best| sample.share > best.share) {
            best = Some(sample);
        }
        if sample.is_clean() {
            break;
        }
    }
    (best.expect("there was an attempt"), all)
}

fn shoot(candidate: &dyn Candidate, threads: usize, work: u32) -> Sample {
    let cores = cores();
    let gate = Gate::new(threads + 1);
    let shot = Shot { stop: AtomicBool::new(false), work, seen: None };
    let turn = |thread: usize| {
        pin(cores[thread % cores.len()]);
        gate.pass();
        let delayed = core_delay();
        let (start, had) = (Instant::now(), cpu_time());
        let tally = candidate.shot(thread, &shot);
        let (end, on_core) = (Instant::now(), cpu_time() - had);
        let lost = match (delayed, core_delay()) {
            // With a core for each thread, who was not on it and did not wait for it has slept by
            // itself, as locks do.
            (Some(before), Some(after)) if threads <= cores.len() => after - before,
            _ => (end - start).saturating_sub(on_core),
        };
        Turn { start, end, on_core, lost, tally }
    };
    let turns: Vec<_> = thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|n| scope.spawn(move || turn(n))).collect();
        gate.pass();
        thread::sleep(LENGTH * u32::try_from(threads.div_ceil(cores.len())).unwrap_or(1));
        shot.stop.store(true, Ordering::Relaxed);
        handles.into_iter().map(|handle| handle.join().expect("no thread panics")).collect()
    });
    let mut taken = Tally::default();
    turns.iter().for_each(|turn| taken.join(turn.tally));
    let start = turns.iter().map(|turn| turn.start).min().expect("there is a thread");
    let end = turns.iter().map(|turn| turn.end).max().expect("there is a thread");
    let wall = end - start;
    let possible = wall.as_secs_f64() * threads.min(cores.len()) as f64;
    let used: Duration = if threads <= cores.len() {
        turns.iter().map(|turn| wall.saturating_sub(turn.lost)).sum()
    } else {
        turns.iter().map(|turn| turn.on_core).sum()
    };
    let ns_per_item = wall.as_secs_f64() * 1e9 / taken.items as f64;
    Sample { taken, ns_per_item, share: used.as_secs_f64() / possible }
}

/// Has threads take values and looks at each: how many were not handed out exactly once.
pub(crate) fn faults(candidate: &dyn Candidate, threads: usize, values: usize) -> usize {
    let seen = Seen::new(2 * values);
    let shot = Shot { stop: AtomicBool::new(false), work: 0, seen: Some(&seen) };
    let gate = Gate::new(threads);
    thread::scope(|scope| {
        for thread in 0..threads {
            let (shot, gate) = (&shot, &gate);
            scope.spawn(move || {
                gate.pass();
                candidate.shot(thread, shot);
            });
        }
    });
    let produced = candidate.settle(&mut |value| seen.mark(value));
    produced.map_or(0, |produced| seen.faults(produced))
}
