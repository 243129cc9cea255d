//! Who waits, and for what.

use super::super::waits::Interruptible;
use super::*;

#[test]
fn a_thread_waits_only_while_no_permit_is_free() {
    let held = Arc::new(Held::default());
    let options = Options { fill_budget: 1, ..Options::default() };
    let batch = several(2, held.source(usize::MAX), 4, options);
    std::thread::scope(|scope| {
        let loaders = [(); 2].map(|()| scope.spawn(|| batch.load().unwrap()));
        held.await_inside(2);
        assert_eq!(batch.load_now(), Err(LoadError::WouldWait));
        assert_eq!(batch.load_within(Duration::from_millis(1)), Err(LoadError::TimedOut));
        assert_eq!(batch.try_load(), Ok(None));
        let called = Arc::new(Flag::default());
        batch.notify(called.clone().into()).unwrap();
        assert!(!called.is_up());
        held.allow(1);
        until(|| called.is_up());
        held.allow(3);
        assert_eq!(batch.load_now(), Ok(3), "one permit is free");
        let mut all = loaders.map(|loader| loader.join().unwrap()).to_vec();
        all.push(3);
        assert_exact(all);
    });
    assert_balanced(&batch);
}

#[derive(Default)]
struct Flag(AtomicBool);

impl Flag {
    fn is_up(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl std::task::Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

#[test]
fn a_result_made_for_others_wakes_one_that_waits() {
    let held = Arc::new(Held::default());
    let options = Options { fill_budget: 3, ..Options::default() };
    let batch = several(2, held.source(usize::MAX), 4, options);
    std::thread::scope(|scope| {
        let loaders = [(); 2].map(|()| scope.spawn(|| batch.load().unwrap()));
        held.let_each_keep_one(&batch);
        let third = scope.spawn(|| batch.load().unwrap());
        until(|| batch.parking.sleepers() == 1);
        // One of the two makes its second, and both still run the source after that.
        held.allow(3);
        assert_eq!(third.join().unwrap(), 3);
        held.await_inside(2);
        held.allow(usize::MAX);
        let own = loaders.map(|loader| loader.join().unwrap());
        assert_exact(own.to_vec());
    });
    assert_balanced(&batch);
}

#[test]
fn a_thread_that_waits_for_a_permit_can_be_interrupted() {
    let host = Interruptible::default();
    let inside = Arc::new(Barrier::new(3));
    let (entered, over) = (Arc::clone(&inside), Arc::new(Barrier::new(3)));
    let ends = Arc::clone(&over);
    let source = move || {
        entered.wait();
        ends.wait();
        Ok::<_, Infallible>(1)
    };
    // Each load calls the source once, however quick that was.
    let options = Options { fill_budget: 1, ..Options::default() };
    let batch = Batch::with_fillers(&host, vec![source; 2], 4, options).unwrap();
    std::thread::scope(|scope| {
        let loaders = [(); 2].map(|()| scope.spawn(|| batch.load()));
        inside.wait();
        let waiter = scope.spawn(|| batch.load());
        until(|| host.waits.load(Ordering::Relaxed) > 0);
        host.stop.store(true, Ordering::Relaxed);
        assert_eq!(waiter.join().unwrap(), Err(LoadError::Interrupted));
        over.wait();
        assert_eq!(loaders.map(|loader| loader.join().unwrap()), [Ok(1), Ok(1)]);
    });
}

#[test]
fn a_source_that_loads_from_its_own_batch_is_refused_though_a_permit_is_free() {
    let place: Arc<OnceLock<Weak<Tested>>> = Arc::default();
    let own = Arc::clone(&place);
    let source = one(usize::MAX, move |_| {
        let batch = own.get().unwrap().upgrade().unwrap();
        assert_eq!(batch.load(), Err(LoadError::Reentrant));
        assert_eq!(batch.prefill(1, 1, None), Err(LoadError::Reentrant));
        Err("refused")
    });
    let batch = Arc::new(several(2, source, 4, Options::default()));
    place.set(Arc::downgrade(&batch)).unwrap();
    assert_eq!(batch.load(), Err(LoadError::Source("refused")));
}

type Feed = Box<dyn FnMut() -> Result<usize, String> + Send>;
type Fed = Batch<Native<usize>, Feed>;

/// A batch of two fillers, and one of a single filler, which loads from it. Of the two fillers, one
/// loads from the other batch, and one does what `second` says. The first calls of the three begin
/// together.
fn fed_by_each_other(
    mut second: impl FnMut(&Fed) -> Result<usize, String> + Send + 'static,
) -> [Arc<Fed>; 2] {
    let place: Arc<OnceLock<[Weak<Fed>; 2]>> = Arc::default();
    let begun = Arc::new(AtomicUsize::new(0));
    let other = |index: usize| {
        let (place, begun) = (Arc::clone(&place), Arc::clone(&begun));
        move || {
            begun.fetch_add(1, Ordering::Relaxed);
            until(|| begun.load(Ordering::Relaxed) >= 3);
            place.get().unwrap()[index].upgrade().unwrap()
        }
    };
    let load = |batch: Arc<Fed>| batch.load().map_err(|error| error.to_string());
    let (from_single, from_single_too, from_several) = (other(1), other(1), other(0));
    let first: Feed = Box::new(move || load(from_single()));
    let second: Feed = Box::new(move || second(&from_single_too()));
    let single: Feed = Box::new(move || load(from_several()));
    let several = Fed::with_fillers(VALUES, vec![first, second], 1, Options::default());
    let batches = [Arc::new(several.unwrap()), Arc::new(Fed::new(VALUES, single, 1).unwrap())];
    let weak = [Arc::downgrade(&batches[0]), Arc::downgrade(&batches[1])];
    assert!(place.set(weak).is_ok());
    batches
}

/// What a load of each filler's thread comes to, after `meanwhile`.
fn load_in_three(
    [several, single]: &[Arc<Fed>; 2],
    meanwhile: impl FnOnce(),
) -> [Result<usize, LoadError<String>>; 3] {
    std::thread::scope(|scope| {
        let loaders = [several, several, single].map(|batch| scope.spawn(|| batch.load()));
        meanwhile();
        loaders.map(|loader| loader.join().unwrap())
    })
}

#[test]
fn a_cycle_through_all_fillers_of_a_batch_is_a_deadlock() {
    let batches = fed_by_each_other(|other| other.load().map_err(|error| error.to_string()));
    let loaded = load_in_three(&batches, || ());
    let is_deadlock = |error: &String| error.contains("the wait would never end");
    let found = |loaded: &Result<usize, LoadError<String>>| matches!(loaded, Err(LoadError::Source(error)) if is_deadlock(error));
    assert!(loaded.iter().any(found), "{loaded:?}");
}

#[test]
fn a_batch_of_which_one_filler_goes_on_is_waited_for() {
    let (go_on, told) = mpsc::channel::<()>();
    let mut first = true;
    let batches = fed_by_each_other(move |_| {
        if std::mem::take(&mut first) {
            told.recv().unwrap();
        }
        Ok(7)
    });
    let [several, single] = &batches;
    let loaded = load_in_three(&batches, || {
        // Two wait for another batch, of which the third is a filler.
        until(|| several.parking.sleepers() == 1 && single.parking.sleepers() == 1);
        go_on.send(()).unwrap();
    });
    let good = loaded.iter().filter(|loaded| **loaded == Ok(7)).count();
    assert!(good >= 2, "{loaded:?}");
}
