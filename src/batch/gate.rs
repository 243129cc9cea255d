//! One word that says whether a load may go straight to the buffer.
//!
//! It holds the generation of the process for which the batch is ready, and a bit for everything
//! else that a load must look at first. So the usual case costs one comparison.

use crate::fork::generation;
use crate::sync::{AtomicU64, Backoff, GENERATION_STEP, Ordering, generation_at_a_glance};

/// Results were given back, and come before those in the buffer.
pub(crate) const RETURNED: u64 = 1;
/// The batch was closed.
pub(crate) const CLOSED: u64 = 1 << 1;
/// The source has ended.
pub(crate) const ENDED: u64 = 1 << 2;
/// The library panicked in this batch.
pub(crate) const PANICKED: u64 = 1 << 3;
/// The batch is the parent's, and the child of a fork may not use it.
pub(crate) const FORKED: u64 = 1 << 4;
/// What a thread that waits need not wait any longer for.
pub(crate) const ENDS: u64 = CLOSED | ENDED | PANICKED | FORKED;
/// A thread is just making the batch this process's own.
const ADOPTING: u64 = 1 << 5;

const FLAGS: u64 = GENERATION_STEP - 1;

pub(crate) struct Gate(AtomicU64);

impl Gate {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(generation()))
    }

    /// Whether there is nothing to look at.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        // Acquire: with the Release of whoever changed it.
        self.0.load(Ordering::Acquire) == generation_at_a_glance()
    }

    /// Which of `flags` are up.
    #[inline]
    pub(crate) fn flags(&self, flags: u64) -> u64 {
        // Acquire: with the Release in `raise`, for what was done before.
        self.0.load(Ordering::Acquire) & flags
    }

    /// Puts a flag up, and returns those that were up before.
    pub(crate) fn raise(&self, flag: u64) -> u64 {
        // Release: with the Acquire of who sees the flag. Acquire: with the Release of who raised
        // another before: of two threads that raise a flag each, one sees the other's, and with it
        // what the other did before.
        self.0.fetch_or(flag, Ordering::AcqRel)
    }

    /// Takes a flag down.
    pub(crate) fn lower(&self, flag: u64) {
        // AcqRel: as in `raise`.
        self.0.fetch_and(!flag, Ordering::AcqRel);
    }

    /// The flags that are up, after all that was raised before.
    pub(crate) fn latest(&self) -> u64 {
        self.raise(0)
    }

    /// The flags that are up, if the batch is this process's own.
    #[inline]
    pub(crate) fn flags_here(&self) -> Option<u64> {
        // Acquire: as in `flags`.
        let state = self.0.load(Ordering::Acquire);
        let own = state & !FLAGS == generation_at_a_glance() && state & ADOPTING == 0;
        own.then_some(state & FLAGS)
    }

    /// Whether the batch still is the parent's.
    #[inline]
    pub(crate) fn is_stale(&self) -> bool {
        self.flags_here().is_none()
    }

    /// Makes the batch this process's own by `adopt`, in one thread; others wait until it is done.
    /// It takes no time worth mentioning, and calls no host code.
    pub(crate) fn adopt<R>(&self, adopt: impl FnOnce() -> R) -> Option<R> {
        let backoff = Backoff::new();
        loop {
            let here = generation();
            // Acquire: as in `flags`, for what the thread that adopted the batch did. What the
            // parent did, the fork carries.
            let state = self.0.load(Ordering::Acquire);
            // Also if a thread of the parent was adopting, which would never be done here.
            let parents = state & !FLAGS != here;
            if !parents && state & ADOPTING == 0 {
                return None;
            }
            let adopting = here | (state & FLAGS) | ADOPTING;
            let mine = parents
                && self
                    .0
                    .compare_exchange(state, adopting, Ordering::Relaxed, Ordering::Relaxed)
                    .is_ok();
            if mine {
                let _done = Done(self);
                return Some(adopt());
            }
            backoff.snooze();
        }
    }
}

/// Says that the batch is this process's own, also after a panic: nobody is to wait for ever.
struct Done<'a>(&'a Gate);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.lower(ADOPTING);
    }
}
