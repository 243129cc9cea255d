//! Quick sources in hosts where a thread had better not take each result at once.
//!
//! In a host with one lock, such as CPython with its GIL, it costs much more than a result to wake a
//! thread for each. The source gives the lock up for a system call, the woken thread takes it, finds
//! one result, and goes back to sleep, while the filler waits for the lock. So:
//!
//! * A thread that was woken while another runs a quick source *lingers*: it stays outside the
//!   runtime for a while. Until then it counts as on its way, so it was woken for all that is made
//!   meanwhile (`parking.rs`). That place is right however long a woken thread takes, so no wake-up
//!   is lost. If the source is not as quick any more, or blocks until another thread has a result,
//!   the thread notices after a fraction of a millisecond, and goes in.
//! * A thread that has filled *lets others in* about once in a millisecond, if some have nothing: it
//!   stays outside until one of them is in. Otherwise it would take all that it has made itself,
//!   because the others get the lock when it gives it up, and then find nothing.
//!
//! Without the lock, a host may prefer whole fills, as CPython does without its GIL: threads that count
//! references to what the source uses slow the source down. There a thread that finds nothing lingers
//! before it looks for single results: until the fill ends, some 300 microseconds at most, and only if
//! fills take long enough for a sleep.
//!
//! All naps end by themselves. A thread that is let in, or sees that another is in, is woken earlier.

use super::Batch;
use super::deadlock::this_thread_fills;
use super::load::Patience;
use super::parking::Parking;
use super::stats::nanoseconds;
use crate::error::LoadError;
use crate::host::{Host, Word};
use crate::process::generation;
use crate::source::Source;
use crate::sync::unordered::{self, AtomicBool};
use crate::sync::{AtomicUsize, CachePadded, Ordering, has_lasted};
use std::time::{Duration, Instant};

/// How long things take.
#[derive(Clone, Copy)]
pub(super) struct Times {
    /// A call of the source that takes longer than to wake a thread and to hand it the lock.
    pub(super) slow_call: Duration,
    /// How long a woken thread lingers before it looks whether the source is still quick. Each time
    /// that follows is twice as long.
    pub(super) first_look: Duration,
    /// How long a thread stays outside at most.
    pub(super) longest: Duration,
    /// How long after a thread was let in the next one is.
    pub(super) turn: Duration,
    /// A shorter fill is not worth a sleep.
    pub(super) shortest_fill: Duration,
}

impl Times {
    const WITH_ONE_LOCK: Self = Self {
        slow_call: Duration::from_micros(50),
        first_look: Duration::from_micros(100),
        longest: Duration::from_millis(2),
        turn: Duration::from_millis(1),
        shortest_fill: Duration::ZERO,
    };

    const FOR_WHOLE_FILLS: Self = Self {
        slow_call: Duration::from_micros(20),
        longest: Duration::from_micros(250),
        shortest_fill: Duration::from_micros(100),
        ..Self::WITH_ONE_LOCK
    };

    /// The least time in which slow calls make `count` results.
    fn of_slow_calls(&self, count: u64) -> Duration {
        self.slow_call.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX))
    }
}

pub(super) struct OneLock {
    pub(super) times: Times,
    /// When the batch was made.
    made: Instant,
    pub(super) shared: CachePadded<Shared>,
    /// Where woken threads linger.
    pub(super) lingering: Parking,
    /// Where threads that have filled wait until another is in.
    pub(super) door: Parking,
}

pub(super) struct Shared {
    /// How many threads wait at the door.
    at_the_door: AtomicUsize,
    /// How many threads have nothing and are not inside the runtime: they sleep, linger, or wait for
    /// the lock.
    pub(super) outside: unordered::AtomicUsize,
    /// When a thread was last let in, in nanoseconds after `made`.
    let_in: unordered::AtomicU64,
    /// Whether the calls of the source in the last fill were quick.
    pub(super) is_quick: AtomicBool,
}

impl Shared {
    fn new() -> CachePadded<Self> {
        CachePadded::new(Self {
            at_the_door: AtomicUsize::new(0),
            outside: unordered::AtomicUsize::new(0),
            let_in: unordered::AtomicU64::new(0),
            is_quick: AtomicBool::new(false),
        })
    }
}

impl OneLock {
    pub(super) fn new(one_lock: bool) -> Self {
        Self {
            times: if one_lock { Times::WITH_ONE_LOCK } else { Times::FOR_WHOLE_FILLS },
            made: Instant::now(),
            shared: Shared::new(),
            lingering: Parking::new(),
            door: Parking::new(),
        }
    }

    /// For the child of a fork, in which the threads that were outside do not exist.
    ///
    /// # Safety
    /// No thread of this process may be using it.
    pub(super) unsafe fn renew(&self) {
        // SAFETY: the caller's promise.
        unsafe {
            self.lingering.renew();
            self.door.renew();
        }
        self.shared.at_the_door.store(0, Ordering::Relaxed);
        self.shared.outside.store(0, Ordering::Relaxed);
    }

    /// Notes how long it took to make `count` results.
    pub(super) fn note_pace(&self, began: Instant, count: usize) {
        let slow = self.times.of_slow_calls(count as u64);
        let is_quick = !has_lasted(began, slow) && has_lasted(began, self.times.shortest_fill);
        self.shared.is_quick.store(is_quick, Ordering::Relaxed);
    }

    pub(super) fn source_is_quick(&self) -> bool {
        self.shared.is_quick.load(Ordering::Relaxed)
    }

    /// Counts this thread, which has nothing, as outside the runtime until the result is dropped.
    pub(super) fn count_as_outside(&self) -> Outside<'_> {
        self.shared.outside.fetch_add(1, Ordering::Relaxed);
        Outside { count: &self.shared.outside, generation: generation() }
    }

    pub(super) fn somebody_is_outside(&self) -> bool {
        self.shared.outside.load(Ordering::Relaxed) != 0
    }

    /// Whether nobody was let in for a turn.
    fn turn_is_over(&self) -> bool {
        let let_in = Duration::from_nanos(self.shared.let_in.load(Ordering::Relaxed));
        has_lasted(self.made + let_in, self.times.turn)
    }

    fn begin_turn(&self) {
        self.shared.let_in.store(nanoseconds(self.made.elapsed()), Ordering::Relaxed);
    }

    fn somebody_lets_in(&self) -> bool {
        // Acquire: with the Release in `wait_at_the_door`, as `Parking` asks of what it checks.
        self.shared.at_the_door.load(Ordering::Acquire) != 0
    }

    /// Stays outside until a thread lets others in or `is_over`, for `period` at most.
    pub(super) fn wait_outside(&self, period: Option<Duration>, is_over: impl Fn() -> bool) {
        self.lingering.wait_asleep(period, || self.somebody_lets_in() || is_over(), || ());
    }

    /// Lets others in, and waits until `somebody_is_in`, for `period` at most.
    pub(super) fn wait_at_the_door(
        &self,
        period: Option<Duration>,
        somebody_is_in: impl Fn() -> bool,
    ) {
        let process = generation();
        self.shared.at_the_door.fetch_add(1, Ordering::Release);
        self.lingering.wake_all();
        self.door.wait_asleep(period, somebody_is_in, || ());
        if generation() == process {
            self.shared.at_the_door.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// For a thread that is in and has something, or has given up.
    pub(super) fn let_the_door_go(&self) {
        self.door.wake_all();
    }
}

/// A thread that has nothing and is not inside the runtime.
pub(super) struct Outside<'a> {
    count: &'a unordered::AtomicUsize,
    generation: u64,
}

impl Drop for Outside<'_> {
    fn drop(&mut self) {
        // The child of a fork counts anew.
        if self.generation == generation() {
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl<H: Host, S: Source<H>> Batch<H, S> {
    /// Whether threads of this host ever stay outside.
    pub(super) fn threads_linger(&self) -> bool {
        self.host.has_one_lock() || self.host.prefers_whole_fills()
    }

    /// Whether a thread that finds nothing waits for the end of the fill.
    pub(super) fn waits_for_whole_fills(&self) -> bool {
        self.host.prefers_whole_fills() && !self.host.has_one_lock()
    }

    /// For a thread that was woken, or is about to look for results, and is still outside the runtime.
    pub(super) fn linger(&self) {
        let times = &self.one_lock.times;
        let whole_fills = self.waits_for_whole_fills();
        let (woken, before) = (Instant::now(), self.results_ever_made());
        let is_over = || {
            self.one_lock.somebody_lets_in()
                || self.wait_is_over()
                || has_lasted(woken, times.longest)
        };
        // A circle of fills that wait for each other is to be seen at once.
        let mut source_is_quick = self.one_lock.source_is_quick() && !this_thread_fills();
        let mut nap = times.first_look;
        while source_is_quick && !is_over() {
            self.one_lock.wait_outside(Some(nap), || whole_fills && self.may_fill());
            let made = self.results_ever_made().saturating_sub(before);
            source_is_quick = !has_lasted(woken, times.of_slow_calls(made));
            nap *= 2;
        }
    }

    /// Less if other threads take some just now.
    fn results_ever_made(&self) -> u64 {
        self.queue.taken() + self.queue.len() as u64
    }

    /// For a thread that has filled, and has `word` to hand out: if others have nothing, stays outside
    /// the runtime until one of them is in, and has got a result or the role. `None` as in
    /// `keep_in_hand`.
    pub(super) fn let_others_in(
        &self,
        word: Word,
        patience: Patience,
    ) -> Result<Option<Word>, LoadError<S::Error>> {
        let one_lock = &self.one_lock;
        let others_wait = self.host.has_one_lock() && one_lock.somebody_is_outside();
        if !others_wait || !one_lock.turn_is_over() {
            return Ok(Some(word));
        }
        let longest = one_lock.times.longest;
        let period = match patience {
            Patience::NoWait => return Ok(Some(word)),
            Patience::Until(end) => end.saturating_duration_since(Instant::now()).min(longest),
            Patience::Unlimited => longest,
        };
        let taken = self.queue.taken();
        let somebody_is_in = || {
            self.queue.taken() != taken || !self.role.is_free() || !one_lock.somebody_is_outside()
        };
        let (mut waited, mut outside) = (Ok(()), None);
        let mine = self.keep_in_hand(word, || {
            self.host.block(&mut || {
                waited = self.guarded(|| one_lock.wait_at_the_door(Some(period), somebody_is_in));
                outside = Some(one_lock.count_as_outside());
            });
        });
        drop(outside);
        one_lock.begin_turn();
        let came_in = self.guarded(|| self.say_that_one_is_in());
        waited.and(came_in).map(|()| mine).map_err(|panicked| {
            // SAFETY: as in `keep_in_hand`.
            drop(mine.map(|word| unsafe { self.host.adopt_word(word) }));
            panicked.into()
        })
    }

    /// For a load that has waited and ends: the thread that has let it in need not stay outside.
    pub(super) fn say_that_one_is_in(&self) {
        // The door of a child's parent is left alone.
        if self.host.has_one_lock() && !self.front.gate.is_stale() {
            self.one_lock.let_the_door_go();
        }
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests;
