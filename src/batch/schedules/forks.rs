//! Threads that vanish at any step of any operation, while one goes on as the child of a fork.
//!
//! What is checked there: the child gets none of the parent's objects, unless the policy says so;
//! no object is delivered or released twice; the parent's objects in the batch are released or
//! delivered, except those that a vanished thread held; no thread waits for one that does not
//! exist; and afterwards the batch works like any other.

use super::scene::{Scene, WORKERS};
use super::vanishing;
use crate::batch::ForkPolicy;
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

fn path(test: &str) -> String {
    format!("{}::{test}", module_path!().split_once("::").unwrap().1)
}

fn check(test: &str, policy: ForkPolicy) {
    let all: usize = std::env::var("FT_LOCAL_SCHEDULES").map_or(200_000, |n| n.parse().unwrap());
    vanishing::check(&path(test), (all / super::SCENES).max(1), move || threads_vanish(policy));
}
