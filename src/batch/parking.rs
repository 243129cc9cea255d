//! Where threads wait for the filler.

use crate::sync::{AtomicUsize, Backoff, CachePadded, Condvar, Mutex, Ordering, Renewable};
use std::time::Duration;

/// Waiters and wakers meet at `waiters`, which both change by read-modify-write operations.
/// Whichever comes second in that word's order has acquired what the other released: either the
/// waker sees the waiter and wakes it, or the waiter sees what the waker had done before.
pub(crate) struct Parking(Renewable<Place>);

struct Place {
    waiters: CachePadded<AtomicUsize>,
    lock: Mutex<()>,
    bell: Condvar,
}

impl Place {
    fn new() -> Self {
        Self {
            waiters: CachePadded::new(AtomicUsize::new(0)),
            lock: Mutex::new(()),
            bell: Condvar::new(),
        }
    }
}

impl Parking {
    pub(crate) fn new() -> Self {
        Self(Renewable::new(Place::new()))
    }

    /// For the child of a fork: threads of the parent may be waiting here, or have held the lock.
    ///
    /// # Safety
    /// No thread of this process may be using the place.
    pub(crate) unsafe fn renew(&self) {
        // SAFETY: the caller's promise.
        unsafe { self.0.renew(Place::new()) }
    }

    /// Waits until `ready`, for `period` at most; it may return a little early.
    pub(crate) fn wait(&self, period: Option<Duration>, ready: impl Fn() -> bool) {
        let backoff = Backoff::new();
        while !backoff.is_completed() {
            if ready() {
                return;
            }
            backoff.snooze();
        }
        let mut guard = self.0.lock.lock().unwrap_or_else(|poison| poison.into_inner());
        // AcqRel: with the same in `wake`.
        self.0.waiters.fetch_add(1, Ordering::AcqRel);
        while !ready() {
            match period {
                None => {
                    let woken = self.0.bell.wait(guard);
                    guard = woken.unwrap_or_else(|poison| poison.into_inner());
                }
                Some(period) => {
                    let woken = self.0.bell.wait_timeout(guard, period);
                    guard = woken.unwrap_or_else(|poison| poison.into_inner()).0;
                    break;
                }
            }
        }
        self.0.waiters.fetch_sub(1, Ordering::AcqRel);
        drop(guard);
    }

    /// Wakes one waiter, after something it may be waiting for was published.
    pub(crate) fn wake_one(&self) {
        if self.somebody_waits() {
            self.0.bell.notify_one();
        }
    }

    /// Wakes all waiters, after something they may be waiting for was published.
    pub(crate) fn wake_all(&self) {
        if self.somebody_waits() {
            self.0.bell.notify_all();
        }
    }

    fn somebody_waits(&self) -> bool {
        // Adds nothing, but takes its place in the order of the word. AcqRel: with `wait`.
        let waits = self.0.waiters.fetch_add(0, Ordering::AcqRel) != 0;
        if waits {
            // A waiter that has looked and is about to sleep holds the lock until it sleeps.
            drop(self.0.lock.lock().unwrap_or_else(|poison| poison.into_inner()));
        }
        waits
    }
}
