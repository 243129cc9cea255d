//! Tracks each object of a scene, so that none exists twice in a process.

use super::vanishing;
use crate::batch::ForkPolicy;
use crate::host::{Host, Word};
use crate::source::{Filled, Filler, Made, Slots, Source};
use shuttle::rand::{Rng, thread_rng};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// In the library's hands.
    Inside,
    Delivered,
    Released,
}

#[derive(Debug, Default)]
struct Pages {
    fates: Vec<Fate>,
    /// How many objects there were when the process forked.
    parents: Option<usize>,
}

/// Keeps account of the objects, which are counted from 1. Never locked across a step.
#[derive(Debug)]
pub(super) struct Ledger {
    policy: ForkPolicy,
    /// Whether the process forks when a thread asks whether it is to stop.
    forks_when_asked: bool,
    pages: Mutex<Pages>,
}

pub(super) struct Tracked {
    number: usize,
    ledger: &'static Ledger,
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.ledger.enter(self.number, Fate::Released);
    }
}

impl Tracked {
    /// The object has come out of the library, and is the user's from now on.
    pub(super) fn deliver(self) -> usize {
        let object = std::mem::ManuallyDrop::new(self);
        object.ledger.enter(object.number, Fate::Delivered);
        object.number
    }
}

impl Ledger {
    /// For the rest of the process: a scene's threads may vanish with it in their hands.
    pub(super) fn new(policy: ForkPolicy, forks_when_asked: bool) -> &'static Self {
        Box::leak(Box::new(Self { policy, forks_when_asked, pages: Mutex::default() }))
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(|poison| poison.into_inner())
    }

    fn make(&'static self) -> Tracked {
        let mut pages = self.pages();
        pages.fates.push(Fate::Inside);
        Tracked { number: pages.fates.len(), ledger: self }
    }

    /// The user's object is to go back.
    pub(super) fn take_back(&'static self, number: usize) -> Tracked {
        self.pages().fates[number - 1] = Fate::Inside;
        Tracked { number, ledger: self }
    }

    fn enter(&self, number: usize, fate: Fate) {
        let mut pages = self.pages();
        let before = std::mem::replace(&mut pages.fates[number - 1], fate);
        let parents = pages.parents.is_some_and(|parents| number <= parents);
        drop(pages);
        assert_eq!(before, Fate::Inside, "{number} is {fate:?} now, and was before");
        assert!(
            !(parents && fate == Fate::Delivered && self.policy != ForkPolicy::Keep),
            "{number} is the parent's, and the child got it"
        );
    }

    /// The process has forked: what there is, is the parent's too.
    pub(super) fn fork(&self) {
        let mut pages = self.pages();
        pages.parents = Some(pages.fates.len());
    }

    /// When the library has given up all that it has: how many of the parent's objects have gone
    /// with threads that vanished. Of the child's own, none may.
    pub(super) fn lost(&self) -> usize {
        let pages = self.pages();
        let parents = pages.parents.unwrap_or(0);
        let inside = |fates: &[Fate]| fates.iter().filter(|&&fate| fate == Fate::Inside).count();
        assert_eq!(inside(&pages.fates[parents..]), 0, "the child has lost objects of its own");
        inside(&pages.fates[..parents])
    }
}

// SAFETY: an object is its number, and the ledger is there for the rest of the process.
unsafe impl Host for &'static Ledger {
    type Object = Tracked;

    fn into_word(object: Tracked) -> Word {
        std::mem::ManuallyDrop::new(object).number
    }

    unsafe fn adopt_word(&self, word: Word) -> Tracked {
        Tracked { number: word, ledger: self }
    }

    fn interrupt_period(&self) -> Option<Duration> {
        Some(Duration::from_millis(1))
    }

    fn interrupted(&self) -> bool {
        // As a handler of signals may do.
        if self.forks_when_asked && !vanishing::has_forked() {
            vanishing::fork();
            self.fork();
            return thread_rng().gen_range(0..2) == 0;
        }
        false
    }
}

/// Makes objects, and forks in call number `forks_in`, if that is not 0.
#[derive(Clone)]
pub(super) struct Maker {
    pub(super) ledger: &'static Ledger,
    /// How many objects each call makes at most; 0 for a source of one at a time.
    pub(super) bulk: usize,
    pub(super) forks_in: usize,
    pub(super) calls: usize,
}

impl Maker {
    fn call(&mut self) {
        self.calls += 1;
        if self.calls == self.forks_in && !vanishing::has_forked() {
            vanishing::fork();
            self.ledger.fork();
        }
    }
}

impl Source<&'static Ledger> for Maker {
    type Error = ();

    fn run(&mut self, filler: impl Filler<&'static Ledger, ()>) -> Filled {
        if self.bulk == 0 {
            filler.one_by_one(|_| self.next())
        } else {
            filler.many(|_, slots| self.fill(slots))
        }
    }
}

impl Maker {
    fn fill(&mut self, slots: &mut Slots<'_, &'static Ledger>) -> Result<(), ()> {
        self.call();
        for _ in 0..self.bulk.min(slots.capacity()) {
            slots.push(self.ledger.make());
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Option<Made<&'static Ledger>>, ()> {
        self.call();
        Ok(Some(Made::new(self.ledger.make())))
    }
}
