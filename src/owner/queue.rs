//! What waits for an owner.
//!
//! Many threads push and one takes. Whoever pushes has kept a place before, so there is never more
//! in the queue than it has places, and a push is one step that cannot fail. A thread that has a
//! ticket and has not yet written to its place holds up what comes behind; it raises the owner's
//! flag when it has, so that nothing is left there.

use super::Owner;
use crate::memory::{OutOfMemory, Zero, try_zeroed};
use crate::sync::CachePadded;
use std::ffi::c_void;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

/// Something that only the owner may do.
pub(super) struct Deferred {
    pub(super) what: *mut c_void,
    /// # Safety
    /// To be called once, with `what`, in the owner's thread.
    pub(super) run: unsafe fn(&Owner, *mut c_void),
}

#[derive(Debug)]
pub(super) struct Queue {
    places: Box<[Place]>,
    /// How many have been pushed: the ticket of the next push.
    pushed: CachePadded<AtomicU64>,
    /// How many have been taken. Only the owner's thread writes it.
    taken: AtomicU64,
}

#[derive(Debug)]
struct Place {
    what: AtomicPtr<c_void>,
    /// The function to call; null if nothing is there.
    run: AtomicPtr<()>,
}

// SAFETY: two null pointers.
unsafe impl Zero for Place {
    #[cfg(loom)]
    fn zero() -> Self {
        Self { what: AtomicPtr::default(), run: AtomicPtr::default() }
    }
}

impl Queue {
    /// `capacity` must not be 0.
    pub(super) fn new(capacity: usize) -> Result<Self, OutOfMemory> {
        let (pushed, taken) = (CachePadded::new(AtomicU64::new(0)), AtomicU64::new(0));
        Ok(Self { places: try_zeroed(capacity)?, pushed, taken })
    }

    pub(super) fn capacity(&self) -> usize {
        self.places.len()
    }

    fn place(&self, ticket: u64) -> &Place {
        // The remainder is less than the number of places, which is a `usize`.
        &self.places[(ticket % self.places.len() as u64) as usize]
    }

    /// Adds something. The caller has kept a place.
    pub(super) fn push(&self, Deferred { what, run }: Deferred) {
        // AcqRel: with itself in other threads. Of the pushes since this place was used last, one
        // was by a thread that has seen it empty, by way of the place that it kept; through the
        // tickets all later ones have.
        let place = self.place(self.pushed.fetch_add(1, Ordering::AcqRel));
        place.what.store(what, Ordering::Relaxed);
        // Release: with the Acquire in `pop`.
        place.run.store(run as *mut (), Ordering::Release);
    }

    /// Takes the oldest, in the owner's thread.
    pub(super) fn pop(&self) -> Option<Deferred> {
        // Relaxed: one thread reads and writes it.
        let ticket = self.taken.load(Ordering::Relaxed);
        let place = self.place(ticket);
        // Acquire: with the Release in `push`.
        let run = place.run.load(Ordering::Acquire);
        if run.is_null() {
            return None;
        }
        let what = place.what.load(Ordering::Relaxed);
        // Relaxed: the owner gives the place back after this, by a Release.
        place.run.store(std::ptr::null_mut(), Ordering::Relaxed);
        self.taken.store(ticket + 1, Ordering::Relaxed);
        // SAFETY: only `push` writes there, what was a function of this type.
        let run = unsafe { std::mem::transmute::<*mut (), unsafe fn(&Owner, *mut c_void)>(run) };
        Some(Deferred { what, run })
    }
}
