//! Results that are given back, are dropped, or belong to the parent of a fork.

use super::own::Origin;
use super::{Batch, ForkPolicy, gate};
use crate::border::{Defer, Panicked};
use crate::cursor::{Node, node_of};
use crate::host::{Host, Word};
use crate::source::Source;
use crate::status::LoadError;
use crate::sync::{Ordering, with_signals_held};
use std::ptr::NonNull;

impl<H: Host, S: Source<H>> Batch<H, S> {
    /// Takes a result that came back, if the gate says that there is one.
    pub(super) fn take_returned(&self) -> Option<Word> {
        if self.front.flags(gate::RETURNED) == 0 { None } else { self.take_back() }
    }

    /// Takes a result that came back, without checking the gate. For a thread that found nothing,
    /// and would otherwise make a newer result or report that there is none. The result of a failed
    /// fill comes first, then the oldest.
    pub(super) fn take_back(&self) -> Option<Word> {
        let word = self.own.take_back().or_else(|| self.returned.pop());
        self.counters.others.taken_back.add(u64::from(word.is_some()));
        if !self.something_is_back() && self.front.flags(gate::RETURNED) != 0 {
            self.front.lower(gate::RETURNED);
            // What came back since this thread looked may have raised the flag before that.
            if self.something_is_back() {
                self.tell_of_returned(self.returned.len() + 1);
            }
        }
        word
    }

    fn something_is_back(&self) -> bool {
        self.own.is_back() || self.returned.has_some()
    }

    fn tell_of_returned(&self, count: usize) -> u64 {
        let before = self.front.raise(gate::RETURNED);
        self.parking.wake(count);
        before
    }

    /// For the filler: offers its own result to all threads. The filler has just made it, or had
    /// loaded it before.
    pub(super) fn give_own_back(&self) {
        if let Some(origin) = self.own.give_back() {
            self.counters.others.given_back.add(u64::from(origin != Origin::Fill));
            self.tell_of_returned(1);
        }
    }

    /// Gives back unwanted objects that were loaded from this batch. They are handed out again
    /// before newer results.
    ///
    /// # Errors
    /// If there is not enough memory; `objects` is then unchanged. If the batch was closed, they
    /// are released.
    ///
    /// # Example
    /// ```
    /// # use ft_local::{Batch, Iter, Native};
    /// let batch = Batch::new(Native::<usize>::new(), Iter(1..), 8)?;
    /// let mut unwanted = vec![batch.load()?];
    /// batch.give_back(&mut unwanted)?;
    /// assert_eq!(batch.load()?, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn give_back(&self, objects: &mut Vec<H::Object>) -> Result<(), LoadError<S::Error>> {
        self.enter()?;
        let mut words = Vec::new();
        words.try_reserve_exact(objects.len()).map_err(|_| LoadError::OutOfMemory)?;
        words.extend(objects.drain(..).map(H::into_word));
        self.take_words_back(&words).inspect_err(|_| {
            // SAFETY: each word stands for the object that was given up for it just before.
            objects.extend(words.iter().map(|&word| unsafe { self.host.adopt_word(word) }));
        })
    }

    /// Gives back results that were loaded as words, as [`give_back`](Self::give_back) does.
    ///
    /// # Errors
    /// If there is not enough memory; the words then remain the caller's.
    ///
    /// # Safety
    /// Each word must stand for one reference of this batch's host, which the caller gives up.
    pub unsafe fn give_words_back(&self, words: &[Word]) -> Result<(), LoadError<S::Error>> {
        self.take_words_back(words)
    }

    pub(super) fn take_words_back(&self, words: &[Word]) -> Result<(), LoadError<S::Error>> {
        self.enter()?;
        if words.is_empty() {
            return Ok(());
        }
        let place = self.returned.place_before_all(words.len());
        let node = node_of(words, place, std::ptr::from_ref(self).cast());
        self.give_node_back(node.ok_or(LoadError::OutOfMemory)?);
        Ok(())
    }

    /// Takes back a node with its results.
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

    /// Ends the batch. The results in the buffer are dropped, and every later or waiting load gets
    /// [`LoadError::Closed`]. Results that the source is making now are dropped too, except the one
    /// for the load that runs it. Cursors still hand out the results that they hold. Closing again
    /// does nothing.
    ///
    /// # Errors
    /// [`LoadError::Forked`] and [`LoadError::Panicked`]; results may then remain until the batch
    /// is dropped.
    ///
    /// # Example
    /// ```
    /// # use ft_local::{Batch, Iter, LoadError, Native};
    /// let batch = Batch::new(Native::<usize>::new(), Iter(1..), 8)?;
    /// batch.close()?;
    /// assert!(matches!(batch.load(), Err(LoadError::Closed)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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

    /// Drops the results in the buffer. The batch remains usable.
    ///
    /// # Errors
    /// [`LoadError::Forked`] and [`LoadError::Panicked`].
    ///
    /// # Example
    /// ```
    /// # use ft_local::{Batch, Iter, Native};
    /// let batch = Batch::new(Native::<usize>::new(), Iter(1..), 8)?;
    /// batch.load()?; // makes 8
    /// batch.clear()?;
    /// assert_eq!(batch.load()?, 9);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn clear(&self) -> Result<(), LoadError<S::Error>> {
        self.enter()?;
        self.release_all();
        Ok(())
    }

    /// Drops the results in the buffer. If the host unwinds out of one release, the rest is still
    /// released, as `Vec` does.
    pub(super) fn release_all(&self) {
        let rest = Defer(|| self.release_each());
        self.release_each();
        std::mem::forget(rest);
    }

    fn release_each(&self) {
        while let Ok(Some(word)) = self.guarded(|| self.take_any()) {
            self.counters.others.released.add(1);
            // SAFETY: the queue gives each word once, and they all come from the source.
            drop(unsafe { self.host.adopt_word(word) });
        }
    }

    /// Takes the next result without checking the gate.
    pub(super) fn take_any(&self) -> Option<Word> {
        self.take_back().or_else(|| self.queue.claim().map(|(word, _)| word))
    }

    #[inline]
    pub(super) fn adopt_if_stale(&self) -> Result<(), Panicked> {
        if self.front.is_stale() { self.adopt() } else { Ok(()) }
    }

    /// In the child of a fork: applies the policy to the results that the parent prefetched, and
    /// resets the state of threads that do not exist here.
    #[cold]
    pub(super) fn adopt(&self) -> Result<(), Panicked> {
        // Host code runs here, when the batch is good again.
        drop(self.adopt_for_later()?);
        if self.front.flags(gate::CLOSED) != 0 {
            // A thread that is gone may have closed it, and not yet dropped what a child keeps.
            self.release_all();
        }
        Ok(())
    }

    /// As `adopt`, but the caller releases the dropped results.
    pub(super) fn adopt_for_later(&self) -> Result<Vec<H::Object>, Panicked> {
        let adopt = || {
            self.front.adopt(|| {
                // SAFETY: the threads that used them are gone, and those that are here wait for
                // the end of the adoption.
                unsafe {
                    self.parking.renew();
                    self.low.renew();
                    self.returned.renew();
                }
                self.settle();
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
        Ok(parents.unwrap_or_default())
    }

    fn take_parents(&self) -> Vec<H::Object> {
        let mut parents = Vec::new();
        let count = self.queue.len() + self.returned.len() + 1;
        // This allocates outside a constructor. If there is no memory, the results leak in the
        // child, which is better than an abort.
        let remembered = parents.try_reserve_exact(count).is_ok();
        // A filler in this process handles its own result itself.
        let own = if self.role.is_free() { self.own.take() } else { None };
        let own = own.map(|(word, origin)| {
            self.count_dropped(origin);
            word
        });
        let others = std::iter::from_fn(|| self.take_any())
            .inspect(|_| self.counters.others.dropped_on_fork.add(1));
        for word in own.into_iter().chain(others) {
            if remembered && parents.len() < parents.capacity() {
                // SAFETY: as in `release_all`.
                parents.push(unsafe { self.host.adopt_word(word) });
            }
        }
        parents
    }

    /// In the child of a fork: results that a thread of the parent had taken or given back, and not
    /// yet counted, are counted as taken.
    fn settle(&self) {
        let (filler, others) = (&self.counters.filler, &self.counters.others);
        let came = filler.first_results.get() + others.given_back.get();
        let went = filler.own.get() + others.taken_back.get() + others.dropped_in_hand.get();
        let fillers = u64::from(self.own.is_fillers() == Some(Origin::Fill));
        let there = u64::from(self.own.is_back()) + fillers + self.returned.len() as u64;
        // More may have gone than came: counters wrap.
        others.taken_back.add(came.wrapping_sub(went.wrapping_add(there)));
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

    /// In the child of a fork: counts a result that a cursor held and drops.
    pub(crate) fn count_dropped_by_cursor(&self) {
        self.counters.others.dropped_by_cursors.add(1);
    }
}
