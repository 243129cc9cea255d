//! Sources that fork in the middle of a load.

use super::forks::{child_or_wait, has_passed, leave};
use super::notify::with_a_filler;
use super::*;

/// Forks at call `at`, and counts from 100 on in the child. The parent waits for the child, and
/// expects it to leave with 0.
fn forking(at: usize) -> impl FnMut() -> Result<Box<usize>, Infallible> + Send {
    let (mut made, mut at) = (0, Some(at));
    move || {
        made += 1;
        if at.take_if(|at| *at == made).is_some() {
            // SAFETY: the child goes on like the parent, and leaves at the end of the test.
            let child = unsafe { libc::fork() };
            if child == 0 {
                made = 100;
            } else {
                assert!(has_passed(child), "the child got what is its own");
            }
        }
        Ok(Box::new(made))
    }
}

type Boxes = Native<Box<usize>>;

/// In the child: checks, says so to the parent, and is gone.
pub(super) fn leave_if_child(parent: u32, check: impl FnOnce()) {
    if std::process::id() != parent {
        let passed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(check)).is_ok();
        leave(passed);
    }
}

fn values(boxes: &[Box<usize>]) -> Vec<usize> {
    boxes.iter().map(|value| **value).collect()
}

#[test]
fn a_load_of_many_in_whose_middle_the_source_forks_gives_the_child_its_own_only() {
    // In the first claim of several, and after it.
    for (at, count) in [(2, 8), (6, 8), (70, 80), (120, 130)] {
        let batch = Batch::new(Boxes::new(), forking(at), 4).unwrap();
        let (parent, mut results) = (std::process::id(), vec![Box::new(7777)]);
        batch.load_many(count, None, &mut results).unwrap();
        leave_if_child(parent, || {
            let own: Vec<_> = [7777].into_iter().chain(100..100 + count).collect();
            assert_eq!(values(&results), own, "fork at call {at}");
            assert_balanced(&batch);
        });
        let all: Vec<_> = [7777].into_iter().chain(1..=count).collect();
        assert_eq!(values(&results), all);
        assert_balanced(&batch);
    }
}

#[test]
fn a_fill_that_forks_begins_again_in_the_child_and_goes_on_in_the_parent() {
    let batch = Batch::with_options(Boxes::new(), forking(3), 4, whole_fills(4)).unwrap();
    let (parent, loaded) = (std::process::id(), *batch.load().unwrap());
    leave_if_child(parent, || assert_eq!((loaded, batch.len()), (100, 3)));
    assert_eq!((loaded, batch.len()), (1, 3));
}

#[test]
fn one_of_several_fills_that_forks_begins_again_in_the_child() {
    let sources = vec![forking(3), forking(usize::MAX)];
    let batch = Batch::with_fillers(Boxes::new(), sources, 4, whole_fills(4)).unwrap();
    let (parent, loaded) = (std::process::id(), *batch.load().unwrap());
    leave_if_child(parent, || assert_eq!((loaded, batch.len()), (100, 3)));
    assert_eq!((loaded, batch.len()), (1, 3));
}

#[test]
fn one_of_several_fills_that_forks_goes_on_in_a_child_that_keeps_results() {
    let sources = vec![forking(3), forking(usize::MAX)];
    let options = Options { on_fork: ForkPolicy::Keep, ..whole_fills(4) };
    let batch = Batch::with_fillers(Boxes::new(), sources, 4, options).unwrap();
    let parent = std::process::id();
    let loaded = [(); 4].map(|()| *batch.load().unwrap());
    leave_if_child(parent, || assert_eq!((loaded, batch.len()), ([1, 2, 100, 101], 0)));
    assert_eq!((loaded, batch.len()), ([1, 2, 3, 4], 0));
}

#[test]
fn a_load_of_many_in_whose_middle_the_source_forks_keeps_what_the_policy_says() {
    let options = Options { on_fork: ForkPolicy::Keep, ..Options::default() };
    let batch = Batch::with_options(Boxes::new(), forking(6), 4, options).unwrap();
    let (parent, mut results) = (std::process::id(), Vec::new());
    batch.load_many(8, None, &mut results).unwrap();
    leave_if_child(parent, || assert_eq!(values(&results), [1, 2, 3, 4, 5, 100, 101, 102]));
    assert_eq!(values(&results), (1..=8).collect::<Vec<_>>());
}

#[test]
fn a_source_that_forks_is_called_no_more_in_a_child_that_may_not_use_the_batch() {
    let options = Options { on_fork: ForkPolicy::Error, ..Options::default() };
    for at in [1, 3] {
        let batch = Batch::with_options(Boxes::new(), forking(at), 1000, options).unwrap();
        let parent = std::process::id();
        let loaded = batch.load();
        leave_if_child(parent, || {
            assert!(matches!(loaded, Err(LoadError::Forked)), "{loaded:?}");
            assert!(batch.stats().produced <= at as u64, "{:?}", batch.stats());
        });
        assert_eq!(*loaded.unwrap(), 1);
        let many = batch.load_many(3, None, &mut Vec::new());
        assert_eq!(many, Ok(()));
    }
}

#[test]
fn a_source_that_forks_and_fails_says_so_in_both() {
    let options = Options { on_fork: ForkPolicy::Error, ..Options::default() };
    let mut forks = forking(1);
    let source = move || forks().map_err(|_| "").and(Err::<Box<usize>, _>("failed"));
    let batch = Batch::with_options(Boxes::new(), source, 4, options).unwrap();
    let parent = std::process::id();
    let loaded = batch.load();
    leave_if_child(parent, || {
        assert!(matches!(loaded, Err(LoadError::Source("failed"))), "{loaded:?}");
        assert!(matches!(batch.load(), Err(LoadError::Forked)));
    });
    assert!(matches!(loaded, Err(LoadError::Source("failed"))), "{loaded:?}");
}

/// Forks when it is called.
struct ForksWhenWoken;

impl std::task::Wake for ForksWhenWoken {
    fn wake(self: Arc<Self>) {
        child_or_wait();
    }
}

#[test]
fn a_result_in_hand_while_the_host_forks_is_the_parents() {
    let policies = [
        (ForkPolicy::Discard, Ok(2)),
        (ForkPolicy::Keep, Ok(1)),
        (ForkPolicy::Error, Err(LoadError::Forked)),
    ];
    for (way, (on_fork, in_child)) in (0..3).flat_map(|way| policies.map(|policy| (way, policy))) {
        // The host is called when the fill is over.
        let options = Options { on_fork, fill_budget: 1, ..Options::default() };
        let batch = Batch::with_options(VALUES, counter(), 8, options).unwrap();
        with_a_filler(&batch, || _ = batch.notify(Arc::new(ForksWhenWoken).into()).unwrap());
        let (parent, mut cursor) = (std::process::id(), batch.cursor().unwrap());
        let loaded = match way {
            0 => batch.load(),
            1 => batch.load_now(),
            _ => cursor.next(),
        };
        leave_if_child(parent, || {
            assert_eq!(loaded, in_child, "way {way}, {on_fork:?}");
            drop(cursor);
            assert_balanced(&batch);
        });
        assert_eq!(loaded, Ok(1));
    }
}
