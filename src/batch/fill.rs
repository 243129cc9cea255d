//! One thread's turn as the filler.

use super::Batch;
use super::role::Vacancy;
use crate::border::Panicked;
use crate::fork::generation;
use crate::host::{Host, Word};
use crate::memory::{OutOfMemory, try_zeroed};
use crate::source::{Slots, Source};
use crate::status::LoadError;
use crate::sync::fills_of_this_thread;

/// What only the filler touches.
pub(super) struct Workplace<S> {
    source: S,
    /// What the source writes to. All zero between two calls of it.
    scratch: Box<[Word]>,
    /// How many of the scratch slots hold a result.
    produced: usize,
}

impl<S> Workplace<S> {
    pub(super) fn new(source: S, size: usize) -> Result<Self, OutOfMemory> {
        Ok(Self { source, scratch: try_zeroed(size)?, produced: 0 })
    }
}

/// How often the source is called before the host is asked whether the thread is to stop. A source
/// that never looks for signals is quick, and a slow one looks itself.
const CALLS_BETWEEN_QUESTIONS: usize = 64;

/// The fill role, held by this thread. Dropping it, by unwinding out of host code too, keeps every
/// result that was made and hands the role on.
pub(super) struct Fill<'a, H: Host, S: Source<H>> {
    batch: &'a Batch<H, S>,
    /// The first result belongs to this thread, which then cannot starve. It never passes through
    /// the ring, where others might take it.
    mine: Option<Word>,
    made: usize,
    /// The process in which the fill began.
    generation: u32,
}

impl<'a, H: Host, S: Source<H>> Fill<'a, H, S> {
    /// To be called by the thread that has just taken the role.
    pub(super) fn new(batch: &'a Batch<H, S>, vacancy: Vacancy) -> Self {
        fills_of_this_thread(1);
        let fill = Self { batch, mine: None, made: 0, generation: generation() };
        if vacancy == Vacancy::Orphaned {
            // What the parent's filler was just making is the parent's.
            fill.workplace(|workplace| {
                workplace.scratch.fill(0);
                workplace.produced = 0;
            });
        }
        fill
    }

    /// Runs the source until the buffer is full or the source stops, and returns the first result.
    pub(super) fn run(mut self) -> Result<Word, LoadError<S::Error>> {
        let batch = self.batch;
        let mut calls = 0_usize;
        while self.made < batch.size {
            // Host code: no border, and nothing borrowed that its unwinding would leave undone.
            let result = self.workplace(|workplace| {
                let room = batch.size - self.made;
                let scratch = &mut workplace.scratch[..room];
                let mut slots = Slots::new(scratch, &mut workplace.produced);
                workplace.source.fill(&batch.host, &mut slots)
            });
            self.leave_to_the_parent()?;
            let made_before = self.made;
            batch.guarded(|| self.accept())?;
            result.map_err(LoadError::Source)?;
            if self.made == made_before {
                break;
            }
            calls += 1;
            if calls.is_multiple_of(CALLS_BETWEEN_QUESTIONS) {
                if batch.host.interrupted() {
                    return Err(LoadError::Interrupted);
                }
                self.leave_to_the_parent()?;
            }
        }
        self.mine.take().ok_or(LoadError::NothingProduced)
    }

    /// After a fork in host code: what was made before it is the parent's, and the child begins
    /// anew.
    fn leave_to_the_parent(&mut self) -> Result<(), Panicked> {
        if self.generation == generation() {
            return Ok(());
        }
        self.generation = generation();
        self.made = 0;
        let mine = self.mine.take();
        self.batch.adopt_if_stale()?;
        // SAFETY: the word came from the source, and the ring never had it.
        drop(mine.map(|word| unsafe { self.batch.host.adopt_word(word) }));
        Ok(())
    }

    /// Publishes what the source has just produced.
    fn accept(&mut self) {
        let batch = self.batch;
        let mut mine = self.mine.take();
        let (made, published) = self.workplace(|workplace| {
            let produced = std::mem::take(&mut workplace.produced);
            let mut words = workplace.scratch[..produced].iter_mut().map(std::mem::take);
            mine = mine.or_else(|| words.next());
            (produced, batch.ring.extend(words))
        });
        self.mine = mine;
        self.made += made;
        match published {
            0 => {}
            1 => batch.parking.wake_one(),
            _ => batch.parking.wake_all(),
        }
    }

    fn workplace<R>(&self, f: impl FnOnce(&mut Workplace<S>) -> R) -> R {
        // SAFETY: this thread holds the fill role, and nothing that `f` calls reaches the
        // workplace again: a source that loads from its own batch is turned away at the role.
        self.batch.workplace.with_mut(|workplace| f(unsafe { &mut *workplace }))
    }
}

impl<H: Host, S: Source<H>> Drop for Fill<'_, H, S> {
    fn drop(&mut self) {
        // Errors are dealt with by `guarded`, which makes later loads fail; the role is given up
        // in any case, so that nobody waits for it.
        let _ = self.leave_to_the_parent();
        let _ = self.batch.guarded(|| {
            self.accept();
            if let Some(word) = self.mine.take() {
                // There is room: a fill starts only after this ring was seen empty.
                self.batch.returned.push(word);
            }
        });
        self.batch.role.give_up();
        fills_of_this_thread(-1);
        let _ = self.batch.guarded(|| self.batch.parking.wake_all());
    }
}
