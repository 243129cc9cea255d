//! Results that are dropped: when the batch is closed or cleared, and when it ends.

use super::{Batch, gate};
use crate::error::LoadError;
use crate::host::{Host, Word};
use crate::panic::Defer;
use crate::source::Source;

impl<H: Host, S: Source<H>> Batch<H, S> {
    /// Ends the batch. The results in the buffer are dropped, and every later or waiting load gets
    /// [`LoadError::Closed`]. Results that the source is making now are dropped too, except the one
    /// for the load that runs it. Cursors still hand out the results that they hold. Closing again
    /// does nothing.
    ///
    /// # Errors
    /// [`LoadError::Forked`] and [`LoadError::Panicked`]; results may then remain until the batch
    /// is dropped.
    ///
    /// # Example
    /// ```
    /// # use ft_local::{Batch, Iter, LoadError, Native};
    /// let batch = Batch::new(Native::<usize>::new(), Iter(1..), 8)?;
    /// batch.close()?;
    /// assert!(matches!(batch.load(), Err(LoadError::Closed)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn close(&self) -> Result<(), LoadError<S::Error>> {
        self.enter()?;
        self.front.gate.raise(gate::CLOSED);
        self.guarded(|| {
            self.wake_all_waiters();
            self.low.wake_all();
        })?;
        self.release_all();
        Ok(())
    }

    /// Whether the batch was closed.
    pub fn is_closed(&self) -> bool {
        self.front.gate.flags(gate::CLOSED) != 0
    }

    /// Drops the results in the buffer. The batch remains usable.
    ///
    /// # Errors
    /// [`LoadError::Forked`] and [`LoadError::Panicked`].
    ///
    /// # Example
    /// ```
    /// # use ft_local::{Batch, Iter, Native};
    /// let batch = Batch::new(Native::<usize>::new(), Iter(1..), 8)?;
    /// batch.load()?; // makes 8
    /// batch.clear()?;
    /// assert_eq!(batch.load()?, 9);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn clear(&self) -> Result<(), LoadError<S::Error>> {
        self.enter()?;
        self.release_all();
        Ok(())
    }

    /// Drops the results in the buffer. If the host unwinds out of one release, the rest is still
    /// released, as `Vec` does.
    pub(super) fn release_all(&self) {
        let rest = Defer(|| self.release_each());
        self.release_each();
        std::mem::forget(rest);
    }

    fn release_each(&self) {
        while let Ok(Some(word)) = self.guarded(|| self.take_any()) {
            self.counters.others.released.add(1);
            // SAFETY: the queue gives each word once, and they all come from the source.
            drop(unsafe { self.host.adopt_word(word) });
        }
        self.call_waiters();
    }

    /// Takes the next result without checking the gate.
    pub(super) fn take_any(&self) -> Option<Word> {
        self.take_back().or_else(|| self.take_from_queue())
    }

    /// Drops all results when the batch ends.
    pub(super) fn drop_results(&mut self) {
        let _rest = Defer(|| self.release_all());
        self.wake_everybody();
    }
}

impl<H: Host, S: Source<H>> Drop for Batch<H, S> {
    fn drop(&mut self) {
        self.drop_results();
    }
}
