//! The threads of a scene, each of which does one thing after another at random.

use crate::ledger::{Ledger, Value};
use crate::random::Random;
use crate::scene::Scene;
use crate::source::{Failure, Numbers};
use ft_local::{Batch, Cursor, LoadError};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

type Numbered<'l> = Batch<&'l Ledger, Numbers<'l>>;
type Outcome = Result<(), LoadError<Failure>>;

/// How many values came in which way.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) loads: usize,
    /// Of those, what was given back.
    given_back: usize,
    by_cursor: usize,
}

impl Tally {
    pub(crate) fn delivered(&self) -> usize {
        self.loads - self.given_back + self.by_cursor
    }
}

pub(crate) struct Crew<'s, 'l> {
    scene: &'s Scene,
    batch: &'s Numbered<'l>,
    delivered: AtomicUsize,
}

impl<'s, 'l> Crew<'s, 'l> {
    pub(crate) fn new(scene: &'s Scene, batch: &'s Numbered<'l>) -> Self {
        Self { scene, batch, delivered: AtomicUsize::new(0) }
    }

    /// All threads work until the source ends or the batch is closed.
    pub(crate) fn work(&self, seed: u64) -> Tally {
        let start = Barrier::new(self.scene.threads);
        std::thread::scope(|threads| {
            let members: Vec<_> = (0..self.scene.threads)
                .map(|index| {
                    let (start, random) = (&start, Random::new(seed ^ (index as u64) << 48));
                    threads.spawn(move || {
                        start.wait();
                        Member::new(self, random).work()
                    })
                })
                .collect();
            members.into_iter().fold(Tally::default(), |sum, member| {
                let tally = member.join().expect("a failure ends the program");
                Tally {
                    loads: sum.loads + tally.loads,
                    given_back: sum.given_back + tally.given_back,
                    by_cursor: sum.by_cursor + tally.by_cursor,
                }
            })
        })
    }
}

struct Member<'c, 's, 'l> {
    crew: &'c Crew<'s, 'l>,
    batch: &'s Numbered<'l>,
    cursor: Option<Cursor<'s, &'l Ledger, Numbers<'l>>>,
    random: Random,
    tally: Tally,
    /// The least number that a value may have that comes in order.
    next: usize,
}

impl<'c, 's, 'l> Member<'c, 's, 'l> {
    fn new(crew: &'c Crew<'s, 'l>, random: Random) -> Self {
        Self { crew, batch: crew.batch, cursor: None, random, tally: Tally::default(), next: 0 }
    }

    fn work(mut self) -> Tally {
        loop {
            let before = self.tally.delivered();
            let outcome = self.do_something();
            let more = self.tally.delivered() - before;
            let delivered = self.crew.delivered.fetch_add(more, Ordering::Relaxed) + more;
            if self.crew.scene.close_after.is_some_and(|count| delivered >= count) {
                self.batch.close().expect("a batch that works can be closed");
            }
            match outcome {
                Err(LoadError::Ended | LoadError::Closed) => return self.tally,
                Err(error) => self.expect(error),
                Ok(()) => {}
            }
        }
    }

    /// An error must be one that the scene asks for.
    fn expect(&self, error: LoadError<Failure>) {
        let Scene { manner, interrupt_once_in, .. } = self.crew.scene;
        let expected = match error {
            LoadError::Source(Failure) => manner.fail_once_in > 0,
            LoadError::NothingProduced => manner.nothing_once_in > 0,
            LoadError::Interrupted => *interrupt_once_in > 0,
            LoadError::TimedOut => true,
            _ => false,
        };
        assert!(expected, "{error:?}");
    }

    fn do_something(&mut self) -> Outcome {
        let choices = if self.crew.scene.in_order { 40 } else { 100 };
        match self.random.below(choices) {
            0..20 => self.load_some(),
            20..27 => self.load_in_time(),
            27..33 => self.try_to_load(),
            33..40 => self.load_many(),
            40..75 => self.use_cursor(),
            75..83 => self.close_cursor(),
            83..90 => self.give_back(),
            90..97 => self.prefill(),
            97..99 => self.look(),
            _ => self.batch.clear(),
        }
    }

    fn receive(&mut self, value: Value<'l>) {
        let number = value.deliver();
        self.tally.loads += 1;
        if self.crew.scene.in_order {
            assert!(number >= self.next, "{number} came after {}", self.next);
            self.next = number + 1;
        }
    }

    fn load_some(&mut self) -> Outcome {
        for _ in 0..=self.random.below(64) {
            let value = self.batch.load()?;
            self.receive(value);
        }
        Ok(())
    }

    fn load_in_time(&mut self) -> Outcome {
        let timeout = self.short_time();
        let value = self.batch.load_within(timeout)?;
        self.receive(value);
        Ok(())
    }

    fn try_to_load(&mut self) -> Outcome {
        for _ in 0..=self.random.below(16) {
            if let Some(value) = self.batch.try_load()? {
                self.receive(value);
            }
        }
        Ok(())
    }

    fn load_many(&mut self) -> Outcome {
        let (count, mut values) = (1 + self.random.below(100), Vec::new());
        let timeout = self.random.once_in(2).then(|| self.short_time());
        let outcome = self.batch.load_many(count, timeout, &mut values);
        values.into_iter().for_each(|value| self.receive(value));
        outcome
    }

    fn use_cursor(&mut self) -> Outcome {
        let mut cursor = match self.cursor.take() {
            Some(cursor) => cursor,
            None => self.batch.cursor().expect("there is memory for a cursor"),
        };
        let timeout = self.random.once_in(4).then(|| self.short_time());
        for _ in 0..=self.random.below(100) {
            let next = match timeout {
                Some(timeout) => cursor.next_within(timeout),
                None => cursor.next(),
            };
            // After an error the cursor goes, with what it has in hand.
            next?.deliver();
            self.tally.by_cursor += 1;
        }
        self.cursor = Some(cursor);
        Ok(())
    }

    fn close_cursor(&mut self) -> Outcome {
        self.cursor = None;
        Ok(())
    }

    fn give_back(&mut self) -> Outcome {
        let (count, mut values) = (1 + self.random.below(20), Vec::new());
        let outcome = self.batch.load_many(count, Some(self.short_time()), &mut values);
        let loaded = values.len();
        self.tally.loads += loaded;
        self.tally.given_back += loaded;
        self.batch.give_back(&mut values)?;
        outcome
    }

    fn prefill(&mut self) -> Outcome {
        let (low_mark, max) = (1 + self.random.below(64), 1 + self.random.below(100));
        let timeout = self.short_time();
        self.batch.prefill(low_mark, max, Some(timeout)).map(|_| ())
    }

    fn look(&self) -> Outcome {
        // A length means nothing while other threads run, but asking for it must work.
        let (before, _) = (self.batch.stats(), self.batch.len());
        let after = self.batch.stats();
        assert!(before.produced <= after.produced && before.claims <= after.claims);
        Ok(())
    }

    fn short_time(&mut self) -> Duration {
        Duration::from_micros(self.random.below(100) as u64)
    }
}
