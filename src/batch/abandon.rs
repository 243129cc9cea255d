//! The role of a fiber that died in the source.

use super::Batch;
use super::deadlock::count_fills;
use super::fill::Fill;
use super::fillers::stint::Stint;
use super::role::Vacancy;
use crate::error::LoadError;
use crate::host::Host;
use crate::source::Source;

impl<H: Host, S: Source<H>> Batch<H, S> {
    /// Gives up the fill role of a fiber that was ended in the middle of the source and will never
    /// run again: `fiber` is the number that [`Host::fiber`] answered in it. Returns whether it had
    /// the role. What it had made is kept, as when a source is unwound out of, and the next load runs
    /// the source.
    ///
    /// # Errors
    /// [`LoadError::Forked`] and [`LoadError::Panicked`].
    ///
    /// # Safety
    /// The fiber must never run again, and must not have died while it waited in the library. No
    /// other thread may abandon the same fiber meanwhile.
    ///
    /// # Example
    /// ```
    /// # use ft_local::{Batch, Iter, Native};
    /// let batch = Batch::new(Native::<usize>::new(), Iter(1..), 8)?;
    /// // SAFETY: this host has no fibers.
    /// assert!(!unsafe { batch.abandon(7) }?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub unsafe fn abandon(&self, fiber: u64) -> Result<bool, LoadError<S::Error>> {
        self.enter()?;
        let inherited = self.guarded(|| {
            self.permits().find_map(|permit| Some((permit, permit.role.inherit(fiber)?)))
        })?;
        let Some((permit, began_here)) = inherited else {
            return Ok(false);
        };
        if began_here {
            count_fills(-1);
        }
        // Under no fiber's number: no host code runs before this gives the role up. Its end does what
        // that of the dead fiber's fill would have done.
        if self.has_several_fillers() {
            drop(Stint::new(self, permit, Vacancy::Free)?);
        } else {
            drop(Fill::new(self, Vacancy::Free)?);
        }
        Ok(true)
    }
}
