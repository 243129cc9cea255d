//! One batch, its source, and the threads that use it, from the first value to the final counts.

use crate::crew::{Crew, Tally};
use crate::ledger::Ledger;
use crate::random::Random;
use crate::source::{Manner, Numbers};
use ft_local::{Batch, LoadError, Options};

/// What one scene is like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene {
    pub(crate) threads: usize,
    /// Nothing but loads from a source that never fails: each thread's values then come in order.
    pub(crate) in_order: bool,
    /// The batch is closed when so many values were delivered; without, the source ends.
    pub(crate) close_after: Option<usize>,
    pub(crate) interrupt_once_in: usize,
    pub(crate) manner: Manner,
    /// How many threads may run the source at the same time.
    fillers: usize,
    size: usize,
    fill_budget: usize,
    low_mark: usize,
    boxed: bool,
    values: usize,
}

impl Scene {
    /// A scene of so many values, or fewer: what comes at the end is to happen often, too.
    pub(crate) fn new(random: &mut Random, values: usize) -> Self {
        let values = random.one_of(&[values, values / 10 + 1, values / 100 + 1]);
        let in_order = random.once_in(5);
        let rarely = |random: &mut Random, choices: &[usize]| {
            if in_order { 0 } else { random.one_of(choices) }
        };
        let size = random.one_of(&[1, 2, 3, 8, 64, 64, 1000]);
        let bulk = random.one_of(&[0, 0, 1, 7, 64]);
        let sleep_once_in = random.one_of(&[0, 0, 2000]);
        let fillers = random.one_of(&[1, 1, 2, 3]);
        Self {
            threads: random.one_of(&[2, 3, 4, 8, 12]),
            in_order,
            close_after: random.one_of(&[None, Some(values / 2)]),
            interrupt_once_in: rarely(random, &[0, 20]),
            manner: Manner {
                bulk,
                fail_once_in: rarely(random, &[0, 97, 3]),
                nothing_once_in: if bulk == 0 { 0 } else { rarely(random, &[0, 101]) },
                sleep_once_in,
            },
            // Results of several come in the order in which they are completed.
            fillers: if in_order { 1 } else { fillers },
            size,
            fill_budget: random.one_of(&[0, 1, 4]),
            low_mark: random.one_of(&[0, size / 2, size]),
            boxed: random.once_in(2),
            values,
        }
    }

    /// Returns how many values were delivered.
    pub(crate) fn play(&self, seed: u64) -> usize {
        let ledger = Ledger::new(self.values, self.boxed, self.interrupt_once_in);
        let source = |number: usize| Numbers {
            ledger: &ledger,
            manner: self.manner,
            random: Random::new(seed ^ (number as u64) << 32),
        };
        let options = Options {
            fill_budget: self.fill_budget,
            low_mark: self.low_mark,
            ..Options::default()
        };
        let sources = (0..self.fillers).map(source).collect();
        let batch = Batch::with_fillers(&ledger, sources, self.size, options).unwrap();
        let crew = Crew::new(self, &batch);
        let mut tally = crew.work(seed);
        assert!(batch.is_closed() || ledger.made() == self.values, "the crew went home early");
        drain(&batch, &mut tally);
        check_stats(&batch, &tally, ledger.made());
        drop(batch);
        ledger.check_all_ended().unwrap();
        assert_eq!(tally.delivered() + ledger.released(), ledger.made());
        tally.delivered()
    }
}

/// What cursors gave back after the others had seen the end.
fn drain<'l>(batch: &Batch<&'l Ledger, Numbers<'l>>, tally: &mut Tally) {
    loop {
        match batch.load() {
            Ok(value) => {
                value.deliver();
                tally.loads += 1;
            }
            Err(LoadError::Ended | LoadError::Closed) => return,
            Err(LoadError::Source(_) | LoadError::NothingProduced | LoadError::Interrupted) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// The library's own counts agree with those of the threads.
fn check_stats<'l>(batch: &Batch<&'l Ledger, Numbers<'l>>, tally: &Tally, made: usize) {
    let stats = batch.stats();
    assert_eq!(stats.produced, made as u64, "{stats:?}");
    // The result that a thread gets from a fill of its own counts as loaded, also if it comes by a
    // cursor, and also if the fill then fails and it goes back.
    assert!(stats.loads >= tally.loads as u64, "{stats:?}");
    let left = stats.loads + stats.claimed - stats.given_back;
    assert_eq!(left, tally.delivered() as u64, "{stats:?}");
    let came = stats.produced + stats.given_back;
    let went = stats.loads + stats.claimed + stats.released + stats.dropped_on_fork;
    assert_eq!(came, went + batch.len() as u64, "{stats:?}");
}
