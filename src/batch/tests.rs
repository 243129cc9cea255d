use super::*;
use crate::border::drill;
use crate::host::Native;
use crate::object::Object;
use crate::source::Slots;
use crossbeam_queue::ArrayQueue;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, OnceLock, Weak, mpsc};
use std::time::Duration;

const VALUES: Native<usize> = Native::new();

/// 1, 2, 3, ...
fn counter() -> impl FnMut() -> Result<usize, Infallible> + Send {
    let mut made = 0;
    move || {
        made += 1;
        Ok(made)
    }
}

/// 1, 2, 3, ..., but the calls for which `fails` holds fail, and count.
fn failing(fails: impl Fn(usize) -> bool + Send) -> impl FnMut() -> Result<usize, usize> + Send {
    let (mut calls, mut made) = (0, 0);
    move || {
        calls += 1;
        if fails(calls) {
            return Err(calls);
        }
        made += 1;
        Ok(made)
    }
}

#[test]
fn results_come_in_the_order_of_the_source_across_refills() {
    for size in [1, 2, 3, 7, 8] {
        let batch = Batch::new(VALUES, counter(), size).unwrap();
        let loaded: Vec<_> = (0..20).map(|_| batch.load().unwrap()).collect();
        assert_eq!(loaded, (1..=20).collect::<Vec<_>>(), "size {size}");
    }
}

#[test]
fn a_fill_makes_as_many_results_as_the_size_says() {
    let batch = Batch::new(VALUES, counter(), 5).unwrap();
    assert_eq!((batch.len(), batch.size()), (0, 5));
    batch.load().unwrap();
    assert_eq!(batch.len(), 4);
}

#[test]
fn sizes_out_of_range_are_refused() {
    for size in [0, MAX_SIZE + 1, usize::MAX] {
        assert_eq!(Batch::new(VALUES, counter(), size).err(), Some(NewError::Size));
    }
}

#[test]
fn a_source_that_fails_at_any_call_loses_nothing() {
    for size in 1..6 {
        for bad_call in 1..=3 * size {
            let batch = Batch::new(VALUES, failing(move |call| call == bad_call), size).unwrap();
            let (mut loaded, mut errors) = (Vec::new(), Vec::new());
            while loaded.len() < 4 * size {
                match batch.load() {
                    Ok(value) => loaded.push(value),
                    Err(error) => errors.push(error),
                }
            }
            assert_eq!(loaded, (1..=4 * size).collect::<Vec<_>>(), "size {size}, call {bad_call}");
            assert_eq!(errors, [LoadError::Source(bad_call)], "size {size}, call {bad_call}");
        }
    }
}

#[test]
fn a_source_that_panics_leaves_its_results_and_the_role_behind() {
    let mut calls = 0;
    let source = move || {
        calls += 1;
        assert_ne!(calls, 3, "the third call panics");
        Ok::<_, Infallible>(calls)
    };
    let batch = Batch::new(VALUES, source, 4).unwrap();
    let load = std::panic::AssertUnwindSafe(|| batch.load());
    assert!(std::panic::catch_unwind(load).is_err());
    assert_eq!(batch.len(), 2);
    let loaded: Vec<_> = (0..4).map(|_| batch.load().unwrap()).collect();
    assert_eq!(loaded, [1, 2, 4, 5]);
}

/// Does what it is told with the slots it is given.
struct Bulk<F>(F);

impl<F> Source<Native<usize>> for Bulk<F>
where
    F: FnMut(&mut Slots<'_, Native<usize>>) -> Result<(), &'static str> + Send,
{
    type Error = &'static str;

    fn fill(
        &mut self,
        _host: &Native<usize>,
        slots: &mut Slots<'_, Native<usize>>,
    ) -> Result<(), &'static str> {
        (self.0)(slots)
    }
}

#[test]
fn a_bulk_source_fills_several_slots_a_call() {
    let mut next = 0;
    let source = Bulk(move |slots: &mut Slots<'_, _>| {
        for _ in 0..slots.capacity().min(3) {
            next += 1;
            slots.push(next);
        }
        Ok(())
    });
    let batch = Batch::new(VALUES, source, 8).unwrap();
    assert_eq!(batch.load(), Ok(1));
    assert_eq!(batch.len(), 7);
    let loaded: Vec<_> = (0..20).map(|_| batch.load().unwrap()).collect();
    assert_eq!(loaded, (2..=21).collect::<Vec<_>>());
}

#[test]
fn what_a_bulk_source_made_before_it_failed_is_kept() {
    let mut call = 0;
    let source = Bulk(move |slots: &mut Slots<'_, _>| {
        call += 10;
        slots.push(call);
        slots.push(call + 1);
        Err("after two")
    });
    let batch = Batch::new(VALUES, source, 8).unwrap();
    assert_eq!(batch.load(), Err(LoadError::Source("after two")));
    assert_eq!([batch.load(), batch.load()], [Ok(10), Ok(11)]);
    assert_eq!(batch.load(), Err(LoadError::Source("after two")));
    assert_eq!(batch.load(), Ok(20));
}

#[test]
fn a_source_that_makes_nothing_is_told_from_one_that_fails() {
    let mut calls = 0;
    let source = Bulk(move |slots: &mut Slots<'_, _>| {
        calls += 1;
        if calls % 3 != 0 {
            slots.push(calls);
        }
        Ok(())
    });
    let batch = Batch::new(VALUES, source, 8).unwrap();
    assert_eq!([batch.load(), batch.load()], [Ok(1), Ok(2)]);
    assert_eq!([batch.load(), batch.load()], [Ok(4), Ok(5)]);
    let batch = Batch::new(VALUES, Bulk(|_: &mut Slots<'_, _>| Ok(())), 8).unwrap();
    assert_eq!(batch.load(), Err(LoadError::NothingProduced));
}

#[test]
#[should_panic(expected = "more results than there was room for")]
fn a_source_that_makes_too_much_is_stopped() {
    let source = Bulk(|slots: &mut Slots<'_, _>| {
        (0..3).for_each(|value| slots.push(value));
        Ok(())
    });
    let _ = Batch::new(VALUES, source, 2).unwrap().load();
}

#[test]
fn a_source_that_loads_from_its_own_batch_gets_an_error() {
    type Load = Box<dyn Fn() -> Result<usize, String> + Send>;
    let (give_load, load) = mpsc::channel::<Load>();
    let mut call = 0;
    let source = move || {
        call += 1;
        // Once when nothing is ready yet, and once when something is.
        let own = (call == 1 || call == 4).then(|| load.try_recv().unwrap());
        own.map_or(Ok(call), |load| load())
    };
    let batch = Arc::new(Batch::new(VALUES, source, 4).unwrap());
    for _ in 0..2 {
        let weak = Arc::downgrade(&batch);
        let own = move || weak.upgrade().unwrap().load().map_err(|error| error.to_string());
        give_load.send(Box::new(own)).unwrap();
    }
    for left in [0, 2] {
        let error = batch.load().unwrap_err();
        assert!(error.to_string().contains("loads from the batch that it is filling"), "{error}");
        assert_eq!(batch.len(), left);
    }
    assert_eq!([batch.load(), batch.load(), batch.load()], [Ok(2), Ok(3), Ok(5)]);
}

type Fed = Batch<Native<usize>, Box<dyn FnMut() -> Result<usize, String> + Send>>;

#[test]
fn sources_that_load_from_each_other_in_two_threads_get_an_error() {
    let pair: Arc<OnceLock<[Weak<Fed>; 2]>> = Arc::default();
    let both_fill = Arc::new(Barrier::new(2));
    let batches = [1, 0].map(|other: usize| {
        let (pair, both_fill) = (Arc::clone(&pair), Arc::clone(&both_fill));
        let mut calls = 0;
        let source = move || {
            calls += 1;
            if calls > 1 {
                return Ok(calls);
            }
            both_fill.wait();
            let other = pair.get().unwrap()[other].upgrade().unwrap();
            other.load().map_err(|error| error.to_string())
        };
        Arc::new(Fed::new(VALUES, Box::new(source), 4).unwrap())
    });
    let weak = [0, 1].map(|index: usize| Arc::downgrade(&batches[index]));
    assert!(pair.set(weak).is_ok());
    let results = std::thread::scope(|scope| {
        let loads = batches.each_ref().map(|batch| scope.spawn(|| batch.load()));
        loads.map(|load| load.join().unwrap())
    });
    let errors: Vec<_> = results.iter().filter_map(|result| result.as_ref().err()).collect();
    assert_eq!(errors.len(), 1, "who closes the circle gets the error: {results:?}");
    assert!(errors[0].to_string().contains("would never end"), "{results:?}");
    // Neither batch is the worse for it.
    assert!(batches.iter().all(|batch| batch.load().is_ok()));
}

/// Runs `test` in a child process, and says whether it passed there.
fn passes_in_child(test: impl FnOnce()) -> bool {
    // SAFETY: the child does nothing but the test, and leaves without a word.
    unsafe {
        let child = libc::fork();
        if child == 0 {
            let passed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(test)).is_ok();
            libc::_exit(i32::from(!passed));
        }
        let mut status = -1;
        assert_eq!(libc::waitpid(child, &raw mut status, 0), child);
        status == 0
    }
}

#[test]
fn a_child_drops_what_the_parent_has_prefetched() {
    let alive = Arc::new(());
    let (mut made, give) = (0, Arc::clone(&alive));
    let source = move || {
        made += 1;
        Ok::<_, Infallible>(Box::new((made, Arc::clone(&give))))
    };
    let batch = Batch::new(Native::<Box<(usize, Arc<()>)>>::new(), source, 4).unwrap();
    assert_eq!(batch.load().unwrap().0, 1);
    assert!(passes_in_child(|| {
        assert_eq!(batch.len(), 0);
        assert_eq!(batch.load().unwrap().0, 5);
        assert_eq!(Arc::strong_count(&alive), 2 + 3, "2, 3 and 4 were released, 6, 7 and 8 wait");
        // A child of the child is no different.
        assert!(passes_in_child(|| assert_eq!(batch.load().unwrap().0, 9)));
        assert_eq!(batch.load().unwrap().0, 6);
    }));
    assert_eq!(batch.load().unwrap().0, 2);
}

#[test]
fn a_child_fills_when_the_filler_and_the_waiters_stayed_behind() {
    let parent = std::process::id();
    let (go_on, told) = mpsc::channel::<()>();
    let mut made = 0;
    let source = move || {
        if std::process::id() == parent {
            told.recv().unwrap();
        }
        made += 1;
        Ok::<_, Infallible>(made)
    };
    let batch = Batch::new(VALUES, source, 2).unwrap();
    std::thread::scope(|scope| {
        let loads = [0; 3].map(|_| scope.spawn(|| batch.load().unwrap()));
        while batch.role.is_free() {
            std::thread::yield_now();
        }
        // Long enough for the others to wait; if they do not yet, the test shows a little less.
        std::thread::sleep(Duration::from_millis(20));
        let passed = passes_in_child(|| {
            let loaded = std::thread::scope(|scope| {
                let loads = [0; 3].map(|_| scope.spawn(|| batch.load().unwrap()));
                loads.map(|load| load.join().unwrap())
            });
            let mut loaded = loaded.to_vec();
            loaded.sort_unstable();
            assert_eq!(loaded, [1, 2, 3]);
        });
        (0..4).for_each(|_| go_on.send(()).unwrap());
        let mut loaded = loads.map(|load| load.join().unwrap());
        loaded.sort_unstable();
        assert_eq!(loaded, [1, 2, 3]);
        assert!(passed);
    });
}

#[test]
fn a_source_may_fork() {
    let mut made = 0;
    let source = move || {
        made += 1;
        if made == 3 {
            // SAFETY: the child goes on like the parent, and leaves at the end of the test.
            let child = unsafe { libc::fork() };
            if child == 0 {
                return Ok::<_, Infallible>(100);
            }
            let mut status = -1;
            // SAFETY: `status` may be written.
            assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
            assert_eq!(status, 0, "the child got what is its own");
        }
        Ok(made)
    };
    let batch = Batch::new(VALUES, source, 4).unwrap();
    let parent = std::process::id();
    let loaded = [batch.load(), batch.load(), batch.load()];
    if std::process::id() != parent {
        let own = loaded == [Ok(100), Ok(4), Ok(5)];
        // SAFETY: always sound.
        unsafe { libc::_exit(i32::from(!own)) };
    }
    assert_eq!(loaded, [Ok(1), Ok(2), Ok(3)]);
}

/// A host whose question about interrupts forks, as a handler of signals may.
struct Forking {
    parent: u32,
    passed: AtomicBool,
}

// SAFETY: the word is the object.
unsafe impl Host for &Forking {
    type Object = usize;

    fn into_word(object: usize) -> Word {
        object
    }

    unsafe fn adopt_word(&self, word: Word) -> usize {
        word
    }

    fn interrupted(&self) -> bool {
        if std::process::id() == self.parent && !self.passed.load(Ordering::Relaxed) {
            // SAFETY: the child goes on like the parent, and leaves at the end of the test.
            let child = unsafe { libc::fork() };
            if child != 0 {
                let mut status = -1;
                // SAFETY: `status` may be written.
                assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
                self.passed.store(status == 0, Ordering::Relaxed);
            }
        }
        false
    }
}

#[test]
fn a_fork_at_the_end_of_a_fill_leaves_the_fill_to_the_parent() {
    let host = Forking { parent: std::process::id(), passed: AtomicBool::new(false) };
    // The host is asked after the last call of the fill.
    let batch = Batch::new(&host, counter(), 64).unwrap();
    let loaded = [batch.load(), batch.load()];
    if std::process::id() != host.parent {
        let own = loaded == [Ok(65), Ok(66)] && batch.len() == 62;
        // SAFETY: always sound.
        unsafe { libc::_exit(i32::from(!own)) };
    }
    assert_eq!(loaded, [Ok(1), Ok(2)]);
    assert!(host.passed.load(Ordering::Relaxed), "the child got what is its own");
}

#[test]
fn ownership_moves_out_with_the_result_and_the_rest_is_dropped_with_the_batch() {
    let shared = Arc::new(());
    let source = {
        let shared = Arc::clone(&shared);
        move || Ok::<_, Infallible>(Arc::clone(&shared))
    };
    let batch = Batch::new(Native::<Arc<()>>::new(), source, 4).unwrap();
    let loaded = batch.load().unwrap();
    assert_eq!(Arc::strong_count(&shared), 2 + 1 + 3);
    drop(loaded);
    assert_eq!(Arc::strong_count(&shared), 2 + 3);
    batch.clear();
    assert_eq!((Arc::strong_count(&shared), batch.len()), (2, 0));
    batch.load().unwrap();
    drop(batch);
    assert_eq!(Arc::strong_count(&shared), 1);
}

#[test]
fn a_visitor_sees_what_is_in_the_buffer_and_may_stop() {
    let batch = Batch::new(VALUES, failing(|call| call == 4), 8).unwrap();
    assert_eq!(batch.load(), Err(LoadError::Source(4)));
    let mut seen = Vec::new();
    // SAFETY: no other thread knows the batch.
    let to_the_end = unsafe {
        batch.visit(|word| {
            seen.push(word);
            true
        })
    };
    assert_eq!((to_the_end, seen), (true, vec![1, 2, 3]));
    let mut looks = 0;
    // SAFETY: as above.
    let to_the_end = unsafe {
        batch.visit(|_| {
            looks += 1;
            looks < 2
        })
    };
    assert_eq!((to_the_end, looks), (false, 2));
}

#[test]
fn eight_threads_get_each_result_once() {
    const THREADS: usize = 8;
    const LOADS: usize = 20_000;
    for size in [1, 2, 8, 64, 1000] {
        let batch = Batch::new(VALUES, failing(|call| call % 1009 == 0), size).unwrap();
        let start = Barrier::new(THREADS);
        let loader = || {
            start.wait();
            let (mut loaded, mut errors) = (Vec::new(), 0_usize);
            while loaded.len() < LOADS {
                match batch.load() {
                    Ok(value) => loaded.push(value),
                    Err(LoadError::Source(call)) if call % 1009 == 0 => errors += 1,
                    Err(error) => panic!("{error}"),
                }
            }
            (loaded, errors)
        };
        let results: Vec<_> = std::thread::scope(|scope| {
            let loaders: Vec<_> = (0..THREADS).map(|_| scope.spawn(loader)).collect();
            loaders.into_iter().map(|loader| loader.join().unwrap()).collect()
        });
        let errors: usize = results.iter().map(|(_, errors)| errors).sum();
        let mut all: Vec<_> = results.into_iter().flat_map(|(loaded, _)| loaded).collect();
        all.extend((0..batch.len()).map(|_| batch.load().unwrap()));
        all.sort_unstable();
        assert_eq!(all, (1..=all.len()).collect::<Vec<_>>(), "size {size}");
        assert_eq!(errors, (all.len() + errors) / 1009, "size {size}: every failure was told once");
    }
}

/// A host that can tell a thread to stop waiting, and counts its waits.
#[derive(Default)]
struct Interruptible {
    stop: AtomicBool,
    waits: AtomicUsize,
}

// SAFETY: the word is the object.
unsafe impl Host for &Interruptible {
    type Object = usize;

    fn into_word(object: usize) -> Word {
        object
    }

    unsafe fn adopt_word(&self, word: Word) -> usize {
        word
    }

    fn block(&self, wait: &mut dyn FnMut()) {
        self.waits.fetch_add(1, Ordering::Relaxed);
        wait();
    }

    fn interrupt_period(&self) -> Option<Duration> {
        Some(Duration::from_millis(1))
    }

    fn interrupted(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

#[test]
fn an_interrupted_wait_loses_nothing() {
    let host = Interruptible::default();
    let (go_on, told) = mpsc::channel::<()>();
    let mut made = 0;
    let source = move || {
        told.recv().unwrap();
        made += 1;
        Ok::<_, Infallible>(made)
    };
    let batch = Batch::new(&host, source, 2).unwrap();
    std::thread::scope(|scope| {
        let filler = scope.spawn(|| batch.load());
        while batch.role.is_free() {
            std::thread::yield_now();
        }
        let waiter = scope.spawn(|| batch.load());
        while host.waits.load(Ordering::Relaxed) == 0 {
            std::thread::yield_now();
        }
        host.stop.store(true, Ordering::Relaxed);
        assert_eq!(waiter.join().unwrap(), Err(LoadError::Interrupted));
        host.stop.store(false, Ordering::Relaxed);
        go_on.send(()).unwrap();
        go_on.send(()).unwrap();
        assert_eq!(filler.join().unwrap(), Ok(1));
    });
    assert_eq!(batch.load(), Ok(2));
}

#[test]
fn a_long_fill_can_be_interrupted() {
    let host = Interruptible::default();
    host.stop.store(true, Ordering::Relaxed);
    let stopping = Batch::new(&host, || Ok::<_, Infallible>(7), 1000).unwrap();
    assert_eq!(stopping.load(), Err(LoadError::Interrupted));
    assert!((1..1000).contains(&stopping.len()), "what was made is kept: {}", stopping.len());
    assert_eq!(stopping.load(), Ok(7));
}

#[test]
fn the_host_is_asked_to_block_only_when_somebody_waits() {
    let host = Interruptible::default();
    let batch = Batch::new(&host, counter(), 3).unwrap();
    (0..10).for_each(|_| _ = batch.load().unwrap());
    assert_eq!(host.waits.load(Ordering::Relaxed), 0);
}

#[test]
fn a_waiter_gets_a_result_while_the_fill_goes_on() {
    let (go_on, told) = mpsc::channel::<()>();
    let mut made = 0;
    let source = move || {
        made += 1;
        if made == 4 {
            told.recv().unwrap();
        }
        Ok::<_, Infallible>(made)
    };
    let batch = Batch::new(VALUES, source, 4).unwrap();
    std::thread::scope(|scope| {
        let filler = scope.spawn(|| batch.load());
        // The fill cannot end before it is told to, so these two come out of the middle of it.
        let early = loop {
            if batch.len() == 2 {
                break [batch.load(), batch.load()];
            }
            std::thread::yield_now();
        };
        assert_eq!(early, [Ok(2), Ok(3)]);
        go_on.send(()).unwrap();
        assert_eq!(filler.join().unwrap(), Ok(1));
    });
    assert_eq!(batch.load(), Ok(4));
}

#[test]
fn a_panic_of_the_library_stops_fills_and_spoils_no_result() {
    let batch = Batch::new(VALUES, counter(), 3).unwrap();
    assert_eq!(batch.load(), Ok(1));
    drill::arm();
    assert_eq!(batch.load(), Err(LoadError::Panicked));
    assert_eq!([batch.load(), batch.load()], [Ok(2), Ok(3)]);
    assert_eq!([batch.load(), batch.load()], [Err(LoadError::Panicked); 2]);
}

#[test]
fn what_threads_write_lies_on_lines_of_its_own() {
    type Any = Batch<Native<usize>, fn() -> Result<usize, ()>>;
    let line = align_of::<crate::sync::CachePadded<u8>>();
    let offsets = [
        std::mem::offset_of!(Any, ring) / line,
        std::mem::offset_of!(Any, role) / line,
        std::mem::offset_of!(Any, parking) / line,
        std::mem::offset_of!(Any, workplace) / line,
    ];
    for (index, offset) in offsets.iter().enumerate() {
        assert!(!offsets[..index].contains(offset), "{offsets:?}");
    }
    assert_eq!(size_of::<Object>(), 32);
}

/// What a user may do with a batch in one thread.
#[derive(Debug, Clone)]
enum Step {
    Load,
    /// The source fails after that many more results, once.
    FailAfter(usize),
    Clear,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => Just(Step::Load),
        2 => (0_usize..30).prop_map(Step::FailAfter),
        1 => Just(Step::Clear),
    ];
    prop::collection::vec(step, 0..200)
}

/// A source of 1, 2, 3, ... that fails when `fail_after` has come down to 0.
struct Model {
    made: usize,
    fail_after: Option<usize>,
}

impl Model {
    fn make(&mut self) -> Result<usize, ()> {
        match &mut self.fail_after {
            Some(0) => {
                self.fail_after = None;
                return Err(());
            }
            Some(left) => *left -= 1,
            None => {}
        }
        self.made += 1;
        Ok(self.made)
    }
}

proptest! {
    #[test]
    fn a_batch_does_what_a_queue_with_a_source_would(size in 1_usize..12, steps in steps()) {
        let real = Arc::new(Mutex::new(Model { made: 0, fail_after: None }));
        let source = { let real = Arc::clone(&real); move || real.lock().unwrap().make() };
        let batch = Batch::new(VALUES, source, size).unwrap();
        let (mut queue, mut model) = (VecDeque::new(), Model { made: 0, fail_after: None });
        for step in steps {
            match step {
                Step::FailAfter(results) => {
                    real.lock().unwrap().fail_after = Some(results);
                    model.fail_after = Some(results);
                }
                Step::Clear => {
                    batch.clear();
                    queue.clear();
                }
                Step::Load => {
                    let mut filled = Ok(());
                    if queue.is_empty() {
                        for _ in 0..size {
                            match model.make() {
                                Ok(result) => queue.push_back(result),
                                Err(()) => { filled = Err(LoadError::Source(())); break }
                            }
                        }
                    }
                    let expected = filled.map(|()| queue.pop_front().unwrap());
                    prop_assert_eq!(batch.load(), expected);
                }
            }
            prop_assert_eq!(batch.len(), queue.len());
        }
    }

    #[test]
    fn the_ring_does_what_a_proven_queue_does(power in 0_u32..5, pushes in prop::collection::vec(any::<bool>(), 0..200)) {
        let capacity = 1_usize << power;
        let (ring, reference) = (Ring::new(capacity).unwrap(), ArrayQueue::new(capacity));
        for (item, push) in pushes.into_iter().enumerate() {
            if push && reference.push(item).is_ok() {
                ring.push(item);
            } else if !push {
                prop_assert_eq!(ring.claim(), reference.pop());
            }
            prop_assert_eq!(ring.len(), reference.len());
        }
    }
}
