//! A thread that a host's objects are bound to.

mod queue;

use crate::memory::OutOfMemory;
use crate::object::Release;
use crate::sync::thread_pointer;
use queue::{Deferred, Queue};
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The most releases that an owner has room for.
pub const MAX_CAPACITY: usize = 1 << 24;

/// Keeps the releases that fall due in other threads for the one thread that may do them.
///
/// Some runtimes let only the thread that made an object touch it. A handle made with an owner may
/// be used and freed in any thread; what falls due elsewhere than in the owner's thread is put into
/// a queue, which the owner [drains](Self::drain). The queue's memory is taken when the owner is
/// made, and every handle keeps a place in it, so that freeing a handle never fails.
#[derive(Debug)]
pub struct Owner {
    thread: usize,
    release: Release,
    queue: Queue,
    /// How many places are taken, or kept by handles.
    committed: AtomicUsize,
    /// Whether there is anything in the queue: all that an owner looks at when there is not.
    pending: AtomicBool,
    /// Who refers to the owner: its own handle, and every handle made with it.
    pub(crate) references: AtomicUsize,
}

// SAFETY: `release` is called in the owner's thread only; the rest is made to be shared.
unsafe impl Send for Owner {}
// SAFETY: as above.
unsafe impl Sync for Owner {}

impl Owner {
    /// Makes the calling thread the owner of objects that `release` releases, with room for
    /// `capacity` releases, which must not be 0 or above [`MAX_CAPACITY`].
    ///
    /// # Errors
    /// If there is not enough memory.
    pub(crate) fn new(release: Release, capacity: usize) -> Result<Self, OutOfMemory> {
        Ok(Self {
            thread: thread_pointer(),
            release,
            queue: Queue::new(capacity)?,
            committed: AtomicUsize::new(0),
            pending: AtomicBool::new(false),
            references: AtomicUsize::new(1),
        })
    }

    /// Whether the calling thread is the owner.
    #[inline]
    pub fn is_current(&self) -> bool {
        self.thread == thread_pointer()
    }

    /// Whether something waits for the owner.
    #[inline]
    pub fn is_pending(&self) -> bool {
        // Relaxed: `drain` looks again.
        self.pending.load(Ordering::Relaxed)
    }

    /// Does what waits for the owner, in whose thread it must be called. Returns how much it was.
    ///
    /// # Panics
    /// If called in another thread.
    pub fn drain(&self) -> usize {
        assert!(self.is_current(), "only the owner's thread may drain");
        // Before the queue is looked at: what comes after that raises it again. Acquire: with the
        // Release of who raised it, for what is in the queue.
        self.pending.swap(false, Ordering::Acquire);
        let mut done = 0;
        while let Some(Deferred { what, run }) = self.queue.pop() {
            self.give_room_back();
            // SAFETY: taken from the queue once, in the owner's thread.
            unsafe { run(self, what) };
            done += 1;
        }
        done
    }

    /// Whether this is how the owner's objects are released.
    pub(crate) fn releases_by(&self, release: Release) -> bool {
        match (self.release, release) {
            (Release::Plain(a), Release::Plain(b)) => std::ptr::fn_addr_eq(a, b),
            (Release::WithCtx(a, own), Release::WithCtx(b, other)) => {
                std::ptr::fn_addr_eq(a, b) && own == other
            }
            _ => false,
        }
    }

    /// Keeps a place in the queue. Returns whether there is one.
    pub(crate) fn reserve(&self) -> bool {
        let keep = |committed| (committed < self.queue.capacity()).then_some(committed + 1);
        // Acquire: with the Release of who gave the place back, for the place.
        self.committed.fetch_update(Ordering::Acquire, Ordering::Relaxed, keep).is_ok()
    }

    pub(crate) fn give_room_back(&self) {
        // Release: with the Acquire in `reserve`.
        self.committed.fetch_sub(1, Ordering::Release);
    }

    /// Releases an object, or keeps that for the owner; then the caller has kept a place for it.
    ///
    /// # Safety
    /// `handle` must stand for one reference, which ends here.
    pub(crate) unsafe fn release(&self, handle: *mut c_void) {
        unsafe fn run(owner: &Owner, handle: *mut c_void) {
            // SAFETY: the caller of `release` has promised it.
            unsafe { owner.release.call(handle) }
        }
        if self.is_current() {
            // SAFETY: the caller's promise.
            unsafe { self.release.call(handle) }
        } else {
            self.defer(handle, run);
        }
    }

    /// Has the owner call `run` with `what`. The caller has kept a place for it.
    pub(crate) fn defer(&self, what: *mut c_void, run: unsafe fn(&Self, *mut c_void)) {
        self.queue.push(Deferred { what, run });
        // Release: with the Acquire in `drain`.
        self.pending.store(true, Ordering::Release);
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests;
