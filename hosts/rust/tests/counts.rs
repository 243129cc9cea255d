//! Every object that was made was delivered once or was left, and none is alive at the end.

use ft_local::{Batch, LoadError, Native};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use block_ids::{Ids, Lease};

const THREADS: usize = 4;
// No multiple of a batch, so that some are left.
const LOADS: usize = 25_001;

fn counting(mut next: u64) -> impl FnMut(u64) -> Result<Lease, Infallible> {
    move |count| {
        next += count;
        Ok(Lease { first: next - count, count })
    }
}

#[test]
fn threads_get_each_id_once_and_in_order() {
    let ids = Ids::new(64, counting(0)).unwrap();
    let seen = thread::scope(|scope| {
        let load = |local: block_ids::LocalIds<_, _>| {
            (0..LOADS).map(|_| local.next().unwrap().number()).collect::<Vec<_>>()
        };
        let workers: Vec<_> = (0..THREADS)
            .map(|_| {
                let local = ids.local();
                scope.spawn(move || load(local))
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(seen.iter().all(|mine| mine.is_sorted()));
    let all: BTreeSet<_> = seen.into_iter().flatten().collect();
    assert_eq!(all.len(), THREADS * LOADS);
    assert_eq!(all.last(), Some(&((THREADS * LOADS - 1) as u64)));
}

/// An object that its test counts.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(alive: &Arc<AtomicUsize>) -> Self {
        alive.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(alive))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[test]
fn what_was_made_was_delivered_or_is_left_and_dies_with_the_batch() {
    let (alive, made) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let source = {
        let (alive, made) = (Arc::clone(&alive), Arc::clone(&made));
        move || {
            made.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Infallible>(Arc::new(Counted::new(&alive)))
        }
    };
    let batch = Batch::new(Native::<Arc<Counted>>::new(), source, 100).unwrap();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..LOADS {
                    let mine = batch.load().unwrap();
                    assert_eq!(Arc::strong_count(&mine), 1);
                }
            });
        }
    });
    let left = batch.len();
    assert!(left > 0);
    assert_eq!(made.load(Ordering::Relaxed), THREADS * LOADS + left);
    assert_eq!(alive.load(Ordering::Relaxed), left);
    drop(batch);
    assert_eq!(alive.load(Ordering::Relaxed), 0);
}

#[test]
fn a_lease_larger_or_smaller_than_asked_for_is_used_up() {
    for size in [1, 3, 7, 1000] {
        let mut next = 0;
        let ids = Ids::new(10, move |_| {
            next += size;
            Ok::<_, Infallible>(Lease { first: next - size, count: size })
        })
        .unwrap();
        for expected in 0..2500 {
            let id = ids.next().unwrap();
            assert_eq!(id.number(), expected);
            assert_eq!(id.lease(), Lease { first: expected / size * size, count: size });
        }
    }
}

#[test]
fn a_server_that_fails_costs_no_id() {
    let mut calls = 0;
    let mut leases = counting(0);
    let ids = Ids::new(4, move |count| {
        calls += 1;
        if calls % 3 == 2 { Err("busy") } else { Ok(leases(count).unwrap()) }
    })
    .unwrap();
    let mut failures = 0;
    for expected in 0..1000 {
        let id = loop {
            match ids.next() {
                Ok(id) => break id,
                Err(error) => {
                    assert_eq!(error, LoadError::Source("busy"));
                    failures += 1;
                }
            }
        };
        assert_eq!(id.number(), expected);
    }
    assert_eq!(failures, 125);
}

#[test]
fn an_empty_lease_and_an_empty_block_are_errors() {
    let empty = Ids::new(4, |_| Ok::<_, Infallible>(Lease { first: 0, count: 0 })).unwrap();
    assert_eq!(empty.next().unwrap_err(), LoadError::NothingProduced);
    assert_eq!(Ids::new(0, counting(0)).err(), Some(ft_local::NewError::Size(0)));
}
