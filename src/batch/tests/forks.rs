//! Processes that fork.

use super::*;

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
    /// How often a thread that waits asks.
    period: Option<Duration>,
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

    fn interrupt_period(&self) -> Option<Duration> {
        self.period
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
    let host = Forking { parent: std::process::id(), passed: AtomicBool::new(false), period: None };
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

fn child_or_wait() -> bool {
    // SAFETY: the child goes on like the parent, and leaves at the end of the test.
    let child = unsafe { libc::fork() };
    if child == 0 {
        return true;
    }
    let mut status = -1;
    // SAFETY: `status` may be written.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0, "the child got what is its own");
    false
}

/// Ends the child.
fn leave(passed: bool) -> ! {
    // SAFETY: always sound.
    unsafe { libc::_exit(i32::from(!passed)) }
}

/// The next result is 12; 9 is the first of a failed fill, 6 and 7 were given back, 10 and 11 are in
/// the ring, and the cursor has 3 to 5 in hand.
fn full_of_everything(
    on_fork: ForkPolicy,
    test: impl Fn(&Counted, &mut Cursor<'_, Native<usize>, Failing>),
) {
    let source: Failing = Box::new(failing(|call| call == 10));
    let options = Options { on_fork, ..Options::default() };
    let batch = Batch::with_options(VALUES, source, 8, options).unwrap();
    assert_eq!(batch.load(), Ok(1));
    let mut cursor = batch.cursor().unwrap();
    assert_eq!((cursor.next(), cursor.len()), (Ok(2), 3));
    let mut loaded: Vec<_> = (0..3).map(|_| batch.load().unwrap()).collect();
    assert_eq!(loaded.pop(), Some(8));
    assert_eq!(batch.load(), Err(LoadError::Source(10)));
    batch.give_back(&mut loaded).unwrap();
    assert_eq!(batch.prefill(8, 2, None), Ok(2));
    assert!(passes_in_child(|| test(&batch, &mut cursor)));
    // The parent has lost nothing.
    assert_eq!((rest(&batch), cursor.len()), (vec![9, 6, 7, 10, 11], 3));
    assert_eq!([cursor.next(), cursor.next(), cursor.next()], [Ok(3), Ok(4), Ok(5)]);
}

type Failing = Box<dyn FnMut() -> Result<usize, usize> + Send>;
type Counted = Batch<Native<usize>, Failing>;

#[test]
fn a_child_that_discards_hands_out_nothing_of_the_parents() {
    full_of_everything(ForkPolicy::Discard, |batch, cursor| {
        assert_eq!((batch.len(), cursor.len()), (0, 0));
        assert_eq!((batch.load(), batch.stats().dropped_on_fork), (Ok(12), 5));
        assert_eq!((cursor.next(), batch.stats().dropped_on_fork), (Ok(13), 5 + 3));
        assert_books(batch);
    });
}

#[test]
fn a_child_that_discards_may_begin_with_the_cursor() {
    full_of_everything(ForkPolicy::Discard, |batch, cursor| {
        assert_eq!((cursor.next(), batch.stats().dropped_on_fork), (Ok(12), 5 + 3));
        assert_books(batch);
    });
}

#[test]
fn a_child_that_keeps_hands_out_all_that_the_parent_does() {
    full_of_everything(ForkPolicy::Keep, |batch, cursor| {
        assert_eq!((batch.len(), cursor.len()), (5, 3));
        assert_eq!(rest(batch), [9, 6, 7, 10, 11]);
        let loaded = [(); 4].map(|()| cursor.next());
        assert_eq!(loaded, [Ok(3), Ok(4), Ok(5), Ok(12)]);
        assert_eq!(batch.stats().dropped_on_fork, 0);
        assert_books(batch);
    });
}

#[test]
fn a_child_that_must_not_use_the_batch_gets_an_error_each_time() {
    full_of_everything(ForkPolicy::Error, |batch, cursor| {
        for _ in 0..2 {
            assert_eq!(batch.load(), Err(LoadError::Forked));
            assert_eq!(batch.try_load(), Err(LoadError::Forked));
            assert_eq!(batch.load_within(LONG), Err(LoadError::Forked));
            assert_eq!(batch.load_many(1, None, &mut Vec::new()), Err(LoadError::Forked));
            assert_eq!(batch.prefill(8, 8, None), Err(LoadError::Forked));
            assert_eq!(cursor.next(), Err(LoadError::Forked));
            assert_eq!(batch.clear(), Err(LoadError::Forked));
            assert_eq!(batch.close(), Err(LoadError::Forked));
            let mut mine = vec![1];
            assert_eq!((batch.give_back(&mut mine), mine), (Err(LoadError::Forked), vec![1]));
        }
        assert_eq!((batch.len(), batch.is_closed()), (0, false));
        // A child of the child is no better.
        assert!(passes_in_child(|| assert_eq!(batch.load(), Err(LoadError::Forked))));
    });
}

#[test]
fn a_child_of_a_child_discards_what_was_made_in_between() {
    full_of_everything(ForkPolicy::Discard, |batch, cursor| {
        assert_eq!([batch.load(), cursor.next()], [Ok(12), Ok(13)]);
        assert!(passes_in_child(|| {
            assert_eq!((batch.len(), cursor.len()), (0, 0));
            assert_eq!([cursor.next(), batch.load()], [Ok(20), Ok(21)]);
            assert_books(batch);
        }));
        assert_eq!([batch.load(), cursor.next()], [Ok(17), Ok(14)]);
    });
}

#[test]
fn a_child_forgets_who_waited_for_room() {
    let batch = Batch::new(VALUES, counter(), 4).unwrap();
    batch.prefill(4, 4, None).unwrap();
    std::thread::scope(|scope| {
        let ahead = scope.spawn(|| batch.prefill(1, 4, None));
        until(|| batch.low.somebody_starves());
        assert!(passes_in_child(|| {
            assert_eq!(batch.load(), Ok(5));
            assert!(!batch.low.somebody_starves());
        }));
        batch.close().unwrap();
        assert_eq!(ahead.join().unwrap(), Err(LoadError::Closed));
    });
}

#[test]
fn a_fork_while_the_source_makes_more_for_a_load_that_has_a_result() {
    let mut made = 0;
    let source = move || {
        made += 1;
        if made == 6 && child_or_wait() {
            made = 100;
        }
        Ok::<_, Infallible>(Box::new(made))
    };
    let options = Options { low_water: 3, ..Options::default() };
    let batch = Batch::with_options(Native::<Box<usize>>::new(), source, 4, options).unwrap();
    let parent = std::process::id();
    assert_eq!(*batch.load().unwrap(), 1);
    // Leaves two, and so makes two more, 5 and 6.
    let loaded = *batch.load().unwrap();
    if std::process::id() != parent {
        // 2 is the parent's, and so are 3, 4 and 5.
        let own = (loaded, *batch.load().unwrap()) == (100, 101);
        leave(own);
    }
    assert_eq!((loaded, *batch.load().unwrap()), (2, 3));
}

#[test]
fn a_source_may_fork_and_keep() {
    let mut made = 0;
    let source = move || {
        made += 1;
        if made == 3 && child_or_wait() {
            made = 100;
        }
        Ok::<_, Infallible>(made)
    };
    let options = Options { on_fork: ForkPolicy::Keep, ..Options::default() };
    let batch = Batch::with_options(VALUES, source, 4, options).unwrap();
    let parent = std::process::id();
    let loaded = [(); 5].map(|()| batch.load().unwrap());
    if std::process::id() != parent {
        leave(loaded == [1, 2, 100, 101, 102]);
    }
    assert_eq!(loaded, [1, 2, 3, 4, 5]);
}

#[test]
fn a_fork_in_a_wait_leaves_the_fill_to_the_parent_and_the_child_makes_its_own() {
    let parent = std::process::id();
    let host =
        Forking { parent, passed: AtomicBool::new(false), period: Some(Duration::from_millis(1)) };
    let (go_on, told) = mpsc::channel::<()>();
    let mut made = 0;
    let source = move || {
        if std::process::id() == parent {
            told.recv().unwrap();
        }
        made += 1;
        Ok::<_, Infallible>(made)
    };
    let batch = Batch::new(&host, source, 2).unwrap();
    std::thread::scope(|scope| {
        let filler = scope.spawn(|| batch.load());
        until(|| !batch.role.is_free());
        let waiter = scope.spawn(|| {
            let loaded = batch.load();
            if std::process::id() != parent {
                // The only thread there is.
                leave([loaded, batch.load()] == [Ok(1), Ok(2)]);
            }
            loaded
        });
        until(|| host.passed.load(Ordering::Relaxed) || waiter.is_finished());
        (0..2).for_each(|_| go_on.send(()).unwrap());
        assert_eq!([filler.join().unwrap(), waiter.join().unwrap()], [Ok(1), Ok(2)]);
    });
    assert!(host.passed.load(Ordering::Relaxed), "the child got what is its own");
}
