//! How a load waits for the thread that fills.

use super::deadlock::{self, Awaited, Cycle};
use super::role::Runner;
use super::stats::nanoseconds;
use super::{Batch, gate};
use crate::error::LoadError;
use crate::host::Host;
use crate::source::Source;
use std::cell::Cell;
use std::time::Instant;

impl<H: Host, S: Source<H>> Batch<H, S> {
    /// Begins a load that waits. It ends when what this returns is dropped.
    pub(super) fn begin_to_wait(&self) -> WakeUp<'_, H, S> {
        self.counters.others.waits.add(1);
        WakeUp { batch: self, is_inside: Cell::new(true) }
    }

    /// Waits until this thread can continue.
    pub(super) fn wait(
        &self,
        deadline: Option<Instant>,
        wake_up: &WakeUp<'_, H, S>,
    ) -> Result<(), LoadError<S::Error>> {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Err(LoadError::TimedOut);
        }
        let interruptible = self.host.interruptible();
        let for_interrupts = self.host.interrupt_period().filter(|_| interruptible);
        let for_circles = deadlock::this_thread_fills().then_some(deadlock::PERIOD);
        let period = [left, for_interrupts, for_circles].into_iter().flatten().min();
        let start = Instant::now();
        let outside = self.host.has_one_lock().then(|| self.one_lock.count_as_outside());
        wake_up.is_inside.set(false);
        let waited = self.leave_host(self, || {
            if self.host.has_one_lock() {
                // To look again and again is of no use: the filler seldom gives the lock up.
                self.parking.wait_asleep(period, || self.is_ready(), || self.linger());
            } else {
                if self.waits_for_whole_fills() {
                    self.linger();
                }
                self.parking.wait(period, || self.is_plenty(), || self.is_ready());
            }
        });
        wake_up.is_inside.set(true);
        drop(outside);
        self.counters.others.waited_nanoseconds.add(nanoseconds(start.elapsed()));
        waited?;
        if interruptible && self.host.interrupted() {
            return Err(LoadError::Interrupted);
        }
        Ok(())
    }

    /// Makes every thread that sleeps in this batch ask its host now whether it is interrupted,
    /// instead of when its period is over. Those that are not sleep again.
    ///
    /// # Example
    /// ```
    /// # use ft_local::{Batch, Iter, Native};
    /// let batch = Batch::new(Native::<usize>::new(), Iter(1..), 8)?;
    /// batch.interrupt(); // nobody waits
    /// assert_eq!(batch.load()?, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn interrupt(&self) {
        // In a child that has not adopted the batch, the threads that slept are not there.
        if !self.front.gate.is_stale() {
            let _ = self.guarded(|| {
                self.parking.wake_all();
                self.low.wake_all();
            });
        }
    }

    /// Waits by `wait`, outside the host, for what is `awaited`. If the host refuses to be left,
    /// that is an interruption.
    pub(super) fn leave_host(
        &self,
        awaited: &dyn Awaited,
        mut wait: impl FnMut(),
    ) -> Result<(), LoadError<S::Error>> {
        let mut waited = None;
        let blocked = deadlock::wait_for(awaited, self.host.fiber(), || {
            self.host.block(&mut || waited = Some(self.guarded(&mut wait)));
        });
        match self.poisoned_by(blocked)? {
            Ok(()) => Ok(waited.ok_or(LoadError::Interrupted)??),
            Err(Cycle) => Err(LoadError::Deadlock),
        }
    }
}

/// A wake-up that a load may have received while it waited, and which may have been meant for others
/// as well. Dropping it, when the load ends in whatever way, wakes the next thread if there is
/// something for it: a result, or the role.
pub(super) struct WakeUp<'a, H: Host, S: Source<H>> {
    batch: &'a Batch<H, S>,
    /// Whether the thread is inside its host, and not on the way out of it by an unwind.
    is_inside: Cell<bool>,
}

impl<H: Host, S: Source<H>> Drop for WakeUp<'_, H, S> {
    fn drop(&mut self) {
        let batch = self.batch;
        let _ = batch.guarded(|| batch.pass_on());
        let _ = batch.guarded(|| batch.say_that_one_is_in());
        // Otherwise the next thread that uses the batch calls them.
        if self.is_inside.get() {
            batch.call_waiters();
        }
    }
}

impl<H: Host, S: Source<H>> Awaited for Batch<H, S> {
    fn each_filler(&self, each: &mut dyn FnMut(Runner)) {
        Self::each_filler(self, each);
    }

    fn is_ready(&self) -> bool {
        !self.queue.is_empty() || self.wait_is_over()
    }
}

impl<H: Host, S: Source<H>> Batch<H, S> {
    /// As `is_ready`, but ignores unpublished results until the filler has published a group:
    /// taking each result immediately slows the filler, and this thread too.
    fn is_plenty(&self) -> bool {
        self.queue.has_published() || self.wait_is_over()
    }

    pub(super) fn wait_is_over(&self) -> bool {
        // Not the number of results that came back: a thread may just be looking through them,
        // and puts the flag up when it leaves some.
        self.may_fill()
            || self
                .front
                .gate
                .flags_here()
                .is_none_or(|flags| flags & (gate::RETURNED | gate::ENDS) != 0)
    }
}
