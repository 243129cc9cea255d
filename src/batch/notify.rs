//! Waiting without blocking: a load that does not wait, and a call when it is worth another try.

use super::Batch;
use super::deadlock::Awaited;
use super::load::{Patience, Slow};
use super::notices::{ALL, RawWake, Ticket, Wake};
use crate::error::LoadError;
use crate::host::{Host, Word};
use crate::panic::{Defer, Panicked};
use crate::source::Source;
use std::task::Waker;

impl<H: Host, S: Source<H>> Batch<H, S> {
    /// Takes the next result, or runs the source if no thread does, but does not wait for another
    /// thread that runs it.
    ///
    /// # Errors
    /// [`LoadError::WouldWait`] if another thread runs the source and nothing is ready:
    /// [`notify`](Self::notify) says when to try again. Otherwise as for [`load`](Self::load).
    ///
    /// # Example
    /// ```
    /// # use ft_local::{Batch, Iter, Native};
    /// let batch = Batch::new(Native::<usize>::new(), Iter(1..), 8)?;
    /// assert_eq!(batch.load_now()?, 1); // makes 8
    /// assert_eq!(batch.load_now()?, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn load_now(&self) -> Result<H::Object, LoadError<S::Error>> {
        let loaded = self.try_claim_fast().or_else(|slow| self.load_slow_now(slow))?;
        // SAFETY: as in `load`.
        Ok(unsafe { self.host().adopt_word(loaded) })
    }

    /// Registers a waker, which is called once: when there is a result, when no thread runs the
    /// source any more, or when there will be no more results. That may be at once, in this call.
    /// The waker must not block.
    ///
    /// The waiter that is called is expected to load, by [`load_now`](Self::load_now), and to
    /// register again if that would wait. If it will not load, it must [`forget`](Self::forget) its
    /// ticket, so that another waiter is woken in its place. One result wakes one waiter, be it a
    /// thread or a registration, and the oldest registration comes first.
    ///
    /// In the child of a fork, the parent's registrations are gone. When the batch is dropped, it
    /// calls those that are left.
    ///
    /// # Errors
    /// [`LoadError::OutOfMemory`], [`LoadError::Forked`] and [`LoadError::Panicked`]. The waker is
    /// then not called.
    ///
    /// # Example
    /// ```
    /// # use ft_local::{Batch, Iter, Native};
    /// # use std::sync::{Arc, atomic::{AtomicBool, Ordering}};
    /// #[derive(Default)]
    /// struct Flag(AtomicBool);
    ///
    /// impl std::task::Wake for Flag {
    ///     fn wake(self: Arc<Self>) {
    ///         self.0.store(true, Ordering::Release);
    ///     }
    /// }
    ///
    /// let batch = Batch::new(Native::<usize>::new(), Iter(1..), 8)?;
    /// let flag = Arc::new(Flag::default());
    /// batch.notify(flag.clone().into())?;
    /// // No thread runs the source, so there is nothing to wait for.
    /// assert!(flag.0.load(Ordering::Acquire));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn notify(&self, waker: Waker) -> Result<Ticket, LoadError<S::Error>> {
        self.register(Wake::Waker(waker))
    }

    /// As [`notify`](Self::notify), for a binding.
    ///
    /// # Errors
    /// As for `notify`.
    ///
    /// # Safety
    /// Any thread may call the function with its argument, once, until
    /// [`forget`](Self::forget) returns `true`.
    pub unsafe fn notify_raw(&self, wake: RawWake) -> Result<Ticket, LoadError<S::Error>> {
        self.register(Wake::Raw(wake))
    }

    fn register(&self, wake: Wake) -> Result<Ticket, LoadError<S::Error>> {
        self.enter()?;
        let added = self.guarded(|| self.notices.add(&self.parking, wake))?;
        // The waker, if it was not taken, is dropped here, out of the border.
        let ticket = added.map_err(|_| LoadError::OutOfMemory)?;
        let mine = self.guarded(|| {
            self.is_ready().then(|| self.notices.remove(&self.parking, ticket)).flatten()
        })?;
        if let Some(wake) = mine {
            wake.call();
        }
        Ok(ticket)
    }

    /// Ends a registration. Returns `true` if its waker was not called and never will be. Returns
    /// `false` if it was called, or is just being called in another thread; what it was called for
    /// is then passed on to the next waiter. So a waiter that was called and has loaded does not
    /// forget its ticket.
    ///
    /// In the child of a fork, a ticket of the parent returns `false`, because a thread of the
    /// parent may have been calling the waker; it is not called in the child.
    ///
    /// # Example
    /// ```
    /// # use ft_local::{Batch, Iter, Native};
    /// # use std::task::Waker;
    /// let batch = Batch::new(Native::<usize>::new(), Iter(1..), 8)?;
    /// let ticket = batch.notify(Waker::noop().clone())?;
    /// assert!(!batch.forget(ticket), "it was called at once");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn forget(&self, ticket: Ticket) -> bool {
        let _ = self.adopt_if_stale();
        let removed = self.guarded(|| self.notices.remove(&self.parking, ticket));
        // It may be a waker with an end of its own, which runs here, out of the border.
        let was_waiting = removed.is_ok_and(|wake| wake.is_some());
        if !was_waiting {
            let _ = self.guarded(|| self.pass_on());
            self.call_waiters();
        }
        was_waiting
    }

    /// For a waiter that was woken and does not load: wakes another if there is something for it.
    pub(super) fn pass_on(&self) {
        // The place of a child's parent is left alone.
        if !self.front.gate.is_stale() && self.is_ready() {
            self.wake_waiters(1);
        }
    }

    /// Wakes waiters, after `count` results were stored, one for each. The caller must then
    /// [`call_waiters`](Self::call_waiters), when it is out of the border.
    #[inline]
    pub(super) fn wake_waiters(&self, count: usize) {
        if self.parking.somebody_sleeps() {
            self.notices.ring(&self.parking, count);
        }
    }

    /// For the filler, which has seen that a waiter may be there: wakes one for a result.
    #[cold]
    #[inline(never)]
    pub(super) fn wake_one_waiter(&self) -> Result<(), Panicked> {
        self.guarded(|| self.notices.ring(&self.parking, 1))?;
        self.call_waiters();
        Ok(())
    }

    /// Wakes all waiters, after something that affects all of them was stored.
    pub(super) fn wake_all_waiters(&self) {
        self.wake_waiters(ALL);
    }

    /// Calls the waiters that are to be woken. They are the host's, so no border encloses this.
    #[inline]
    pub(super) fn call_waiters(&self) {
        if self.notices.owes() {
            self.call_waiters_that_are_owed();
        }
    }

    /// Calls the waiters that are to be woken, for a thread that has taken `word`. `None` as in
    /// `keep_in_hand`.
    #[inline]
    pub(super) fn call_waiters_before(&self, word: Word) -> Option<Word> {
        if !self.notices.owes() {
            return Some(word);
        }
        self.keep_in_hand(word, || self.call_waiters())
    }

    /// If the host unwinds out of one, the others are still called.
    #[cold]
    fn call_waiters_that_are_owed(&self) {
        let rest = Defer(|| self.call_each_waiter());
        self.call_each_waiter();
        std::mem::forget(rest);
    }

    fn call_each_waiter(&self) {
        let _ = self.notices.pay(|debt| self.guarded(|| debt.next(&self.parking)));
    }

    /// Wakes all waiters, for a binding whose handle of the batch is gone while a cursor keeps the
    /// batch: none of them could load.
    pub fn wake_everybody(&self) {
        let _ = self.adopt_if_stale();
        let _ = self.guarded(|| self.wake_all_waiters());
        self.call_waiters();
    }

    /// Continues a load that does not wait, as [`load_slow`](Self::load_slow) does one that waits.
    ///
    /// # Errors
    /// As for [`load_now`](Self::load_now).
    #[cold]
    pub fn load_slow_now(&self, slow: Slow) -> Result<Word, LoadError<S::Error>> {
        self.continue_load(slow, Patience::NoWait.into())
    }
}
