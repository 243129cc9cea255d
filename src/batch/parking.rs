//! Where threads wait for the filler.
//!
//! *No wake-up is lost.* A waiter first counts itself in `sleepers`, then checks whether it can
//! stop waiting. A waker first stores what a waiter checks, then reads `sleepers`. If each could
//! read before the other's store is visible, the waiter would sleep forever. One of two mechanisms
//! prevents that:
//!
//! * Between its two steps, the waiter executes a heavy barrier, which makes every other thread
//!   pass one too. The waker only prevents the compiler from moving its read forward. So publishing
//!   a result costs no locked instruction. (These are asymmetric barriers with membarrier(2), as in
//!   liburcu and folly.)
//! * If the system has no such barrier, the waker reads by a read-modify-write operation, and the
//!   waiter counts itself by one. The second of the two in that word's modification order acquires
//!   what the other released.
//!
//! A system may start to refuse the barrier later, when a system call filter is installed. From the
//! first refusal on, the place works without it. The waiter marks the word, so that wakers read by
//! a read-modify-write operation. Then it waits until the stores of wakers that did not see the
//! mark are visible.
//!
//! *One result wakes one thread.* For each sleeper that it wakes, a waker decrements `sleepers` and
//! posts a token. So `sleepers` plus tokens equals the number of waiting threads, and a filler that
//! makes another result before a woken thread runs does not wake it again. A thread that leaves
//! without a token decrements `sleepers` itself, or else takes the token that a waker has posted
//! for it.
//!
//! There is no lock, so a signal handler may interrupt a thread anywhere and wake others.

use crate::sync::unordered;
use crate::sync::{
    AtomicUsize, CachePadded, Ordering, Renewable, Semaphore, await_stores,
    barriers_are_asymmetric, heavy_barrier, light_barrier, look_briefly, look_for_a_while,
};
use std::time::Duration;

pub(crate) struct Parking(Renewable<CachePadded<Place>>);

struct Place {
    /// Threads that found nothing and wait for a result, awake or asleep.
    starving: unordered::AtomicUsize,
    /// Threads that sleep, or are about to, and have no token; also the flags [`UNSEEN`] and
    /// [`SETTLED`].
    sleepers: AtomicUsize,
    tokens: Semaphore,
}

impl Place {
    fn new() -> CachePadded<Self> {
        let flags = if barriers_are_asymmetric() { 0 } else { UNSEEN | SETTLED };
        CachePadded::new(Self {
            starving: unordered::AtomicUsize::new(0),
            sleepers: AtomicUsize::new(flags),
            tokens: Semaphore::new(),
        })
    }
}

/// The number of sleepers may be higher than a plain load shows, because no barrier orders that
/// load.
const UNSEEN: usize = 1 << (usize::BITS - 1);

/// Every waker sees [`UNSEEN`], so waiters pass no barrier.
const SETTLED: usize = UNSEEN >> 1;

const COUNT: usize = SETTLED - 1;

impl Parking {
    pub(crate) fn new() -> Self {
        Self(Renewable::new(Place::new()))
    }

    /// For the child of a fork: threads of the parent may have been waiting here.
    ///
    /// # Safety
    /// No thread of this process may be using the place.
    pub(crate) unsafe fn renew(&self) {
        // SAFETY: the caller's promise.
        unsafe { self.0.renew(Place::new()) }
    }

    /// Whether some thread has nothing. A hint.
    #[inline]
    pub(crate) fn somebody_starves(&self) -> bool {
        self.0.starving.load(Ordering::Relaxed) != 0
    }

    /// Waits until `ready` or woken, for at most `period`. In the first microsecond it only checks
    /// `plenty`, because `ready` reads what the waker writes all the time.
    pub(crate) fn wait(
        &self,
        period: Option<Duration>,
        plenty: impl Fn() -> bool,
        ready: impl Fn() -> bool,
    ) {
        if look_briefly(plenty) {
            return;
        }
        self.0.starving.fetch_add(1, Ordering::Relaxed);
        if !look_for_a_while(&ready) {
            self.sleep(period, ready);
        }
        self.0.starving.fetch_sub(1, Ordering::Relaxed);
    }

    fn sleep(&self, period: Option<Duration>, ready: impl Fn() -> bool) {
        // AcqRel: with the same in `ring`.
        let before = self.0.sleepers.fetch_add(1, Ordering::AcqRel);
        if before & SETTLED == 0 && !heavy_barrier() {
            self.do_without_barriers();
        }
        if !ready() && self.0.tokens.take(period) {
            return;
        }
        // A thread that has not been woken leaves the tokens to those that sleep, if it can.
        if self.take_off(1) == 0 {
            // Its own is there, or a waker is just about to give it.
            self.0.tokens.take(None);
        }
    }

    #[cold]
    fn do_without_barriers(&self) {
        // AcqRel: as in `sleep`.
        self.0.sleepers.fetch_or(UNSEEN, Ordering::AcqRel);
        await_stores();
        // AcqRel: with the same in `sleep`, for what this thread now sees.
        self.0.sleepers.fetch_or(SETTLED, Ordering::AcqRel);
    }

    /// Decrements `sleepers` by up to `most`, and returns by how many.
    fn take_off(&self, most: usize) -> usize {
        let mut word = self.0.sleepers.load(Ordering::Relaxed);
        loop {
            let count = (word & COUNT).min(most);
            // Relaxed: it carries on what the operations before it in the word's order released.
            match self.0.sleepers.compare_exchange_weak(
                word,
                word - count,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return count,
                Err(newer) => word = newer,
            }
        }
    }

    /// Wakes up to `count` waiters, after that many results were stored.
    #[inline]
    pub(crate) fn wake(&self, count: usize) {
        if self.somebody_sleeps() {
            self.ring(count);
        }
    }

    /// Wakes all waiters, after something that affects all of them was stored.
    pub(crate) fn wake_all(&self) {
        self.wake(usize::MAX);
    }

    #[cold]
    pub(crate) fn ring(&self, count: usize) {
        // Adds nothing, but takes its place in the order of the word. AcqRel: with `sleep`.
        if self.0.sleepers.fetch_add(0, Ordering::AcqRel) & COUNT == 0 {
            return;
        }
        let woken = self.take_off(count);
        if woken > 0 {
            self.0.tokens.give(woken);
        }
    }

    /// Whether a wake may be needed, after something was stored that a waiter checks.
    #[inline]
    pub(crate) fn somebody_sleeps(&self) -> bool {
        light_barrier();
        // Where a plain look could not tell, `ring` looks in a way that can.
        self.0.sleepers.load(Ordering::Relaxed) != 0
    }

    /// Whether nobody sleeps, and no token is left.
    #[cfg(all(test, loom))]
    pub(crate) fn is_quiet(&self) -> bool {
        self.0.sleepers.load(Ordering::Relaxed) & COUNT == 0 && self.0.tokens.is_empty()
    }

    /// How many threads sleep, or are about to, and have no token.
    #[cfg(all(test, not(any(loom, shuttle))))]
    pub(crate) fn sleepers(&self) -> usize {
        self.0.sleepers.load(Ordering::Relaxed) & COUNT
    }
}
