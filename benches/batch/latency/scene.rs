//! Two threads that load, work, and load again, with every wait written down.

use super::servers::Server;
use super::slow::{Pause, runs_here, spin};
use crate::harness::crew::Gate;
use crate::harness::machine::{core_delay, cores, pin, sleep_sharply};
use crate::harness::shot::Tally;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const THREADS: usize = 2;

pub(crate) struct Scene {
    pub(crate) title: &'static str,
    pub(crate) pause: Pause,
    pub(crate) size: usize,
    /// A thread's work between two loads.
    pub(crate) between: Duration,
    pub(crate) length: Duration,
}

/// Waits in nanoseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waits {
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) max: f64,
}

impl Waits {
    fn new(mut waits: Vec<u64>) -> Self {
        waits.sort_unstable();
        // Of `n` waits in order, a share of `per_mille` is no longer than this one.
        let at = |per_mille: usize| {
            let index = (waits.len() * per_mille).div_ceil(1000).max(1) - 1;
            waits.get(index).map_or(f64::NAN, |&wait| wait as f64)
        };
        Self { p99: at(990), p999: at(999), max: at(1000) }
    }

    fn json(&self) -> Value {
        json!({ "p99": self.p99, "p99.9": self.p999, "max": self.max })
    }
}

/// What was measured in one round.
pub(crate) struct Measured {
    pub(crate) all: Waits,
    /// Of loads that did not run the source.
    pub(crate) others: Waits,
    pub(crate) per_second: f64,
    /// What a call of the source took.
    pub(crate) source: f64,
    /// The part of the loading threads' time in which they waited for a core.
    pub(crate) lost: f64,
}

impl Measured {
    pub(crate) fn json(&self) -> Value {
        json!({
            "all_ns": self.all.json(), "others_ns": self.others.json(),
            "per_second": self.per_second, "source_ns": self.source, "lost": self.lost,
        })
    }
}

/// One thread's loads: how long each waited, and whether it ran the source; what was taken; how long
/// the thread waited for a core.
type Log = (Vec<(u64, bool)>, Tally, Duration);

/// Another process's time slice is longer than the waits that are measured. With less than this
/// lost there was none.
pub(crate) const LOST: f64 = 0.0005;
const ATTEMPTS: usize = 6;

impl Scene {
    /// Runs until a round was not disturbed, and returns it, or the least disturbed.
    ///
    /// # Errors
    /// What is wrong with the numbers that were handed out.
    pub(crate) fn run(&self, server: impl Fn() -> Box<dyn Server>) -> Result<Measured, String> {
        let mut best = self.run_once(&*server())?;
        for _ in 1..ATTEMPTS {
            if best.lost < LOST {
                break;
            }
            let next = self.run_once(&*server())?;
            if next.lost < best.lost {
                best = next;
            }
        }
        Ok(best)
    }

    fn run_once(&self, server: &dyn Server) -> Result<Measured, String> {
        let cores = cores();
        let (gate, stop) = (Gate::new(THREADS + 1), AtomicBool::new(false));
        let (logs, wall) = thread::scope(|scope| {
            let loaders: Vec<_> = (0..THREADS)
                .map(|n| {
                    let core = cores[n % cores.len()];
                    let (gate, stop) = (&gate, &stop);
                    scope.spawn(move || {
                        pin(core);
                        sleep_sharply();
                        gate.pass();
                        self.load_and_work(server, stop)
                    })
                })
                .collect();
            scope.spawn(|| {
                sleep_sharply();
                server.background(&stop);
            });
            gate.pass();
            let start = Instant::now();
            thread::sleep(self.length);
            stop.store(true, Ordering::Relaxed);
            let join = |loader: thread::ScopedJoinHandle<'_, Log>| loader.join().expect("it ends");
            let logs: Vec<Log> = loaders.into_iter().map(join).collect();
            (logs, start.elapsed())
        });
        let mut taken = Tally::default();
        logs.iter().for_each(|log| taken.join(log.1));
        let loads = taken.items;
        while let Some(number) = server.take_left() {
            taken.add(number);
        }
        let made = server.source().made();
        let expected = Tally { items: made, sum: made * (made + 1) / 2 };
        if taken != expected {
            return Err(format!("{made} numbers made, and not each handed out once: {taken:?}"));
        }
        let waits = || logs.iter().flat_map(|log| &log.0);
        let lost: Duration = logs.iter().map(|log| log.2).sum();
        Ok(Measured {
            lost: lost.as_secs_f64() / (wall.as_secs_f64() * THREADS as f64),
            all: Waits::new(waits().map(|wait| wait.0).collect()),
            others: Waits::new(waits().filter(|wait| !wait.1).map(|wait| wait.0).collect()),
            per_second: loads as f64 / wall.as_secs_f64(),
            source: server.source().mean(),
        })
    }

    fn load_and_work(&self, server: &dyn Server, stop: &AtomicBool) -> Log {
        let mut log = (Vec::with_capacity(1 << 20), Tally::default(), Duration::ZERO);
        let delayed = core_delay();
        while !stop.load(Ordering::Relaxed) {
            spin(Instant::now(), self.between);
            let (runs, start) = (runs_here(), Instant::now());
            let number = server.load();
            let wait = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
            log.0.push((wait, runs_here() != runs));
            log.1.add(number);
        }
        if let (Some(before), Some(after)) = (delayed, core_delay()) {
            log.2 = after - before;
        }
        log
    }
}
