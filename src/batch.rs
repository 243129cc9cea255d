//! Results made by one thread at a time and handed to many, each to exactly one.

mod chain;
mod epoch;
mod fill;
#[cfg(all(test, loom))]
mod models;
mod parking;
mod ring;
mod role;
#[cfg(all(test, not(loom)))]
mod tests;

use crate::border::{Panicked, border};
use crate::fork;
use crate::host::{Host, Word};
use crate::source::Source;
use crate::status::{LoadError, NewError};
use crate::sync::{AtomicBool, Ordering, UnsafeCell};
pub(crate) use chain::Waits;
use chain::{Awaited, Circle};
use epoch::Epoch;
use fill::{Fill, Workplace};
use parking::Parking;
use ring::Ring;
use role::{FillRole, Taken};

/// The largest buffer: its memory is asked for when the batch is made, 16 bytes for a result.
pub const MAX_SIZE: usize = 1 << 30;

/// Runs a source to fill a buffer of results, in one thread at a time, and hands each result to
/// exactly one of the threads that load.
///
/// Results come in the order in which the source made them: after `n` loads that brought a
/// result, the first `n` results have been handed out. One exception: when a fill fails, its first
/// result comes after those that other threads have taken meanwhile.
///
/// After a `fork`, the child drops the results that the parent had in the buffer, which the parent
/// hands out, and asks the source for new ones. If the parent was just filling, the child starts a
/// fill of its own.
pub struct Batch<H: Host, S: Source<H>> {
    host: H,
    size: usize,
    epoch: Epoch,
    ring: Ring,
    /// The first result of a fill that then failed, which comes before those in the ring.
    returned: Ring,
    role: FillRole,
    parking: Parking,
    panicked: AtomicBool,
    /// The source and the slots it writes to. Only the holder of `role` touches them.
    workplace: UnsafeCell<Workplace<S>>,
}

// SAFETY: `workplace` is touched only by the holder of the fill role, which is one thread at a
// time and hands over by release and acquire; a `Source` is `Send`. The rest is made to be shared.
unsafe impl<H: Host, S: Source<H>> Sync for Batch<H, S> {}

/// What a load that found the buffer empty is to do next.
enum Next<'a, H: Host, S: Source<H>> {
    Take(Word),
    Fill(Fill<'a, H, S>),
    Wait,
    Reentrant,
}

impl<H: Host, S: Source<H>> Batch<H, S> {
    /// A batch that asks `source` for up to `size` results whenever it has none.
    ///
    /// # Errors
    /// If `size` is 0 or above [`MAX_SIZE`], or there is not enough memory.
    pub fn new(host: H, source: S, size: usize) -> Result<Self, NewError> {
        if !(1..=MAX_SIZE).contains(&size) {
            return Err(NewError::Size);
        }
        fork::watch()?;
        Ok(Self {
            host,
            size,
            epoch: Epoch::new(),
            ring: Ring::new(size)?,
            returned: Ring::new(1)?,
            role: FillRole::new(),
            parking: Parking::new(),
            panicked: AtomicBool::new(false),
            workplace: UnsafeCell::new(Workplace::new(source, size)?),
        })
    }

    /// Takes the next result. If there is none, runs the source, or waits for the thread that
    /// runs it.
    ///
    /// # Errors
    /// See [`LoadError`]. After any but [`LoadError::Panicked`] the batch works on.
    pub fn load(&self) -> Result<H::Object, LoadError<S::Error>> {
        self.adopt_if_stale()?;
        if self.role.is_mine() {
            // Even if something is ready: a source that feeds on its own results gets the same
            // answer every time, and not only when it is unlucky.
            return Err(LoadError::Reentrant);
        }
        match self.guarded(|| self.take())? {
            // SAFETY: the ring gives each word once, and they all come from the source.
            Some(word) => Ok(unsafe { self.host.adopt_word(word) }),
            None => self.load_from_empty(),
        }
    }

    /// How many results are ready; a moment later there may be others.
    pub fn len(&self) -> usize {
        if self.epoch.is_stale() {
            return 0;
        }
        self.returned.len() + self.ring.len()
    }

    /// Whether no result is ready.
    pub fn is_empty(&self) -> bool {
        self.epoch.is_stale() || (self.returned.is_empty() && self.ring.is_empty())
    }

    /// How many results one fill makes at most.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The host, as it was given.
    pub fn host(&self) -> &H {
        &self.host
    }

    /// Shows each result in the buffer to `visit`, until that returns `false`, which is then
    /// returned. For a garbage collector: takes no lock and calls nothing else.
    ///
    /// Results that the source is just handing over are not shown.
    ///
    /// # Safety
    /// No other thread may use the batch meanwhile, because the world is stopped for instance.
    pub unsafe fn visit(&self, mut visit: impl FnMut(Word) -> bool) -> bool {
        self.returned.visit(&mut visit) && self.ring.visit(&mut visit)
    }

    /// Drops the results in the buffer. The batch works on.
    pub fn clear(&self) {
        let _ = self.adopt_if_stale();
        while let Ok(Some(word)) = self.guarded(|| self.take()) {
            // SAFETY: as in `load`.
            drop(unsafe { self.host.adopt_word(word) });
        }
    }

    #[cold]
    fn load_from_empty(&self) -> Result<H::Object, LoadError<S::Error>> {
        loop {
            if self.panicked.load(Ordering::Relaxed) {
                return Err(LoadError::Panicked);
            }
            // A handler of signals may have forked while this thread waited.
            self.adopt_if_stale()?;
            let word = match self.guarded(|| self.next())? {
                Next::Take(word) => word,
                Next::Fill(fill) => fill.run()?,
                Next::Reentrant => return Err(LoadError::Reentrant),
                Next::Wait => {
                    self.wait()?;
                    match self.guarded(|| self.take())? {
                        Some(word) => word,
                        None => continue,
                    }
                }
            };
            // SAFETY: as in `load`.
            return Ok(unsafe { self.host.adopt_word(word) });
        }
    }

    fn take(&self) -> Option<Word> {
        self.returned.claim().or_else(|| self.ring.claim())
    }

    fn next(&self) -> Next<'_, H, S> {
        match self.role.take() {
            Ok(vacancy) => {
                let fill = Fill::new(self, vacancy);
                // The filler before may have published since this thread looked.
                match self.take() {
                    Some(word) => Next::Take(word),
                    None => Next::Fill(fill),
                }
            }
            Err(Taken::ByThisThread) => Next::Reentrant,
            Err(Taken::ByAnother) => Next::Wait,
        }
    }

    fn wait(&self) -> Result<(), LoadError<S::Error>> {
        let period = if chain::this_thread_fills() {
            Some(self.host.interrupt_period().map_or(chain::PERIOD, |host| host.min(chain::PERIOD)))
        } else {
            self.host.interrupt_period()
        };
        let mut waited = Ok(());
        let blocked = chain::wait_for(self, || {
            self.host.block(&mut || {
                waited = self.guarded(|| self.parking.wait(period, || self.is_ready()));
            });
        });
        self.poisoned_by(blocked)?.map_err(|Circle| LoadError::Deadlock)?;
        waited?;
        if self.host.interrupted() {
            // This thread may have been woken for something that it now leaves to another.
            self.guarded(|| self.parking.wake_one())?;
            return Err(LoadError::Interrupted);
        }
        Ok(())
    }

    #[inline]
    fn adopt_if_stale(&self) -> Result<(), Panicked> {
        if self.epoch.is_stale() { self.adopt() } else { Ok(()) }
    }

    /// In the child of a fork: drops what the parent has prefetched, which the parent will hand
    /// out, and forgets the threads that are not here.
    #[cold]
    fn adopt(&self) -> Result<(), Panicked> {
        let parents = self.guarded(|| {
            self.epoch.adopt(|| {
                // SAFETY: the threads that used it are gone, and those that are here wait for the
                // end of the adoption.
                unsafe { self.parking.renew() };
                let mut parents = Vec::new();
                // Here memory is taken outside of a constructor. If there is none, the results are
                // left alive in the child for ever, which is better than an abort.
                let remembered =
                    parents.try_reserve_exact(self.ring.len() + self.returned.len()).is_ok();
                while let Some(word) = self.take() {
                    if remembered {
                        // SAFETY: as in `load`.
                        parents.push(unsafe { self.host.adopt_word(word) });
                    }
                }
                parents
            })
        })?;
        // Host code runs here, when the batch is good again.
        drop(parents);
        Ok(())
    }

    /// Runs own code behind the border; a panic there stops later fills, and spoils no result
    /// that is already in the buffer.
    #[inline]
    fn guarded<R>(&self, own_code: impl FnOnce() -> R) -> Result<R, Panicked> {
        self.poisoned_by(border(own_code))
    }

    #[inline]
    fn poisoned_by<R>(&self, result: Result<R, Panicked>) -> Result<R, Panicked> {
        result.inspect_err(|Panicked| self.panicked.store(true, Ordering::Relaxed))
    }
}

impl<H: Host, S: Source<H>> Awaited for Batch<H, S> {
    fn role(&self) -> &FillRole {
        &self.role
    }

    fn is_ready(&self) -> bool {
        !self.is_empty() || self.role.is_free()
    }
}

impl<H: Host, S: Source<H>> Drop for Batch<H, S> {
    fn drop(&mut self) {
        self.clear();
    }
}
