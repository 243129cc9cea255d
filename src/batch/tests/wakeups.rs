//! How many threads are woken, which ones, and what happens to a wake-up whose thread does not
//! return.

use super::forking::leave_if_child;
use super::forks::has_passed;
use super::*;

/// What a host does at the places where a waiting thread calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Interruptible,
    Detach,
    Attach,
    Interrupted,
}

/// A host that counts the calls, and unwinds out of the next one at a place if it is told to.
#[derive(Default)]
struct Counting {
    calls: [AtomicUsize; 4],
    unwinds: Mutex<Option<Place>>,
    /// Unwinds in the child of a fork, and waits for it in the parent.
    forks_first: bool,
    cannot_be_interrupted: bool,
    period: Option<Duration>,
}

impl Counting {
    fn pass(&self, place: Place) {
        self.calls[place as usize].fetch_add(1, Ordering::Relaxed);
        let unwinds = self.unwinds.lock().unwrap().take_if(|at| *at == place).is_some();
        if unwinds && !(self.forks_first && fork_is_parents()) {
            std::panic::resume_unwind(Box::new(place));
        }
    }

    fn count(&self, place: Place) -> usize {
        self.calls[place as usize].load(Ordering::Relaxed)
    }
}

/// Forks. Returns true in the parent, when the child has passed.
fn fork_is_parents() -> bool {
    // SAFETY: the child goes on like the parent, and leaves at the end of the test.
    let child = unsafe { libc::fork() };
    if child != 0 {
        assert!(has_passed(child), "the child found what it expected");
    }
    child != 0
}

// SAFETY: the word is the object.
unsafe impl Host for &Counting {
    words_are_objects!();

    fn block(&self, wait: &mut dyn FnMut()) {
        self.pass(Place::Detach);
        wait();
        self.pass(Place::Attach);
    }

    fn interrupt_period(&self) -> Option<Duration> {
        self.period
    }

    fn interrupted(&self) -> bool {
        self.pass(Place::Interrupted);
        false
    }

    fn interruptible(&self) -> bool {
        self.pass(Place::Interruptible);
        !self.cannot_be_interrupted
    }
}

/// Results 1, 2, 3, ..., as many in each call as it is told, and an error when nobody tells it.
struct Told {
    made: usize,
    counts: mpsc::Receiver<usize>,
}

impl<'a> Source<&'a Counting> for Told {
    type Error = mpsc::RecvError;

    fn run(&mut self, filler: impl Filler<&'a Counting, mpsc::RecvError>) -> Filled {
        filler.many(|_, slots| {
            for _ in 0..self.counts.recv()? {
                self.made += 1;
                slots.push(self.made);
            }
            Ok(())
        })
    }
}

const SLEEPERS: usize = 40;

type Crowded<'a> = Batch<&'a Counting, Told>;

/// `SLEEPERS` threads sleep while a thread fills, which has made as many results as `ready` and
/// makes more when it is told. Then `feed` is to bring a result for each of them, none of which is
/// to be woken for nothing.
fn crowd<'a>(
    host: &'a Counting,
    ready: usize,
    prepare: impl FnOnce(&Crowded<'a>),
    feed: impl FnOnce(&Crowded<'a>, &mpsc::Sender<usize>),
) {
    let (tell, counts) = mpsc::channel();
    let source = Told { made: 0, counts };
    let size = 4 * SLEEPERS;
    let batch = Batch::with_options(host, source, size, whole_fills(size)).unwrap();
    std::thread::scope(|scope| {
        // Leaves this closure with it, so that a failure here lets the others end.
        let tell = tell;
        tell.send(1 + ready).unwrap();
        scope.spawn(|| assert_eq!(batch.load(), Err(LoadError::Source(mpsc::RecvError))));
        until(|| !batch.role.is_free() && batch.len() == ready);
        prepare(&batch);
        let sleepers: Vec<_> = (0..SLEEPERS).map(|_| scope.spawn(|| batch.load())).collect();
        until(|| batch.parking.sleepers() == SLEEPERS);
        let before = [Place::Detach, Place::Attach].map(|place| host.count(place));
        assert_eq!(before, [SLEEPERS, 0]);
        feed(&batch, &tell);
        sleepers.into_iter().for_each(|sleeper| assert!(sleeper.join().unwrap().is_ok()));
        assert_woken(host, SLEEPERS);
    });
}

/// `results` threads that slept have got a result each. A thread that is woken for nothing goes to
/// sleep again; this may happen when one that was only about to sleep has looked up by itself and
/// taken another's result.
fn assert_woken(host: &Counting, results: usize) {
    let waits = host.count(Place::Detach);
    assert!(waits <= results + results / 2, "{waits} waits for {results} results");
}

/// Hosts that cannot be interrupted, and that can but are not in the time that a test takes.
fn hosts() -> [Counting; 2] {
    [None, Some(60 * LONG)].map(|period| Counting { period, ..Counting::default() })
}

#[test]
fn one_is_woken_for_all_that_is_made_before_it_runs() {
    let parking = Parking::with_one_asleep_and_one_woken();
    (0..3).for_each(|_| parking.wake(1));
    assert_eq!(parking.sleepers(), 1);
    // More at once than are on their way.
    parking.wake(2);
    assert_eq!(parking.sleepers(), 0);
    let parking = Parking::with_one_asleep_and_one_woken();
    parking.wake_all();
    assert_eq!(parking.sleepers(), 0);
}

#[test]
fn results_that_come_together_wake_as_many_threads() {
    for host in hosts() {
        for together in [1, 2, 4, SLEEPERS] {
            let host = Counting { period: host.period, ..Counting::default() };
            crowd(
                &host,
                0,
                |_| (),
                |batch, tell| {
                    for round in 1..=SLEEPERS / together {
                        tell.send(together).unwrap();
                        until(|| batch.parking.sleepers() == SLEEPERS - round * together);
                    }
                },
            );
        }
    }
}

#[test]
fn results_that_are_given_back_wake_as_many_threads() {
    for host in hosts() {
        let mut results = Vec::new();
        crowd(
            &host,
            SLEEPERS,
            |batch| assert_eq!(batch.load_many(SLEEPERS, None, &mut results), Ok(())),
            |batch, _| batch.give_back(&mut (1..=SLEEPERS).collect()).unwrap(),
        );
    }
}

#[test]
fn what_a_dropped_cursor_had_in_hand_wakes_as_many_threads() {
    for host in hosts() {
        let (tell, counts) = mpsc::channel();
        let source = Told { made: 0, counts };
        let size = 4 * SLEEPERS;
        let batch = Batch::with_options(&host, source, size, whole_fills(size)).unwrap();
        std::thread::scope(|scope| {
            let tell = tell;
            tell.send(1 + 2 * SLEEPERS).unwrap();
            scope.spawn(|| batch.load());
            until(|| batch.len() == 2 * SLEEPERS);
            let mut cursor = batch.cursor().unwrap();
            assert_eq!(cursor.next(), Ok(2));
            let count = cursor.len();
            assert!(count > 8, "{count}");
            rest(&batch);
            let loads: Vec<_> = (0..count).map(|_| scope.spawn(|| batch.load().unwrap())).collect();
            until(|| batch.parking.sleepers() == count);
            drop(cursor);
            let loaded = loads.into_iter().map(|load| load.join().unwrap());
            assert_eq!(loaded.sum::<usize>(), (3..3 + count).sum());
            assert_woken(&host, count);
        });
    }
}

#[test]
fn a_thread_that_cannot_be_interrupted_sleeps_until_it_is_woken() {
    for cannot_be_interrupted in [false, true] {
        let period = Some(Duration::from_micros(1));
        let host = Counting { period, cannot_be_interrupted, ..Counting::default() };
        let (tell, counts) = mpsc::channel();
        let batch =
            Batch::with_options(&host, Told { made: 0, counts }, 8, whole_fills(8)).unwrap();
        std::thread::scope(|scope| {
            let tell = tell;
            scope.spawn(|| batch.load());
            until(|| !batch.role.is_free());
            let waiter = scope.spawn(|| batch.load());
            if cannot_be_interrupted {
                until(|| batch.parking.sleepers() == 1);
            } else {
                until(|| host.count(Place::Interrupted) > 10);
            }
            tell.send(2).unwrap();
            waiter.join().unwrap().unwrap();
        });
        let counts = [Place::Attach, Place::Interrupted].map(|place| host.count(place));
        if cannot_be_interrupted {
            assert_eq!(counts, [1, 0], "woken once, and not asked");
        } else {
            assert!(counts[1] > 10 && counts[0] == counts[1], "{counts:?}");
        }
    }
}

#[test]
fn a_prefilling_thread_that_cannot_be_interrupted_is_not_asked() {
    for cannot_be_interrupted in [false, true] {
        let host = Counting { cannot_be_interrupted, ..Counting::default() };
        let batch = Batch::new(&host, counter(), 2).unwrap();
        batch.role.take().unwrap();
        std::thread::scope(|scope| {
            let prefiller = scope.spawn(|| batch.prefill(1, 1, Some(Duration::from_millis(1))));
            assert_eq!(prefiller.join().unwrap(), Ok(0));
        });
        batch.role.give_up();
        assert_eq!(host.count(Place::Interrupted) == 0, cannot_be_interrupted);
    }
}

/// Two threads sleep; the one that is woken for `what` unwinds out of its host, and the other one
/// has to get what it was woken for.
fn a_woken_thread_unwinds(
    place: Place,
    what: impl Fn(&Crowded<'_>, mpsc::Sender<usize>) -> Option<mpsc::Sender<usize>>,
) {
    let host = Counting::default();
    let (tell, counts) = mpsc::channel();
    let batch = Batch::with_options(&host, Told { made: 0, counts }, 8, whole_fills(8)).unwrap();
    let (report, outcomes) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| _ = batch.load());
        until(|| !batch.role.is_free());
        for report in [report.clone(), report] {
            let batch = &batch;
            scope.spawn(move || {
                let load = std::panic::AssertUnwindSafe(|| batch.load());
                report.send(std::panic::catch_unwind(load).map_err(|_| "unwound"))
            });
        }
        until(|| batch.parking.sleepers() == 2);
        *host.unwinds.lock().unwrap() = Some(place);
        let _tell = what(&batch, tell);
        let outcomes = [(); 2].map(|()| outcomes.recv_timeout(LONG).expect("somebody sleeps on"));
        assert!(outcomes.contains(&Err("unwound")), "{place:?}: {outcomes:?}");
        assert!(outcomes.iter().any(Result::is_ok), "{place:?}: {outcomes:?}");
    });
}

#[test]
fn a_thread_that_unwinds_out_of_its_host_passes_its_wake_up_on() {
    for place in [Place::Attach, Place::Interrupted] {
        a_woken_thread_unwinds(place, |_, tell| {
            tell.send(2).unwrap();
            Some(tell)
        });
        // The fill ends, and one of the two is to take the role.
        a_woken_thread_unwinds(place, |_, tell| {
            drop(tell);
            None
        });
        a_woken_thread_unwinds(place, |batch, tell| {
            batch.give_back(&mut vec![7]).unwrap();
            Some(tell)
        });
    }
}

#[test]
fn a_thread_that_unwinds_before_it_waits_leaves_nothing_behind() {
    for place in [Place::Interruptible, Place::Detach] {
        let host = Counting::default();
        let (tell, counts) = mpsc::channel();
        let batch =
            Batch::with_options(&host, Told { made: 0, counts }, 8, whole_fills(8)).unwrap();
        std::thread::scope(|scope| {
            let tell = tell;
            scope.spawn(|| batch.load());
            until(|| !batch.role.is_free());
            *host.unwinds.lock().unwrap() = Some(place);
            let load = std::panic::AssertUnwindSafe(|| batch.load());
            assert!(std::panic::catch_unwind(load).is_err());
            assert_eq!(batch.parking.sleepers(), 0);
            assert!(!batch.parking.somebody_starves());
            tell.send(2).unwrap();
            assert_eq!(batch.load(), Ok(2));
        });
    }
}

/// A place that a thread which is not there uses is in any state, until the child makes it anew.
#[test]
fn a_thread_that_leaves_a_wait_in_a_child_leaves_the_parents_place_alone() {
    for place in [Place::Attach, Place::Interrupted] {
        let host = Counting { forks_first: true, ..Counting::default() };
        let (tell, counts) = mpsc::channel();
        let batch =
            Batch::with_options(&host, Told { made: 0, counts }, 8, whole_fills(8)).unwrap();
        std::thread::scope(|scope| {
            let tell = tell;
            scope.spawn(|| batch.load());
            until(|| !batch.role.is_free());
            scope.spawn(|| batch.load());
            until(|| batch.parking.sleepers() == 1);
            let parent = std::process::id();
            *host.unwinds.lock().unwrap() = Some(place);
            let wait = || batch.load_within(Duration::from_millis(1));
            let left = std::panic::catch_unwind(std::panic::AssertUnwindSafe(wait));
            leave_if_child(parent, || {
                assert!(left.is_err());
                assert_eq!(batch.parking.sleepers(), 1, "{place:?}: woke a thread of the parent");
                assert_eq!(batch.try_load(), Ok(None));
                assert_eq!(batch.parking.sleepers(), 0, "the child's own place");
            });
            assert_eq!(left.unwrap(), Err(LoadError::TimedOut));
            tell.send(2).unwrap();
        });
    }
}
