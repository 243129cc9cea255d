//! Results made before a load asks for them: low water, prefilling, budgets.

use super::*;

fn low_mark(low_mark: usize) -> Options {
    Options { low_mark, ..Options::default() }
}

#[test]
fn a_load_that_leaves_too_few_makes_more() {
    let batch = Batch::with_options(VALUES, counter(), 8, low_mark(4)).unwrap();
    let mut left = Vec::new();
    for value in 1..=7 {
        assert_eq!(batch.load(), Ok(value));
        left.push(batch.len());
    }
    assert_eq!(left, [7, 6, 5, 4, 8, 7, 6]);
}

#[test]
fn a_cursor_that_leaves_too_few_makes_more() {
    let batch = Batch::with_options(VALUES, counter(), 9, low_mark(5)).unwrap();
    let mut cursor = batch.cursor().unwrap();
    assert_eq!((cursor.next(), batch.len()), (Ok(1), 8));
    assert_eq!((cursor.next(), cursor.len(), batch.len()), (Ok(2), 3, 9));
    let all: Vec<_> = (0..12).map(|_| cursor.next().unwrap()).collect();
    assert_eq!(all, (3..=14).collect::<Vec<_>>());
}

#[test]
fn a_mark_that_a_thread_which_prefilled_has_left_behind_makes_no_load_run_the_source() {
    let batch = Batch::with_options(VALUES, counter(), 8, low_mark(4)).unwrap();
    let left = [(); 5].map(|()| {
        batch.front.low_mark.store(8, Ordering::Relaxed);
        batch.load().unwrap();
        batch.len()
    });
    assert_eq!(left, [7, 6, 5, 4, 8]);
}

#[test]
fn a_load_of_many_that_leaves_too_few_makes_more() {
    let batch = Batch::with_options(VALUES, counter(), 8, low_mark(4)).unwrap();
    let mut results = Vec::new();
    let mut left = Vec::new();
    for count in [2, 2, 1, 12] {
        batch.load_many(count, None, &mut results).unwrap();
        left.push(batch.len());
    }
    assert_eq!(left, [6, 4, 8, 4]);
    assert_eq!(results, (1..=17).collect::<Vec<_>>());
}

#[test]
fn a_load_of_many_whose_fill_ahead_fails_gives_its_last_result_to_the_next() {
    let source = failing(|call| call == 9);
    let batch = Batch::with_options(VALUES, source, 8, low_mark(4)).unwrap();
    let mut results = Vec::new();
    assert_eq!(batch.load_many(6, None, &mut results), Err(LoadError::Source(9)));
    assert_eq!(results, [1, 2, 3, 4, 5]);
    assert_eq!([batch.load(), batch.load()], [Ok(6), Ok(7)]);
    assert_balanced(&batch);
}

#[test]
fn others_load_on_while_one_makes_more() {
    let (go_on, source) = waits_from(9);
    // There may be room for more when the fill ahead begins.
    let options = Options { fill_budget: 5, ..low_mark(4) };
    let batch = Batch::with_options(VALUES, source, 8, options).unwrap();
    assert_eq!(batch.prefill(8, 8, None), Ok(8));
    for value in 1..=4 {
        assert_eq!(batch.load(), Ok(value));
    }
    std::thread::scope(|scope| {
        let filler = scope.spawn(|| batch.load());
        until(|| !batch.role.is_free());
        assert_eq!([batch.load(), batch.load(), batch.load()], [Ok(6), Ok(7), Ok(8)]);
        (0..5).for_each(|_| go_on.send(()).unwrap());
        assert_eq!(filler.join().unwrap(), Ok(5));
    });
    assert_eq!(rest(&batch), [9, 10, 11, 12, 13]);
}

#[test]
fn a_load_whose_fill_ahead_fails_gives_its_result_to_the_next() {
    let source = failing(|call| call == 9);
    let batch = Batch::with_options(VALUES, source, 8, low_mark(4)).unwrap();
    let loaded: Vec<_> = (0..5).map(|_| batch.load()).collect();
    assert_eq!(loaded, [Ok(1), Ok(2), Ok(3), Ok(4), Err(LoadError::Source(9))]);
    assert_eq!([batch.load(), batch.load(), batch.load()], [Ok(5), Ok(6), Ok(7)]);
    assert_balanced(&batch);
}

#[test]
fn a_load_that_leaves_too_few_is_no_worse_for_the_end() {
    let batch = Batch::with_options(VALUES, Iter(1..=6), 4, low_mark(4)).unwrap();
    let all: Vec<_> = std::iter::from_fn(|| batch.load().ok()).collect();
    assert_eq!(all, [1, 2, 3, 4, 5, 6]);
    assert_eq!(batch.load(), Err(LoadError::Ended));
}

#[test]
fn a_low_mark_above_the_size_is_refused() {
    let made = |mark| Batch::with_options(VALUES, counter(), 4, low_mark(mark)).map(|_| ());
    assert_eq!([made(4), made(5)], [Ok(()), Err(NewError::LowMark { low_mark: 5, size: 4 })]);
}

#[test]
fn a_fill_hands_the_role_on_after_its_budget() {
    let options = Options { fill_budget: 2, ..Options::default() };
    let (go_on, source) = waits_from(3);
    let batch = Batch::with_options(VALUES, source, 8, options).unwrap();
    // Without the budget, the third call of the source would never return.
    assert_eq!((batch.load(), batch.len()), (Ok(1), 1));
    assert_eq!((batch.load(), batch.stats().fills), (Ok(2), 1));
    (0..2).for_each(|_| go_on.send(()).unwrap());
    assert_eq!((batch.load(), batch.len(), batch.stats().fills), (Ok(3), 1, 2));
}

#[test]
fn a_budget_above_the_size_is_the_size() {
    let options = Options { fill_budget: 100, ..Options::default() };
    let batch = Batch::with_options(VALUES, counter(), 3, options).unwrap();
    assert_eq!((batch.load(), batch.len()), (Ok(1), 2));
}

#[test]
fn prefilling_makes_as_many_as_asked_and_keeps_none_for_itself() {
    let batch = Batch::new(VALUES, counter(), 8).unwrap();
    assert_eq!((batch.prefill(1, 3, None), batch.len()), (Ok(3), 3));
    assert_eq!((batch.prefill(3, 9, Some(Duration::ZERO)), batch.len()), (Ok(0), 3));
    assert_eq!((batch.prefill(4, 9, None), batch.len()), (Ok(5), 8));
    // More than the buffer holds is never there.
    assert_eq!(batch.prefill(100, 9, Some(Duration::ZERO)), Ok(0));
    assert_eq!(rest(&batch), [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!([batch.prefill(0, 9, None), batch.prefill(9, 0, None)], [Ok(0), Ok(0)]);
}

#[test]
fn prefilling_does_not_wait_for_another_filler_without_time() {
    let (go_on, source) = waits_from(1);
    let batch = Batch::new(VALUES, source, 2).unwrap();
    std::thread::scope(|scope| {
        let filler = scope.spawn(|| batch.load());
        until(|| !batch.role.is_free());
        assert_eq!(batch.prefill(1, 2, Some(Duration::ZERO)), Ok(0));
        (0..2).for_each(|_| go_on.send(()).unwrap());
        assert_eq!(filler.join().unwrap(), Ok(1));
    });
}

#[test]
fn a_prefiller_goes_on_when_loads_have_left_few() {
    let batch = Batch::new(VALUES, counter(), 8).unwrap();
    assert_eq!(batch.prefill(8, 8, None), Ok(8));
    std::thread::scope(|scope| {
        let ahead = scope.spawn(|| batch.prefill(3, 8, None));
        until(|| batch.low.somebody_starves());
        let loaded: Vec<_> = (0..6).map(|_| batch.load().unwrap()).collect();
        assert_eq!(loaded, [1, 2, 3, 4, 5, 6]);
        assert_eq!(ahead.join().unwrap(), Ok(6));
    });
    assert_eq!(rest(&batch), (7..=14).collect::<Vec<_>>());
}

type Boxed = Box<dyn FnMut() -> Result<usize, Infallible> + Send>;

/// Checks that a thread which sleeps until there are fewer than 3 results is woken by `take`.
fn is_woken_by(take: impl FnOnce(&Batch<Native<usize>, Boxed>)) {
    let batch = Batch::new(VALUES, Box::new(counter()) as Boxed, 8).unwrap();
    batch.prefill(8, 8, None).unwrap();
    batch.front.low_mark.store(3, Ordering::Relaxed);
    let (tell, told) = mpsc::channel();
    let woken = std::thread::scope(|scope| {
        let batch = &batch;
        scope.spawn(move || {
            batch.low.wait(None, || batch.len() < 3, || batch.len() < 3);
            tell.send(()).unwrap();
        });
        until(|| batch.low.sleepers() == 1);
        take(batch);
        let woken = told.recv_timeout(LONG);
        // In any case, so that the scope ends.
        batch.low.wake_all();
        woken
    });
    assert_eq!(woken, Ok(()));
}

#[test]
fn loads_wake_a_prefiller() {
    is_woken_by(|batch| (0..6).for_each(|_| _ = batch.load().unwrap()));
}

#[test]
fn loads_of_many_wake_a_prefiller() {
    is_woken_by(|batch| batch.load_many(6, None, &mut Vec::new()).unwrap());
}

#[test]
fn cursors_wake_a_prefiller() {
    is_woken_by(|batch| {
        let mut cursor = batch.cursor().unwrap();
        while batch.len() >= 3 {
            cursor.next().unwrap();
        }
        // It stays open: what it gives back would be ready again.
        std::mem::forget(cursor);
    });
}

#[test]
fn a_close_ends_prefilling() {
    let batch = Batch::new(VALUES, counter(), 4).unwrap();
    batch.prefill(4, 4, None).unwrap();
    std::thread::scope(|scope| {
        let ahead = scope.spawn(|| batch.prefill(1, 4, None));
        until(|| batch.low.somebody_starves());
        batch.close().unwrap();
        assert_eq!(ahead.join().unwrap(), Err(LoadError::Closed));
    });
}

#[test]
fn prefilling_reports_errors_and_the_end() {
    let batch = Batch::new(VALUES, failing(|call| call == 3), 8).unwrap();
    assert_eq!((batch.prefill(8, 8, None), batch.len()), (Err(LoadError::Source(3)), 2));
    assert_eq!(rest(&batch), [1, 2]);
    let batch = Batch::new(VALUES, Iter(1..=2), 8).unwrap();
    assert_eq!(
        [batch.prefill(8, 8, None), batch.prefill(8, 8, None)],
        [Ok(2), Err(LoadError::Ended)]
    );
    assert_eq!(rest(&batch), [1, 2]);
}
