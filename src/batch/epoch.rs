//! The process that a batch belongs to.

use crate::fork::generation;
use crate::sync::{AtomicU64, Backoff, Ordering};

/// The generation of the process for which the batch was last made ready, and whether somebody is
/// just making it ready.
pub(crate) struct Epoch(AtomicU64);

const fn ready(generation: u32) -> u64 {
    (generation as u64) << 1
}

const fn adopting(generation: u32) -> u64 {
    ready(generation) | 1
}

impl Epoch {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(ready(generation())))
    }

    /// Whether the batch still is the parent's.
    #[inline]
    pub(crate) fn is_stale(&self) -> bool {
        // Acquire: with the Release at the end of `adopt`.
        self.0.load(Ordering::Acquire) != ready(generation())
    }

    /// Makes the batch this process's own by `adopt`, in one thread; others wait until it is done.
    /// It takes no time worth mentioning, and calls no host code.
    pub(crate) fn adopt<R>(&self, adopt: impl FnOnce() -> R) -> Option<R> {
        let backoff = Backoff::new();
        let here = generation();
        while self.is_stale() {
            // Relaxed: the generation's value says all. What the parent did, the fork carries.
            let state = self.0.load(Ordering::Relaxed);
            let mine = state != ready(here)
                && state != adopting(here)
                && self
                    .0
                    .compare_exchange(state, adopting(here), Ordering::Relaxed, Ordering::Relaxed)
                    .is_ok();
            if mine {
                let _done = Done(self);
                return Some(adopt());
            }
            backoff.snooze();
        }
        None
    }
}

/// Says that the batch is this process's own, also after a panic: nobody is to wait for ever.
struct Done<'a>(&'a Epoch);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        // Release: with the Acquire in `is_stale`.
        self.0.0.store(ready(generation()), Ordering::Release);
    }
}
