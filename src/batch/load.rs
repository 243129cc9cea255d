//! How a thread gets a result.

use super::fill::Fill;
use super::fillers::stint::Stint;
use super::node::Node;
use super::own::Origin;
use super::role::Taken;
use super::sharers::share;
use super::wait::WakeUp;
use super::{Batch, gate};
use crate::error::LoadError;
use crate::host::{Host, Word};
use crate::panic::Panicked;
use crate::source::Source;
use crate::sync::Ordering;
use std::any::Any;
use std::time::{Duration, Instant};

/// The next step of a thread that found the buffer empty.
pub(super) enum Next<'a, H: Host, S: Source<H>> {
    /// `None` as in `keep_in_hand`.
    Take(Option<Word>),
    Fill(Fill<'a, H, S>),
    Stint(Stint<'a, H, S>),
    Wait,
    Reentrant,
    /// Let another fiber of this thread run, which fills.
    LetRun,
}

/// How long a load waits for another thread.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Patience {
    NoWait,
    Until(Instant),
    Unlimited,
}

/// What a load brings with it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms<'t> {
    pub(super) patience: Patience,
    /// For the source, if the load runs it.
    pub(super) argument: Option<&'t dyn Any>,
}

impl<'t> Terms<'t> {
    /// With no time at all, a load does not wait.
    pub(super) fn with(argument: &'t dyn Any, timeout: Option<Duration>) -> Self {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let terms = match timeout {
            Some(Duration::ZERO) => Patience::NoWait.into(),
            _ => Self::from(deadline),
        };
        Self { argument: Some(argument), ..terms }
    }
}

impl From<Patience> for Terms<'_> {
    fn from(patience: Patience) -> Self {
        Self { patience, argument: None }
    }
}

impl From<Option<Instant>> for Terms<'_> {
    fn from(deadline: Option<Instant>) -> Self {
        deadline.map_or(Patience::Unlimited, Patience::Until).into()
    }
}

/// What [`Batch::try_claim_fast`] leaves to [`Batch::load_slow`].
#[derive(Debug)]
#[must_use = "a result is lost if it is not passed on"]
pub struct Slow(Rest);

#[derive(Debug)]
enum Rest {
    /// There is a result, and so few are left that the buffer needs a refill.
    Refill(Word),
    Empty,
    Panicked,
}

/// As many results as are ready while a registered waiter has nothing only if its thread has not come
/// to it yet.
const MANY: usize = 64;

impl<H: Host, S: Source<H>> Batch<H, S> {
    /// Takes the next result. If there is none, runs the source, or waits for the thread that
    /// runs it.
    ///
    /// # Errors
    /// See [`LoadError`]. After any but [`LoadError::Panicked`], [`LoadError::Closed`] and
    /// [`LoadError::Forked`] the batch remains usable.
    ///
    /// # Example
    /// ```
    /// # use ft_local::{Batch, Iter, Native};
    /// let batch = Batch::new(Native::<usize>::new(), Iter(1..), 8)?;
    /// assert_eq!(batch.load()?, 1);
    /// assert_eq!(batch.load()?, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn load(&self) -> Result<H::Object, LoadError<S::Error>> {
        let word = self.try_claim_fast().or_else(|slow| self.load_slow(slow, None))?;
        // SAFETY: the queue gives each word once, and they all come from the source.
        Ok(unsafe { self.host.adopt_word(word) })
    }

    /// As [`load`](Self::load), but waits for another thread no longer than `timeout`. The timeout
    /// does not limit running the source in this thread.
    ///
    /// # Errors
    /// See [`LoadError`].
    ///
    /// # Example
    /// ```
    /// # use ft_local::{Batch, Iter, Native};
    /// # use std::time::Duration;
    /// let batch = Batch::new(Native::<usize>::new(), Iter(1..), 8)?;
    /// assert_eq!(batch.load_within(Duration::from_millis(5))?, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn load_within(&self, timeout: Duration) -> Result<H::Object, LoadError<S::Error>> {
        let word = self
            .try_claim_fast()
            .or_else(|slow| self.load_slow(slow, Instant::now().checked_add(timeout)))?;
        // SAFETY: as in `load`.
        Ok(unsafe { self.host.adopt_word(word) })
    }

    /// As [`load`](Self::load), and if this call runs the source, passes it `argument`: see
    /// [`Filler::many_with`](crate::Filler::many_with). Waits for another thread no longer than
    /// `timeout`; with none, without limit.
    ///
    /// # Errors
    /// [`LoadError::WouldWait`] if the timeout is zero and another thread runs the source. Otherwise
    /// see [`LoadError`].
    ///
    /// # Example
    /// ```
    /// # use ft_local::{Batch, Iter, Native};
    /// let batch = Batch::new(Native::<usize>::new(), Iter(1..), 8)?;
    /// assert_eq!(batch.load_with(&"this source asks for nothing", None)?, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn load_with(
        &self,
        argument: &dyn Any,
        timeout: Option<Duration>,
    ) -> Result<H::Object, LoadError<S::Error>> {
        let loaded = self.try_claim_fast();
        let word = loaded.or_else(|slow| self.load_slow_with(slow, argument, timeout))?;
        // SAFETY: as in `load`.
        Ok(unsafe { self.host.adopt_word(word) })
    }

    /// Takes the next result if one is ready. Never runs the source and never waits. Drops results
    /// that must not be handed out: in the child of a fork those of the parent, and those that came
    /// back while the batch was closed.
    ///
    /// # Errors
    /// See [`LoadError`].
    ///
    /// # Example
    /// ```
    /// # use ft_local::{Batch, Iter, Native};
    /// let batch = Batch::new(Native::<usize>::new(), Iter(1..), 8)?;
    /// assert_eq!(batch.try_load()?, None); // nothing is ready yet
    /// batch.load()?;
    /// assert_eq!(batch.try_load()?, Some(2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_load(&self) -> Result<Option<H::Object>, LoadError<S::Error>> {
        let flags = self.enter()?;
        if flags & gate::CLOSED != 0 {
            return Err(LoadError::Closed);
        }
        match self.guarded(|| self.take().or_else(|| self.take_back()))? {
            Some(word) => match self.call_waiters_before(word) {
                // SAFETY: as in `load`.
                Some(word) => Ok(Some(unsafe { self.host.adopt_word(word) })),
                None => self.try_load(),
            },
            None => {
                self.call_waiters();
                Self::check_terminal(flags).map(|()| None)
            }
        }
    }

    /// Takes the next result if nothing else is to be done for it: the common case of a load.
    ///
    /// # Errors
    /// What [`load_slow`](Self::load_slow) needs to continue.
    #[inline(always)] // The one path that must cost nothing more than the claim.
    pub fn try_claim_fast(&self) -> Result<Word, Slow> {
        if !self.front.gate.is_open() {
            return Err(Slow(Rest::Empty));
        }
        match self.guarded(|| self.queue.claim()) {
            Ok(Some((word, left))) if left >= self.front.low_mark.load(Ordering::Relaxed) => {
                Ok(word)
            }
            Ok(Some((word, _))) => Err(Slow(Rest::Refill(word))),
            Ok(None) => Err(Slow(Rest::Empty)),
            Err(_) => Err(Slow(Rest::Panicked)),
        }
    }

    /// Continues a load: runs the source, or waits until `deadline` for the thread that runs it.
    ///
    /// # Errors
    /// See [`LoadError`].
    #[cold]
    pub fn load_slow(
        &self,
        slow: Slow,
        deadline: Option<Instant>,
    ) -> Result<Word, LoadError<S::Error>> {
        self.continue_load(slow, deadline.into())
    }

    /// Continues a load as [`load_with`](Self::load_with) does.
    ///
    /// # Errors
    /// As for `load_with`.
    #[cold]
    pub fn load_slow_with(
        &self,
        slow: Slow,
        argument: &dyn Any,
        timeout: Option<Duration>,
    ) -> Result<Word, LoadError<S::Error>> {
        self.continue_load(slow, Terms::with(argument, timeout))
    }

    pub(super) fn continue_load(
        &self,
        slow: Slow,
        terms: Terms<'_>,
    ) -> Result<Word, LoadError<S::Error>> {
        match slow.0 {
            Rest::Refill(word) => self.refill_if_low(word, Origin::Load, terms),
            Rest::Empty => self.acquire_for_load(terms),
            Rest::Panicked => Err(LoadError::Panicked),
        }
    }

    /// Gets a result for a load that found none, or may not look.
    pub(super) fn acquire_for_load(&self, terms: Terms<'_>) -> Result<Word, LoadError<S::Error>> {
        let word = self.acquire(terms, || self.take())?;
        // The fast way, which finds that few are left, is closed if results are wiped.
        if self.options.wipe { self.refill_if_low(word, Origin::Load, terms) } else { Ok(word) }
    }

    /// Gets a result by `take`, which finds a ready one, or from the source.
    #[cold]
    pub(crate) fn acquire(
        &self,
        terms: Terms<'_>,
        mut take: impl FnMut() -> Option<Word>,
    ) -> Result<Word, LoadError<S::Error>> {
        loop {
            let mut wake_up = None;
            let word = self.acquire_and_wait(terms, &mut take, &mut wake_up)?;
            // The end of a wait may call the host.
            let Some(wake_up) = wake_up else { return Ok(word) };
            if let Some(word) = self.keep_in_hand(word, || drop(wake_up)) {
                return Ok(word);
            }
        }
    }

    /// As `acquire`. What is in `wake_up` afterwards is to be dropped when the thread has the result.
    fn acquire_and_wait<'a>(
        &'a self,
        terms: Terms<'_>,
        take: &mut impl FnMut() -> Option<Word>,
        wake_up: &mut Option<WakeUp<'a, H, S>>,
    ) -> Result<Word, LoadError<S::Error>> {
        loop {
            // Each time, because a handler of signals may have forked while this thread waited; and
            // before the buffer: what was made is there when the end is seen.
            let flags = self.enter()?;
            if flags & gate::CLOSED != 0 {
                return Err(LoadError::Closed);
            }
            // Also for the thread that fills: another of its greenlets or fibers may be asking.
            if let Some(word) = self.guarded(&mut *take)? {
                match self.call_waiters_before(word) {
                    Some(word) => return Ok(word),
                    None => continue,
                }
            }
            if let Err(no_more) = Self::check_terminal(flags) {
                // The flag of what came back may just be down for a moment.
                let last = self.guarded(|| self.take_back())?.ok_or(no_more)?;
                match self.call_waiters_before(last) {
                    Some(word) => return Ok(word),
                    None => continue,
                }
            }
            self.call_waiters();
            match self.next(take)? {
                Next::Take(Some(word)) => return Ok(word),
                Next::Take(None) => {}
                Next::Fill(fill) => {
                    if let Some(word) = fill.run(terms.argument)?
                        && let Some(word) = self.let_others_in(word, terms.patience)?
                    {
                        return Ok(word);
                    }
                }
                Next::Stint(stint) => {
                    if let Some(word) = stint.run(terms.argument)? {
                        return Ok(word);
                    }
                }
                Next::Reentrant => return Err(LoadError::Reentrant),
                Next::LetRun => {
                    // By waiting, this fiber would stop the one that it waits for.
                    let must_wait = !matches!(terms.patience, Patience::NoWait);
                    return Err(if must_wait {
                        LoadError::Reentrant
                    } else {
                        LoadError::WouldWait
                    });
                }
                Next::Wait => {
                    let deadline = match terms.patience {
                        Patience::NoWait => return Err(LoadError::WouldWait),
                        Patience::Until(deadline) => Some(deadline),
                        Patience::Unlimited => None,
                    };
                    let wake_up = wake_up.get_or_insert_with(|| self.begin_to_wait());
                    self.wait(deadline, wake_up)?;
                }
            }
        }
    }

    /// Returns an error if there will be no more fills, for a thread that found nothing.
    pub(super) fn check_terminal(flags: u64) -> Result<(), LoadError<S::Error>> {
        if flags & gate::PANICKED != 0 {
            return Err(LoadError::Panicked);
        }
        if flags & gate::ENDED != 0 { Err(LoadError::Ended) } else { Ok(()) }
    }

    /// Takes the next ready result.
    pub(super) fn take(&self) -> Option<Word> {
        self.take_returned().or_else(|| self.take_from_queue())
    }

    pub(super) fn take_from_queue(&self) -> Option<Word> {
        if self.options.wipe {
            self.queue.claim_and_wipe()
        } else {
            self.queue.claim().map(|(word, _)| word)
        }
    }

    /// Takes the next ready result for a cursor, and claims some more for later.
    pub(crate) fn claim_for(&self, node: &Node) -> Option<Word> {
        if let Some(word) = self.take_returned() {
            self.queue.count_claim(1);
            return Some(word);
        }
        if self.options.wipe {
            // A cursor is no place for what is to be wiped: programs take from it by themselves.
            return self.queue.claim_and_wipe().inspect(|_| self.queue.count_claim(1));
        }
        let cursors = self.sharers.with(node);
        let count = node.refill(|room| {
            let claimed = self.queue.claim_many(room, |there| self.share_of(there, cursors))?;
            Some((claimed.position.cast_signed(), claimed.count, claimed.count))
        })?;
        self.queue.count_claim(count);
        node.pop()
    }

    /// How many of the ready results one of `cursors` may claim.
    fn share_of(&self, there: usize, cursors: u64) -> usize {
        if there < MANY && self.parking.is_marked() {
            // Nobody knows how many waiters there are.
            return 1;
        }
        share(there, cursors, self.parking.starving(), self.size)
    }

    /// Takes the role, or says what to do instead. The end of a fill may call the host, so no
    /// border encloses this.
    pub(super) fn next(
        &self,
        take: &mut impl FnMut() -> Option<Word>,
    ) -> Result<Next<'_, H, S>, Panicked> {
        let fiber = self.host.fiber();
        if self.has_several_fillers() {
            return self.next_of_several(fiber, take);
        }
        match self.guarded(|| self.role.take_as(fiber))? {
            Ok(vacancy) => {
                let fill = Fill::new(self, vacancy)?;
                // The filler before may have published since this thread looked.
                Ok(match self.guarded(|| take().or_else(|| self.take_back()))? {
                    Some(word) => Next::Take(self.keep_in_hand(word, || drop(fill))),
                    None => Next::Fill(fill),
                })
            }
            Err(Taken::ByThisThread) => Ok(Next::Reentrant),
            Err(Taken::InThisThread) => Ok(Next::LetRun),
            Err(Taken::ByAnother) => Ok(Next::Wait),
        }
    }
}
