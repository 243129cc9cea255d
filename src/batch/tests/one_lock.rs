//! Hosts with one lock: when a woken thread comes into the runtime, and when one that has filled
//! leaves it for others.

use super::super::load::Patience;
use super::super::one_lock::Times;
use super::forks::passes_in_child;
use super::*;
use crate::sync::Ordering::Relaxed;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Longer than anything waits for this test.
const NEVER: Duration = Duration::from_secs(60 * 60);
const AT_ONCE: Duration = Duration::ZERO;

/// A woken thread stays outside until it is let in, and is so after each fill.
const PATIENT: Times = Times {
    slow_call: NEVER,
    first_look: NEVER,
    longest: NEVER,
    turn: AT_ONCE,
    shortest_fill: AT_ONCE,
};

/// A host with one lock, though none is taken here. It counts how often threads leave it and come
/// back, and unwinds out of a way back if it is asked to.
#[derive(Default)]
pub(super) struct Locked {
    left: AtomicUsize,
    came_back: AtomicUsize,
    unwinds_at: AtomicUsize,
}

impl Locked {
    fn passages(&self) -> [usize; 2] {
        [self.left.load(Relaxed), self.came_back.load(Relaxed)]
    }
}

// SAFETY: the word is the object.
unsafe impl Host for &Locked {
    words_are_objects!();

    fn block(&self, wait: &mut dyn FnMut()) {
        self.left.fetch_add(1, Relaxed);
        wait();
        let number = self.came_back.fetch_add(1, Relaxed) + 1;
        if number == self.unwinds_at.load(Relaxed) {
            resume_unwind(Box::new(()));
        }
    }

    fn has_one_lock(&self) -> bool {
        true
    }
}

/// 1, 2, 3, ..., each when the test says so. It ends when the test does not any more.
struct Told(mpsc::Receiver<()>, usize);

impl<'a> Source<&'a Locked> for Told {
    type Error = Infallible;

    fn run(&mut self, filler: impl Filler<&'a Locked, Infallible>) -> Filled {
        filler.one_by_one(|_| {
            self.1 += 1;
            Ok(self.0.recv().is_ok().then(|| Made::new(self.1)))
        })
    }
}

type Tested<'a> = Batch<&'a Locked, Told>;

const SIZE: usize = 4;

/// A batch whose fills make four results, and whose source was quick until now.
fn batch<'a>(host: &'a Locked, times: Times) -> (mpsc::Sender<()>, Tested<'a>) {
    let (tell, told) = mpsc::channel();
    let options = whole_fills(SIZE);
    let mut batch = Batch::with_options(host, Told(told, 0), SIZE, options).unwrap();
    batch.one_lock.times = times;
    batch.one_lock.shared.is_quick.store(true, Relaxed);
    (tell, batch)
}

/// One thread fills, which has made its own result and one more, and another was woken for that.
/// `then` goes on. Returns what the two have loaded.
fn with_one_woken<'a>(
    host: &'a Locked,
    times: Times,
    then: impl FnOnce(&Tested<'a>, &mpsc::Sender<()>),
) -> [Result<usize, LoadError<Infallible>>; 2] {
    let (tell, batch) = batch(host, times);
    std::thread::scope(|scope| {
        let filler = scope.spawn(|| batch.load());
        until(|| !batch.role.is_free());
        let sleeper = scope.spawn(|| batch.load());
        until(|| batch.parking.sleepers() == 1);
        tell.send(()).unwrap();
        tell.send(()).unwrap();
        until(|| batch.parking.sleepers() == 0);
        then(&batch, &tell);
        drop(tell);
        [filler, sleeper].map(|thread| thread.join().unwrap())
    })
}

#[test]
fn a_woken_thread_stays_outside_until_the_filler_lets_it_in() {
    loop {
        let (host, mut came_at_once) = (Locked::default(), false);
        let loads = with_one_woken(&host, PATIENT, |batch, tell| {
            until(|| batch.one_lock.lingering.sleepers() == 1 || host.passages()[1] > 0);
            if host.passages()[1] > 0 {
                // It found the result in its last look before it slept, and was not woken.
                came_at_once = true;
                return;
            }
            tell.send(()).unwrap();
            until(|| batch.len() == 2);
            assert_eq!(host.passages(), [1, 0], "it was woken for all that is made");
            tell.send(()).unwrap();
        });
        assert_eq!(loads, [Ok(1), Ok(2)]);
        if !came_at_once {
            assert_eq!(host.passages(), [2, 2], "each of the two went out and came in once");
            return;
        }
    }
}

#[test]
fn a_filler_lets_others_in_only_when_it_is_their_turn() {
    let host = Locked::default();
    let times = Times { turn: NEVER, ..PATIENT };
    let loads = with_one_woken(&host, times, |batch, tell| {
        until(|| batch.one_lock.lingering.sleepers() == 1 || host.passages()[1] > 0);
        tell.send(()).unwrap();
        tell.send(()).unwrap();
        until(|| batch.role.is_free());
        // Nobody fills any more: it goes in when it looks.
        batch.one_lock.lingering.wake_all();
    });
    assert_eq!(loads, [Ok(1), Ok(2)]);
    assert_eq!(host.passages(), [1, 1], "the filler has stayed inside");
}

/// The source makes no third result before the woken thread has the second, and fills after that.
fn goes_in_although_another_fills(times: Times) {
    let host = Locked::default();
    let loads = with_one_woken(&host, times, |batch, tell| {
        until(|| batch.queue.taken() == 1);
        assert!(!batch.role.is_free());
        tell.send(()).unwrap();
    });
    assert_eq!(loads, [Ok(1), Ok(2)], "{:?}", host.passages());
}

#[test]
fn a_woken_thread_goes_in_if_the_source_blocks() {
    let first_look = Duration::from_millis(1);
    // As with the usual times, no matter how loaded the machine is.
    goes_in_although_another_fills(Times { slow_call: AT_ONCE, first_look, ..PATIENT });
}

#[test]
fn a_woken_thread_does_not_stay_outside_for_long() {
    goes_in_although_another_fills(Times { longest: AT_ONCE, ..PATIENT });
    let first_look = Duration::from_millis(1);
    goes_in_although_another_fills(Times { longest: first_look, first_look, ..PATIENT });
}

#[test]
fn a_woken_thread_goes_in_at_once_if_the_source_was_slow() {
    let host = Locked::default();
    let (tell, batch) = batch(&host, Times { slow_call: AT_ONCE, ..PATIENT });
    (0..SIZE).for_each(|_| tell.send(()).unwrap());
    assert_eq!(batch.load(), Ok(1));
    assert_eq!(rest(&batch), [2, 3, 4]);
    std::thread::scope(|scope| {
        let filler = scope.spawn(|| batch.load());
        until(|| !batch.role.is_free());
        let sleeper = scope.spawn(|| batch.load());
        until(|| batch.parking.sleepers() == 1);
        tell.send(()).unwrap();
        tell.send(()).unwrap();
        assert_eq!(sleeper.join().unwrap(), Ok(6));
        drop(tell);
        assert_eq!(filler.join().unwrap(), Ok(5));
    });
}

#[test]
fn the_pace_of_a_fill_is_noted() {
    let paces = [(NEVER, AT_ONCE, true), (AT_ONCE, AT_ONCE, false), (NEVER, NEVER, false)];
    for (slow_call, shortest_fill, quick) in paces {
        let host = Locked::default();
        let (tell, batch) = batch(&host, Times { slow_call, shortest_fill, ..PATIENT });
        batch.one_lock.shared.is_quick.store(!quick, Relaxed);
        (0..SIZE).for_each(|_| tell.send(()).unwrap());
        assert_eq!(batch.load(), Ok(1));
        assert_eq!(batch.one_lock.shared.is_quick.load(Relaxed), quick);
    }
}

#[test]
fn a_filler_stays_inside_if_nobody_waits_or_if_it_may_not() {
    let host = Locked::default();
    let (tell, batch) = batch(&host, PATIENT);
    (0..4 * SIZE).for_each(|_| tell.send(()).unwrap());
    let load_all = |load: &dyn Fn() -> Result<usize, LoadError<Infallible>>| {
        assert!(load().is_ok());
        assert_eq!(rest(&batch).len(), SIZE - 1);
    };
    load_all(&|| batch.load());
    assert_eq!(host.passages(), [0, 0]);
    let outside = batch.one_lock.count_as_outside();
    load_all(&|| batch.load_now());
    load_all(&|| batch.load_within(AT_ONCE));
    assert_eq!(host.passages()[0], 1, "it went out, and was back at once");
    drop(outside);
    load_all(&|| batch.load());
    assert_eq!(host.passages()[0], 1);
}

#[test]
fn a_child_that_has_not_adopted_the_batch_leaves_its_parents_door_alone() {
    let host = Locked::default();
    let (_tell, batch) = batch(&host, PATIENT);
    let door = &batch.one_lock.door;
    std::thread::scope(|scope| {
        scope.spawn(|| batch.one_lock.wait_at_the_door(None, || false));
        until(|| door.sleepers() == 1);
        let left_alone = passes_in_child(|| {
            batch.say_that_one_is_in();
            assert_eq!(door.sleepers(), 1);
        });
        batch.say_that_one_is_in();
        assert!(left_alone);
    });
}

#[test]
fn a_filler_does_not_wait_for_another_thread_that_is_in_already() {
    let host = Locked::default();
    let (_tell, batch) = batch(&host, PATIENT);
    let _outside = batch.one_lock.count_as_outside();
    // As another thread, between the end of the fill and now.
    batch.role.take().unwrap();
    assert_eq!(batch.let_others_in(7, Patience::Unlimited), Ok(Some(7)));
    assert_eq!(host.passages(), [1, 1]);
    batch.role.give_up();
}

#[test]
fn a_filler_that_makes_more_ahead_lets_others_in_too() {
    let host = Locked::default();
    let (tell, told) = mpsc::channel();
    let options = Options { low_mark: SIZE, ..whole_fills(SIZE) };
    let mut batch = Batch::with_options(&host, Told(told, 0), SIZE, options).unwrap();
    batch.one_lock.times = PATIENT;
    (0..2 * SIZE).for_each(|_| tell.send(()).unwrap());
    assert_eq!(batch.load(), Ok(1));
    let _outside = batch.one_lock.count_as_outside();
    assert_eq!(batch.load_within(AT_ONCE), Ok(2));
    assert_eq!(host.passages(), [1, 1]);
}

#[test]
fn a_host_that_unwinds_when_a_filler_comes_back_leaves_nothing_behind() {
    let host = Locked::default();
    host.unwinds_at.store(1, Relaxed);
    let (tell, batch) = batch(&host, PATIENT);
    (0..SIZE).for_each(|_| tell.send(()).unwrap());
    std::thread::scope(|scope| {
        let outside = batch.one_lock.count_as_outside();
        let filler = scope.spawn(|| catch_unwind(AssertUnwindSafe(|| batch.load())).is_err());
        until(|| batch.one_lock.door.sleepers() == 1);
        drop(outside);
        batch.one_lock.let_the_door_go();
        assert!(filler.join().unwrap(), "it has unwound");
    });
    assert!(!batch.one_lock.somebody_is_outside());
    assert_eq!(rest(&batch), [2, 3, 4]);
    drop(tell);
    assert_eq!(batch.load(), Err(LoadError::Ended));
}

#[test]
fn a_child_does_not_wait_for_threads_of_its_parent() {
    let host = Locked::default();
    let (tell, batch) = batch(&host, Times { longest: AT_ONCE, ..PATIENT });
    (0..SIZE).for_each(|_| tell.send(()).unwrap());
    let outside = batch.one_lock.count_as_outside();
    let passes = passes_in_child(|| {
        assert_eq!(batch.load(), Ok(1));
        drop(outside);
        assert!(!batch.one_lock.somebody_is_outside());
        assert_eq!(host.passages(), [0, 0]);
    });
    assert!(passes);
}

/// A host without a lock that prefers whole fills, or does not.
struct Free {
    whole_fills: bool,
}

// SAFETY: the word is the object.
unsafe impl Host for Free {
    words_are_objects!();

    fn prefers_whole_fills(&self) -> bool {
        self.whole_fills
    }
}

#[test]
fn a_thread_of_a_host_that_prefers_whole_fills_waits_for_the_end_of_one() {
    let (go_on, source) = waits_from(1);
    let host = Free { whole_fills: true };
    let mut batch = Batch::with_options(host, source, SIZE, whole_fills(SIZE)).unwrap();
    batch.one_lock.times = PATIENT;
    batch.one_lock.shared.is_quick.store(true, Relaxed);
    let (report, results) = mpsc::channel();
    let lingers = std::thread::scope(|scope| {
        let filler = scope.spawn(|| batch.load());
        until(|| !batch.role.is_free());
        let batch = &batch;
        scope.spawn(move || report.send(batch.load()));
        let [lingering, parking] = [&batch.one_lock.lingering, &batch.parking];
        until(|| lingering.sleepers() + parking.sleepers() == 1);
        let lingers = lingering.sleepers() == 1;
        for ready in 0..SIZE {
            go_on.send(()).unwrap();
            if ready < SIZE - 1 {
                until(|| batch.queue.taken() + batch.queue.len() as u64 == ready as u64);
                assert_eq!(batch.queue.taken(), 0, "it takes none before the fill ends");
            }
        }
        let result = results.recv_timeout(LONG);
        // If it was not woken, this test still ends.
        lingering.wake_all();
        assert_eq!(result, Ok(Ok(2)));
        assert_eq!(filler.join().unwrap(), Ok(1));
        lingers
    });
    assert!(lingers);
    assert_eq!(batch.stats().waits, 1);
}

#[test]
fn a_thread_of_any_other_host_waits_for_one_result() {
    let (go_on, source) = waits_from(1);
    let host = Free { whole_fills: false };
    let mut batch = Batch::with_options(host, source, SIZE, whole_fills(SIZE)).unwrap();
    batch.one_lock.times = PATIENT;
    batch.one_lock.shared.is_quick.store(true, Relaxed);
    let lingers = std::thread::scope(|scope| {
        scope.spawn(|| batch.load());
        until(|| !batch.role.is_free());
        scope.spawn(|| batch.load());
        let [lingering, parking] = [&batch.one_lock.lingering, &batch.parking];
        until(|| lingering.sleepers() + parking.sleepers() == 1);
        let lingers = lingering.sleepers() == 1;
        lingering.wake_all();
        (0..SIZE).for_each(|_| go_on.send(()).unwrap());
        lingers
    });
    assert!(!lingers);
}
