//! Sources of numbered values that fail, make much, little or nothing, and end.

use crate::ledger::Ledger;
use crate::random::Random;
use ft_local::{Filled, Filler, Made, Slots, Source};
use std::time::Duration;

/// What a source of a scene is like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    /// At most so many values a call; 0 for one, by the way for sources of one at a time.
    pub(crate) bulk: usize,
    /// A call fails once in so many, after having made what it made.
    pub(crate) fail_once_in: usize,
    /// A call makes nothing once in so many.
    pub(crate) nothing_once_in: usize,
    /// A call sleeps once in so many, for a moment.
    pub(crate) sleep_once_in: usize,
}

pub(crate) struct Numbers<'l> {
    pub(crate) ledger: &'l Ledger,
    pub(crate) manner: Manner,
    pub(crate) random: Random,
}

/// What a failed call of the source returns.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure;

impl<'l> Source<&'l Ledger> for Numbers<'l> {
    type Error = Failure;

    fn run(&mut self, filler: impl Filler<&'l Ledger, Failure>) -> Filled {
        if self.manner.bulk == 0 {
            filler.one_by_one(|_| self.next())
        } else {
            filler.many(|_, slots| self.fill(slots))
        }
    }
}

impl<'l> Numbers<'l> {
    fn fill(&mut self, slots: &mut Slots<'_, &'l Ledger>) -> Result<(), Failure> {
        self.sleep();
        if self.random.once_in(self.manner.nothing_once_in) {
            return Ok(());
        }
        let fails = self.random.once_in(self.manner.fail_once_in);
        let most = slots.capacity().min(self.manner.bulk);
        let count = if fails { self.random.below(most + 1) } else { 1 + self.random.below(most) };
        for _ in 0..count {
            let Some(value) = self.ledger.next_value() else {
                slots.end();
                return Ok(());
            };
            slots.push(value);
        }
        if fails { Err(Failure) } else { Ok(()) }
    }

    fn next(&mut self) -> Result<Option<Made<&'l Ledger>>, Failure> {
        self.sleep();
        if self.random.once_in(self.manner.fail_once_in) {
            return Err(Failure);
        }
        Ok(self.ledger.next_value().map(Made::new))
    }
}

impl Numbers<'_> {
    fn sleep(&mut self) {
        if self.random.once_in(self.manner.sleep_once_in) {
            std::thread::sleep(Duration::from_micros(50));
        }
    }
}
