//! A source of numbers that takes its time.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

#[derive(Clone, Copy)]
pub(crate) enum Pause {
    Sleep(Duration),
    Spin(Duration),
}

thread_local! {
    static RUNS: Cell<u64> = const { Cell::new(0) };
}

/// How often the calling thread has run a source.
pub(crate) fn runs_here() -> u64 {
    RUNS.get()
}

/// The numbers from 1 on. One thread at a time uses it.
pub(crate) struct Slow {
    pause: Pause,
    made: AtomicU64,
    spent: AtomicU64,
}

impl Slow {
    pub(crate) fn new(pause: Pause) -> Self {
        Self { pause, made: AtomicU64::new(0), spent: AtomicU64::new(0) }
    }

    pub(crate) fn next(&self) -> usize {
        let start = Instant::now();
        match self.pause {
            Pause::Sleep(time) => thread::sleep(time),
            Pause::Spin(time) => spin(start, time),
        }
        RUNS.set(RUNS.get() + 1);
        let spent = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.spent.fetch_add(spent, Ordering::Relaxed);
        let made = self.made.fetch_add(1, Ordering::Relaxed) + 1;
        usize::try_from(made).expect("a word is enough")
    }

    pub(crate) fn made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }

    /// What a call has taken, in nanoseconds.
    pub(crate) fn mean(&self) -> f64 {
        self.spent.load(Ordering::Relaxed) as f64 / self.made() as f64
    }
}

pub(crate) fn spin(start: Instant, time: Duration) {
    while start.elapsed() < time {
        std::hint::spin_loop();
    }
}
