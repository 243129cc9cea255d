//! The end of the source, and of the batch, while several threads fill.

use super::*;
use crate::batch::load::Next;

#[test]
fn the_end_is_not_reported_while_a_call_runs_that_may_bring_a_result() {
    let held = Arc::new(Held::default());
    // The calls for 1 and 2 are held, and the third is the end.
    let batch = several(3, held.source(2), 4, Options::default());
    std::thread::scope(|scope| {
        let loaders = [(); 2].map(|()| scope.spawn(|| batch.load()));
        held.await_inside(2);
        // Its own call ends the source, and another may bring a result for it.
        let third = scope.spawn(|| batch.load());
        until(|| batch.parking.sleepers() == 1);
        assert_eq!(batch.load_now(), Err(LoadError::WouldWait));
        assert_eq!(batch.prefill(1, 1, Some(Duration::ZERO)), Ok(0));
        held.allow(1);
        until(|| batch.stats().fills == 2);
        assert_eq!(batch.load_now(), Err(LoadError::WouldWait), "one call still runs");
        held.allow(2);
        let mut all = loaders.map(|loader| loader.join().unwrap().unwrap()).to_vec();
        assert_eq!(third.join().unwrap(), Err(LoadError::Ended));
        all.sort_unstable();
        assert_eq!(all, [1, 2]);
    });
    assert_eq!(batch.load(), Err(LoadError::Ended));
    assert_eq!(batch.prefill(1, 1, None), Err(LoadError::Ended));
    assert_eq!(batch.stats().fills, 3);
    assert_balanced(&batch);
}

#[test]
fn a_source_is_not_called_again_once_one_has_ended() {
    for fillers in 2..=3 {
        let calls = Arc::new(AtomicUsize::new(0));
        let source = One { made: Arc::clone(&calls), last: 4, make: Arc::new(Ok) };
        let batch = several(fillers, source, 2, Options::default());
        assert_eq!(batch.iter().collect::<Result<Vec<_>, _>>(), Ok(vec![1, 2, 3, 4]));
        assert_eq!(batch.load(), Err(LoadError::Ended));
        assert_eq!(calls.load(Ordering::Relaxed), 5);
    }
}

#[test]
fn a_thread_that_has_just_taken_a_permit_when_a_source_ends_does_not_call_its_own() {
    let calls = Arc::new(AtomicUsize::new(0));
    let source = One { made: Arc::clone(&calls), last: 4, make: Arc::new(Ok) };
    let batch = several(2, source, 2, Options::default());
    let Ok(Next::Stint(stint)) = batch.next(&mut || None) else { panic!("a permit is free") };
    batch.permits.end();
    assert_eq!(stint.run(None), Ok(None));
    assert_eq!(calls.load(Ordering::Relaxed), 0);
    assert_eq!(batch.load(), Err(LoadError::Ended));
}

#[test]
fn every_thread_gets_results_until_the_end_and_then_learns_of_it() {
    for (fillers, low_mark) in [(2, 0), (3, 2), (8, 0)] {
        let options = Options { low_mark, ..Options::default() };
        let batch = several(fillers, one(3_000, Ok), 4, options);
        let loader = || batch.iter().map(Result::unwrap).collect::<Vec<_>>();
        let all: Vec<_> = std::thread::scope(|scope| {
            let loaders: Vec<_> = (0..6).map(|_| scope.spawn(loader)).collect();
            loaders.into_iter().flat_map(|loader| loader.join().unwrap()).collect()
        });
        assert_eq!(all.len(), 3_000);
        assert_exact(all);
    }
}

#[test]
fn a_close_drops_what_running_calls_make_for_others_and_not_their_own() {
    let held = Arc::new(Held::default());
    let options = Options { fill_budget: 3, ..Options::default() };
    let batch = several(2, held.source(usize::MAX), 4, options);
    std::thread::scope(|scope| {
        let loaders = [(); 2].map(|()| scope.spawn(|| batch.load()));
        held.let_each_keep_one(&batch);
        let waiter = scope.spawn(|| batch.load());
        until(|| batch.parking.sleepers() == 1);
        batch.close().unwrap();
        assert_eq!(waiter.join().unwrap(), Err(LoadError::Closed));
        held.allow(usize::MAX);
        let own = loaders.map(|loader| loader.join().unwrap().unwrap());
        assert_exact(own.to_vec());
    });
    let stats = batch.stats();
    assert_eq!((stats.produced, stats.released, batch.len()), (4, 2, 0), "{stats:?}");
    assert_balanced(&batch);
}

/// Says that it ends in the call in which it fails, or unwinds.
#[derive(Clone)]
struct LastWords {
    calls: Arc<AtomicUsize>,
    unwinds: bool,
}

impl crate::source::Source<Native<usize>> for LastWords {
    type Error = &'static str;

    fn run(&mut self, filler: impl Filler<Native<usize>, &'static str>) -> Filled {
        filler.many(|_, slots| {
            slots.push(self.calls.fetch_add(1, Ordering::Relaxed) + 1);
            slots.end();
            if self.unwinds {
                std::panic::resume_unwind(Box::new(()));
            }
            Err("the last words")
        })
    }
}

#[test]
fn a_call_that_fails_may_be_the_end() {
    for unwinds in [false, true] {
        let calls = Arc::new(AtomicUsize::new(0));
        let sources = vec![LastWords { calls: Arc::clone(&calls), unwinds }; 2];
        let batch = Batch::with_fillers(VALUES, sources, 4, Options::default()).unwrap();
        let load = std::panic::AssertUnwindSafe(|| batch.load());
        assert_eq!(std::panic::catch_unwind(load).is_err(), unwinds);
        assert_eq!((batch.load(), batch.load()), (Ok(1), Err(LoadError::Ended)));
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    }
}

/// A host that does something when it is asked for interrupts, as a handler of signals may.
#[derive(Default)]
struct Meddler(OnceLock<Box<dyn Fn() + Send + Sync>>);

// SAFETY: the word is the object.
unsafe impl Host for Arc<Meddler> {
    words_are_objects!();

    fn interrupted(&self) -> bool {
        self.0.get().expect("set before any load")();
        false
    }
}

#[test]
fn a_source_is_not_called_again_once_the_host_has_closed_the_batch() {
    let host = Arc::new(Meddler::default());
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let source = move || Ok::<_, Infallible>(counted.fetch_add(1, Ordering::Relaxed) + 1);
    let options = Options { fill_budget: 200, ..Options::default() };
    let batch = Batch::with_fillers(Arc::clone(&host), vec![source; 2], 200, options);
    let batch = Arc::new(batch.unwrap());
    let weak = Arc::downgrade(&batch);
    assert!(host.0.set(Box::new(move || weak.upgrade().unwrap().close().unwrap())).is_ok());
    assert_eq!(batch.load(), Ok(1));
    assert_eq!(calls.load(Ordering::Relaxed), 64, "it is asked after so many calls");
    assert_eq!(batch.load(), Err(LoadError::Closed));
    assert_balanced(&batch);
}
