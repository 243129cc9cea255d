//! The host, which records which thread got each value, and which values no thread got.

use crate::random::Random;
use ft_local::{Host, Word};
use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// The values of one scene, numbered from 0.
pub(crate) struct Ledger {
    /// A bit for each value that has come to its end.
    ended: Vec<AtomicU64>,
    /// How many values there are to be, and how many there are yet.
    limit: usize,
    made: AtomicUsize,
    released: AtomicUsize,
    /// Values are addresses of memory with the number in it, or the numbers themselves.
    boxed: bool,
    /// A thread that waits or fills is interrupted once in so many questions.
    interrupt_once_in: usize,
}

/// An owned value. The library drops it to release it.
pub(crate) struct Value<'l> {
    ledger: &'l Ledger,
    word: Word,
}

impl Ledger {
    pub(crate) fn new(limit: usize, boxed: bool, interrupt_once_in: usize) -> Self {
        Self {
            ended: (0..limit.div_ceil(64)).map(|_| AtomicU64::new(0)).collect(),
            limit,
            made: AtomicUsize::new(0),
            released: AtomicUsize::new(0),
            boxed,
            interrupt_once_in,
        }
    }

    /// `None` if there are to be no more. As many threads ask at once as there are fillers.
    pub(crate) fn next_value(&self) -> Option<Value<'_>> {
        let more = |number| (number < self.limit).then_some(number + 1);
        let number = self.made.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        let word =
            if self.boxed { Box::into_raw(Box::new(number)).expose_provenance() } else { number };
        Some(Value { ledger: self, word })
    }

    pub(crate) fn made(&self) -> usize {
        self.made.load(Ordering::Relaxed)
    }

    pub(crate) fn released(&self) -> usize {
        self.released.load(Ordering::Relaxed)
    }

    fn end(&self, number: usize) -> Result<(), String> {
        let bit = 1 << (number % 64);
        let before = self.ended[number / 64].fetch_or(bit, Ordering::Relaxed);
        if before & bit == 0 { Ok(()) } else { Err(format!("value {number} came twice")) }
    }

    pub(crate) fn check_all_ended(&self) -> Result<(), String> {
        for number in 0..self.made() {
            if self.ended[number / 64].load(Ordering::Relaxed) & 1 << (number % 64) == 0 {
                return Err(format!("value {number} was lost"));
            }
        }
        Ok(())
    }
}

impl Value<'_> {
    /// Ends the value in the hands of the thread that it was delivered to. Returns its number.
    pub(crate) fn deliver(self) -> usize {
        let number = self.take_number();
        self.ledger.end(number).unwrap();
        std::mem::forget(self);
        number
    }

    fn take_number(&self) -> usize {
        if !self.ledger.boxed {
            return self.word;
        }
        let memory = std::ptr::with_exposed_provenance_mut(self.word);
        // SAFETY: made by `Ledger::value`, and the value ends here. If the library gives one out
        // twice, that is what this test is there to find.
        *unsafe { Box::from_raw(memory) }
    }
}

impl Drop for Value<'_> {
    fn drop(&mut self) {
        self.ledger.end(self.take_number()).unwrap();
        self.ledger.released.fetch_add(1, Ordering::Relaxed);
    }
}

thread_local! {
    static INTERRUPTS: RefCell<Random> = const { RefCell::new(Random::new(0)) };
}

// SAFETY: a value is its word, which is good in any thread.
unsafe impl<'l> Host for &'l Ledger {
    type Object = Value<'l>;

    fn into_word(value: Value<'l>) -> Word {
        let word = value.word;
        std::mem::forget(value);
        word
    }

    unsafe fn adopt_word(&self, word: Word) -> Value<'l> {
        Value { ledger: self, word }
    }

    fn interrupt_period(&self) -> Option<Duration> {
        (self.interrupt_once_in > 0).then_some(Duration::from_micros(200))
    }

    fn interrupted(&self) -> bool {
        INTERRUPTS.with_borrow_mut(|random| random.once_in(self.interrupt_once_in))
    }
}

mod tests {
    use super::*;

    #[test]
    fn the_ledger_finds_a_value_that_comes_twice() {
        let ledger = Ledger::new(100, false, 0);
        assert_eq!(ledger.end(70), Ok(()));
        assert_eq!(ledger.end(71), Ok(()));
        assert!(ledger.end(70).is_err());
    }

    #[test]
    fn the_ledger_finds_a_value_that_is_lost() {
        let ledger = Ledger::new(100, false, 0);
        while ledger.made() < 65 {
            let value = ledger.next_value().unwrap();
            if ledger.made() == 65 {
                std::mem::forget(value);
            } else {
                drop(value);
            }
        }
        assert!(ledger.check_all_ended().is_err());
    }
}
