//! Fibers of a host whose batch has several fillers: each permit is held by a fiber.

use super::*;
use crate::batch::fillers::stint::Stint;
use crate::batch::own::Origin;

const THIRD: u64 = 3;
const FOURTH: u64 = 4;

type Shared = Batch<Fibers, Numbers>;

/// A batch of three fillers, which make 1, 2, 3, ... between them. Each call does something first,
/// and gets the number that it makes.
fn three(act: impl Fn(&Shared, usize) + Send + Sync + 'static) -> Arc<Shared> {
    let (act, made) = (Arc::new(act), Arc::new(AtomicUsize::new(0)));
    Arc::new_cyclic(|batch: &Weak<Shared>| {
        let source = || -> Numbers {
            let (batch, act, made) = (batch.clone(), act.clone(), made.clone());
            Box::new(move || {
                let number = made.fetch_add(1, Ordering::Relaxed) + 1;
                act(&batch.upgrade().expect("a load keeps it"), number);
                Ok(number)
            })
        };
        let options = Options { fill_budget: 1, ..Options::default() };
        Batch::with_fillers(Fibers, vec![source(), source(), source()], 1, options).unwrap()
    })
}

/// Makes `fiber` a filler of the batch, in whose source the thread is from then on.
fn take(batch: &Shared, index: usize, fiber: u64) {
    let permit = batch.permits().nth(index).unwrap();
    assert_eq!(permit.role.take_as(fiber), Ok(Vacancy::Free));
}

fn give_up(batch: &Shared, index: usize) {
    batch.permits().nth(index).unwrap().role.give_up();
}

#[test]
fn fibers_of_a_thread_fill_beside_each_other_and_none_loads_from_within_its_own_fill() {
    let seen = Seen::default();
    let noted = seen.clone();
    let batch = three(move |batch, number| {
        let note = |loaded| noted.lock().unwrap().push(loaded);
        // Though other permits are free.
        note(batch.load());
        note(batch.load_now());
        note(batch.prefill(1, 1, None));
        match number {
            1 => note(switched_to(SECOND, || batch.load())),
            2 => note(switched_to(THIRD, || batch.load())),
            _ => switched_to(FOURTH, || {
                note(batch.load_now());
                note(batch.load());
                note(batch.load_within(LONG));
                note(batch.prefill(1, 1, None));
            }),
        }
    });
    assert_eq!(switched_to(FIRST, || batch.load()), Ok(1));
    let refused = |count| (0..count).map(|_| Err(LoadError::Reentrant));
    let mut expected: Vec<_> = refused(9).collect();
    expected.push(Err(LoadError::WouldWait));
    expected.extend(refused(3));
    expected.extend([Ok(3), Ok(2)]);
    assert_eq!(*seen.lock().unwrap(), expected);
    assert_eq!(batch.stats().waits, 0);
    assert!(!this_thread_fills());
}

#[test]
fn a_fiber_waits_if_one_of_the_fillers_is_in_another_thread() {
    let [first, second, third, fourth] = fibers_of_its_own();
    let batch = three(|_, _| ());
    take(&batch, 0, first);
    take(&batch, 1, second);
    std::thread::scope(|scope| scope.spawn(|| take(&batch, 2, third)).join().unwrap());
    switched_to(fourth, || {
        assert_eq!(batch.load_now(), Err(LoadError::WouldWait));
        assert_eq!(batch.load_within(Duration::from_millis(1)), Err(LoadError::TimedOut));
        assert_eq!(batch.prefill(1, 1, Some(Duration::ZERO)), Ok(0));
        give_up(&batch, 2);
        assert_eq!(batch.load(), Ok(1));
    });
}

#[test]
fn a_fiber_does_not_wait_for_the_last_results_that_its_own_thread_makes() {
    let [first, second, third] = fibers_of_its_own();
    let batch = three(|_, _| ());
    take(&batch, 1, first);
    batch.permits.end();
    switched_to(second, || {
        assert_eq!(batch.load_now(), Err(LoadError::WouldWait));
        assert_eq!(batch.load(), Err(LoadError::Reentrant));
    });
    give_up(&batch, 1);
    std::thread::scope(|scope| scope.spawn(|| take(&batch, 2, third)).join().unwrap());
    let within = Duration::from_millis(1);
    let loaded = switched_to(second, || batch.load_within(within));
    assert_eq!(loaded, Err(LoadError::TimedOut), "another thread makes them");
}

#[test]
fn a_fiber_that_has_moved_is_known_whichever_permit_it_holds() {
    for index in 0..3 {
        let batch = three(|_, _| ());
        std::thread::scope(|scope| scope.spawn(|| take(&batch, index, FIRST)).join().unwrap());
        let [first, second] = [FIRST, SECOND].map(|fiber| switched_to(fiber, || batch.load_now()));
        assert_eq!((first, second), (Err(LoadError::Reentrant), Ok(1)), "{index}");
    }
}

#[test]
fn a_fill_of_several_that_ends_in_another_thread_is_not_counted_there() {
    let batch = three(|_, _| ());
    // As if its fiber had been moved.
    std::thread::scope(|scope| scope.spawn(|| take(&batch, 1, FIRST)).join().unwrap());
    let permit = batch.permits().nth(1).unwrap();
    let stint = Stint::new(&batch, permit, Vacancy::Free).unwrap();
    drop(stint);
    assert!(this_thread_fills(), "it counts its own, and this one began elsewhere");
    count_fills(-1);
    assert!(permit.role.is_free());
    assert_eq!(batch.load(), Ok(1));
    assert!(!this_thread_fills());
}

#[test]
fn all_fillers_that_wait_for_a_moved_fiber_are_a_cycle_and_fewer_are_not() {
    for third_waits in [true, false] {
        // One filler of `mine` has begun in another thread and is here. The others are in a thread
        // that fills another batch and waits for this one, or one of them in a thread that goes on.
        let [first, second, third, fourth] = fibers_of_its_own();
        let (mine, others) = (three(|_, _| ()), Batch::new(Fibers, counter(), 1).unwrap());
        std::thread::scope(|scope| {
            scope.spawn(|| take(&mine, 0, first)).join().unwrap();
            if !third_waits {
                scope.spawn(|| take(&mine, 2, fourth)).join().unwrap();
            }
            let other = scope.spawn(|| {
                take(&mine, 1, third);
                if third_waits {
                    take(&mine, 2, fourth);
                }
                FIBER.set(second);
                assert_eq!(others.role.take_as(second), Ok(Vacancy::Free));
                let loaded = mine.load();
                others.role.give_up();
                loaded
            });
            until(|| mine.parking.sleepers() == 1);
            let timeout = Duration::from_millis(if third_waits { 1000 } else { 1 });
            let loaded = switched_to(first, || others.load_within(timeout));
            give_up(&mine, 0);
            mine.interrupt();
            assert_eq!(other.join().unwrap(), Ok(1));
            let none = if third_waits { LoadError::Deadlock } else { LoadError::TimedOut };
            assert_eq!(loaded, Err(none));
        });
    }
}

#[test]
fn the_permit_of_a_dead_fiber_is_given_up_whichever_it_was() {
    for dead in 0..3 {
        let batch = three(|_, _| ());
        let calls = Arc::new(Calls::default());
        let fibers = [FIRST, SECOND, THIRD];
        for (index, fiber) in fibers.into_iter().enumerate() {
            take(&batch, index, fiber);
        }
        count_fills(1);
        let own = batch.permits().nth(dead).unwrap().own;
        assert!(own.put(70, Origin::Fill).is_ok());
        assert_eq!(batch.load_now(), Err(LoadError::WouldWait));
        batch.notify(calls.clone().into()).unwrap();
        // SAFETY: the fibers are not there.
        let abandon = |fiber| unsafe { batch.abandon(fiber) };
        assert_eq!(abandon(FOURTH), Ok(false));
        assert_eq!(calls.0.load(Ordering::Relaxed), 0);
        assert_eq!(abandon(fibers[dead]), Ok(true));
        assert_eq!(abandon(fibers[dead]), Ok(false));
        assert_eq!(calls.0.load(Ordering::Relaxed), 1);
        assert!(!this_thread_fills());
        let free: Vec<_> = batch.permits().map(|permit| permit.role.is_free()).collect();
        assert_eq!(free, [0, 1, 2].map(|index| index == dead));
        assert_eq!([batch.load(), batch.load()], [Ok(70), Ok(1)]);
    }
}
