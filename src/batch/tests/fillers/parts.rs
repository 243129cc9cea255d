//! What each step of several fillers does, where threads that happen to do it too would hide it.

use super::*;
use crate::batch::fillers::room_for;
use crate::batch::own::Origin;
use crate::batch::role::NO_FIBER;

#[test]
fn there_is_room_for_what_is_ready_and_for_a_fill_of_each_source() {
    assert_eq!(
        [(1, 5), (2, 5), (3, 7)].map(|(sources, size)| room_for(sources, size).ok()),
        [Some(5), Some(15), Some(28)]
    );
    assert!(room_for(2, usize::MAX / 2).is_err());
}

#[test]
fn a_thread_that_fills_would_stop_itself_only_if_no_other_can_fill() {
    let batch = several(2, one(9, Ok), 4, Options::default());
    let [mine, other] = [0, 1].map(|number| batch.permits().nth(number).unwrap());
    assert!(!batch.is_stopped_by_a_wait_of(NO_FIBER));
    mine.role.take().unwrap();
    assert!(!batch.is_stopped_by_a_wait_of(NO_FIBER), "the other permit is free");
    batch.permits.end();
    assert!(batch.is_stopped_by_a_wait_of(NO_FIBER), "it is not used any more");
    std::thread::scope(|scope| scope.spawn(|| other.role.take().unwrap()).join().unwrap());
    assert!(!batch.is_stopped_by_a_wait_of(NO_FIBER), "another thread still fills");
}

#[test]
fn results_whose_slots_are_not_wiped_yet_are_kept_beside_the_queue() {
    let options = Options { wipe: true, ..Options::default() };
    let batch = several(2, one(0, Ok), 1, options);
    batch.publish(&[1]);
    // As a thread that has taken it and not yet wiped its slot.
    assert_eq!(batch.queue.claim(), Some((1, 0)));
    batch.publish(&[2, 3, 4]);
    batch.publish(&[5]);
    assert_eq!((batch.queue.len(), batch.returned.len()), (3, 1));
    let mut all = rest(&batch);
    all.sort_unstable();
    assert_eq!(all, [2, 3, 4, 5]);
}

#[test]
fn a_thread_that_takes_a_permit_wakes_another_for_the_next() {
    let held = Arc::new(Held::default());
    let batch = several(2, held.source(2), 4, Options::default());
    batch.permits().for_each(|permit| _ = permit.role.take().unwrap());
    std::thread::scope(|scope| {
        let loaders = [(); 2].map(|()| scope.spawn(|| batch.load()));
        until(|| batch.parking.sleepers() == 2);
        batch.permits().for_each(|permit| permit.role.give_up());
        batch.wake_waiters(1);
        held.await_inside(2);
        held.allow(2);
        let all = loaders.map(|loader| loader.join().unwrap().unwrap());
        assert_exact(all.to_vec());
    });
}

#[test]
fn what_fillers_that_are_gone_had_made_for_themselves_is_anybodys() {
    let batch = several(3, one(0, Ok), 4, Options::default());
    for (permit, number) in batch.permits().zip(1..) {
        permit.own.put(number, Origin::Fill).unwrap();
    }
    batch.permits().nth(1).unwrap().role.take().unwrap();
    batch.keep_what_fillers_left();
    let all: Vec<_> = std::iter::from_fn(|| batch.take_returned()).collect();
    assert_eq!(all, [1, 3], "the second is still being filled");
}

#[test]
fn all_threads_that_sleep_learn_of_the_end() {
    let held = Arc::new(Held::default());
    let batch = several(2, held.source(2), 4, Options::default());
    std::thread::scope(|scope| {
        let fillers = [(); 2].map(|()| scope.spawn(|| batch.load()));
        held.await_inside(2);
        let sleepers = [(); 3].map(|()| scope.spawn(|| batch.load()));
        until(|| batch.parking.sleepers() == 3);
        held.allow(2);
        assert_exact(fillers.map(|filler| filler.join().unwrap().unwrap()).to_vec());
        let all = sleepers.map(|sleeper| sleeper.join().unwrap());
        assert_eq!(all, [Err(LoadError::Ended); 3]);
    });
}

/// Makes so many results in each call in turn, and then none.
fn in_turn(
    counts: &'static [usize],
) -> Bulk<impl FnMut(&mut Slots<'_, Native<usize>>) -> Result<(), &'static str>> {
    let (mut made, mut counts) = (0, counts.iter());
    Bulk(move |slots: &mut Slots<'_, Native<usize>>| {
        for _ in 0..*counts.next().unwrap_or(&0) {
            made += 1;
            slots.push(made);
        }
        Ok(())
    })
}

#[test]
fn a_fill_that_has_made_something_ends_well_when_the_source_makes_nothing() {
    let loaded = |counts| {
        let sources = vec![in_turn(counts), in_turn(counts)];
        Batch::with_fillers(VALUES, sources, 8, whole_fills(8)).unwrap().load()
    };
    assert_eq!(loaded(&[2]), Ok(1));
    assert_eq!(loaded(&[]), Err(LoadError::NothingProduced));
}

/// A host that wants the source to stop.
struct Impatient;

// SAFETY: a word is itself.
unsafe impl Host for Impatient {
    words_are_objects!();

    fn interrupted(&self) -> bool {
        true
    }
}

/// Makes a result in each call, one by one or in bulk.
struct EachCall {
    bulk: bool,
    made: usize,
}

impl crate::source::Source<Impatient> for EachCall {
    type Error = Infallible;

    fn run(&mut self, filler: impl Filler<Impatient, Infallible>) -> Filled {
        let made = &mut self.made;
        let mut make = || {
            *made += 1;
            *made
        };
        if self.bulk {
            filler.many(|_, slots| {
                slots.push(make());
                Ok(())
            })
        } else {
            filler.one_by_one(|_| Ok(Some(Made::new(make()))))
        }
    }
}

#[test]
fn a_long_fill_asks_the_host_whether_to_stop() {
    for bulk in [false, true] {
        let sources = vec![EachCall { bulk, made: 0 }, EachCall { bulk, made: 0 }];
        let batch = Batch::with_fillers(Impatient, sources, 100, whole_fills(100)).unwrap();
        assert_eq!(batch.load(), Err(LoadError::Interrupted));
        assert_eq!(batch.len(), 64);
    }
}

#[test]
fn a_fill_in_bulk_ends_when_its_source_closes_the_batch() {
    type Closing = Batch<Native<usize>, Bulk<Box<dyn Calls>>>;
    for fillers in [1, 2] {
        let weak: Arc<OnceLock<Weak<Closing>>> = Arc::default();
        let calls = Arc::new(AtomicUsize::new(0));
        let source = || {
            let (own, calls) = (Arc::clone(&weak), Arc::clone(&calls));
            let call: Box<dyn Calls> = Box::new(move |slots: &mut Slots<'_, Native<usize>>| {
                own.get().unwrap().upgrade().unwrap().close().unwrap();
                slots.push(calls.fetch_add(1, Ordering::Relaxed) + 1);
                Ok(())
            });
            Bulk(call)
        };
        let sources = (0..fillers).map(|_| source()).collect();
        let batch = Batch::with_fillers(VALUES, sources, 8, whole_fills(8)).unwrap();
        let batch = Arc::new(batch);
        assert!(weak.set(Arc::downgrade(&batch)).is_ok());
        assert_eq!((batch.load(), calls.load(Ordering::Relaxed)), (Ok(1), 1));
    }
}

trait Calls: FnMut(&mut Slots<'_, Native<usize>>) -> Result<(), &'static str> + Send {}

impl<F: FnMut(&mut Slots<'_, Native<usize>>) -> Result<(), &'static str> + Send> Calls for F {}
