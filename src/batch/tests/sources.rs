//! Sources that fail, make much or nothing, or load themselves.

use super::*;

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
fn a_source_that_makes_nothing_is_distinguished_from_one_that_fails() {
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
fn a_source_that_loads_from_its_own_batch_gets_what_is_ready_or_an_error() {
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
    let error = batch.load().unwrap_err();
    assert!(error.to_string().contains("already running the source"), "{error}");
    assert_eq!(batch.len(), 0);
    // The fourth call gets 3, which is ready, and hands it on.
    assert_eq!([(); 5].map(|()| batch.load()), [2, 3, 5, 6, 7].map(Ok));
    assert_balanced(&batch);
}

type Fed = Batch<Native<usize>, Box<dyn FnMut() -> Result<usize, String> + Send>>;

/// What the source of one batch does with the other.
type Use = fn(&Fed) -> Result<usize, LoadError<String>>;

/// Two threads each fill a batch, whose sources then use the other's as `uses` says. The thread that
/// closes the cycle gets the error.
fn circle(uses: [Use; 2]) {
    let pair: Arc<OnceLock<[Weak<Fed>; 2]>> = Arc::default();
    let both_fill = Arc::new(Barrier::new(2));
    let batches = [(1, uses[0]), (0, uses[1])].map(|(other, uses): (usize, Use)| {
        let (pair, both_fill) = (Arc::clone(&pair), Arc::clone(&both_fill));
        let mut calls = 0;
        let source = move || {
            calls += 1;
            if calls > 1 {
                return Ok(calls);
            }
            both_fill.wait();
            let other = pair.get().unwrap()[other].upgrade().unwrap();
            uses(&other).map_err(|error| error.to_string())
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
    assert_eq!(errors.len(), 1, "the thread that closes the cycle gets the error: {results:?}");
    assert!(errors[0].to_string().contains("would never end"), "{results:?}");
    // Neither batch is the worse for it.
    assert!(batches.iter().all(|batch| batch.load().is_ok()));
}

#[test]
fn sources_that_load_from_each_other_in_two_threads_get_an_error() {
    circle([|other| other.load(); 2]);
}

#[test]
fn sources_that_prefill_each_other_in_two_threads_get_an_error() {
    let prefill: Use = |other| other.prefill(1, 1, None).map(|_| 7);
    circle([prefill; 2]);
    circle([prefill, |other| other.load()]);
    circle([|other| other.load(), prefill]);
}

#[test]
fn an_error_has_the_one_of_the_source_as_its_cause() {
    use crate::error::BoxError;
    use std::error::Error;
    use std::num::ParseIntError;

    let cause = "x".parse::<usize>().unwrap_err();
    let failed = LoadError::Source(cause.clone());
    assert!(failed.source().is_some_and(|it| it.is::<ParseIntError>()));
    let boxed = LoadError::Source(BoxError::from(cause));
    assert!(boxed.source().is_some_and(|it| it.is::<ParseIntError>()));
    assert!(LoadError::<ParseIntError>::Closed.source().is_none());
    assert!(LoadError::<BoxError>::Closed.source().is_none());
}

#[test]
fn an_error_that_is_not_the_sources_stays_what_it_is() {
    use LoadError::*;
    let others = [
        NothingProduced,
        Reentrant,
        Deadlock,
        Interrupted,
        Panicked,
        Ended,
        Closed,
        TimedOut,
        WouldWait,
        Forked,
        OutOfMemory,
    ];
    for error in others {
        let mapped: LoadError<usize> = error.clone().map_source(|error: String| error.len());
        assert_eq!(format!("{mapped:?}"), format!("{error:?}"));
        assert!(!mapped.to_string().is_empty());
    }
}
