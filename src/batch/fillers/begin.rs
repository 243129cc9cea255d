//! How a thread becomes one of several fillers: to load, to refill, or ahead of loads.

use super::Permit;
use super::stint::Stint;
use crate::batch::Batch;
use crate::batch::load::{Next, Terms};
use crate::batch::own::Origin;
use crate::batch::prefill::Ahead;
use crate::batch::role::{Taken, Vacancy};
use crate::error::LoadError;
use crate::host::{Host, Word};
use crate::panic::Panicked;
use crate::source::Source;

impl<H: Host, S: Source<H>> Batch<H, S> {
    /// As `next`, for a batch of several fillers.
    pub(in crate::batch) fn next_of_several(
        &self,
        fiber: u64,
        take: &mut impl FnMut() -> Option<Word>,
    ) -> Result<Next<'_, H, S>, Panicked> {
        let stint = match self.begin(fiber)? {
            Ok(stint) => stint,
            Err(Taken::ByThisThread) => return Ok(Next::Reentrant),
            Err(Taken::InThisThread) => return Ok(Next::LetRun),
            Err(Taken::ByAnother) => return Ok(Next::Wait),
        };
        // Another filler may have published since this thread looked.
        Ok(match self.guarded(|| take().or_else(|| self.take_back()))? {
            Some(word) => Next::Take(self.keep_in_hand(word, || drop(stint))),
            None => Next::Stint(stint),
        })
    }

    /// As `refill_if_low`, for a thread that was seen to have left few results.
    pub(in crate::batch) fn refill_as_one_of_several(
        &self,
        fiber: u64,
        word: Word,
        origin: Origin,
        terms: Terms<'_>,
    ) -> Result<Word, LoadError<S::Error>> {
        match self.begin(fiber) {
            Ok(Ok(stint)) => match stint.run_with(word, origin, terms.argument)? {
                Some(word) => Ok(word),
                None => self.acquire(terms, || self.take()),
            },
            Ok(Err(_)) => Ok(word),
            Err(panicked) => {
                let _ = self.take_words_back(&[word]);
                Err(panicked.into())
            }
        }
    }

    /// As `make_ahead`, for a thread that has seen fewer results than `low_mark`.
    pub(in crate::batch) fn make_ahead_as_one_of_several(
        &self,
        fiber: u64,
        low_mark: usize,
        max: usize,
    ) -> Result<Ahead, LoadError<S::Error>> {
        let Ok(stint) = self.begin(fiber)? else {
            return Ok(Ahead::MustWait);
        };
        if stint.cannot_begin() {
            return Ok(Ahead::MayGoOn);
        }
        // Another thread may have made some since this one looked.
        let made = if self.is_low(low_mark) { stint.run_ahead(max)? } else { 0 };
        Ok(Ahead::Made(made))
    }

    fn begin(&self, fiber: u64) -> Result<Result<Stint<'_, H, S>, Taken>, Panicked> {
        let taken: Result<(Permit<'_, S>, Vacancy), Taken> =
            self.guarded(|| self.take_permit(fiber))?;
        Ok(match taken {
            Ok((permit, vacancy)) => Ok(Stint::new(self, permit, vacancy)?),
            Err(taken) => Err(taken),
        })
    }
}
