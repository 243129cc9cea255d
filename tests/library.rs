//! The crate as a Rust program uses it: `Arc` objects, threads, and no C in sight.

use ft_local::{
    Batch, BoxError, Cursor, ForkPolicy, Iter, LoadError, Loads, MAX_SIZE, Made, Native, NewError,
    Options, Slots, Stats, Wrapper,
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
                        // Another thread's error does not mean that the buffer is empty.
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
    let options = Options { fill_budget: 2, low_mark: 1, on_fork: ForkPolicy::Keep, wipe: true };
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
fn a_closed_batch_has_dropped_its_results_and_says_so() {
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
    assert_eq!(refused, NewError::Size(0));
    assert_eq!(refused.to_string(), format!("the size must be between 1 and {MAX_SIZE}, got 0"));
    let failed = Batch::new(Native::<usize>::new(), source, 1).unwrap().load().unwrap_err();
    assert_eq!(failed.to_string(), "the source failed: the block is used up");
    assert!(std::error::Error::source(&failed).is_some());
}

#[test]
fn a_batch_returns_its_source_and_drops_its_results() {
    let object = Arc::new(());
    let source = {
        let object = Arc::clone(&object);
        move || Ok::<_, Infallible>(Arc::clone(&object))
    };
    let batch = Batch::new(Native::<Arc<()>>::new(), source, 8).unwrap();
    let unwanted = batch.load().unwrap();
    batch.give_back(&mut vec![unwanted]).unwrap();
    assert_eq!(Arc::strong_count(&object), 2 + 8);
    let source = batch.into_source();
    assert_eq!(Arc::strong_count(&object), 2, "ours, and the source's");
    assert!(source().is_ok());
    drop(source);
    assert_eq!(Arc::strong_count(&object), 1);
}

#[test]
fn errors_of_any_type_keep_their_source() {
    let fails = |box_it: bool| {
        move || Err::<usize, _>(if box_it { BoxError::new("text") } else { Exhausted.into() })
    };
    for (box_it, text) in [(true, "text"), (false, "the block is used up")] {
        let batch = Batch::new(Native::<usize>::new(), fails(box_it), 1).unwrap();
        let error: Box<dyn std::error::Error + Send + Sync> = batch.load().unwrap_err().into();
        assert_eq!(error.to_string(), format!("the source failed: {text}"));
        assert_eq!(error.source().unwrap().to_string(), text);
        assert_eq!(error.source().unwrap().is::<Exhausted>(), !box_it);
    }
    let boxed: Box<dyn std::error::Error + Send + Sync> = Box::new(Exhausted);
    let mapped = LoadError::Source(boxed).map_source(BoxError::new);
    assert!(std::error::Error::source(&mapped).unwrap().is::<Exhausted>());
}

#[test]
fn an_iteration_goes_on_after_an_error_and_ends_with_the_source_or_the_batch() {
    let mut calls = 0;
    let source = move || {
        calls += 1;
        if calls % 3 == 0 { Err(calls) } else { Ok(calls) }
    };
    let batch = Batch::new(Native::<usize>::new(), source, 1).unwrap();
    let brought: Vec<_> = batch.iter().take(4).collect();
    assert_eq!(brought, [Ok(1), Ok(2), Err(LoadError::Source(3)), Ok(4)]);
    let mut cursor = batch.cursor().unwrap();
    assert_eq!(Iterator::next(&mut cursor), Some(Ok(5)));
    batch.close().unwrap();
    assert_eq!((batch.iter().next(), Iterator::next(&mut cursor)), (None, None));
}

#[test]
fn every_public_type_is_what_a_type_is_expected_to_be() {
    use std::fmt::Debug;
    use std::panic::{RefUnwindSafe, UnwindSafe};
    type H = Native<Box<usize>>;
    type S = fn() -> Result<Box<usize>, Exhausted>;
    fn shown<T: Debug>() {}
    fn shared<T: Send + Sync>() {}
    fn sent<T: Send>() {}
    fn caught<T: UnwindSafe + RefUnwindSafe>() {}
    fn copied<T: Copy>() {}

    /// No trait at all.
    struct Bare;
    shown::<Native<Box<Bare>>>();
    copied::<Native<Box<Bare>>>();
    shown::<Batch<H, S>>();
    shown::<Cursor<'_, H, S>>();
    shown::<Loads<'_, H, S>>();
    shown::<Slots<'_, H>>();
    shown::<Made<Native<Box<Bare>>>>();
    shown::<(Iter<()>, Wrapper<()>, Options, ForkPolicy, Stats, NewError, LoadError<()>, BoxError)>(
    );
    shared::<(Batch<H, S>, Loads<'_, H, S>, Made<H>, Wrapper<Arc<()>>, LoadError<()>, BoxError)>();
    sent::<Cursor<'_, H, S>>();
    caught::<Batch<H, S>>();
    caught::<Cursor<'_, H, S>>();
    caught::<(Loads<'_, H, S>, Made<H>, Native<Bare>, Wrapper<()>, Options, Stats)>();

    let batch = Batch::new(Native::<usize>::new(), Iter(0..9), 4).unwrap();
    let cursor = batch.cursor().unwrap();
    assert!(format!("{batch:?}").starts_with("Batch { size: 4, len: 0, is_closed: false"));
    assert_eq!(format!("{cursor:?}"), "Cursor { len: 0, .. }");
}

/// An object of whose drops every fourth panics.
struct Fragile(usize, #[allow(dead_code)] Arc<()>);

impl Drop for Fragile {
    fn drop(&mut self) {
        if self.0.is_multiple_of(4) && !thread::panicking() {
            // Without a word: the hook of panics has a lock, which a child of a fork may find held.
            std::panic::resume_unwind(Box::new(()));
        }
    }
}

type OfFragile = Batch<Native<Box<Fragile>>, Box<dyn FnMut() -> Result<Box<Fragile>, ()> + Send>>;

/// A batch that has 7 of them, and what they hold as long as they live.
fn fragile() -> (OfFragile, Arc<()>) {
    let alive = Arc::new(());
    let (mut made, given) = (0, Arc::downgrade(&alive));
    let source = move || {
        made += 1;
        Ok(Box::new(Fragile(made, given.upgrade().expect("the test has one"))))
    };
    let batch: OfFragile = Batch::new(Native::new(), Box::new(source) as _, 8).unwrap();
    assert_eq!(batch.load().unwrap().0, 1);
    assert_eq!(Arc::strong_count(&alive), 1 + 7);
    (batch, alive)
}

fn panics(call: impl FnOnce()) -> bool {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).is_err()
}

#[test]
fn a_drop_that_panics_keeps_no_other_result_alive() {
    type End = fn(&OfFragile);
    let ends: [(&str, End); 2] =
        [("clear", |batch| _ = batch.clear()), ("close", |batch| _ = batch.close())];
    for (name, end) in ends {
        let (batch, alive) = fragile();
        assert!(panics(|| end(&batch)), "{name}");
        assert_eq!((Arc::strong_count(&alive), batch.len()), (1, 0), "{name}");
        assert_eq!(batch.is_closed(), name == "close");
    }
    let (batch, alive) = fragile();
    assert!(panics(|| drop(batch)));
    assert_eq!(Arc::strong_count(&alive), 1);
    let (batch, alive) = fragile();
    assert!(panics(|| drop(batch.into_source())));
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[test]
fn nor_does_it_in_the_child_of_a_fork() {
    let (batch, alive) = fragile();
    let mut cursor = batch.cursor().unwrap();
    assert_eq!((cursor.next().unwrap().0, cursor.len(), batch.len()), (2, 3, 3));
    // SAFETY: the child looks and leaves.
    let status = unsafe {
        let child = libc::fork();
        if child == 0 {
            let good = panics(|| drop(cursor)) && Arc::strong_count(&alive) == 1;
            libc::_exit(i32::from(!good));
        }
        let mut status = -1;
        assert_eq!(libc::waitpid(child, &raw mut status, 0), child);
        status
    };
    assert_eq!(status, 0);
    assert_eq!(Arc::strong_count(&alive), 1 + 6);
    drop(cursor);
    assert!(panics(|| drop(batch)));
    assert_eq!(Arc::strong_count(&alive), 1);
}
