//! A host that runs several fibers on a thread.

mod fillers;

use super::*;
use crate::batch::deadlock::{count_fills, this_thread_fills};
use crate::batch::role::Vacancy;
use std::cell::Cell;
use std::task::Waker;

thread_local! {
    /// The fiber that this thread runs.
    static FIBER: Cell<u64> = const { Cell::new(0) };
}

struct Fibers;

// SAFETY: a word is itself.
unsafe impl Host for Fibers {
    words_are_objects!();

    fn fiber(&self) -> u64 {
        FIBER.get()
    }
}

const FIRST: u64 = 1;
const SECOND: u64 = 2;

/// Numbers that no other test has, for fibers that wait: there is one list of all that do.
fn fibers_of_its_own<const COUNT: usize>() -> [u64; COUNT] {
    static LAST: AtomicUsize = AtomicUsize::new(1000);
    std::array::from_fn(|_| LAST.fetch_add(1, Ordering::Relaxed) as u64)
}

/// Does something as another fiber of this thread.
fn switched_to<R>(fiber: u64, f: impl FnOnce() -> R) -> R {
    let before = FIBER.replace(fiber);
    let result = f();
    FIBER.set(before);
    result
}

/// The outcome of each call that a source made while it made its only result.
type Seen = Arc<Mutex<Vec<Result<usize, LoadError<Infallible>>>>>;

type Numbers = Box<dyn FnMut() -> Result<usize, Infallible> + Send>;

/// A batch whose first call of the source does something with the batch.
fn nested(act: impl Fn(&Batch<Fibers, Numbers>) + Send + 'static) -> Arc<Batch<Fibers, Numbers>> {
    Arc::new_cyclic(|batch: &Weak<Batch<_, _>>| {
        let (batch, mut made) = (batch.clone(), 0);
        let source = move || {
            made += 1;
            if made == 1 {
                act(&batch.upgrade().expect("a load keeps it"));
            }
            Ok(made)
        };
        let source: Numbers = Box::new(source);
        Batch::new(Fibers, source, 1).unwrap()
    })
}

#[test]
fn another_fiber_of_the_thread_does_not_wait_and_is_called() {
    let seen = Seen::default();
    let calls = Arc::new(Calls::default());
    let (noted, waker) = (seen.clone(), Waker::from(calls.clone()));
    let batch = nested(move |batch| {
        let mut noted = noted.lock().unwrap();
        noted.push(batch.load_now());
        switched_to(SECOND, || {
            noted.push(batch.load_now());
            noted.push(batch.load());
            noted.push(batch.load_within(LONG));
            noted.push(batch.prefill(1, 1, None));
            batch.notify(waker.clone()).unwrap();
        });
    });
    assert_eq!(switched_to(FIRST, || batch.load_now()), Ok(1));
    let reentrant = || Err(LoadError::Reentrant);
    assert_eq!(
        *seen.lock().unwrap(),
        [reentrant(), Err(LoadError::WouldWait), reentrant(), reentrant(), reentrant()]
    );
    assert_eq!(calls.0.load(Ordering::Relaxed), 1, "the role is free");
    assert_eq!(batch.stats().waits, 0);
    assert!(!this_thread_fills());
}

/// Counts its calls.
#[derive(Default)]
struct Calls(AtomicUsize);

impl std::task::Wake for Calls {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn fibers_that_wait_for_each_other_are_a_cycle_in_whatever_thread() {
    // The first fiber has begun to fill in another thread, and was moved here. It waits for a batch
    // whose filler waits for it.
    let [first, second] = fibers_of_its_own();
    let (mine, others) =
        (Batch::new(Fibers, counter(), 1).unwrap(), Batch::new(Fibers, counter(), 1).unwrap());
    std::thread::scope(|scope| {
        scope.spawn(|| assert_eq!(mine.role.take_as(first), Ok(Vacancy::Free))).join().unwrap();
        let other = scope.spawn(|| {
            FIBER.set(second);
            assert_eq!(others.role.take_as(second), Ok(Vacancy::Free));
            let loaded = mine.load();
            others.role.give_up();
            loaded
        });
        until(|| mine.parking.sleepers() == 1);
        let loaded = switched_to(first, || others.load_within(Duration::from_secs(1)));
        mine.role.give_up();
        mine.interrupt();
        assert_eq!(other.join().unwrap(), Ok(1));
        assert_eq!(loaded, Err(LoadError::Deadlock));
    });
}

#[test]
fn the_fill_of_a_dead_fiber_is_given_up_with_what_it_made() {
    let batch = Batch::new(Fibers, counter(), 4).unwrap();
    let calls = Arc::new(Calls::default());
    assert_eq!(batch.role.take_as(FIRST), Ok(Vacancy::Free));
    count_fills(1);
    assert!(batch.own.put(70, crate::batch::own::Origin::Fill).is_ok());
    assert_eq!(batch.load_now(), Err(LoadError::WouldWait));
    batch.notify(calls.clone().into()).unwrap();
    // SAFETY: the fibers are not there.
    let abandon = |fiber| unsafe { batch.abandon(fiber) };
    assert_eq!(abandon(SECOND), Ok(false));
    assert_eq!(calls.0.load(Ordering::Relaxed), 0);
    assert_eq!(abandon(FIRST), Ok(true));
    assert_eq!(abandon(FIRST), Ok(false));
    assert_eq!(calls.0.load(Ordering::Relaxed), 1);
    assert!(!this_thread_fills());
    assert_eq!([batch.load(), batch.load()], [Ok(70), Ok(1)]);
}

#[test]
fn a_fill_that_ends_in_another_thread_is_not_counted_there() {
    let batch = Batch::new(Fibers, counter(), 4).unwrap();
    // As if its fiber had been moved.
    std::thread::scope(|scope| {
        scope.spawn(|| assert_eq!(batch.role.take_as(FIRST), Ok(Vacancy::Free))).join().unwrap();
    });
    let fill = crate::batch::fill::Fill::new(&batch, Vacancy::Free).unwrap();
    assert!(this_thread_fills());
    drop(fill);
    assert!(this_thread_fills(), "it counts its own, and this one began elsewhere");
    count_fills(-1);
    assert_eq!(batch.load(), Ok(1));
    assert!(!this_thread_fills());
}
