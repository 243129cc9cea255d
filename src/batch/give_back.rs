//! Results that come back, are dropped, or are the parent's.

use super::own::Origin;
use super::{Batch, ForkPolicy, gate};
use crate::border::Panicked;
use crate::cursor::{Node, node_of};
use crate::host::{Host, Word};
use crate::source::Source;
use crate::status::LoadError;
use crate::sync::{Ordering, with_signals_held};
use std::ptr::NonNull;

impl<H: Host, S: Source<H>> Batch<H, S> {
    /// Takes a result that came back, if one did: first those that are older than all others.
    pub(super) fn take_returned(&self) -> Option<Word> {
        if self.front.flags(gate::RETURNED) == 0 {
            return None;
        }
        // Before it is known whether anything stays: what comes back from now on raises it again.
        self.front.lower(gate::RETURNED);
        let taken = self.take_first().map(|word| (word, self.first.len() + self.returned.len()));
        let (word, left) = taken.or_else(|| {
            let (word, left) = self.pop_returned()?;
            Some((word, left + self.first.len()))
        })?;
        if left > 0 {
            self.tell_of_returned(left);
        }
        Some(word)
    }

    /// Takes the first result of a fill that failed.
    pub(super) fn take_first(&self) -> Option<Word> {
        self.first.claim().map(|(word, _)| word)
    }

    fn tell_of_returned(&self, count: usize) -> u64 {
        let before = self.front.raise(gate::RETURNED);
        self.parking.wake(count);
        before
    }

    /// For the filler: its own result goes to whoever comes next. It has just made it, or had
    /// loaded it before.
    pub(super) fn give_first_back(&self, word: Word, origin: Origin) {
        // There is room: a fill starts only after this was seen empty.
        self.first.push(word);
        self.first.publish();
        self.counters.others.given_back.add(u64::from(origin == Origin::Load));
        self.tell_of_returned(1);
    }

    /// Gives back objects that were loaded from this batch and are not wanted: they are handed out
    /// again before anything newer.
    ///
    /// # Errors
    /// If there is not enough memory; `objects` is then as it was. If the batch was closed, they
    /// are released.
    pub fn give_back(&self, objects: &mut Vec<H::Object>) -> Result<(), LoadError<S::Error>> {
        self.enter()?;
        let mut words = Vec::new();
        words.try_reserve_exact(objects.len()).map_err(|_| LoadError::OutOfMemory)?;
        words.extend(objects.drain(..).map(H::into_word));
        self.give_words_back(&words).inspect_err(|_| {
            // SAFETY: each word stands for the object that was given up for it just before.
            objects.extend(words.iter().map(|&word| unsafe { self.host.adopt_word(word) }));
        })
    }

    pub(crate) fn give_words_back(&self, words: &[Word]) -> Result<(), LoadError<S::Error>> {
        self.enter()?;
        if words.is_empty() {
            return Ok(());
        }
        let node = node_of(words, std::ptr::from_ref(self).cast());
        self.give_node_back(node.ok_or(LoadError::OutOfMemory)?);
        Ok(())
    }

    /// Takes the results in a node back, and the node.
    pub(crate) fn give_node_back(&self, node: NonNull<Node>) {
        let _ = self.adopt_if_stale();
        // SAFETY: the node is the caller's.
        let count = unsafe { node.as_ref() }.len();
        if count == 0 {
            // SAFETY: as above, and the caller gives it up.
            unsafe { Node::free(node) };
            return;
        }
        self.counters.others.given_back.add(count as u64);
        self.returned.push(node);
        if self.tell_of_returned(count) & gate::CLOSED != 0 {
            self.release_all();
        }
    }

    pub(crate) fn cursor_opened(&self) {
        self.cursors.fetch_add(1, Ordering::Relaxed);
    }

    /// Called under the lock of the list of cursors, so that `stats` counts each once.
    pub(crate) fn cursor_closed(&self, node: &Node) {
        self.cursors.fetch_sub(1, Ordering::Relaxed);
        self.counters.others.claims.add(node.claims.load(Ordering::Relaxed));
        self.counters.others.claimed.add(node.claimed.load(Ordering::Relaxed));
    }

    /// Ends the batch: drops the results in the buffer, and every load from now on, and every one
    /// that waits, gets [`LoadError::Closed`]. What the source is just making is dropped too, but for
    /// the one result of the load that runs it; what cursors have in hand they still hand out.
    /// Closing again does nothing.
    ///
    /// # Errors
    /// [`LoadError::Forked`] and [`LoadError::Panicked`]; results may then be left for the drop of
    /// the batch.
    pub fn close(&self) -> Result<(), LoadError<S::Error>> {
        self.enter()?;
        self.front.raise(gate::CLOSED);
        self.guarded(|| {
            self.parking.wake_all();
            self.low.wake_all();
        })?;
        self.release_all();
        Ok(())
    }

    /// Whether the batch was closed.
    pub fn is_closed(&self) -> bool {
        self.front.flags(gate::CLOSED) != 0
    }

    /// Drops the results in the buffer. The batch works on.
    ///
    /// # Errors
    /// [`LoadError::Forked`] and [`LoadError::Panicked`].
    pub fn clear(&self) -> Result<(), LoadError<S::Error>> {
        self.enter()?;
        self.release_all();
        Ok(())
    }

    /// Drops what is in the buffer.
    pub(super) fn release_all(&self) {
        while let Ok(Some(word)) = self.guarded(|| self.take()) {
            self.counters.others.released.add(1);
            // SAFETY: the queue gives each word once, and they all come from the source.
            drop(unsafe { self.host.adopt_word(word) });
        }
    }

    /// At the end of the batch.
    pub(super) fn drop_all(&mut self) {
        let mut all = self.take_any();
        while let Ok(Some(word)) = self.guarded(|| all.next()) {
            // SAFETY: as in `release_all`.
            drop(unsafe { self.host.adopt_word(word) });
        }
    }

    /// Takes whatever is left, whether the flag of what came back is up or not.
    fn take_any(&self) -> impl Iterator<Item = Word> {
        std::iter::from_fn(|| self.take_first())
            .chain(std::iter::from_fn(|| self.pop_returned().map(|(word, _)| word)))
            .chain(std::iter::from_fn(|| self.queue.claim().map(|(word, _)| word)))
    }

    /// Takes the oldest result that came back, and says how many are left there.
    fn pop_returned(&self) -> Option<(Word, usize)> {
        let popped = self.returned.pop()?;
        self.counters.others.taken_back.add(1);
        Some(popped)
    }

    #[inline]
    pub(super) fn adopt_if_stale(&self) -> Result<(), Panicked> {
        if self.front.is_stale() { self.adopt() } else { Ok(()) }
    }

    /// In the child of a fork: does as the policy says with what the parent has prefetched, and
    /// forgets the threads that are not here.
    #[cold]
    pub(super) fn adopt(&self) -> Result<(), Panicked> {
        let adopt = || {
            self.front.adopt(|| {
                // SAFETY: the threads that used them are gone, and those that are here wait for
                // the end of the adoption.
                unsafe {
                    self.parking.renew();
                    self.low.renew();
                }
                match self.options.on_fork {
                    ForkPolicy::Discard => self.take_parents(),
                    ForkPolicy::Keep => Vec::new(),
                    ForkPolicy::Error => {
                        self.front.raise(gate::FORKED);
                        Vec::new()
                    }
                }
            })
        };
        let parents = self.guarded(|| with_signals_held(adopt))?;
        // Host code runs here, when the batch is good again.
        drop(parents);
        Ok(())
    }

    fn take_parents(&self) -> Vec<H::Object> {
        self.front.lower(gate::RETURNED);
        let mut parents = Vec::new();
        let count = self.queue.len() + self.first.len() + self.returned.len() + 1;
        // Here memory is taken outside of a constructor. If there is none, the results are left
        // alive in the child for ever, which is better than an abort.
        let remembered = parents.try_reserve_exact(count).is_ok();
        // A filler that is in this process sees to its own result itself.
        let own = if self.role.is_free() { self.own.take() } else { None };
        let own = own.map(|(word, origin)| {
            self.count_dropped(origin);
            word
        });
        let others = self.take_any().inspect(|_| self.counters.others.dropped_on_fork.add(1));
        for word in own.into_iter().chain(others) {
            if remembered && parents.len() < parents.capacity() {
                // SAFETY: as in `release_all`.
                parents.push(unsafe { self.host.adopt_word(word) });
            }
        }
        parents
    }

    /// Counts a filler's own result that the child of a fork drops.
    pub(super) fn count_dropped(&self, origin: Origin) {
        let others = &self.counters.others;
        match origin {
            Origin::Fill => others.dropped_in_hand.add(1),
            Origin::Load => others.dropped_on_fork.add(1),
        }
    }

    /// In the child of a fork: a cursor drops results that it had in hand.
    pub(crate) fn count_dropped_by_cursor(&self) {
        self.counters.others.dropped_by_cursors.add(1);
    }
}
