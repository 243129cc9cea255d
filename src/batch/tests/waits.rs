//! Threads that load, wait and are interrupted.

use super::super::role::Vacancy;
use super::*;

#[test]
fn eight_threads_get_each_result_once() {
    const THREADS: usize = 8;
    // As in the C tests; what a sanitizer watches takes some fifty times as long.
    let loads = match std::env::var("FT_LOCAL_TEST_ITEMS") {
        Ok(items) => items.parse::<usize>().expect("a number") / THREADS,
        Err(_) => 20_000,
    };
    for size in [1, 2, 8, 64, 1000] {
        let batch = Batch::new(VALUES, failing(|call| call % 1009 == 0), size).unwrap();
        let start = Barrier::new(THREADS);
        let loader = || {
            start.wait();
            let (mut loaded, mut errors) = (Vec::new(), 0_usize);
            while loaded.len() < loads {
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
        assert_eq!(errors, (all.len() + errors) / 1009, "size {size}: each failure came once");
    }
}

/// A host that can tell a thread to stop waiting, and counts its waits.
#[derive(Default)]
pub(super) struct Interruptible {
    pub(super) stop: AtomicBool,
    refuses: AtomicBool,
    pub(super) waits: AtomicUsize,
}

// SAFETY: the word is the object.
unsafe impl Host for &Interruptible {
    words_are_objects!();

    fn block(&self, wait: &mut dyn FnMut()) {
        self.waits.fetch_add(1, Ordering::Relaxed);
        if !self.refuses.load(Ordering::Relaxed) {
            wait();
        }
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
fn a_thread_whose_host_refuses_to_wait_leaves_the_load() {
    let host = Interruptible::default();
    host.refuses.store(true, Ordering::Relaxed);
    let batch = Batch::new(&host, counter(), 2).unwrap();
    let filling = batch.role.take();
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| batch.load());
        assert_eq!(waiter.join().unwrap(), Err(LoadError::Interrupted));
        let prefiller = scope.spawn(|| batch.prefill(1, 1, None));
        assert_eq!(prefiller.join().unwrap(), Err(LoadError::Interrupted));
    });
    assert_eq!(filling, Ok(Vacancy::Free));
    batch.role.give_up();
    assert_eq!(host.waits.load(Ordering::Relaxed), 2);
    assert_eq!(batch.load(), Ok(1));
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
fn the_host_is_asked_to_block_only_when_a_thread_waits() {
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
fn a_wait_that_runs_out_of_time_loses_nothing() {
    let (go_on, source) = waits_from(1);
    let batch = Batch::new(VALUES, source, 2).unwrap();
    std::thread::scope(|scope| {
        let filler = scope.spawn(|| batch.load());
        until(|| !batch.role.is_free());
        for timeout in [Duration::ZERO, Duration::from_millis(1)] {
            assert_eq!(batch.load_within(timeout), Err(LoadError::TimedOut));
            assert_eq!(batch.cursor().unwrap().next_within(timeout), Err(LoadError::TimedOut));
        }
        (0..2).for_each(|_| go_on.send(()).unwrap());
        assert_eq!(filler.join().unwrap(), Ok(1));
    });
    assert_eq!(batch.load_within(Duration::ZERO), Ok(2));
}

/// A host that stops whichever thread is woken first.
#[derive(Default)]
struct StopsTheFirst(AtomicBool);

// SAFETY: the word is the object.
unsafe impl Host for &StopsTheFirst {
    words_are_objects!();

    fn interrupted(&self) -> bool {
        !self.0.swap(true, Ordering::Relaxed)
    }
}

#[test]
fn a_thread_that_leaves_a_wait_passes_its_wake_up_on() {
    for _ in 0..20 {
        let host = StopsTheFirst::default();
        let (go_on, source) = waits_from(2);
        let batch = Batch::with_options(&host, source, 3, whole_fills(3)).unwrap();
        let (tell, outcomes) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| batch.load());
            until(|| !batch.role.is_free());
            for tell in [tell.clone(), tell] {
                let batch = &batch;
                scope.spawn(move || tell.send(batch.load()));
            }
            until(|| batch.parking.sleepers() == 2);
            // Leaves this closure with it, so that a failure here lets the others end.
            let go_on = go_on;
            go_on.send(()).unwrap();
            // The fill goes on, and so wakes nobody else.
            let outcomes =
                [(); 2].map(|()| outcomes.recv_timeout(LONG).expect("somebody sleeps on"));
            assert!(outcomes.contains(&Ok(2)), "{outcomes:?}");
            assert!(outcomes.contains(&Err(LoadError::Interrupted)), "{outcomes:?}");
        });
    }
}

#[test]
fn one_result_wakes_one_thread() {
    const WAITERS: usize = 4;
    const RESULTS: usize = 50;
    let host = Interruptible::default();
    let (go_on, source) = waits_from(2);
    let batch = Batch::with_options(Patient(&host), source, 64, whole_fills(64)).unwrap();
    let (tell, told) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| batch.load());
        until(|| !batch.role.is_free());
        for _ in 0..WAITERS {
            let (batch, tell) = (&batch, tell.clone());
            scope.spawn(move || {
                while let Ok(value) = batch.load() {
                    tell.send(value).unwrap();
                }
            });
        }
        for value in 2..2 + RESULTS {
            until(|| batch.parking.sleepers() == WAITERS);
            go_on.send(()).unwrap();
            assert_eq!(told.recv(), Ok(value));
        }
        until(|| batch.parking.sleepers() == WAITERS);
        // A thread that is woken for nothing comes back to wait again. One that was only about to
        // sleep may look up by itself, which happens now and then.
        let waits = host.waits.load(Ordering::Relaxed);
        assert!(waits < WAITERS + 2 * RESULTS, "{waits} waits for {RESULTS} results");
        drop(go_on);
    });
}

/// A host whose threads wait until they are woken.
struct Patient<'a>(&'a Interruptible);

// SAFETY: the word is the object.
unsafe impl Host for Patient<'_> {
    words_are_objects!();

    fn block(&self, wait: &mut dyn FnMut()) {
        self.0.waits.fetch_add(1, Ordering::Relaxed);
        wait();
    }
}
