//! The host unwinds out of any of its callbacks, at any call: nothing is lost, nothing is released
//! twice, and the batch remains usable.

use super::forks::holds_in_child;
use super::*;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Counts the calls of the host. One of them unwinds.
#[derive(Default)]
struct Calls {
    made: AtomicUsize,
    unwinds_at: AtomicUsize,
    /// Objects that were made and not released.
    alive: AtomicUsize,
}

impl Calls {
    fn call(&self) {
        if self.made.fetch_add(1, Ordering::Relaxed) + 1 == self.unwinds_at.load(Ordering::Relaxed)
        {
            resume_unwind(Box::new(()));
        }
    }

    fn make(self: &Arc<Self>) -> Token {
        self.alive.fetch_add(1, Ordering::Relaxed);
        Token(Arc::clone(self))
    }
}

/// An object whose release is a call of the host.
struct Token(Arc<Calls>);

impl Drop for Token {
    fn drop(&mut self) {
        self.0.alive.fetch_sub(1, Ordering::Relaxed);
        self.0.call();
    }
}

struct Unwinding(Arc<Calls>);

// SAFETY: the word is the address of the box.
unsafe impl Host for Unwinding {
    type Object = Box<Token>;

    fn into_word(object: Box<Token>) -> Word {
        Box::into_raw(object).expose_provenance()
    }

    unsafe fn adopt_word(&self, word: Word) -> Box<Token> {
        // SAFETY: as above.
        unsafe { Box::from_raw(std::ptr::with_exposed_provenance_mut(word)) }
    }

    fn block(&self, wait: &mut dyn FnMut()) {
        self.0.call();
        wait();
        self.0.call();
    }

    fn interrupted(&self) -> bool {
        self.0.call();
        false
    }
}

/// Makes `bulk` results a call, and calls the host before each and at the end; one at a time if
/// `bulk` is 0.
#[derive(Clone)]
struct Tokens {
    calls: Arc<Calls>,
    bulk: usize,
}

impl Source<Unwinding> for Tokens {
    type Error = Infallible;

    fn run(&mut self, filler: impl Filler<Unwinding, Infallible>) -> Filled {
        if self.bulk == 0 {
            filler.one_by_one(|_| self.next())
        } else {
            filler.many(|_, slots| self.fill(slots))
        }
    }
}

impl Tokens {
    fn fill(&mut self, slots: &mut Slots<'_, Unwinding>) -> Result<(), Infallible> {
        for _ in 0..self.bulk.min(slots.capacity()) {
            self.calls.call();
            slots.push(Box::new(self.calls.make()));
        }
        self.calls.call();
        Ok(())
    }

    fn next(&mut self) -> Result<Option<Made<Unwinding>>, Infallible> {
        self.calls.call();
        Ok(Some(Made::new(Box::new(self.calls.make()))))
    }
}

type Unsteady = Batch<Unwinding, Tokens>;

const BULKS: [usize; 3] = [0, 1, 3];

fn unsteady(bulk: usize, low_mark: usize, fillers: usize) -> (Arc<Calls>, Unsteady) {
    let calls = Arc::new(Calls::default());
    let options = Options { low_mark, ..Options::default() };
    let source = Tokens { calls: Arc::clone(&calls), bulk };
    let (host, sources) = (Unwinding(Arc::clone(&calls)), vec![source; fillers]);
    let batch = Batch::with_fillers(host, sources, 4, options).unwrap();
    (calls, batch)
}

/// Does all that one thread can do. Whatever unwinds is caught, and looked at.
fn use_up(batch: Unsteady) {
    let wait = Some(Duration::from_nanos(1));
    {
        let mut loaded = Vec::new();
        let mut cursor = batch.cursor().unwrap();
        let step = |step: &mut dyn FnMut()| {
            let _ = catch_unwind(AssertUnwindSafe(step));
            let free = batch.permits().all(|permit| permit.role.is_free());
            assert!(free, "a role was left behind");
            assert_balanced(&batch);
        };
        step(&mut || drop(batch.load()));
        step(&mut || _ = batch.load_many(6, wait, &mut loaded));
        step(&mut || drop(cursor.next()));
        step(&mut || _ = batch.give_back(&mut loaded));
        step(&mut || drop(cursor.next()));
        step(&mut || _ = batch.prefill(4, 4, wait));
        step(&mut || _ = batch.prefill(1, 4, Some(Duration::from_micros(60))));
        step(&mut || drop(cursor.next()));
        step(&mut || _ = batch.clear());
        step(&mut || drop(batch.try_load()));
        step(&mut || drop(batch.load_within(Duration::ZERO)));
        step(&mut || _ = batch.load_many(2, wait, &mut loaded));
        step(&mut || _ = batch.close());
        step(&mut || _ = batch.give_back(&mut loaded));
        step(&mut || drop(std::mem::replace(&mut cursor, batch.cursor().unwrap())));
        let _ = catch_unwind(AssertUnwindSafe(|| loaded.clear()));
        let _ = catch_unwind(AssertUnwindSafe(|| drop(cursor)));
    }
    let _ = catch_unwind(AssertUnwindSafe(|| drop(batch)));
}

/// A batch is used up with this many calls at least. There are more if a wait begins before its time
/// is over, which depends on the machine.
const LEAST_CALLS: usize = 20;

/// Runs `scene` with the first call unwinding, then the second, until there are no more calls.
fn at_each_call(scene: impl Fn(usize) -> usize) {
    let (mut at, mut calls) = (0, 1);
    while at <= calls {
        at += 1;
        calls = scene(at);
    }
    assert!(at > LEAST_CALLS, "the host was called {calls} times");
}

#[test]
fn a_host_that_unwinds_at_any_call_loses_nothing() {
    let marks = BULKS.into_iter().flat_map(|bulk| [(bulk, 0), (bulk, 2)]);
    let cases = marks.flat_map(|(bulk, low_mark)| [(bulk, low_mark, 1), (bulk, low_mark, 3)]);
    for (bulk, low_mark, fillers) in cases {
        at_each_call(|at| {
            let (calls, batch) = unsteady(bulk, low_mark, fillers);
            calls.unwinds_at.store(at, Ordering::Relaxed);
            use_up(batch);
            let alive = calls.alive.load(Ordering::Relaxed);
            assert_eq!(alive, 0, "bulk {bulk}, low water {low_mark}, {fillers} fillers, call {at}");
            calls.made.load(Ordering::Relaxed)
        });
    }
}

/// In the child, which drops what is the parent's, each call of the host unwinds in its turn.
#[test]
fn a_host_that_unwinds_in_the_child_of_a_fork_loses_nothing() {
    for (bulk, fillers) in BULKS.into_iter().flat_map(|bulk| [(bulk, 1), (bulk, 3)]) {
        let (calls, batch) = unsteady(bulk, 0, fillers);
        let mut cursor = batch.cursor().unwrap();
        drop([batch.load(), batch.load(), cursor.next()]);
        batch.give_back(&mut vec![batch.load().unwrap()]).unwrap();
        let before = calls.made.load(Ordering::Relaxed);
        let mut at = before;
        while holds_in_child(|| {
            calls.unwinds_at.store(at + 1, Ordering::Relaxed);
            // SAFETY: the child has one thread, and its copies are its own.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(unsafe { std::ptr::read(&cursor) })));
            // SAFETY: as above.
            let batch = unsafe { std::ptr::read(&batch) };
            use_up(batch);
            assert_eq!(calls.alive.load(Ordering::Relaxed), 0, "bulk {bulk}, call {at}");
            calls.made.load(Ordering::Relaxed) > at
        }) {
            at += 1;
        }
        assert!(at > before + LEAST_CALLS, "bulk {bulk}: wrong at call {}", at - before);
    }
}

#[test]
fn a_release_at_the_end_of_a_fill_unwinds_past_the_library() {
    let (calls, batch) = unsteady(0, 0, 1);
    drop(batch.load());
    let mine = Unwinding::into_word(batch.load().unwrap());
    // The batch is closed when this thread has just become the filler.
    batch.front.gate.raise(gate::CLOSED);
    calls.unwinds_at.store(calls.made.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    let next = catch_unwind(AssertUnwindSafe(|| drop(batch.next(&mut || Some(mine)))));
    assert!(next.is_err(), "a border has met what the host throws");
    assert!(batch.role.is_free());
    assert_eq!(batch.front.gate.flags(gate::PANICKED), 0);
    drop(batch);
    assert_eq!(calls.alive.load(Ordering::Relaxed), 0, "the result in hand is released, too");
}
