//! Processes that fork.

use super::ends::shared_objects;
use super::*;
use crate::batch::own::Origin;

/// Runs `test` in a child process, and says whether it passed there.
pub(super) fn passes_in_child(test: impl FnOnce()) -> bool {
    holds_in_child(|| {
        test();
        true
    })
}

/// As `passes_in_child`, for what is not always so: a panic in a child may wait for the lock of one
/// that another thread of the parent was reporting.
pub(super) fn holds_in_child(test: impl FnOnce() -> bool) -> bool {
    // SAFETY: the child does nothing but the test, and leaves without a word.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let said = std::panic::catch_unwind(std::panic::AssertUnwindSafe(test));
        leave(said.unwrap_or(false));
    }
    has_passed(child)
}

/// What a child says if all is right. One whose only thread ends by a panic says 0.
const PASSED: i32 = 42;

/// Ends the child.
pub(super) fn leave(passed: bool) -> ! {
    // SAFETY: always sound.
    unsafe { libc::_exit(if passed { PASSED } else { 1 }) }
}

/// Waits for a child, and says whether it has left by `leave(true)`.
pub(super) fn has_passed(child: libc::pid_t) -> bool {
    let mut status = -1;
    // SAFETY: `status` may be written.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == PASSED
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
fn a_child_releases_all_that_was_in_the_batch() {
    let (shared, source) = shared_objects();
    let batch = Batch::new(Native::<Arc<()>>::new(), source, 4).unwrap();
    let before = Arc::strong_count(&shared);
    let mine = Native::<Arc<()>>::into_word(batch.load().unwrap());
    batch.give_back(&mut vec![batch.load().unwrap()]).unwrap();
    // As that of a thread which was filling and is not copied.
    batch.own.put(mine, Origin::Fill).unwrap();
    assert_eq!(Arc::strong_count(&shared), before + 4);
    assert!(passes_in_child(|| {
        assert_eq!(batch.try_load(), Ok(None));
        assert_eq!(Arc::strong_count(&shared), before);
    }));
    assert_eq!(batch.own.take(), Some((mine, Origin::Fill)));
    // SAFETY: taken out of the batch above.
    drop(unsafe { batch.host.adopt_word(mine) });
}

#[test]
fn the_counters_balance_in_a_child_that_was_forked_while_other_threads_were_at_work() {
    let batch = Batch::new(VALUES, counter(), 4).unwrap();
    assert_eq!(batch.load(), Ok(1));
    batch.give_back(&mut vec![batch.load().unwrap()]).unwrap();
    // A thread fills and has a result of its own; another has taken one, and has not counted it yet.
    batch.own.put(5, Origin::Fill).unwrap();
    batch.counters.filler.first_results.add_alone(2);
    assert!(passes_in_child(|| {
        assert_eq!((batch.try_load(), batch.len()), (Ok(None), 0));
        assert_balanced(&batch);
    }));
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
            assert!(has_passed(child), "the child got what is its own");
        }
        Ok(made)
    };
    let batch = Batch::new(VALUES, source, 4).unwrap();
    let parent = std::process::id();
    let loaded = [batch.load(), batch.load(), batch.load()];
    if std::process::id() != parent {
        let own = loaded == [Ok(100), Ok(4), Ok(5)];
        leave(own);
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
    words_are_objects!();

    fn interrupt_period(&self) -> Option<Duration> {
        self.period
    }

    fn interrupted(&self) -> bool {
        if std::process::id() == self.parent && !self.passed.load(Ordering::Relaxed) {
            // SAFETY: the child goes on like the parent, and leaves at the end of the test.
            let child = unsafe { libc::fork() };
            if child != 0 {
                self.passed.store(has_passed(child), Ordering::Relaxed);
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
        leave(own);
    }
    assert_eq!(loaded, [Ok(1), Ok(2)]);
    assert!(host.passed.load(Ordering::Relaxed), "the child got what is its own");
}

pub(super) fn child_or_wait() -> bool {
    // SAFETY: the child goes on like the parent, and leaves at the end of the test.
    let child = unsafe { libc::fork() };
    if child == 0 {
        return true;
    }
    assert!(has_passed(child), "the child got what is its own");
    false
}

#[test]
fn a_child_forgets_threads_that_waited_for_room() {
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
    let options = Options { low_mark: 3, ..Options::default() };
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
