//! The crate as a Rust program uses it: `Arc` objects, threads, and no C in sight.

use ft_local::{Batch, LoadError, MAX_SIZE, Native, NewError, Wrapper};
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
fn errors_say_what_to_do() {
    let source = || Err::<usize, _>(Exhausted);
    let refused = Batch::new(Native::<usize>::new(), source, 0).err().unwrap();
    assert_eq!(refused, NewError::Size);
    assert_eq!(refused.to_string(), format!("the size must be between 1 and {MAX_SIZE}"));
    let failed = Batch::new(Native::<usize>::new(), source, 1).unwrap().load().unwrap_err();
    assert_eq!(failed.to_string(), "the source failed: the block is used up");
    assert!(std::error::Error::source(&failed).is_some());
}
