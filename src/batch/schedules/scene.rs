//! A batch, threads that do anything with it, and what the child of a fork does with what they left.

use super::ledger::{Ledger, Maker};
use super::vanishing;
use crate::batch::cursor::Cursor;
use crate::batch::{Batch, ForkPolicy, Options};
use crate::error::LoadError;
use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

pub(super) const WORKERS: usize = 3;
const TURNS: usize = 10;

type Tested = Batch<&'static Ledger, Maker>;
type TestedCursor = Cursor<'static, &'static Ledger, Maker>;

/// All that a child has of its parent. It is never freed, since threads that vanish have it.
pub(super) struct Scene {
    policy: ForkPolicy,
    pub(super) ledger: &'static Ledger,
    pub(super) batch: &'static Tested,
    /// The most objects that the source makes in one call.
    bulk: usize,
    /// Whether the threads use their cursors most of the time, and so refill them more than once.
    with_cursors: bool,
    pub(super) workers: [Worker; WORKERS],
}

#[derive(Default)]
pub(super) struct Worker {
    /// In a place of its own: the child of a fork may take over the cursor of a thread that is gone.
    cursor: Mutex<Option<usize>>,
    /// How many objects the thread has in hand at most in the middle of what it does.
    in_hand: AtomicUsize,
}

impl Worker {
    fn cursor(&self) -> Option<&mut TestedCursor> {
        let cursor = *self.cursor.lock().unwrap();
        // SAFETY: put there by `open`, and used by this thread or one that has taken it over.
        cursor.map(|at| unsafe { &mut *std::ptr::with_exposed_provenance_mut(at) })
    }

    fn open(&self, batch: &'static Tested) {
        let cursor = Box::into_raw(Box::new(batch.cursor().unwrap())).expose_provenance();
        *self.cursor.lock().unwrap() = Some(cursor);
    }

    fn close(&self) {
        let cursor = self.cursor.lock().unwrap().take();
        if let Some(at) = cursor {
            // SAFETY: as in `cursor`, and nobody finds it any more.
            drop(unsafe {
                Box::from_raw(std::ptr::with_exposed_provenance_mut::<TestedCursor>(at))
            });
        }
    }
}

impl Scene {
    pub(super) fn new(policy: ForkPolicy) -> &'static Self {
        let mut random = thread_rng();
        let ledger = Ledger::new(policy, random.gen_range(0..8) == 0);
        let size = random.gen_range(1..=8);
        let bulk = [0, 0, 1, 3][random.gen_range(0..4)];
        let forks_in = [0, 0, random.gen_range(1..20)][random.gen_range(0..3)];
        let low_mark = [0, 0, random.gen_range(0..=size)][random.gen_range(0..3)];
        let options = Options { on_fork: policy, low_mark, ..Options::default() };
        let with_cursors = random.gen_range(0..3) == 0;
        let fillers = [1, 1, 2, 3][random.gen_range(0..4)];
        let sources = vec![Maker { ledger, bulk, forks_in, calls: 0 }; fillers];
        Self::of(sources, size, options, with_cursors)
    }

    pub(super) fn of(
        sources: Vec<Maker>,
        size: usize,
        options: Options,
        with_cursors: bool,
    ) -> &'static Self {
        let (policy, ledger, bulk) = (options.on_fork, sources[0].ledger, sources[0].bulk);
        let batch = Batch::with_fillers(ledger, sources, size, options).unwrap();
        let batch: &'static Tested = Box::leak(Box::new(batch));
        let workers = Default::default();
        Box::leak(Box::new(Self { policy, ledger, batch, bulk, with_cursors, workers }))
    }

    /// One operation, chosen at random, of a thread whose user has the objects `mine`.
    pub(super) fn step(&self, worker: &Worker, mine: &mut Vec<usize>) {
        let choice = match worker.cursor() {
            Some(_) if self.with_cursors && thread_rng().gen_range(0..8) > 0 => 60,
            None if self.with_cursors => 50,
            _ => thread_rng().gen_range(0..100),
        };
        self.operate(choice, worker, mine);
    }

    /// The operation of that number, of 0 to 99.
    pub(super) fn operate(&self, choice: u8, worker: &Worker, mine: &mut Vec<usize>) {
        // A result, one that the fill's own thread has, and what the source has just made.
        let load = 3 + self.bulk;
        let batch = self.batch;
        let at_most = match choice {
            0..40 => load,
            40..50 => load + 3,
            50..75 => load + batch.size(),
            75..90 => mine.len(),
            _ => load,
        };
        worker.in_hand.store(at_most, Ordering::Relaxed);
        match choice {
            0..20 => mine.extend(batch.load().map(|object| object.deliver())),
            20..25 => {
                let loaded = batch.load_within(Duration::ZERO);
                mine.extend(loaded.map(|object| object.deliver()));
            }
            25..40 => {
                let loaded = batch.try_load().ok().flatten();
                mine.extend(loaded.map(|object| object.deliver()));
            }
            40..50 => {
                let mut loaded = Vec::new();
                let _ = batch.load_many(3, None, &mut loaded);
                mine.extend(loaded.into_iter().map(|object| object.deliver()));
            }
            50..55 => worker.open_anew(batch),
            55..70 => {
                if let Some(cursor) = worker.cursor() {
                    mine.extend(cursor.next().map(|object| object.deliver()));
                }
            }
            70..75 => worker.close(),
            75..90 => self.give_back(mine),
            90..96 => {
                let _ = batch.prefill(2, 3, Some(Duration::ZERO));
            }
            96..98 => {
                let _ = batch.clear();
            }
            98 => {
                let _ = batch.close();
            }
            _ => {
                let _ = (batch.stats(), batch.len());
            }
        }
        worker.in_hand.store(0, Ordering::Relaxed);
    }

    /// The objects one by one, so that they are in as many places.
    pub(super) fn give_back(&self, mine: &mut Vec<usize>) {
        while let Some(number) = mine.pop() {
            let mut object = vec![self.ledger.take_back(number)];
            if self.batch.give_back(&mut object).is_err() {
                mine.extend(object.into_iter().map(|object| object.deliver()));
                return;
            }
        }
    }

    pub(super) fn work(&'static self, index: usize) {
        let (worker, mut mine) = (&self.workers[index], Vec::new());
        for _ in 0..TURNS {
            self.step(worker, &mut mine);
            if vanishing::has_forked() {
                self.go_on_as_child(index);
            }
        }
    }

    pub(super) fn go_on_as_child(&'static self, survivor: usize) -> ! {
        let in_hand = |index: usize| self.workers[index].in_hand.load(Ordering::Relaxed);
        let mut gone = (0..WORKERS).filter(|&index| index != survivor).map(in_hand).sum();
        let batch = self.batch;
        if thread_rng().gen_range(0..3) == 0 {
            gone += self.fork_again();
        }
        if self.policy == ForkPolicy::Error {
            assert_eq!(batch.load().map(drop), Err(LoadError::Forked));
        } else {
            let other = thread::spawn(|| self.use_as_child());
            self.use_as_child();
            other.join().unwrap();
        }
        for worker in &self.workers {
            if let Some(cursor) = worker.cursor()
                && let Ok(object) = cursor.next()
            {
                assert_ne!(self.policy, ForkPolicy::Error);
                object.deliver();
            }
            worker.close();
        }
        while let Ok(Some(object)) = batch.try_load() {
            object.deliver();
        }
        assert_eq!(batch.len(), 0);
        if self.policy != ForkPolicy::Error && !batch.is_closed() {
            self.is_as_good_as_any();
        }
        let _ = batch.close();
        assert_eq!(batch.len(), 0);
        // SAFETY: it was leaked, and the threads that have it too are gone.
        drop(unsafe { Box::from_raw(std::ptr::from_ref(batch).cast_mut()) });
        let lost = self.ledger.lost();
        assert!(lost <= gone, "{lost} objects are lost, and {gone} were in hand at most");
        vanishing::end()
    }

    /// In the child: forks again while another thread adopts the batch or uses it already. Returns
    /// how many objects that has in hand at most, all that it drops for the parent among them.
    fn fork_again(&'static self) -> usize {
        thread::spawn(|| self.use_as_child());
        for _ in 0..thread_rng().gen_range(0..30) {
            thread::yield_now();
        }
        vanishing::fork();
        self.ledger.fork();
        match self.policy {
            ForkPolicy::Keep => 8 + self.bulk,
            _ => usize::MAX / 2,
        }
    }

    fn is_as_good_as_any(&self) {
        let batch = self.batch;
        let made = batch.prefill(batch.size(), 2, None).unwrap();
        // What a filler that is gone had made for itself may come back now, if it is kept.
        let back = batch.len() - made;
        assert!(batch.len() > 0 && back <= usize::from(self.policy == ForkPolicy::Keep));
        let stats = batch.stats();
        let came = stats.produced + stats.given_back;
        let went = stats.loads + stats.claimed + stats.released + stats.dropped_on_fork;
        assert_eq!(came, went + batch.len() as u64, "{stats:?}");
    }

    fn use_as_child(&self) {
        let batch = self.batch;
        let mut loaded = Vec::new();
        loaded.extend(batch.load());
        loaded.extend(batch.try_load().ok().flatten());
        let _ = batch.load_many(2, None, &mut loaded);
        loaded.into_iter().for_each(|object| {
            object.deliver();
        });
    }
}

impl Worker {
    fn open_anew(&self, batch: &'static Tested) {
        self.close();
        self.open(batch);
    }
}
