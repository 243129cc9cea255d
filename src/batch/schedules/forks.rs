//! Threads that vanish at any step of any operation, while one goes on as the child of a fork.
//!
//! What is checked there: the child gets none of the parent's objects, unless the policy says so;
//! no object is delivered or released twice; the parent's objects in the batch are released or
//! delivered, except those that a vanished thread held; no thread waits for one that does not
//! exist; and afterwards the batch works like any other.

use super::ledger::{Ledger, Maker};
use super::scene::{Scene, WORKERS};
use super::vanishing;
use crate::batch::{ForkPolicy, Options};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;

fn threads_vanish(policy: ForkPolicy) {
    let scene = Scene::new(policy);
    if thread_rng().gen_range(0..2) == 0 {
        // Many results are back, each in a place of its own.
        let mut mine = Vec::new();
        mine.extend((0..8).flat_map(|_| scene.batch.load()).map(|object| object.deliver()));
        if vanishing::has_forked() {
            scene.go_on_as_child(0);
        }
        scene.give_back(&mut mine);
    }
    for index in 1..WORKERS {
        thread::spawn(move || scene.work(index));
    }
    let mut mine = Vec::new();
    for _ in 0..thread_rng().gen_range(0..3) {
        scene.step(&scene.workers[0], &mut mine);
        if vanishing::has_forked() {
            scene.go_on_as_child(0);
        }
    }
    for _ in 0..thread_rng().gen_range(0..100) {
        thread::yield_now();
    }
    vanishing::fork();
    scene.ledger.fork();
    scene.go_on_as_child(0);
}

#[test]
fn a_child_that_discards_gets_nothing_twice_wherever_the_others_stopped() {
    check(
        "a_child_that_discards_gets_nothing_twice_wherever_the_others_stopped",
        ForkPolicy::Discard,
    );
}

#[test]
fn a_child_that_keeps_loses_only_what_the_others_had_in_hand() {
    check("a_child_that_keeps_loses_only_what_the_others_had_in_hand", ForkPolicy::Keep);
}

#[test]
fn a_child_that_may_not_use_the_batch_may_free_it_wherever_the_others_stopped() {
    check(
        "a_child_that_may_not_use_the_batch_may_free_it_wherever_the_others_stopped",
        ForkPolicy::Error,
    );
}

/// What one thread does before it is gone.
#[derive(Debug, Clone)]
struct Life {
    on_fork: ForkPolicy,
    size: usize,
    low_mark: usize,
    bulk: usize,
    operations: Vec<u8>,
}

fn lives() -> impl Strategy<Value = Life> {
    use ForkPolicy::{Discard, Error, Keep};
    let policy = prop::sample::select(&[Discard, Keep, Error][..]);
    let shape = (1_usize..9, 0_usize..5, prop::sample::select(&[0_usize, 1, 3][..]));
    let operations = prop::collection::vec(0_u8..100, 1..8);
    (policy, shape, operations).prop_map(|(on_fork, (size, low_mark, bulk), operations)| Life {
        on_fork,
        size,
        low_mark: low_mark.min(size),
        bulk,
        operations,
    })
}

fn live_and_vanish(life: &Life) {
    let &Life { on_fork, size, low_mark, bulk, .. } = life;
    let source = Maker { ledger: Ledger::new(on_fork, false), bulk, forks_in: 0, calls: 0 };
    let options = Options { on_fork, low_mark, ..Options::default() };
    let scene = Scene::of(vec![source], size, options, false);
    let operations = life.operations.clone();
    thread::spawn(move || {
        let mut mine = Vec::new();
        for choice in operations {
            scene.operate(choice, &scene.workers[1], &mut mine);
        }
    });
    // The other thread takes its steps.
    thread::yield_now();
    vanishing::fork();
    scene.ledger.fork();
    scene.go_on_as_child(0);
}

/// Any operations of one thread, which is gone after any number of its steps. What fails here
/// shrinks to few of both.
#[test]
fn one_thread_may_do_anything_and_vanish_anywhere() {
    let path = path("one_thread_may_do_anything_and_vanish_anywhere");
    vanishing::in_processes(&path, super::share(), |share| {
        let cases = u32::try_from(share).unwrap();
        let mut runner = TestRunner::new(ProptestConfig {
            cases,
            failure_persistence: None,
            ..Default::default()
        });
        let property = |(life, steps, seed): (Life, usize, u64)| {
            vanishing::play_with_one_gone(steps, seed, move || live_and_vanish(&life));
            Ok(())
        };
        runner.run(&(lives(), 1..MOST_STEPS, any::<u64>()), property).unwrap();
    });
}

/// More than most threads take to their end.
const MOST_STEPS: usize = 150;

fn path(test: &str) -> String {
    format!("{}::{test}", module_path!().split_once("::").unwrap().1)
}

fn check(test: &str, policy: ForkPolicy) {
    vanishing::check(&path(test), super::share(), move || threads_vanish(policy));
}
