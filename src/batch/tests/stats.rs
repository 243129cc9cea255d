//! The counters, after each kind of event.

use super::*;

/// The counts, without what depends on the clock.
fn counts<H: Host, S: Source<H>>(batch: &Batch<H, S>) -> Stats {
    assert_balanced(batch);
    Stats { wait_time: Duration::ZERO, source_time: Duration::ZERO, ..batch.stats() }
}

#[test]
fn stats_start_at_zero() {
    let batch = Batch::new(VALUES, counter(), 4).unwrap();
    assert_eq!(batch.stats(), Stats::default());
}

#[test]
fn loads_and_fills_are_counted() {
    let batch = Batch::new(VALUES, counter(), 4).unwrap();
    (0..3).for_each(|_| _ = batch.load().unwrap());
    assert_eq!(counts(&batch), Stats { loads: 3, fills: 1, produced: 4, ..Stats::default() });
    batch.load_many(3, None, &mut Vec::new()).unwrap();
    assert_eq!(counts(&batch), Stats { loads: 6, fills: 2, produced: 8, ..Stats::default() });
    batch.try_load().unwrap();
    assert_eq!(counts(&batch), Stats { loads: 7, fills: 2, produced: 8, ..Stats::default() });
}

#[test]
fn claims_are_counted_while_the_cursor_is_open_and_afterwards() {
    let batch = Batch::new(VALUES, counter(), 9).unwrap();
    batch.load().unwrap();
    let mut cursor = batch.cursor().unwrap();
    cursor.next().unwrap();
    let open = Stats { loads: 1, claims: 1, claimed: 4, fills: 1, produced: 9, ..Stats::default() };
    assert_eq!(counts(&batch), open);
    drop(cursor);
    assert_eq!(counts(&batch), Stats { given_back: 3, ..open });
    batch.load().unwrap();
    assert_eq!(counts(&batch), Stats { given_back: 3, loads: 2, ..open });
    batch.cursor().unwrap().next().unwrap();
    assert_eq!(counts(&batch), Stats { given_back: 3, loads: 2, claims: 2, claimed: 5, ..open });
}

#[test]
fn cursors_of_another_batch_do_not_count() {
    let [mine, other] = [0; 2].map(|_| Batch::new(VALUES, counter(), 9).unwrap());
    let mut cursor = other.cursor().unwrap();
    (0..2).for_each(|_| _ = cursor.next().unwrap());
    // One result of its own fill, and one claim.
    assert_eq!((mine.stats(), other.stats().claims), (Stats::default(), 2));
}

#[test]
fn a_failure_is_counted_and_what_it_left_is_not_loaded() {
    let batch = Batch::new(VALUES, failing(|call| call == 3), 4).unwrap();
    assert_eq!(batch.load(), Err(LoadError::Source(3)));
    let failed = Stats { fills: 1, produced: 2, errors: 1, ..Stats::default() };
    assert_eq!(counts(&batch), failed);
    batch.load().unwrap();
    assert_eq!(counts(&batch), Stats { loads: 1, ..failed });
}

#[test]
fn what_is_given_back_and_what_is_released_is_counted() {
    let batch = Batch::new(VALUES, counter(), 4).unwrap();
    let mut loaded = vec![batch.load().unwrap(), batch.load().unwrap()];
    batch.give_back(&mut loaded).unwrap();
    let back = Stats { loads: 2, fills: 1, produced: 4, given_back: 2, ..Stats::default() };
    assert_eq!(counts(&batch), back);
    batch.clear().unwrap();
    assert_eq!(counts(&batch), Stats { released: 4, ..back });
    batch.load().unwrap();
    batch.close().unwrap();
    assert_eq!(counts(&batch), Stats { loads: 3, fills: 2, produced: 8, released: 7, ..back });
}

#[test]
fn a_wait_is_counted_once_and_timed() {
    let host = super::waits::Interruptible::default();
    let (go_on, source) = waits_from(1);
    let batch = Batch::new(&host, source, 2).unwrap();
    std::thread::scope(|scope| {
        let filler = scope.spawn(|| batch.load());
        until(|| !batch.role.is_free());
        let waiter = scope.spawn(|| batch.load());
        // It looks up now and then, and goes on waiting.
        until(|| host.waits.load(Ordering::Relaxed) >= 3);
        (0..2).for_each(|_| go_on.send(()).unwrap());
        assert!(filler.join().unwrap().is_ok() && waiter.join().unwrap().is_ok());
    });
    let stats = batch.stats();
    assert_eq!(stats.waits, 1);
    assert!(
        stats.wait_time >= Duration::from_millis(2),
        "two waits went on to their ends: {stats:?}"
    );
}

#[test]
fn the_time_in_the_source_is_counted() {
    let source = || {
        std::thread::sleep(Duration::from_millis(2));
        Ok::<_, Infallible>(7)
    };
    let batch = Batch::new(VALUES, source, 3).unwrap();
    batch.load().unwrap();
    assert!(batch.stats().source_time >= Duration::from_millis(6));
}

#[test]
fn the_counters_balance_after_many_threads() {
    let options = Options { fill_budget: 5, low_mark: 3, ..Options::default() };
    let source = failing(|call| call % 97 == 0);
    let batch = Batch::with_options(VALUES, source, 16, options).unwrap();
    let (loads, claims) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for number in 0..4 {
            let (batch, loads, claims) = (&batch, &loads, &claims);
            scope.spawn(move || {
                for turn in 0..2000 {
                    let mut cursor = batch.cursor().unwrap();
                    match (number + turn) % 4 {
                        0 => loads.fetch_add(usize::from(batch.load().is_ok()), Ordering::Relaxed),
                        1 => {
                            claims.fetch_add(usize::from(cursor.next().is_ok()), Ordering::Relaxed)
                        }
                        2 => usize::from(batch.prefill(8, 3, Some(Duration::ZERO)).is_ok()),
                        _ => {
                            let mut many = Vec::new();
                            let _ = batch.load_many(5, None, &mut many);
                            loads.fetch_add(many.len() / 2, Ordering::Relaxed);
                            let mut back = many.split_off(many.len() / 2);
                            batch.give_back(&mut back).unwrap();
                            back.len()
                        }
                    };
                }
            });
        }
    });
    let (stats, ready) = (batch.stats(), batch.len() as u64);
    assert_balanced(&batch);
    // From outside: what was made is what is ready and what was kept.
    let kept = (loads.into_inner() + claims.into_inner()) as u64;
    assert_eq!(stats.produced, kept + ready, "{stats:?}");
}
