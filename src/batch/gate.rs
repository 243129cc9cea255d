//! One word that says whether a load may read the buffer directly.
//!
//! It holds the generation of the process that has adopted the batch, and a flag for each thing
//! that a load must check first. So the usual case costs one comparison.

use crate::process::{GENERATION_STEP, generation, generation_at_a_glance};
use crate::sync::{AtomicU64, Backoff, Ordering};

/// Results were given back. They are handed out before those in the buffer.
pub(crate) const RETURNED: u64 = 1;
/// The batch was closed.
pub(crate) const CLOSED: u64 = 1 << 1;
/// The source has ended.
pub(crate) const ENDED: u64 = 1 << 2;
/// The library panicked in this batch.
pub(crate) const PANICKED: u64 = 1 << 3;
/// The batch belongs to the parent, and the child of a fork may not use it.
pub(crate) const FORKED: u64 = 1 << 4;
/// Flags that end a wait.
pub(crate) const ENDS: u64 = CLOSED | ENDED | PANICKED | FORKED;
/// A thread is adopting the batch for this process.
const ADOPTING: u64 = 1 << 5;
/// Always raised if results are wiped: no load reads the buffer directly.
pub(crate) const WIPES: u64 = 1 << 6;

const FLAGS: u64 = GENERATION_STEP - 1;

pub(crate) struct Gate(AtomicU64);

impl Gate {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(generation()))
    }

    /// Whether a load may read the buffer directly.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        // Acquire: with the Release of the thread that changed it.
        self.0.load(Ordering::Acquire) == generation_at_a_glance()
    }

    /// Which of `flags` are raised.
    #[inline]
    pub(crate) fn flags(&self, flags: u64) -> u64 {
        // Acquire: with the Release in `raise`, for what was done before.
        self.0.load(Ordering::Acquire) & flags
    }

    /// Raises a flag, and returns those that were raised before.
    pub(crate) fn raise(&self, flag: u64) -> u64 {
        // Release: with the Acquire of who sees the flag. Acquire: with the Release of who raised
        // another before: of two threads that raise a flag each, one sees the other's, and with it
        // what the other did before.
        self.0.fetch_or(flag, Ordering::AcqRel)
    }

    /// Lowers a flag.
    pub(crate) fn lower(&self, flag: u64) {
        // AcqRel: as in `raise`.
        self.0.fetch_and(!flag, Ordering::AcqRel);
    }

    /// The raised flags, ordered after every earlier raise.
    pub(crate) fn latest(&self) -> u64 {
        self.raise(0)
    }

    /// The raised flags, if this process has adopted the batch.
    #[inline]
    pub(crate) fn flags_here(&self) -> Option<u64> {
        // Acquire: as in `flags`.
        let state = self.0.load(Ordering::Acquire);
        let own = state & !FLAGS == generation_at_a_glance() && state & ADOPTING == 0;
        own.then_some(state & FLAGS)
    }

    /// Whether this process has not adopted the batch yet.
    #[inline]
    pub(crate) fn is_stale(&self) -> bool {
        self.flags_here().is_none()
    }

    /// Adopts the batch for this process by `adopt`, in one thread; other threads wait until it is
    /// done. `adopt` is short and calls no host code.
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

/// Ends the adoption, also after a panic, so that no thread waits forever.
struct Done<'a>(&'a Gate);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.lower(ADOPTING);
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn each_flag_has_a_bit_of_its_own() {
        let flags = [RETURNED, CLOSED, ENDED, PANICKED, FORKED, ADOPTING, WIPES];
        assert!(flags.iter().all(|flag| flag.is_power_of_two()));
        let all = flags.iter().fold(0, |all, flag| all | flag);
        assert_eq!((all, all & FLAGS), (flags.iter().sum(), all));
        assert_eq!((ENDS, FLAGS + 1), (CLOSED + ENDED + PANICKED + FORKED, GENERATION_STEP));
    }

    #[test]
    fn flags_are_raised_and_lowered_each_by_itself() {
        let gate = Gate::new();
        assert!(gate.is_open() && !gate.is_stale());
        assert_eq!([gate.raise(CLOSED) & FLAGS, gate.raise(ENDED) & FLAGS], [0, CLOSED]);
        assert_eq!([gate.flags(ENDS), gate.flags(ENDED | RETURNED)], [CLOSED | ENDED, ENDED]);
        gate.lower(CLOSED);
        assert_eq!((gate.latest() & FLAGS, gate.flags_here()), (ENDED, Some(ENDED)));
        assert!(!gate.is_open());
        gate.lower(ENDED);
        assert!(gate.is_open());
    }

    #[test]
    fn a_batch_of_another_process_is_adopted_once_with_its_flags() {
        // A thread of the parent was adopting it, too.
        let theirs = (generation() + GENERATION_STEP) | CLOSED | ADOPTING;
        let gate = Gate(AtomicU64::new(theirs));
        assert!(gate.is_stale() && !gate.is_open());
        let adopted = gate.adopt(|| gate.is_stale() && !gate.is_open());
        assert_eq!(adopted, Some(true), "it is not adopted before `adopt` is over");
        assert_eq!((gate.flags_here(), gate.adopt(|| ())), (Some(CLOSED), None));
    }
}
