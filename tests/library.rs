//! The crate as a Rust program uses it: `Arc` objects, threads, and no C in sight.

use ft_local::{
    Batch, Cursor, ForkPolicy, Iter, LoadError, MAX_SIZE, Native, NewError, Options, Wrapper,
};
use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

#[derive(Debug, PartialEq, Eq)]
struct Exhausted;

impl fmt::Display for Exhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the block is used up")
    }
}

impl std::error::Error for Exhausted {}

#[test]
fn threads_drain_a_source_of_shared_objects_that_ends() {
    const OBJECTS: usize = 1000;
    let seen: Vec<_> = (0..OBJECTS).map(|_| AtomicUsize::new(0)).collect();
    let mut made = 0;
    let source = move || {
        made += 1;
        if made > OBJECTS { Err(Exhausted) } else { Ok(Arc::new(made - 1)) }
    };
    let batch = Batch::new(Native::<Arc<usize>>::new(), source, 16).unwrap();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    match batch.load() {
                        Ok(object) => _ = seen[*object].fetch_add(1, Ordering::Relaxed),
                        // Somebody's error does not mean that the buffer is empty.
                        Err(LoadError::Source(Exhausted)) if batch.is_empty() => break,
                        Err(LoadError::Source(Exhausted)) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
    });
    let left = std::iter::from_fn(|| (!batch.is_empty()).then(|| batch.load().unwrap()));
    left.for_each(|object| _ = seen[*object].fetch_add(1, Ordering::Relaxed));
    assert!(seen.iter().all(|count| count.load(Ordering::Relaxed) == 1));
}

#[test]
fn each_thread_works_through_a_wrapper_of_its_own() {
    let shared = Arc::new(AtomicUsize::new(0));
    let wrappers: Vec<_> = (0..4).map(|_| Wrapper::new(Arc::clone(&shared))).collect();
    assert_eq!(Arc::strong_count(&shared), 5);
    thread::scope(|scope| {
        for wrapper in wrappers {
            scope.spawn(move || {
                for _ in 0..1000 {
                    wrapper.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!((shared.load(Ordering::Relaxed), Arc::strong_count(&shared)), (4000, 1));
}

#[test]
fn cursors_share_an_iterator_out_until_it_ends() {
    const OBJECTS: usize = 10_000;
    let objects = Iter((0..OBJECTS).map(Arc::new));
    let batch = Batch::new(Native::<Arc<usize>>::new(), objects, 256).unwrap();
    let work = || {
        let mut cursor = batch.cursor().unwrap();
        let mut mine = Vec::new();
        while let Ok(object) = cursor.next() {
            mine.push(*object);
        }
        assert_eq!((cursor.next().err(), cursor.len()), (Some(LoadError::Ended), 0));
        mine
    };
    let mut all: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    all.sort_unstable();
    assert_eq!(all, (0..OBJECTS).collect::<Vec<_>>());
    let stats = batch.stats();
    assert_eq!((stats.produced, batch.len()), (OBJECTS as u64, 0));
    assert_eq!(stats.loads + stats.claimed, stats.produced + stats.given_back);
}

#[test]
fn a_cursor_can_be_handed_to_another_thread() {
    fn sum(
        mut cursor: Cursor<'_, Native<Box<u64>>, impl ft_local::Source<Native<Box<u64>>>>,
    ) -> u64 {
        std::iter::from_fn(|| cursor.next().ok()).map(|object| *object).sum()
    }
    let batch = Batch::new(Native::<Box<u64>>::new(), Iter((1..=10).map(Box::new)), 4).unwrap();
    let mut cursor = batch.cursor().unwrap();
    let first = *cursor.next().unwrap();
    let rest = thread::scope(|scope| scope.spawn(|| sum(cursor)).join().unwrap());
    assert_eq!((first, rest), (1, 54));
}

#[test]
fn options_are_kept_and_work() {
    let options = Options { fill_budget: 2, low_water: 1, on_fork: ForkPolicy::Keep };
    let (mut made, host) = (0, Native::<usize>::new());
    let source = move || {
        made += 1;
        Ok::<_, Infallible>(made)
    };
    let batch = Batch::with_options(host, source, 8, options).unwrap();
    assert_eq!((batch.options(), batch.size(), batch.is_empty()), (options, 8, true));
    // Two results: one for the caller, and one that stays.
    assert_eq!((batch.load(), batch.len()), (Ok(1), 1));
    // The load that leaves none makes two more.
    assert_eq!((batch.load(), batch.len()), (Ok(2), 2));
}

#[test]
fn a_closed_batch_has_dropped_what_it_had_and_tells_its_users() {
    let object = Arc::new(());
    let source = {
        let object = Arc::clone(&object);
        move || Ok::<_, Infallible>(Arc::clone(&object))
    };
    let batch = Batch::new(Native::<Arc<()>>::new(), source, 8).unwrap();
    let loaded = batch.load().unwrap();
    batch.close().unwrap();
    assert_eq!(Arc::strong_count(&object), 3, "the source's, the one that was loaded, and ours");
    drop(loaded);
    let error = batch.load().unwrap_err();
    assert_eq!((error, batch.is_closed()), (LoadError::Closed, true));
    assert_eq!(error.to_string(), "the batch was closed");
    let stats = batch.stats();
    assert_eq!((stats.loads, stats.produced, stats.released), (1, 8, 7));
}

#[test]
fn errors_say_what_to_do() {
    let source = || Err::<usize, _>(Exhausted);
    let refused = Batch::new(Native::<usize>::new(), source, 0).err().unwrap();
    assert_eq!(refused, NewError::Size);
    assert_eq!(refused.to_string(), format!("the size must be between 1 and {MAX_SIZE}"));
    let failed = Batch::new(Native::<usize>::new(), source, 1).unwrap().load().unwrap_err();
    assert_eq!(failed.to_string(), "the source failed: the block is used up");
    assert!(std::error::Error::source(&failed).is_some());
}
