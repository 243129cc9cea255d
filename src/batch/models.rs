//! Model checks. loom runs each scene in every order of its steps that the memory model allows, up
//! to `LOOM_MAX_PREEMPTIONS`.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --release --lib --target-dir target/loom models`
//!
//! `parts`, `queue` and `returned` are small enough for a check without a bound; whole batches, and
//! three threads, are not.

mod ends;
mod fillers;
mod notices;
mod notify;
mod one_lock;
mod parts;
mod queue;
mod returned;
mod three;

use super::Batch;
use super::parking::Parking;
use crate::error::LoadError;
use crate::host::Native;
use crate::process::{begin_generation, thread_number};
use crate::sync::{AtomicUsize, Barriers, Ordering, set_barriers};
use loom::sync::Arc;
use loom::thread;

/// Runs a scene with each kind of barrier between the sleeping thread and the waking thread.
fn check_parking(name: &str, scene: impl Fn() + Sync + Send + Clone + 'static) {
    for barriers in [Barriers::Plain, Barriers::Asymmetric, Barriers::Refused] {
        set_barriers(barriers);
        check(&format!("{name}, {barriers:?} barriers"), scene.clone());
    }
}

/// A thread that waits until `made` reaches `wanted`.
fn wait_for(
    parking: &Arc<Parking>,
    made: &Arc<AtomicUsize>,
    wanted: usize,
) -> thread::JoinHandle<()> {
    let (parking, made) = (parking.clone(), made.clone());
    thread::spawn(move || {
        let ready = || made.load(Ordering::Acquire) >= wanted;
        while !ready() {
            parking.wait(None, ready, ready);
        }
    })
}

/// Runs a scene and prints the number of executions: a model that explores nothing shows nothing.
fn check(name: &str, scene: impl Fn() + Sync + Send + 'static) {
    let executions = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = executions.clone();
    loom::model(move || {
        counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        scene();
    });
    println!("{name}: {} executions", executions.load(std::sync::atomic::Ordering::Relaxed));
}

/// A source of 1, 2, 3, ... whose calls named in `failing` fail.
fn counter(failing: &'static [usize]) -> impl FnMut() -> Result<usize, usize> + Send {
    let (mut calls, mut made) = (0, 0);
    move || {
        calls += 1;
        if failing.contains(&calls) {
            return Err(calls);
        }
        made += 1;
        Ok(made)
    }
}

fn sorted(mut items: Vec<usize>) -> Vec<usize> {
    items.sort_unstable();
    items
}

#[test]
fn every_load_gets_a_result_of_its_own_and_no_thread_sleeps_forever() {
    check_parking("load against load", || {
        let batch = Arc::new(Batch::new(Native::<usize>::new(), counter(&[]), 2).unwrap());
        let other = {
            let batch = batch.clone();
            thread::spawn(move || [batch.load().unwrap(), batch.load().unwrap()])
        };
        let mine = batch.load().unwrap();
        let [first, second] = other.join().unwrap();
        assert!(first < second);
        assert_eq!(sorted(vec![mine, first, second]), [1, 2, 3]);
        assert_eq!(batch.len(), 1);
    });
}

#[test]
fn the_role_changes_hands_when_each_fill_makes_one_result() {
    check_parking("fill after fill", || {
        let batch = Arc::new(Batch::new(Native::<usize>::new(), counter(&[]), 1).unwrap());
        let other = {
            let batch = batch.clone();
            thread::spawn(move || [batch.load().unwrap(), batch.load().unwrap()])
        };
        let mine = batch.load().unwrap();
        let theirs = other.join().unwrap();
        assert!(theirs[0] < theirs[1]);
        assert_eq!(sorted(theirs.into_iter().chain([mine]).collect()), [1, 2, 3]);
    });
}

#[test]
fn a_failed_fill_gives_its_first_result_back_and_wakes_a_waiting_thread() {
    check_parking("give back", || {
        let batch = Arc::new(Batch::new(Native::<usize>::new(), counter(&[2]), 2).unwrap());
        let other = {
            let batch = batch.clone();
            thread::spawn(move || batch.load())
        };
        let loads = [batch.load(), other.join().unwrap()];
        // The thread that ran the source first got its error; the result made before it was not
        // lost.
        let errors = loads.iter().filter(|load| **load == Err(LoadError::Source(2))).count();
        assert_eq!(errors, 1, "{loads:?}");
        let taken = loads.into_iter().filter_map(Result::ok);
        let rest = (0..batch.len()).map(|_| batch.load().unwrap());
        let all = sorted(taken.chain(rest).collect());
        assert_eq!(all, (1..=all.len()).collect::<Vec<_>>());
    });
}

type Fed = Batch<Native<usize>, Box<dyn FnMut() -> Result<usize, String> + Send>>;

/// Two batches, each with a source that loads from the other.
fn fed_by_each_other() -> [std::sync::Arc<Fed>; 2] {
    let pair: std::sync::Arc<std::sync::OnceLock<[std::sync::Weak<Fed>; 2]>> = Default::default();
    let batches = [1, 0].map(|other: usize| {
        let pair = pair.clone();
        let source = move || {
            let other = pair.get().unwrap()[other].upgrade().unwrap();
            other.load().map_err(|error| error.to_string())
        };
        std::sync::Arc::new(Fed::new(Native::new(), Box::new(source), 1).unwrap())
    });
    let weak = [0, 1].map(|index: usize| std::sync::Arc::downgrade(&batches[index]));
    assert!(pair.set(weak).is_ok());
    batches
}

#[test]
fn two_fills_that_wait_for_each_other_both_end() {
    check("circle", || {
        let batches = fed_by_each_other();
        let shared = batches.clone();
        let other = thread::spawn(move || shared[1].load());
        // Each load runs into a source that loads from its own batch, or into the circle.
        assert!(matches!(batches[0].load(), Err(LoadError::Source(_))));
        assert!(matches!(other.join().unwrap(), Err(LoadError::Source(_))));
    });
}

#[test]
fn a_child_takes_over_from_a_filler_that_is_not_there() {
    check("take-over", || {
        let batch = Arc::new(Batch::new(Native::<usize>::new(), counter(&[]), 2).unwrap());
        assert_eq!(batch.load(), Ok(1));
        let filler = {
            let batch = batch.clone();
            thread::spawn(move || batch.role.take().map(|_| ()))
        };
        assert_eq!(filler.join().unwrap(), Ok(()));
        // The fork: the filler is gone with the role in its hands, and 2 is the parent's.
        begin_generation(thread_number());
        let other = {
            let batch = batch.clone();
            thread::spawn(move || batch.load().unwrap())
        };
        let loaded = vec![batch.load().unwrap(), other.join().unwrap()];
        assert_eq!(sorted(loaded), [3, 4]);
    });
}
