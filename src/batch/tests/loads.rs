//! Loads of several kinds, and results given back.

use super::*;

#[test]
fn a_try_never_runs_the_source() {
    let batch = Batch::new(VALUES, counter(), 3).unwrap();
    assert_eq!((batch.try_load(), batch.stats().fills), (Ok(None), 0));
    assert_eq!(batch.load(), Ok(1));
    assert_eq!([batch.try_load(), batch.try_load()], [Ok(Some(2)), Ok(Some(3))]);
    assert_eq!((batch.try_load(), batch.stats().fills), (Ok(None), 1));
}

#[test]
fn a_try_does_not_wait_for_another_thread() {
    let (go_on, source) = waits_from(1);
    let batch = Batch::new(VALUES, source, 2).unwrap();
    std::thread::scope(|scope| {
        let filler = scope.spawn(|| batch.load());
        until(|| !batch.role.is_free());
        assert_eq!(batch.try_load(), Ok(None));
        (0..2).for_each(|_| go_on.send(()).unwrap());
        assert_eq!(filler.join().unwrap(), Ok(1));
    });
    assert_eq!(batch.try_load(), Ok(Some(2)));
}

#[test]
fn a_try_takes_what_came_back() {
    let batch = Batch::new(VALUES, failing(|call| call == 2), 3).unwrap();
    assert_eq!(batch.load(), Err(LoadError::Source(2)));
    assert_eq!([batch.try_load(), batch.try_load()], [Ok(Some(1)), Ok(None)]);
}

#[test]
fn a_load_without_time_runs_the_source_itself() {
    let batch = Batch::new(VALUES, counter(), 2).unwrap();
    let loaded = [(); 3].map(|()| batch.load_within(Duration::ZERO));
    assert_eq!(loaded, [Ok(1), Ok(2), Ok(3)]);
}

#[test]
fn a_load_of_many_gets_as_many_in_order_across_fills() {
    for size in [1, 7, 100, 1000] {
        let batch = Batch::new(VALUES, counter(), size).unwrap();
        let mut loaded = Vec::new();
        for count in [0, 1, 63, 64, 65, 200] {
            let before = loaded.len();
            batch.load_many(count, None, &mut loaded).unwrap();
            assert_eq!(loaded.len(), before + count);
        }
        assert_eq!(loaded, (1..=393).collect::<Vec<_>>(), "size {size}");
        assert_balanced(&batch);
    }
}

#[test]
fn a_load_of_none_does_nothing() {
    let batch = Batch::new(VALUES, counter(), 4).unwrap();
    assert_eq!(batch.load_many(0, None, &mut Vec::new()), Ok(()));
    assert_eq!(batch.stats().fills, 0);
}

#[test]
fn what_a_load_of_many_took_before_an_error_is_the_callers() {
    let batch = Batch::new(VALUES, failing(|call| call == 6), 4).unwrap();
    let mut loaded = Vec::new();
    assert_eq!(batch.load_many(10, None, &mut loaded), Err(LoadError::Source(6)));
    assert_eq!(loaded, [1, 2, 3, 4]);
    assert_eq!(batch.load_many(10, None, &mut loaded), Ok(()));
    assert_eq!(loaded, (1..=14).collect::<Vec<_>>());
}

#[test]
fn a_load_of_many_that_runs_out_of_time_keeps_what_it_took() {
    let (go_on, source) = waits_from(3);
    let batch = Batch::with_options(VALUES, source, 4, whole_fills(4)).unwrap();
    std::thread::scope(|scope| {
        let filler = scope.spawn(|| batch.load());
        until(|| batch.len() == 1);
        let mut many = Vec::new();
        let outcome = batch.load_many(2, Some(Duration::ZERO), &mut many);
        assert_eq!((outcome, many), (Err(LoadError::TimedOut), vec![2]));
        (0..2).for_each(|_| go_on.send(()).unwrap());
        assert_eq!(filler.join().unwrap(), Ok(1));
    });
    assert_eq!(rest(&batch), [3, 4]);
}

#[test]
fn a_load_of_many_gets_fewer_only_if_the_source_ends() {
    let batch = Batch::new(VALUES, Iter(1..=5), 4).unwrap();
    let mut loaded = Vec::new();
    assert_eq!(batch.load_many(9, None, &mut loaded), Ok(()));
    assert_eq!(loaded, [1, 2, 3, 4, 5]);
    assert_eq!(batch.load_many(9, None, &mut loaded), Err(LoadError::Ended));
    assert_eq!(loaded, [1, 2, 3, 4, 5]);
}

#[test]
fn a_load_of_many_learns_of_a_close() {
    let batch = Batch::new(VALUES, counter(), 4).unwrap();
    batch.load().unwrap();
    batch.close().unwrap();
    let mut loaded = Vec::new();
    assert_eq!(batch.load_many(2, None, &mut loaded), Err(LoadError::Closed));
    assert!(loaded.is_empty());
}

#[test]
fn what_is_given_back_comes_first_and_in_its_order() {
    let batch = Batch::new(VALUES, counter(), 4).unwrap();
    let mut loaded: Vec<_> = (0..3).map(|_| batch.load().unwrap()).collect();
    loaded.remove(0);
    assert_eq!(batch.give_back(&mut loaded), Ok(()));
    assert_eq!((loaded, batch.len()), (vec![], 3));
    let again: Vec<_> = (0..4).map(|_| batch.load().unwrap()).collect();
    assert_eq!(again, [2, 3, 4, 5]);
}

#[test]
fn giving_nothing_back_changes_nothing() {
    let batch = Batch::new(VALUES, counter(), 4).unwrap();
    assert_eq!(batch.give_back(&mut Vec::new()), Ok(()));
    assert_eq!((batch.len(), batch.stats()), (0, Stats::default()));
}

#[test]
fn what_is_given_back_after_a_close_is_released() {
    let shared = Arc::new(());
    let source = {
        let shared = Arc::clone(&shared);
        move || Ok::<_, Infallible>(Arc::clone(&shared))
    };
    let batch = Batch::new(Native::<Arc<()>>::new(), source, 4).unwrap();
    let own = Arc::strong_count(&shared);
    let mut loaded = vec![batch.load().unwrap(), batch.load().unwrap()];
    batch.close().unwrap();
    assert_eq!(Arc::strong_count(&shared), own + 2);
    batch.give_back(&mut loaded).unwrap();
    assert_eq!((Arc::strong_count(&shared), batch.len()), (own, 0));
    assert_balanced(&batch);
}

#[test]
fn a_returned_result_wakes_a_waiting_thread() {
    let (go_on, source) = waits_from(3);
    let batch = Batch::new(VALUES, source, 2).unwrap();
    let mut loaded = vec![batch.load().unwrap(), batch.load().unwrap()];
    std::thread::scope(|scope| {
        let filler = scope.spawn(|| batch.load());
        until(|| !batch.role.is_free());
        let waiter = scope.spawn(|| batch.load_within(LONG));
        until(|| batch.parking.somebody_starves());
        batch.give_back(&mut loaded).unwrap();
        // While the fill goes on.
        assert_eq!(waiter.join().unwrap(), Ok(1));
        (0..2).for_each(|_| go_on.send(()).unwrap());
        assert_eq!(filler.join().unwrap(), Ok(3));
    });
    assert_eq!(rest(&batch), [2, 4]);
}
