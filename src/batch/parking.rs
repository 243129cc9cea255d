//! Where threads wait for the filler.
//!
//! *No wake-up is lost.* A waiter first counts itself among the sleepers, then checks whether it can
//! stop waiting. A waker first stores what a waiter checks, then reads that count. If each could
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
//! *One token for each thread that is woken.* For each sleeper that it wakes, a waker moves one from
//! the sleepers to the woken, in the same word, and posts a token. A thread that leaves without a
//! token takes itself off the sleepers, or else takes the token that a waker has posted for it.
//!
//! *No more threads are woken than are needed.* A waker counts those that it has woken and that do
//! not run yet as woken for its results, too. So a source that makes results faster than a thread
//! wakes up has one thread woken for all of them, and not one for each. That thread is the one that
//! wakes the next: the place relies on each thread that waited to call [`Parking::wake`] when it is
//! done, if there is something left for another. What the woken thread then sees is at least what the
//! waker stored: the waker reads the count by a read-modify-write operation, and the woken thread
//! takes itself off the count by a later one. A filler reads it by a plain load, for each result; so
//! if others sleep, the woken thread also passes a heavy barrier before it looks.
//!
//! *Waiters that do not sleep* (`notices.rs`) mark the word, by the protocol of a sleeper. So a waker
//! sees with one look whether there are any waiters, and asks for these where it wakes threads. Such
//! a waiter wakes no next one, so each result wakes one as long as the mark is there.
//!
//! There is no lock, so a signal handler may interrupt a thread anywhere and wake others.

use crate::process::generation;
use crate::sync::unordered;
use crate::sync::{
    AtomicU64, CachePadded, Ordering, Renewable, Semaphore, await_stores, barriers_are_asymmetric,
    end_wait_in_child, heavy_barrier, light_barrier, look_briefly, look_for_a_while,
};
use std::time::Duration;

/// How long a thread waits for a token that is about to come, until it asks whether it is in the child
/// of a fork, where none will.
const A_MOMENT: Duration = Duration::from_millis(50);

pub(crate) struct Parking(Renewable<CachePadded<Place>>);

struct Place {
    /// Threads that found nothing and wait for a result, awake or asleep.
    starving: unordered::AtomicUsize,
    /// How many threads sleep, or are about to, and have no token ([`SLEEPERS`]); how many have one,
    /// or are about to, and do not run yet ([`WOKEN`]); and the flags [`UNSEEN`], [`SETTLED`] and
    /// [`MARKED`].
    waiting: AtomicU64,
    tokens: Semaphore,
}

impl Place {
    fn new() -> CachePadded<Self> {
        let flags = if barriers_are_asymmetric() { 0 } else { UNSEEN | SETTLED };
        CachePadded::new(Self {
            starving: unordered::AtomicUsize::new(0),
            waiting: AtomicU64::new(flags),
            tokens: Semaphore::new(),
        })
    }
}

/// The number of sleepers may be higher than a plain load shows, because no barrier orders that
/// load.
const UNSEEN: u64 = 1 << 31;

/// Every waker sees [`UNSEEN`], so waiters pass no barrier.
const SETTLED: u64 = UNSEEN >> 1;

/// There are waiters that do not sleep.
const MARKED: u64 = SETTLED >> 1;

const SLEEPERS: u64 = MARKED - 1;

/// What a waker looks at: all of the lower half, which takes the fewest instructions.
const WAITERS: u64 = u32::MAX as u64;

/// One that was woken.
const ONE_WOKEN: u64 = 1 << 32;
const WOKEN: u64 = !WAITERS;

// No two have a bit in common.
const _: () = assert!(UNSEEN + SETTLED + MARKED + SLEEPERS == WAITERS);

/// What a waker has seen of a place.
#[derive(Clone, Copy)]
pub(crate) struct Look(u64);

impl Look {
    /// Whether a wake may be needed.
    #[inline]
    pub(crate) fn somebody_sleeps(self) -> bool {
        self.0 & WAITERS != 0
    }

    /// Whether a thread is on its way, and wakes the next. To be sure of one that is not, a waker needs
    /// a read-modify-write operation, which waits until what was stored is visible: longer than a quick
    /// source takes.
    pub(crate) fn somebody_comes(self) -> bool {
        self.0 & (UNSEEN | MARKED) == 0 && self.0 & WOKEN != 0
    }
}

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
        end_wait_in_child();
    }

    /// How many threads have nothing. A hint.
    #[inline]
    pub(crate) fn starving(&self) -> usize {
        self.0.starving.load(Ordering::Relaxed)
    }

    /// Whether some thread has nothing. A hint.
    #[inline]
    pub(crate) fn somebody_starves(&self) -> bool {
        self.starving() != 0
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
        let process = generation();
        self.0.starving.fetch_add(1, Ordering::Relaxed);
        if !look_for_a_while(&ready) {
            self.sleep(period, ready, || ());
        }
        if generation() == process {
            self.0.starving.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// As `wait`, but sleeps at once. If woken, the thread calls `linger`, and counts as on its way
    /// meanwhile.
    pub(crate) fn wait_asleep(
        &self,
        period: Option<Duration>,
        ready: impl Fn() -> bool,
        linger: impl Fn(),
    ) {
        let process = generation();
        self.0.starving.fetch_add(1, Ordering::Relaxed);
        self.sleep(period, ready, linger);
        if generation() == process {
            self.0.starving.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// If a handler of signals forks meanwhile, the child makes the place anew, and this thread is not
    /// counted there.
    fn sleep(&self, period: Option<Duration>, ready: impl Fn() -> bool, linger: impl Fn()) {
        let process = generation();
        let has_forked = || generation() != process;
        // AcqRel: with the same in `ring`.
        let before = self.0.waiting.fetch_add(1, Ordering::AcqRel);
        self.see_what_wakers_stored(before);
        let woken = !ready() && self.0.tokens.take(period);
        // A thread that has not been woken leaves the tokens to those that sleep, if it can.
        if has_forked() || (!woken && self.leave()) {
            return;
        }
        // If not, its own is there, or a waker is just about to give it.
        while !woken && !self.0.tokens.take(Some(A_MOMENT)) {
            if has_forked() {
                return;
            }
        }
        if woken {
            linger();
        }
        if !has_forked() {
            self.count_as_awake();
        }
    }

    /// For a thread that was woken and now runs. From here on wakers wake others.
    fn count_as_awake(&self) {
        // AcqRel: with the same in `ring`.
        let before = self.0.waiting.fetch_sub(ONE_WOKEN, Ordering::AcqRel);
        // A waker may have left it to this thread to wake the next.
        if before & SLEEPERS != 0 {
            self.see_what_wakers_stored(before);
        }
    }

    /// Between a waiter's entry in the word, which was `before` then, and its last check.
    pub(super) fn see_what_wakers_stored(&self, before: u64) {
        if before & SETTLED == 0 && !heavy_barrier() {
            self.do_without_barriers();
        }
    }

    /// Marks the place for waiters that do not sleep, and returns the word before that.
    pub(super) fn mark(&self) -> u64 {
        // AcqRel: as in `sleep`.
        self.0.waiting.fetch_or(MARKED, Ordering::AcqRel)
    }

    /// Takes the mark off: the last of these waiters has left.
    pub(super) fn unmark(&self) {
        // AcqRel: it carries on what the operations before it in the word's order released.
        self.0.waiting.fetch_and(!MARKED, Ordering::AcqRel);
    }

    /// Whether there are waiters that do not sleep. A hint, unless a `ring` came before.
    pub(super) fn is_marked(&self) -> bool {
        self.0.waiting.load(Ordering::Relaxed) & MARKED != 0
    }

    #[cold]
    fn do_without_barriers(&self) {
        // AcqRel: as in `sleep`.
        self.0.waiting.fetch_or(UNSEEN, Ordering::AcqRel);
        await_stores();
        // AcqRel: with the same in `sleep`, for what this thread now sees.
        self.0.waiting.fetch_or(SETTLED, Ordering::AcqRel);
    }

    /// Takes this thread off the sleepers. Returns false if all of them have been woken.
    fn leave(&self) -> bool {
        // Relaxed: it carries on what the operations before it in the word's order released.
        let without = |word: u64| (word & SLEEPERS != 0).then(|| word - 1);
        self.0.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, without).is_ok()
    }

    /// Wakes waiters, after `count` results were stored, until that many are on their way.
    #[inline]
    pub(crate) fn wake(&self, count: usize) {
        if self.somebody_sleeps() {
            let _ = self.ring(count);
        }
    }

    /// Wakes all waiters, after something that affects all of them was stored.
    pub(crate) fn wake_all(&self) {
        self.wake(usize::MAX);
    }

    /// As `wake`, and returns how many results have woken no thread.
    #[cold]
    pub(crate) fn ring(&self, count: usize) -> usize {
        let wanted = u64::try_from(count).unwrap_or(u64::MAX);
        // Adds nothing, but takes its place in the order of the word. AcqRel: with `sleep`.
        let mut word = self.0.waiting.fetch_add(0, Ordering::AcqRel);
        loop {
            // Not if there are waiters that do not sleep, since they wake no next one.
            let on_their_way = if word & MARKED == 0 { (word & WOKEN) / ONE_WOKEN } else { 0 };
            let wanted = wanted.saturating_sub(on_their_way);
            let more = wanted.min(word & SLEEPERS);
            // All is never done.
            let left = if count == usize::MAX { count } else { narrow(wanted - more) };
            if more == 0 {
                return left;
            }
            // Relaxed: as in `leave`. A newer word needs no order of its own either, because what
            // this thread has stored is before the addition above.
            match self.0.waiting.compare_exchange_weak(
                word,
                word - more + more * ONE_WOKEN,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => {
                    self.0.tokens.give(narrow(more));
                    return left;
                }
                Err(newer) => word = newer,
            }
        }
    }

    /// Whether a wake may be needed, after something was stored that a waiter checks.
    #[inline]
    pub(crate) fn somebody_sleeps(&self) -> bool {
        self.look().somebody_sleeps()
    }

    /// What a plain look shows, after something was stored that a waiter checks.
    #[inline]
    pub(crate) fn look(&self) -> Look {
        light_barrier();
        // Where a plain look could not tell, `ring` looks in a way that can.
        Look(self.0.waiting.load(Ordering::Relaxed))
    }
}

#[cfg(all(test, not(shuttle)))]
impl Parking {
    /// A place where one thread sleeps, and another was woken and does not run yet.
    pub(crate) fn with_one_asleep_and_one_woken() -> Self {
        crate::sync::watch_barriers();
        let parking = Self::new();
        parking.0.starving.fetch_add(2, Ordering::Relaxed);
        parking.0.waiting.fetch_add(1 + ONE_WOKEN, Ordering::Relaxed);
        parking.0.tokens.give(1);
        parking
    }

    /// What the one that was woken does first.
    #[cfg(loom)]
    pub(crate) fn wake_up(&self) {
        self.0.tokens.take(None);
        self.count_as_awake();
    }

    /// How many threads sleep, or are about to, and have no token.
    pub(crate) fn sleepers(&self) -> usize {
        usize::try_from(self.0.waiting.load(Ordering::Relaxed) & SLEEPERS).unwrap()
    }

    /// Whether nobody sleeps, and no token is left.
    #[cfg(loom)]
    pub(crate) fn is_quiet(&self) -> bool {
        let word = self.0.waiting.load(Ordering::Relaxed);
        word & (SLEEPERS | WOKEN) == 0 && self.0.tokens.is_empty()
    }
}

fn narrow(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests;
