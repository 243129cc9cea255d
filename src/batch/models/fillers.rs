//! Several fillers: the permits alone, and whole batches.

mod idle;
mod takes;

use super::super::role::NO_FIBER;
use super::super::{Batch, Options};
use super::{check, check_parking, sorted};
use crate::error::LoadError;
use crate::host::{Native, Word};
use crate::source::{Filled, Filler, Made, Source};
use crate::sync::{Barriers, set_barriers};
use loom::sync::Arc;
use loom::thread;
use std::sync::atomic::{AtomicUsize, Ordering};

type Values = Native<usize>;

/// One of several sources that make 1, 2, 3, ..., `last` between them. Their count orders nothing.
#[derive(Clone)]
struct One {
    made: std::sync::Arc<AtomicUsize>,
    last: usize,
}

impl One {
    fn until(last: usize) -> Self {
        Self { made: std::sync::Arc::default(), last }
    }
}

impl Source<Values> for One {
    type Error = ();

    fn run(&mut self, filler: impl Filler<Values, ()>) -> Filled {
        filler.one_by_one(|_| {
            let number = self.made.fetch_add(1, Ordering::Relaxed) + 1;
            Ok((number <= self.last).then(|| Made::new(number)))
        })
    }
}

type Tested = Batch<Values, One>;

fn two(last: usize, options: Options) -> Arc<Tested> {
    Arc::new(Tested::with_fillers(Values::new(), vec![One::until(last); 2], 1, options).unwrap())
}

fn spawn<R: 'static>(
    batch: &Arc<Tested>,
    work: impl FnOnce(&Tested) -> R + 'static,
) -> thread::JoinHandle<R> {
    let batch = batch.clone();
    thread::spawn(move || work(&batch))
}

/// For what is too large for the usual bound.
fn check_one_preemption(name: &str, scene: impl Fn() + Sync + Send + 'static) {
    check_preemptions(1, name, scene);
}

fn check_preemptions(most: usize, name: &str, scene: impl Fn() + Sync + Send + 'static) {
    set_barriers(Barriers::Asymmetric);
    let executions = std::sync::Arc::new(AtomicUsize::new(0));
    let counted = executions.clone();
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(most);
    model.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        scene();
    });
    println!("{name}: {} executions", executions.load(Ordering::Relaxed));
}

#[test]
fn two_that_publish_at_once_lose_nothing() {
    check("publish against publish", || {
        let batch = two(0, Options::default());
        let other = spawn(&batch, |batch| batch.publish(&[1]));
        batch.publish(&[2]);
        other.join().unwrap();
        let all: Vec<Word> = std::iter::from_fn(|| batch.take()).collect();
        assert_eq!(sorted(all), [1, 2]);
    });
}

#[test]
fn of_two_that_give_up_their_permits_after_the_end_one_announces_it() {
    check("give up against give up", || {
        let batch = two(0, Options::default());
        let leave = |batch: &Tested, ends: bool| {
            // Refused if the other has ended the source before and not left yet.
            let Ok((permit, _)) = batch.take_permit(NO_FIBER) else { return };
            if ends {
                batch.permits.end();
            }
            permit.role.give_up();
            batch.front.gate.latest();
            batch.end_if_last();
        };
        let other = spawn(&batch, move |batch| leave(batch, false));
        leave(&batch, true);
        other.join().unwrap();
        assert_eq!(batch.load(), Err(LoadError::Ended));
        let flags = batch.front.gate.flags(super::super::gate::ENDED);
        assert_ne!(flags, 0);
    });
}

#[test]
fn each_load_gets_a_result_of_its_own_from_either_source() {
    check_parking("load against load, two fillers", || {
        let batch = two(usize::MAX, Options::default());
        let other = spawn(&batch, |batch| batch.load().unwrap());
        let loaded = vec![batch.load().unwrap(), other.join().unwrap()];
        assert_eq!(sorted(loaded), [1, 2]);
        assert!(batch.is_empty());
    });
}

#[test]
fn every_thread_learns_of_the_end_and_no_result_is_left() {
    check_one_preemption("end, two fillers", || {
        let batch = two(1, Options::default());
        let other = spawn(&batch, |batch| batch.load());
        let loads = [batch.load(), other.join().unwrap()];
        assert!(loads.contains(&Ok(1)) && loads.contains(&Err(LoadError::Ended)), "{loads:?}");
        assert_eq!(batch.load(), Err(LoadError::Ended));
    });
}

#[test]
fn a_close_leaves_nothing_that_fillers_make_for_others() {
    check_parking("close against load, two fillers", || {
        let batch = two(usize::MAX, Options { fill_budget: 2, ..Options::default() });
        let other = spawn(&batch, |batch| batch.load());
        assert_eq!(batch.close(), Ok(()));
        let loaded = u64::from(other.join().unwrap().is_ok());
        assert_eq!((batch.load(), batch.queue.is_empty()), (Err(LoadError::Closed), true));
        let stats = batch.stats();
        assert_eq!(stats.produced, loaded + stats.released, "{stats:?}");
    });
}
