//! Scenes too large for a model check, in many random schedules.
//!
//! `RUSTFLAGS="--cfg shuttle" cargo test --profile model --lib --target-dir target/shuttle
//! schedules` runs `FT_LOCAL_SCHEDULES` schedules in total (200,000). A failure prints the
//! schedule, which shuttle can replay.

mod forks;
mod ledger;
mod scene;
mod vanishing;

use super::{Batch, ForkPolicy, Options};
use crate::error::LoadError;
use crate::host::Native;
use crate::process::{begin_generation, thread_number};
use crate::source::{Filled, Filler, Source};
use shuttle::sync::{Arc, Barrier};
use shuttle::thread;
use std::sync::atomic::{AtomicUsize, Ordering};

const SCENES: usize = 11;

/// How many schedules each scene has.
fn share() -> usize {
    let all = std::env::var("FT_LOCAL_SCHEDULES").map_or(200_000, |n| n.parse().unwrap());
    (all / SCENES).max(1)
}

/// Runs a scene in its share of the schedules: most of them random, some that prefer few switches
/// between threads, which find other faults.
fn check(name: &str, scene: impl Fn() + Sync + Send + Clone + 'static) {
    let share = share();
    let ran = std::sync::Arc::new(AtomicUsize::new(0));
    let counted = ran.clone();
    let scene = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        scene();
    };
    shuttle::check_random(scene.clone(), share - share / 4);
    shuttle::check_pct(scene, share / 4, 3);
    println!("{name}: {} schedules", ran.load(Ordering::Relaxed));
}

type Values = Native<usize>;

/// 1, 2, 3, ..., `last`; the calls named in `failing` fail, and count. It is not to be called again
/// after its end.
struct Counter {
    made: usize,
    calls: usize,
    last: usize,
    failing: &'static [usize],
    bulk: usize,
    ended: bool,
}

impl Counter {
    const fn new() -> Self {
        Self { made: 0, calls: 0, last: usize::MAX, failing: &[], bulk: 1, ended: false }
    }
}

impl Source<Values> for Counter {
    type Error = usize;

    fn run(&mut self, filler: impl Filler<Values, usize>) -> Filled {
        filler.many(|_, slots| {
            assert!(!self.ended, "the source was called again after its end");
            self.calls += 1;
            for _ in 0..self.bulk.min(slots.capacity()) {
                if self.made == self.last {
                    slots.end();
                    self.ended = true;
                    return Ok(());
                }
                if self.failing.contains(&self.calls) {
                    return Err(self.calls);
                }
                self.made += 1;
                slots.push(self.made);
            }
            Ok(())
        })
    }
}

type Tested = Arc<Batch<Values, Counter>>;

fn batch(source: Counter, size: usize, options: Options) -> Tested {
    Arc::new(Batch::with_options(Native::new(), source, size, options).unwrap())
}

fn spawn<R: Send + 'static>(
    batch: &Tested,
    work: impl FnOnce(Tested) -> R + Send + 'static,
) -> thread::JoinHandle<R> {
    let batch = batch.clone();
    thread::spawn(move || work(batch))
}

/// All of 1 to some number, each once.
fn assert_exact(mut all: Vec<usize>) {
    all.sort_unstable();
    assert_eq!(all, (1..=all.len()).collect::<Vec<_>>());
}

fn rest(batch: &Batch<Values, Counter>) -> Vec<usize> {
    std::iter::from_fn(|| batch.try_load().ok().flatten()).collect()
}

#[test]
fn four_threads_load_while_fills_fail() {
    check("loads and failures", || {
        let source = Counter { failing: &[2, 5], ..Counter::new() };
        let batch = batch(source, 3, Options::default());
        let work = |batch: Tested| {
            let loads = (0..3).map(|_| batch.load());
            loads.filter_map(Result::ok).collect::<Vec<_>>()
        };
        let loaders: Vec<_> = (0..4).map(|_| spawn(&batch, work)).collect();
        let mut all: Vec<_> =
            loaders.into_iter().flat_map(|loader| loader.join().unwrap()).collect();
        all.extend(rest(&batch));
        assert_exact(all);
    });
}

#[test]
fn the_role_changes_hands_when_each_fill_makes_one_result() {
    check("fill after fill", || {
        let batch = batch(Counter::new(), 1, Options::default());
        let work = |batch: Tested| [batch.load().unwrap(), batch.load().unwrap()];
        let loaders: Vec<_> = (0..3).map(|_| spawn(&batch, work)).collect();
        let all = loaders.into_iter().flat_map(|loader| loader.join().unwrap()).collect();
        assert_exact(all);
    });
}

#[test]
fn cursors_come_and_go_with_results_in_hand() {
    check("cursors", || {
        let batch = batch(Counter { bulk: 3, ..Counter::new() }, 8, Options::default());
        let work = |batch: Tested| {
            let mut taken = Vec::new();
            for loads in [2, 1] {
                let mut cursor = batch.cursor().unwrap();
                taken.extend((0..loads).map(|_| cursor.next().unwrap()));
            }
            taken
        };
        let users: Vec<_> = (0..3).map(|_| spawn(&batch, work)).collect();
        let loader = spawn(&batch, |batch| vec![batch.load().unwrap(), batch.load().unwrap()]);
        let mut all: Vec<_> = users.into_iter().flat_map(|user| user.join().unwrap()).collect();
        all.extend(loader.join().unwrap());
        all.extend(rest(&batch));
        let stats = batch.stats();
        let handed_out = stats.loads + stats.claimed + stats.released;
        assert_eq!(stats.produced + stats.given_back, handed_out, "{stats:?}");
        assert_exact(all);
    });
}

#[test]
fn a_cursors_own_results_come_in_order() {
    check("order", || {
        let batch = batch(Counter::new(), 6, Options::default());
        // No cursor goes while another is in use: what it gave back would be older.
        let all_done = Arc::new(Barrier::new(3));
        let work = move |batch: Tested| {
            let mut cursor = batch.cursor().unwrap();
            let taken: Vec<_> = (0..4).map(|_| cursor.next().unwrap()).collect();
            assert!(taken.is_sorted(), "{taken:?}");
            all_done.wait();
        };
        let users: Vec<_> = (0..3).map(|_| spawn(&batch, work.clone())).collect();
        users.into_iter().for_each(|user| user.join().unwrap());
    });
}

#[test]
fn results_returned_together_reach_all_waiting_threads() {
    check("give back to a crowd", || {
        let batch = batch(Counter::new(), 4, Options::default());
        // Nobody can fill, so each waits for what comes back.
        assert!(batch.role.take().is_ok());
        let loaders: Vec<_> = (0..3).map(|_| spawn(&batch, |batch| batch.load())).collect();
        let givers = [vec![1, 2], vec![3]]
            .map(|mut results| spawn(&batch, move |batch| batch.give_back(&mut results).unwrap()));
        givers.into_iter().for_each(|giver| giver.join().unwrap());
        let all = loaders.into_iter().map(|loader| loader.join().unwrap().unwrap());
        assert_exact(all.collect());
    });
}

#[test]
fn all_that_is_made_before_a_close_is_delivered_or_dropped_once() {
    check("close", || {
        let batch = batch(Counter { bulk: 2, ..Counter::new() }, 4, Options::default());
        let work = |batch: Tested| {
            let mut loaded = 0;
            let mut cursor = batch.cursor().unwrap();
            for turn in 0..3 {
                let taken = if turn == 1 { cursor.next() } else { batch.load() };
                match taken {
                    Ok(_) => loaded += 1,
                    Err(LoadError::Closed) => break,
                    Err(error) => panic!("{error}"),
                }
            }
            loaded
        };
        let users: Vec<_> = (0..3).map(|_| spawn(&batch, work)).collect();
        let closer = spawn(&batch, |batch| batch.close());
        let loaded: u64 = users.into_iter().map(|user| user.join().unwrap()).sum();
        assert_eq!(closer.join().unwrap(), Ok(()));
        assert_eq!((batch.load(), batch.len()), (Err(LoadError::Closed), 0));
        let stats = batch.stats();
        assert_eq!(stats.produced, loaded + stats.released, "{stats:?}");
    });
}

#[test]
fn every_thread_learns_of_the_end() {
    check("end", || {
        let batch = batch(Counter { last: 5, ..Counter::new() }, 2, Options::default());
        let work = |batch: Tested| {
            let mut loaded = Vec::new();
            loop {
                match batch.load() {
                    Ok(value) => loaded.push(value),
                    Err(LoadError::Ended) => return loaded,
                    Err(error) => panic!("{error}"),
                }
            }
        };
        let loaders: Vec<_> = (0..3).map(|_| spawn(&batch, work)).collect();
        let all: Vec<_> = loaders.into_iter().flat_map(|loader| loader.join().unwrap()).collect();
        assert_eq!(all.len(), 5);
        assert_exact(all);
    });
}

#[test]
fn the_end_is_not_reported_too_early() {
    check("end, and as many loads as results", || {
        let batch = batch(Counter { last: 3, ..Counter::new() }, 4, Options::default());
        let loaders: Vec<_> = (0..3).map(|_| spawn(&batch, |batch| batch.load())).collect();
        let all = loaders.into_iter().map(|loader| loader.join().unwrap());
        assert_exact(all.map(|loaded| loaded.unwrap()).collect());
    });
}

#[test]
fn low_mark_and_budget_keep_the_counters_balanced() {
    check("low water and budget", || {
        let options = Options { fill_budget: 2, low_mark: 2, ..Options::default() };
        let batch = batch(Counter { failing: &[3], ..Counter::new() }, 4, options);
        let work = |batch: Tested| {
            let mut results = Vec::new();
            for _ in 0..2 {
                // What was loaded before an error is there.
                let _ = batch.load_many(2, None, &mut results);
            }
            results
        };
        let loaders: Vec<_> = (0..3).map(|_| spawn(&batch, work)).collect();
        let ahead = spawn(&batch, |batch| {
            let _ = batch.prefill(3, 2, Some(std::time::Duration::ZERO));
        });
        ahead.join().unwrap();
        let mut all: Vec<_> =
            loaders.into_iter().flat_map(|loader| loader.join().unwrap()).collect();
        all.extend(rest(&batch));
        assert_exact(all);
    });
}

#[test]
fn a_child_with_many_threads_repeats_nothing() {
    check("fork", || {
        let options = Options { on_fork: ForkPolicy::Discard, ..Options::default() };
        let batch = batch(Counter::new(), 3, options);
        assert_eq!(batch.load(), Ok(1));
        let filler = spawn(&batch, |batch| batch.role.take().map(|_| ()));
        assert_eq!(filler.join().unwrap(), Ok(()));
        // The fork: the filler is gone with the role in its hands, and 2 and 3 are the parent's.
        begin_generation(thread_number());
        let loaders: Vec<_> =
            (0..3).map(|_| spawn(&batch, |batch| [batch.load(), batch.load()])).collect();
        let mut all: Vec<_> = loaders
            .into_iter()
            .flat_map(|loader| loader.join().unwrap())
            .map(Result::unwrap)
            .collect();
        all.extend(rest(&batch));
        all.sort_unstable();
        assert_eq!(all, (4..4 + all.len()).collect::<Vec<_>>());
    });
}
