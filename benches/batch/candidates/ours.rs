//! ft_local's ways to take a result.

use super::{Candidate, Numbers, SIZE};
use crate::harness::shot::{Shot, Tally};
use ft_local::{Batch, Filled, Filler, Native, Slots, Source};
use std::convert::Infallible;
use std::hint::black_box;
use std::sync::Arc;

/// The host: numbers are values.
pub(crate) type Values = Native<usize>;

/// As many numbers per call as there is room for.
pub(crate) struct Bulk(Arc<Numbers>, fn(&Numbers, &mut Slots<'_, Values>));

#[inline(never)]
fn fill_up(numbers: &Numbers, slots: &mut Slots<'_, Values>) {
    numbers.make(slots.capacity(), |made| slots.extend(made));
}

impl Source<Values> for Bulk {
    type Error = Infallible;

    fn run(&mut self, filler: impl Filler<Values, Infallible>) -> Filled {
        filler.many(|_, slots| {
            (self.1)(&self.0, slots);
            Ok(())
        })
    }
}

/// A batch, and what its source counts.
pub(crate) struct Ours<S: Source<Values>> {
    batch: Batch<Values, S>,
    numbers: Arc<Numbers>,
}

pub(crate) fn single() -> Ours<impl Source<Values, Error = Infallible>> {
    Ours::new(|numbers| move || Ok(numbers.next()))
}

pub(crate) fn bulk() -> Ours<impl Source<Values, Error = Infallible>> {
    Ours::new(|numbers| Bulk(numbers, black_box(fill_up)))
}

impl<S: Source<Values, Error = Infallible>> Ours<S> {
    fn new(source: impl FnOnce(Arc<Numbers>) -> S) -> Self {
        let numbers = Arc::new(Numbers::new());
        let source = source(Arc::clone(&numbers));
        Self { batch: Batch::new(Native::new(), source, SIZE).expect("1024 is a size"), numbers }
    }

    pub(crate) fn batch(&self) -> &Batch<Values, S> {
        &self.batch
    }

    pub(crate) fn left(&self, left: &mut dyn FnMut(usize)) -> u64 {
        while !self.batch.is_empty() {
            left(self.batch.load().expect("something is ready"));
        }
        self.numbers.made()
    }
}

/// `load`, by all threads from one batch.
pub(crate) struct Load<S: Source<Values>>(pub(crate) Ours<S>);

impl<S: Source<Values, Error = Infallible>> Candidate for Load<S> {
    fn shot(&self, _thread: usize, shot: &Shot<'_>) -> Tally {
        shot.run(|| self.0.batch.load().expect("the source never fails"))
    }

    fn settle(&self, left: &mut dyn FnMut(usize)) -> Option<u64> {
        Some(self.0.left(left))
    }
}

/// A cursor for each thread, on one batch. It goes at the end of a sample, with results in hand.
pub(crate) struct Cursors<S: Source<Values>>(pub(crate) Ours<S>);

impl<S: Source<Values, Error = Infallible>> Candidate for Cursors<S> {
    fn shot(&self, _thread: usize, shot: &Shot<'_>) -> Tally {
        let mut cursor = self.0.batch.cursor().expect("there is memory");
        shot.run(|| cursor.next().expect("the source never fails"))
    }

    fn settle(&self, left: &mut dyn FnMut(usize)) -> Option<u64> {
        Some(self.0.left(left))
    }
}
