//! Where threads wait for the filler.
//!
//! *No wake-up is lost.* A waiter first counts itself in `sleepers`, then looks whether it need not
//! sleep. A waker first stores what a waiter looks at, then looks at `sleepers`. If a processor
//! let both look before the other's store is visible, the waiter would sleep for ever. One of two
//! things keeps that from happening:
//!
//! * The waiter passes a heavy barrier between its two steps, which makes every other thread pass
//!   one too, and the waker only keeps the compiler from moving its look forward. A publication
//!   then costs no locked instruction. (The idea is that of liburcu's and folly's asymmetric
//!   barriers, on membarrier(2).)
//! * Where the system has no such barrier, the waker looks by a read-modify-write operation, and
//!   the waiter counts itself by one. Whichever comes second in that word's order has acquired what
//!   the other released.
//!
//! *Nobody is woken twice for one thing.* A waker leaves a token for each sleeper that it wakes,
//! and takes it off `sleepers`; so `sleepers` and tokens together are as many as the threads that
//! wait, and a filler that makes another result before a woken thread runs does not ring again.

use crate::sync::unordered;
use crate::sync::{
    AtomicUsize, CachePadded, Condvar, Mutex, Ordering, Renewable, barriers_are_asymmetric,
    heavy_barrier, light_barrier, look_briefly, look_for_a_while,
};
use std::time::Duration;

pub(crate) struct Parking(Renewable<CachePadded<Place>>);

struct Place {
    /// Threads that found nothing and look for something, awake or asleep.
    starving: unordered::AtomicUsize,
    /// Threads that sleep, or are about to, and have no token; and [`UNSEEN`].
    sleepers: AtomicUsize,
    /// Whether waiters pass a heavy barrier, and wakers a light one.
    asymmetric: bool,
    tokens: Mutex<usize>,
    bell: Condvar,
}

impl Place {
    fn new() -> CachePadded<Self> {
        let asymmetric = barriers_are_asymmetric();
        CachePadded::new(Self {
            asymmetric,
            starving: unordered::AtomicUsize::new(0),
            sleepers: AtomicUsize::new(if asymmetric { 0 } else { UNSEEN }),
            tokens: Mutex::new(0),
            bell: Condvar::new(),
        })
    }
}

/// Beside the number of sleepers where a plain look could not tell it.
const UNSEEN: usize = 1 << (usize::BITS - 1);

/// How often a thread looks anew where no barrier makes sure that it is woken.
const WITHOUT_BARRIER: Duration = Duration::from_millis(1);

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

    /// Whether some thread has nothing. A hint.
    #[inline]
    pub(crate) fn somebody_starves(&self) -> bool {
        self.0.starving.load(Ordering::Relaxed) != 0
    }

    /// Waits until `ready` or woken, for `period` at most. In its first microsecond it only looks
    /// whether there is `plenty`: what the waker writes all the time it reads only if it must.
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

    fn sleep(&self, mut period: Option<Duration>, ready: impl Fn() -> bool) {
        // AcqRel: with the same in `ring`.
        self.0.sleepers.fetch_add(1, Ordering::AcqRel);
        if self.0.asymmetric && !heavy_barrier() {
            period = Some(period.map_or(WITHOUT_BARRIER, |period| period.min(WITHOUT_BARRIER)));
        }
        let done = ready();
        let mut tokens = self.0.tokens.lock().unwrap_or_else(|poison| poison.into_inner());
        while !done && *tokens == 0 {
            match period {
                None => {
                    let woken = self.0.bell.wait(tokens);
                    tokens = woken.unwrap_or_else(|poison| poison.into_inner());
                }
                Some(period) => {
                    let woken = self.0.bell.wait_timeout(tokens, period);
                    tokens = woken.unwrap_or_else(|poison| poison.into_inner()).0;
                    break;
                }
            }
        }
        // Under the lock, as in `ring`: a thread leaves with a token or takes itself off. One that
        // has not slept has not heard the bell, so the tokens are for others if they can be.
        let for_others = done && self.sleepers() > 0;
        if *tokens > 0 && !for_others {
            *tokens -= 1;
        } else {
            self.0.sleepers.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Wakes up to `count` waiters, after that many things they may be waiting for were stored.
    #[inline]
    pub(crate) fn wake(&self, count: usize) {
        if self.somebody_sleeps() {
            self.ring(count);
        }
    }

    /// Wakes all waiters, after something that concerns them all was stored.
    pub(crate) fn wake_all(&self) {
        self.wake(usize::MAX);
    }

    #[cold]
    pub(crate) fn ring(&self, count: usize) {
        // Adds nothing, but takes its place in the order of the word. AcqRel: with `sleep`.
        if self.0.sleepers.fetch_add(0, Ordering::AcqRel) & !UNSEEN == 0 {
            return;
        }
        let mut tokens = self.0.tokens.lock().unwrap_or_else(|poison| poison.into_inner());
        let woken = self.sleepers().min(count);
        self.0.sleepers.fetch_sub(woken, Ordering::Relaxed);
        *tokens += woken;
        drop(tokens);
        match woken {
            0 => {}
            1 => self.0.bell.notify_one(),
            _ => self.0.bell.notify_all(),
        }
    }

    /// Whether a wake may be needed, after something was stored that a waiter looks at.
    #[inline]
    pub(crate) fn somebody_sleeps(&self) -> bool {
        light_barrier();
        // Where a plain look could not tell, `ring` looks in a way that can.
        self.0.sleepers.load(Ordering::Relaxed) != 0
    }

    /// How many threads sleep, or are about to, and have no token.
    pub(crate) fn sleepers(&self) -> usize {
        self.0.sleepers.load(Ordering::Relaxed) & !UNSEEN
    }
}
