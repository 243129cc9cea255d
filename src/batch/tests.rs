/// What a host of plain values has, whatever else it does.
macro_rules! words_are_objects {
    () => {
        type Object = usize;

        fn into_word(object: usize) -> Word {
            object
        }

        unsafe fn adopt_word(&self, word: Word) -> usize {
            word
        }
    };
}

mod ahead;
mod arguments;
mod basics;
mod cursors;
mod ends;
mod fibers;
mod fillers;
mod forking;
mod forks;
mod future;
mod kept;
mod layout;
mod loads;
mod model;
mod notify;
mod one_lock;
mod panics;
mod parts;
mod rooms;
mod policies;
mod properties;
mod sources;
mod stats;
mod turns;
mod unwinding;
mod waits;
mod wakeups;
mod wipes;

use super::*;
use crate::error::LoadError;
use crate::host::Native;
use crate::panic::drill;
use crate::source::{Filled, Filler, Iter, Made, Slots};
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, OnceLock, Weak, mpsc};
use std::time::Duration;

const VALUES: Native<usize> = Native::new();

/// Longer than any test that ends.
const LONG: Duration = Duration::from_secs(30);

/// 1, 2, 3, ...
fn counter() -> impl FnMut() -> Result<usize, Infallible> + Send {
    let mut made = 0;
    move || {
        made += 1;
        Ok(made)
    }
}

/// 1, 2, 3, ..., but the calls for which `fails` holds fail, and count.
fn failing(fails: impl Fn(usize) -> bool + Send) -> impl FnMut() -> Result<usize, usize> + Send {
    let (mut calls, mut made) = (0, 0);
    move || {
        calls += 1;
        if fails(calls) {
            return Err(calls);
        }
        made += 1;
        Ok(made)
    }
}

/// 1, 2, 3, ..., but from the call `first` on, each waits for a message. It fails when the sender
/// is gone.
fn waits_from(
    first: usize,
) -> (mpsc::Sender<()>, impl FnMut() -> Result<usize, mpsc::RecvError> + Send) {
    let (go_on, told) = mpsc::channel();
    let mut made = 0;
    let source = move || {
        if made + 1 >= first {
            told.recv()?;
        }
        made += 1;
        Ok(made)
    };
    (go_on, source)
}

/// The options of a batch whose fills go on however long they take, and whoever waits.
fn whole_fills(size: usize) -> Options {
    Options { fill_budget: size, ..Options::default() }
}

/// Runs the given action on its slots.
struct Bulk<F>(F);

impl<F> Source<Native<usize>> for Bulk<F>
where
    F: FnMut(&mut Slots<'_, Native<usize>>) -> Result<(), &'static str> + Send,
{
    type Error = &'static str;

    fn run(&mut self, filler: impl Filler<Native<usize>, &'static str>) -> Filled {
        filler.many(|_, slots| (self.0)(slots))
    }
}

/// All ready results.
fn rest<H, S>(batch: &Batch<H, S>) -> Vec<H::Object>
where
    H: Host,
    S: Source<H>,
{
    std::iter::from_fn(|| batch.try_load().ok().flatten()).collect()
}

/// All of 1 to some number, each once.
fn assert_exact(mut all: Vec<usize>) {
    all.sort_unstable();
    assert_eq!(all, (1..=all.len()).collect::<Vec<_>>());
}

/// Checks that the counters balance. No other thread may use the batch.
fn assert_balanced<H: Host, S: Source<H>>(batch: &Batch<H, S>) {
    let stats = batch.stats();
    let came = stats.produced + stats.given_back;
    let went = stats.loads + stats.claimed + stats.released + stats.dropped_on_fork;
    assert_eq!(came, went + batch.len() as u64, "{stats:?}");
}

fn until(reached: impl Fn() -> bool) {
    while !reached() {
        std::thread::yield_now();
    }
}
