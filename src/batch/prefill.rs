//! Results made before a load asks for them.

use super::deadlock::Awaited;
use super::fill::Fill;
use super::load::Terms;
use super::own::Origin;
use super::role::Runner;
use super::{Batch, gate};
use crate::error::LoadError;
use crate::host::{Host, Word};
use crate::source::Source;
use crate::sync::Ordering;
use std::time::{Duration, Instant};

/// How long a prefilling thread sleeps before it checks again.
///
/// Loads could wake it whenever there is room, but each wake-up costs a load some microseconds, and
/// there would be one for every refill. So the thread itself checks at about the time when there
/// should be room, estimated from the rate at which results were taken. Loads wake it only when
/// half of its low mark is gone, which means that they became faster.
struct Pace {
    began: Instant,
    ready_then: usize,
    last: Duration,
}

impl Pace {
    const SHORTEST: Duration = Duration::from_micros(50);
    const LONGEST: Duration = Duration::from_millis(10);

    fn new(ready: usize) -> Self {
        Self { began: Instant::now(), ready_then: ready, last: Self::SHORTEST }
    }

    fn next(&mut self, ready: usize, low_mark: usize) -> Duration {
        self.next_after(self.began.elapsed(), ready, low_mark)
    }

    fn next_after(&mut self, elapsed: Duration, ready: usize, low_mark: usize) -> Duration {
        let left = u32::try_from(ready + 1 - low_mark.min(ready + 1)).unwrap_or(u32::MAX);
        let gone = u32::try_from(self.ready_then.saturating_sub(ready)).unwrap_or(u32::MAX);
        let guess = match gone {
            0 => self.last * 2,
            gone => elapsed.saturating_mul(left) / gone,
        };
        self.last = guess.clamp(Self::SHORTEST, Self::LONGEST);
        self.last
    }
}

/// What came of a try to make results.
pub(super) enum Ahead {
    Made(usize),
    /// The batch has just come to its end, or was closed.
    MayGoOn,
    /// Other threads run the source.
    MustWait,
}

/// What a prefilling thread waits for.
struct Room<'a, H: Host, S: Source<H>> {
    batch: &'a Batch<H, S>,
    low_mark: usize,
}

impl<H: Host, S: Source<H>> Awaited for Room<'_, H, S> {
    fn each_filler(&self, each: &mut dyn FnMut(Runner)) {
        self.batch.each_filler(each);
    }

    fn is_ready(&self) -> bool {
        let Self { batch, low_mark } = self;
        (batch.is_low(*low_mark) && batch.may_fill())
            || batch.front.gate.flags_here().is_none_or(|flags| flags & gate::ENDS != 0)
    }
}

impl<H: Host, S: Source<H>> Batch<H, S> {
    /// Waits until fewer than `low_mark` results are ready, then runs the source until it has made
    /// `max` results or the buffer is full. Returns how many it made: 0 after the timeout, or if
    /// another thread is filling and there is no time to wait.
    ///
    /// For a thread of the host's own, which calls it in a loop so that loads never find the buffer
    /// empty. Without a `timeout`, there is no limit.
    ///
    /// # Errors
    /// See [`LoadError`]. A source error is returned here, and the results made before it are kept.
    ///
    /// # Example
    /// ```
    /// # use ft_local::{Batch, Iter, Native};
    /// let batch = Batch::new(Native::<usize>::new(), Iter(1..), 8)?;
    /// assert_eq!(batch.prefill(4, 6, None)?, 6);
    /// assert_eq!(batch.try_load()?, Some(1)); // without running the source
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn prefill(
        &self,
        low_mark: usize,
        max: usize,
        timeout: Option<Duration>,
    ) -> Result<usize, LoadError<S::Error>> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let low_mark = low_mark.min(self.size);
        if max == 0 || low_mark == 0 {
            return Ok(0);
        }
        let mut pace = Pace::new(self.len());
        loop {
            let flags = self.enter()?;
            let fiber = self.host.fiber();
            if self.is_filled_by(fiber) || self.is_stopped_by_a_wait_of(fiber) {
                return Err(LoadError::Reentrant);
            }
            if flags & gate::CLOSED != 0 {
                return Err(LoadError::Closed);
            }
            Self::check_terminal(flags)?;
            if self.is_low(low_mark) {
                match self.make_ahead(fiber, low_mark, max)? {
                    Ahead::Made(count) => return Ok(count),
                    Ahead::MayGoOn => continue,
                    Ahead::MustWait => {}
                }
            }
            // Zero stays zero, also if the clock has been set back meanwhile.
            let left = deadline
                .map(|deadline| deadline.saturating_duration_since(Instant::now()))
                .min(timeout);
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(0);
            }
            let period = pace.next(self.len(), low_mark);
            self.wait_for_low(low_mark, left.map_or(period, |left| left.min(period)))?;
        }
    }

    fn make_ahead(
        &self,
        fiber: u64,
        low_mark: usize,
        max: usize,
    ) -> Result<Ahead, LoadError<S::Error>> {
        if self.has_several_fillers() {
            return self.make_ahead_as_one_of_several(fiber, low_mark, max);
        }
        let Ok(vacancy) = self.role.take_as(fiber) else {
            return Ok(Ahead::MustWait);
        };
        let fill = Fill::new(self, vacancy)?;
        if fill.cannot_begin() {
            return Ok(Ahead::MayGoOn);
        }
        Ok(Ahead::Made(if self.is_low(low_mark) { fill.run_ahead(max)? } else { 0 }))
    }

    pub(super) fn is_low(&self, low_mark: usize) -> bool {
        self.len() < low_mark
    }

    fn wait_for_low(&self, low_mark: usize, period: Duration) -> Result<(), LoadError<S::Error>> {
        // Raised each time, since a load that finds nobody waiting takes it down.
        self.front.low_mark.fetch_max(low_mark.div_ceil(2), Ordering::Relaxed);
        let interruptible = self.host.interruptible();
        let room = Room { batch: self, low_mark };
        self.leave_host(&room, || {
            let ready = || room.is_ready();
            self.low.wait(Some(period), ready, ready);
        })?;
        if interruptible && self.host.interrupted() {
            return Err(LoadError::Interrupted);
        }
        Ok(())
    }

    /// As `refill_if_low`, for a thread that has claimed several results, `word` among them.
    pub(super) fn refill_after_claim(
        &self,
        word: Word,
        origin: Origin,
        terms: Terms<'_>,
    ) -> Result<Word, LoadError<S::Error>> {
        let mark = self.front.low_mark.load(Ordering::Relaxed);
        // Without a mark there is no need to look at what the filler writes.
        if mark > 0 && self.queue.len() < mark {
            self.refill_if_low(word, origin, terms)
        } else {
            Ok(word)
        }
    }

    /// Whether a load that has left few results must run the source. Otherwise a prefilling thread
    /// does, which this wakes.
    fn must_refill(&self) -> bool {
        if self.queue.len() >= self.front.low_mark.load(Ordering::Relaxed) {
            return false;
        }
        if self.low.somebody_starves() {
            self.low.wake(1);
            return false;
        }
        // Nobody prefills, or not any more.
        self.front.low_mark.store(self.options.low_mark, Ordering::Relaxed);
        self.queue.len() < self.options.low_mark && self.front.gate.flags(gate::ENDS) == 0
    }

    /// For a load that has taken `word` and left few results: wakes a prefilling thread, or if
    /// there is none, runs the source if the batch has its own low mark.
    #[cold]
    pub(super) fn refill_if_low(
        &self,
        word: Word,
        origin: Origin,
        terms: Terms<'_>,
    ) -> Result<Word, LoadError<S::Error>> {
        let low = self.guarded(|| self.must_refill());
        if low == Ok(false) {
            return Ok(word);
        }
        let fiber = self.host.fiber();
        if low.is_ok() && self.has_several_fillers() {
            return self.refill_as_one_of_several(fiber, word, origin, terms);
        }
        let vacancy = low.and_then(|_| self.guarded(|| self.role.take_as(fiber).ok()));
        // The end of a fill may call the host, so no border encloses it.
        let fill = vacancy.and_then(|it| it.map(|vacancy| Fill::new(self, vacancy)).transpose());
        match fill {
            Ok(Some(fill)) => {
                let mine = fill.run_with(word, origin, terms.argument)?;
                let mine = mine.map(|word| self.let_others_in(word, terms.patience)).transpose()?;
                mine.flatten().map_or_else(|| self.acquire(terms, || self.take()), Ok)
            }
            Ok(None) => Ok(word),
            Err(panicked) => {
                let _ = self.take_words_back(&[word]);
                Err(panicked.into())
            }
        }
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use crate::host::Native;
    use crate::source::Iter;

    /// For how many microseconds a prefilling thread sleeps that began with 100 results, 1 ms ago.
    fn sleeps(ready: usize, low_mark: usize) -> u128 {
        Pace::new(100).next_after(Duration::from_millis(1), ready, low_mark).as_micros()
    }

    #[test]
    fn a_prefilling_thread_sleeps_until_its_low_mark_will_be_reached() {
        // Of 100 results 20 were taken in a millisecond: 50 microseconds for each.
        assert_eq!([sleeps(80, 51), sleeps(80, 71), sleeps(90, 81)], [1500, 500, 1000]);
        assert_eq!([sleeps(80, 81), sleeps(99, 100)], [50, 50], "it is reached already");
        assert_eq!(sleeps(99, 1), 10_000, "at most as long");
    }

    #[test]
    fn a_prefilling_thread_sleeps_twice_as_long_each_time_if_nothing_is_taken() {
        let mut pace = Pace::new(100);
        let mut next = || pace.next_after(Duration::from_secs(1), 100, 50).as_micros();
        let all = [(); 9].map(|()| next());
        assert_eq!(all, [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
    }

    #[test]
    fn a_prefilling_thread_never_polls() {
        assert!(Pace::new(9).next(9, 3) >= Pace::SHORTEST);
    }

    #[test]
    fn a_prefilling_thread_waits_for_room_that_nobody_else_fills_or_for_an_end() {
        let batch = Batch::new(Native::<usize>::new(), Iter(1..), 4).unwrap();
        let is_ready = |low_mark| Room { batch: &batch, low_mark }.is_ready();
        assert!(is_ready(1));
        batch.load().unwrap();
        assert_eq!([is_ready(3), is_ready(4)], [false, true]);
        batch.role.take().unwrap();
        assert!(!is_ready(4), "a thread fills");
        batch.role.give_up();
        batch.close().unwrap();
        batch.role.take().unwrap();
        assert!(is_ready(4), "nothing more will come");
    }
}
