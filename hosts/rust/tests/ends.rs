//! How sources, waits and batches end.

use ft_local::{Batch, LoadError, Native};
use std::convert::Infallible;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;

type Numbers = Native<Box<u64>>;

#[test]
fn a_panic_of_the_source_comes_out_of_its_load() {
    let mut calls = 0;
    let source = || {
        calls += 1;
        assert_ne!(calls, 2, "the second call");
        Ok::<_, Infallible>(Box::new(calls))
    };
    let batch = Batch::new(Numbers::new(), source, 4).unwrap();
    let panic = catch_unwind(AssertUnwindSafe(|| batch.load())).unwrap_err();
    assert!(panic.downcast_ref::<String>().unwrap().contains("the second call"));
    // What was made before is kept, and the next load runs the source again.
    assert_eq!(batch.load().unwrap(), Box::new(1));
    assert_eq!(batch.load().unwrap(), Box::new(3));
}

#[test]
fn a_thread_that_panics_in_the_source_leaves_it_to_another() {
    let mut calls = 0;
    let source = || {
        calls += 1;
        assert_ne!(calls, 1, "the first call");
        Ok::<_, Infallible>(Box::new(calls))
    };
    let batch = Batch::new(Numbers::new(), source, 4).unwrap();
    thread::scope(|scope| {
        assert!(scope.spawn(|| batch.load()).join().is_err());
        assert_eq!(*scope.spawn(|| batch.load()).join().unwrap().unwrap(), 2);
    });
}

#[test]
fn closing_wakes_a_thread_that_waits() {
    let (running, runs) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel();
    let calls = AtomicUsize::new(0);
    let may_go_on = Mutex::new(may_go_on);
    let source = || {
        calls.fetch_add(1, Ordering::Relaxed);
        running.send(()).unwrap();
        may_go_on.lock().unwrap().recv().unwrap();
        Ok::<_, Infallible>(Box::new(7))
    };
    let batch = Batch::new(Numbers::new(), source, 2).unwrap();
    thread::scope(|scope| {
        let filler = scope.spawn(|| batch.load());
        runs.recv().unwrap();
        let waiter = scope.spawn(|| batch.load());
        while batch.stats().waits == 0 {
            thread::yield_now();
        }
        batch.close().unwrap();
        assert_eq!(waiter.join().unwrap(), Err(LoadError::Closed));
        go_on.send(()).unwrap();
        assert_eq!(filler.join().unwrap(), Ok(Box::new(7)));
    });
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    assert_eq!(batch.load(), Err(LoadError::Closed));
}

/// In pages.
fn resident() -> usize {
    fs::read_to_string("/proc/self/statm").unwrap().split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn dropped_batches_are_freed() {
    let alive = Arc::new(());
    let make_and_drop = || {
        for count in 0..10_000 {
            let source = || Ok::<_, Infallible>(Box::new(Arc::clone(&alive)));
            let batch = Batch::new(Native::<Box<Arc<()>>>::new(), source, 64).unwrap();
            batch.load().unwrap();
            if count % 2 == 0 {
                batch.close().unwrap();
            }
        }
    };
    make_and_drop();
    let before = resident();
    make_and_drop();
    assert_eq!(Arc::strong_count(&alive), 1);
    // If they stayed, there would be more than 10,000 others.
    assert!(resident() < before + 5_000);
}
