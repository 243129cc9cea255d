//! The child of a fork adopts the batch.

use super::fillers::Permit;
use super::own::{Origin, Own};
use super::{Batch, ForkPolicy, gate};
use crate::error::LoadError;
use crate::host::{Host, Word};
use crate::memory::wipe;
use crate::panic::Defer;
use crate::panic::Panicked;
use crate::process::{generation, with_signals_held};
use crate::source::Source;

impl<H: Host, S: Source<H>> Batch<H, S> {
    /// Adopts the batch for this process, and returns the raised flags.
    pub(super) fn enter(&self) -> Result<u64, LoadError<S::Error>> {
        let flags = match self.front.gate.flags_here() {
            Some(flags) => flags,
            None => {
                self.adopt()?;
                self.front.gate.flags(gate::ENDS)
            }
        };
        if flags & gate::FORKED != 0 { Err(LoadError::Forked) } else { Ok(flags) }
    }

    #[inline]
    pub(super) fn adopt_if_stale(&self) -> Result<(), Panicked> {
        if self.front.gate.is_stale() { self.adopt() } else { Ok(()) }
    }

    /// In the child of a fork: applies the policy to the results that the parent prefetched, and
    /// resets the state of threads that do not exist here.
    #[cold]
    pub(super) fn adopt(&self) -> Result<(), Panicked> {
        // Host code runs here, when the batch is good again.
        drop(self.adopt_for_later()?);
        if self.front.gate.flags(gate::CLOSED) != 0 {
            // A thread that is gone may have closed it, and not yet dropped what a child keeps.
            self.release_all();
        }
        Ok(())
    }

    /// As `adopt`, but the caller releases the dropped results.
    pub(super) fn adopt_for_later(&self) -> Result<Dropped<H>, Panicked> {
        let adopt = || {
            self.front.gate.adopt(|| {
                // SAFETY: the threads that used them are gone, and those that are here wait for
                // the end of the adoption.
                unsafe {
                    self.parking.renew();
                    self.low.renew();
                    self.one_lock.renew();
                    self.returned.renew();
                    self.notices.renew();
                }
                self.settle();
                if self.options.wipe {
                    self.permits().for_each(|permit| permit.own.renew());
                    self.queue.wipe_taken();
                }
                match self.options.on_fork {
                    ForkPolicy::Discard => self.take_parents(),
                    ForkPolicy::Keep => {
                        self.keep_what_fillers_left();
                        Dropped::none()
                    }
                    ForkPolicy::Error => {
                        self.front.gate.raise(gate::FORKED);
                        Dropped::none()
                    }
                }
            })
        };
        let parents = self.guarded(|| with_signals_held(adopt))?;
        Ok(parents.unwrap_or_else(Dropped::none))
    }

    /// In a child that a source has forked: what its thread had made, and what was in the batch. The
    /// caller releases them when it may call the host.
    pub(super) fn take_parents_and(&self, own: &Own) -> Result<Parents<H>, Panicked> {
        let own = if self.keeps_on_fork() { None } else { own.take() };
        let own = own.map(|(word, origin)| {
            self.count_dropped(origin);
            // SAFETY: the word came from the source, and is nowhere else.
            unsafe { self.host.adopt_word(word) }
        });
        let stale = self.front.gate.is_stale();
        let others = if stale { self.adopt_for_later()? } else { Dropped::none() };
        Ok((own, others))
    }

    fn take_parents(&self) -> Dropped<H> {
        let mut parents = Vec::new();
        let count = self.queue.len() + self.returned.len() + self.fillers();
        // This allocates outside a constructor. If there is no memory, the results leak in the
        // child, which is better than an abort.
        let remembered = parents.try_reserve_exact(count).is_ok();
        // A filler in this process handles its own result itself.
        let own = self.permits().filter(|permit| permit.role.is_free());
        let own = own.filter_map(|permit| permit.own.take()).map(|(word, origin)| {
            self.count_dropped(origin);
            word
        });
        let others = std::iter::from_fn(|| self.take_any())
            .inspect(|_| self.counters.others.dropped_on_fork.add(1));
        for word in own.chain(others) {
            if remembered && parents.len() < parents.capacity() {
                // SAFETY: as in `release_all`.
                parents.push(unsafe { self.host.adopt_word(word) });
            }
        }
        Dropped { objects: parents, wipe: self.options.wipe }
    }

    /// In the child of a fork: results that a thread of the parent had taken or given back, and not
    /// yet counted, are counted as taken.
    fn settle(&self) {
        let (filler, others) = (&self.counters.filler, &self.counters.others);
        let came = filler.first_results.get() + others.given_back.get();
        let went = filler.own.get() + others.taken_back.get() + others.dropped_in_hand.get();
        let has_own = |permit: &Permit<'_, S>| permit.own.is_fillers() == Some(Origin::Fill);
        let fillers = self.permits().filter(has_own).count();
        let there = self.own_results_that_are_back() + fillers + self.returned.len();
        // More may have gone than came: counters wrap.
        others.taken_back.add(came.wrapping_sub(went.wrapping_add(there as u64)));
    }

    /// Counts a filler's own result that the child of a fork drops.
    pub(super) fn count_dropped(&self, origin: Origin) {
        let others = &self.counters.others;
        match origin {
            Origin::Fill => others.dropped_in_hand.add(1),
            Origin::Load => others.dropped_on_fork.add(1),
            Origin::Claim => others.dropped_by_cursors.add(1),
        }
    }

    /// Runs `call_host` while this thread has `word`, which is an object meanwhile, since the host may
    /// unwind. Returns `None` in a child that the host has forked there: the parent hands the result
    /// out, unless both may.
    #[inline]
    pub(super) fn keep_in_hand(&self, word: Word, call_host: impl FnOnce()) -> Option<Word> {
        let here = generation();
        // SAFETY: the thread has taken the word from the batch, and nothing else refers to it.
        let object = unsafe { self.host.adopt_word(word) };
        call_host();
        if generation() != here && !self.keeps_on_fork() {
            // It was counted as loaded or claimed.
            self.count_dropped_by_cursor();
            drop(object);
            return None;
        }
        Some(H::into_word(object))
    }

    /// In the child of a fork: counts a result that a cursor held and drops.
    pub(crate) fn count_dropped_by_cursor(&self) {
        self.counters.others.dropped_by_cursors.add(1);
    }
}

/// In the child of a fork: copies of results that the parent hands out.
pub(super) type Parents<H> = (Option<<H as Host>::Object>, Dropped<H>);

/// Results that the child of a fork drops, when it may call the host. Their memory is wiped after
/// them if those in the batch are.
pub(super) struct Dropped<H: Host> {
    objects: Vec<H::Object>,
    wipe: bool,
}

impl<H: Host> Dropped<H> {
    pub(super) const fn none() -> Self {
        Self { objects: Vec::new(), wipe: false }
    }
}

impl<H: Host> Drop for Dropped<H> {
    fn drop(&mut self) {
        let Self { objects, wipe: is_secret } = self;
        if *is_secret {
            let begin = objects.as_mut_ptr().cast();
            let size = objects.capacity() * size_of::<H::Object>();
            // The host may unwind.
            // SAFETY: the memory of the vector, in which nothing is left by then.
            let _wiped = Defer(|| unsafe { wipe(begin, size) });
            objects.clear();
        }
    }
}
