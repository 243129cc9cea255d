//! Results that are given back, and how they are taken again.

use super::node::{Node, node_of};
use super::own::{Origin, Own};
use super::{Batch, gate};
use crate::error::LoadError;
use crate::host::{Host, Word};
use crate::panic::Defer;
use crate::source::Source;
use std::ptr::NonNull;

impl<H: Host, S: Source<H>> Batch<H, S> {
    /// Takes a result that came back, if the gate says that there is one.
    pub(super) fn take_returned(&self) -> Option<Word> {
        if self.front.gate.flags(gate::RETURNED) == 0 { None } else { self.take_back() }
    }

    /// Takes a result that came back, without checking the gate. For a thread that found nothing,
    /// and would otherwise make a newer result or report that there is none. The result of a failed
    /// fill comes first, then the oldest.
    pub(super) fn take_back(&self) -> Option<Word> {
        let own = self.permits().find_map(|permit| {
            if self.options.wipe { permit.own.take_back_and_wipe() } else { permit.own.take_back() }
        });
        let word = own.or_else(|| self.returned.pop());
        self.counters.others.taken_back.add(u64::from(word.is_some()));
        if !self.has_returned() && self.front.gate.flags(gate::RETURNED) != 0 {
            self.front.gate.lower(gate::RETURNED);
            // What came back since this thread looked may have raised the flag before that.
            if self.has_returned() {
                self.announce_returned(self.returned.len() + 1);
            }
        }
        word
    }

    fn has_returned(&self) -> bool {
        self.own_results_that_are_back() > 0 || self.returned.has_some()
    }

    pub(super) fn announce_returned(&self, count: usize) -> u64 {
        let before = self.front.gate.raise(gate::RETURNED);
        self.wake_waiters(count);
        before
    }

    /// For the filler: offers its own result to all threads. The filler has just made it, or had
    /// loaded it before.
    pub(super) fn give_own_back(&self) {
        self.give_back_own(&self.own);
    }

    /// As `give_own_back`, for any of several fillers.
    pub(super) fn give_back_own(&self, own: &Own) {
        if let Some(origin) = own.give_back() {
            self.counters.others.given_back.add(u64::from(origin != Origin::Fill));
            self.announce_returned(1);
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
        let was_closed = self.announce_returned(count) & gate::CLOSED != 0;
        let _last = Defer(|| {
            if was_closed {
                self.release_all();
            }
        });
        self.call_waiters();
    }
}
