//! Sources that end, and batches that are closed.

use super::*;

#[test]
fn an_iterator_is_a_source_that_ends() {
    for size in 1..6 {
        let batch = Batch::new(VALUES, Iter(1..=4), size).unwrap();
        let all: Vec<_> = std::iter::from_fn(|| batch.load().ok()).collect();
        assert_eq!(all, [1, 2, 3, 4], "size {size}");
        assert_eq!([batch.load(), batch.load()], [Err(LoadError::Ended); 2]);
        assert_eq!(batch.try_load(), Err(LoadError::Ended));
    }
}

#[test]
fn a_source_that_has_ended_is_not_called_again() {
    let mut calls = 0;
    let begins_again = std::iter::from_fn(move || {
        calls += 1;
        (calls != 2).then_some(calls)
    });
    let batch = Batch::new(VALUES, Iter(begins_again), 8).unwrap();
    let loads = [(); 3].map(|()| batch.load());
    assert_eq!(loads, [Ok(1), Err(LoadError::Ended), Err(LoadError::Ended)]);
}

/// What a thread makes that takes the role after it looked whether the batch has ended.
fn made_late<S: Source<Native<usize>>>(
    batch: &Batch<Native<usize>, S>,
) -> Result<Option<Word>, LoadError<S::Error>> {
    let vacancy = batch.role.take().unwrap();
    fill::Fill::new(batch, vacancy)?.run(None)
}

#[test]
fn a_thread_that_takes_the_role_after_the_end_makes_nothing() {
    let mut calls = 0;
    let begins_again = std::iter::from_fn(move || {
        calls += 1;
        (calls != 2).then_some(calls)
    });
    let ended = Batch::new(VALUES, Iter(begins_again), 8).unwrap();
    assert_eq!([ended.load(), ended.load()], [Ok(1), Err(LoadError::Ended)]);
    assert_eq!(made_late(&ended), Ok(None));
    let closed = Batch::new(VALUES, counter(), 8).unwrap();
    closed.close().unwrap();
    assert_eq!((made_late(&closed), closed.stats().produced), (Ok(None), 0));
}

#[test]
fn a_source_may_end_with_its_last_results_or_after_them() {
    for with_last in [true, false] {
        let mut calls = 0;
        let source = Bulk(move |slots: &mut Slots<'_, _>| {
            calls += 1;
            match calls {
                1 => (1..=3).for_each(|value| slots.push(value)),
                2 if with_last => slots.push(4),
                2 => {}
                _ => unreachable!("it has ended"),
            }
            if calls == 2 {
                slots.end();
            }
            Ok(())
        });
        let batch = Batch::new(VALUES, source, 8).unwrap();
        let all: Vec<_> = std::iter::from_fn(|| batch.load().ok()).collect();
        assert_eq!(all, (1..=3 + usize::from(with_last)).collect::<Vec<_>>());
        assert_eq!(batch.load(), Err(LoadError::Ended));
    }
}

#[test]
fn a_source_that_ends_and_unwinds_in_one_call_has_ended() {
    let source = Bulk(|slots: &mut Slots<'_, _>| -> Result<(), &'static str> {
        slots.push(1);
        slots.end();
        std::panic::resume_unwind(Box::new("after the end"));
    });
    let batch = Batch::new(VALUES, source, 4).unwrap();
    std::panic::catch_unwind(|| batch.load()).expect_err("the source unwinds");
    assert_eq!(batch.try_load(), Ok(Some(1)));
    assert_eq!(batch.try_load(), Err(LoadError::Ended));
}

#[test]
fn a_waiting_thread_learns_of_the_end() {
    let (go_on, mut source) = waits_from(1);
    let batch = Batch::new(VALUES, Iter(std::iter::from_fn(move || source().ok())), 2).unwrap();
    std::thread::scope(|scope| {
        let filler = scope.spawn(|| batch.load());
        until(|| !batch.role.is_free());
        let waiters = [(); 2].map(|()| scope.spawn(|| batch.load()));
        until(|| batch.stats().waits == 2);
        drop(go_on);
        assert_eq!(filler.join().unwrap(), Err(LoadError::Ended));
        let ends = waiters.map(|waiter| waiter.join().unwrap());
        assert_eq!(ends, [Err(LoadError::Ended); 2]);
    });
}

pub(super) fn shared_objects() -> (Arc<()>, impl FnMut() -> Result<Arc<()>, Infallible> + Send) {
    let shared = Arc::new(());
    let source = {
        let shared = Arc::clone(&shared);
        move || Ok(Arc::clone(&shared))
    };
    (shared, source)
}

#[test]
fn a_close_drops_what_is_left_and_ends_every_use() {
    let (shared, source) = shared_objects();
    let batch = Batch::new(Native::<Arc<()>>::new(), source, 4).unwrap();
    let own = Arc::strong_count(&shared);
    drop(batch.load().unwrap());
    assert!(!batch.is_closed());
    assert_eq!(Arc::strong_count(&shared), own + 3);
    assert_eq!([batch.close(), batch.close()], [Ok(()); 2]);
    assert_eq!((Arc::strong_count(&shared), batch.len()), (own, 0));
    assert!(batch.is_closed());
    let mut many = Vec::new();
    assert_eq!(batch.load(), Err(LoadError::Closed));
    assert_eq!(batch.try_load(), Err(LoadError::Closed));
    assert_eq!(batch.load_within(LONG), Err(LoadError::Closed));
    assert_eq!(batch.load_many(1, None, &mut many), Err(LoadError::Closed));
    assert_eq!(batch.prefill(1, 1, None), Err(LoadError::Closed));
    assert_eq!(batch.cursor().unwrap().next(), Err(LoadError::Closed));
    assert_eq!(batch.clear(), Ok(()));
}

#[test]
fn a_close_wakes_waiting_threads_and_stops_the_fill() {
    let (go_on, source) = waits_from(2);
    let batch = Batch::with_options(VALUES, source, 9, whole_fills(9)).unwrap();
    std::thread::scope(|scope| {
        let filler = scope.spawn(|| batch.load());
        until(|| !batch.role.is_free());
        let waiters = [(); 2].map(|()| scope.spawn(|| batch.load()));
        until(|| batch.parking.sleepers() == 2);
        // They have counted themselves, and take a last look before they sleep.
        std::thread::sleep(Duration::from_millis(20));
        batch.close().unwrap();
        // While the source still runs.
        let ends = waiters.map(|waiter| waiter.join().unwrap());
        assert_eq!(ends, [Err(LoadError::Closed); 2]);
        go_on.send(()).unwrap();
        assert_eq!(filler.join().unwrap(), Ok(1), "what it has is its own");
    });
    let stats = batch.stats();
    assert_eq!((stats.produced, stats.released, batch.len()), (2, 1, 0));
    assert!(batch.queue.is_empty(), "what was made after the close is dropped");
}

#[test]
fn a_source_may_close_its_batch() {
    type Closing = Batch<Native<usize>, Box<dyn FnMut() -> Result<usize, Infallible> + Send>>;
    let weak: Arc<OnceLock<Weak<Closing>>> = Arc::default();
    let (mut made, own) = (0, Arc::clone(&weak));
    let source = move || {
        made += 1;
        if made == 3 {
            own.get().unwrap().upgrade().unwrap().close().unwrap();
        }
        Ok(made)
    };
    let batch = Arc::new(Closing::new(VALUES, Box::new(source), 8).unwrap());
    assert!(weak.set(Arc::downgrade(&batch)).is_ok());
    assert_eq!([batch.load(), batch.load()], [Ok(1), Err(LoadError::Closed)]);
    let stats = batch.stats();
    assert_eq!((stats.produced, stats.loads, stats.released), (3, 1, 2));
}

#[test]
fn a_close_among_loads_and_cursors_delivers_or_drops_each_object_once() {
    for _ in 0..50 {
        let (shared, source) = shared_objects();
        let batch = Batch::new(Native::<Arc<()>>::new(), source, 16).unwrap();
        let own = Arc::strong_count(&shared);
        std::thread::scope(|scope| {
            for number in 0..4 {
                let batch = &batch;
                scope.spawn(move || {
                    let mut cursor = batch.cursor().unwrap();
                    let mut take = || if number < 2 { batch.load() } else { cursor.next() };
                    while take().is_ok() {}
                    assert_eq!(take().err(), Some(LoadError::Closed));
                });
            }
            until(|| batch.stats().fills > 2);
            batch.close().unwrap();
        });
        assert_eq!((Arc::strong_count(&shared), batch.len()), (own, 0));
        assert_balanced(&batch);
    }
}
