//! A batch as a value: debug output, iteration, taking apart, and use after a panic.

use super::{Batch, Cursor};
use crate::error::LoadError;
use crate::host::Host;
use crate::source::Source;
use std::fmt;
use std::mem::ManuallyDrop;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::ptr;

impl<H: Host, S: Source<H>> Batch<H, S> {
    /// Ends the batch and returns the source, the first if there are several. Results in the buffer
    /// are dropped.
    ///
    /// ```
    /// use ft_local::{Batch, Iter, Native};
    ///
    /// let batch = Batch::new(Native::<usize>::new(), Iter(0..100), 4).unwrap();
    /// assert_eq!(batch.load(), Ok(0));
    /// let Iter(rest) = batch.into_source();
    /// assert_eq!(rest, 4..100, "three results were in the buffer");
    /// ```
    pub fn into_source(self) -> S {
        self.into_parts().1
    }

    /// As [`into_source`](Self::into_source), and returns the host too.
    ///
    /// ```
    /// use ft_local::{Batch, Iter, Native};
    ///
    /// let batch = Batch::new(Native::<usize>::new(), Iter(0..100), 4).unwrap();
    /// let (host, source) = batch.into_parts();
    /// let again = Batch::new(host, source, 8).unwrap();
    /// assert_eq!(again.load(), Ok(0));
    /// ```
    pub fn into_parts(mut self) -> (H, S) {
        self.drop_results();
        let batch = ManuallyDrop::new(self);
        // Each field by its name: none that is added later is forgotten here.
        let Self {
            host,
            size: _,
            options: _,
            front: _,
            queue,
            returned,
            role: _,
            own: _,
            parking,
            low,
            one_lock,
            notices,
            sharers: _,
            counters: _,
            workspace,
            permits,
            invariant: _,
        } = &*batch;
        // SAFETY: each field that owns something is moved out of the batch once, and the batch is not
        // dropped. `Drop` has done its work before.
        unsafe {
            drop((ptr::read(queue), ptr::read(returned), ptr::read(parking), ptr::read(low)));
            drop((ptr::read(one_lock), ptr::read(notices), ptr::read(permits)));
            (ptr::read(host), workspace.take_source())
        }
    }

    /// Loads until the source has ended or the batch was closed.
    ///
    /// ```
    /// use ft_local::{Batch, Iter, Native};
    ///
    /// let batch = Batch::new(Native::<usize>::new(), Iter(1..=4), 2).unwrap();
    /// let sum: Result<usize, _> = batch.iter().sum();
    /// assert_eq!(sum, Ok(10));
    /// ```
    pub fn iter(&self) -> Loads<'_, H, S> {
        Loads { batch: self }
    }
}

/// The results of a batch until its source ends or the batch is closed, from [`Batch::iter`].
///
/// Other threads may load from the batch too, so this iterator gets only some of the results. A
/// source error is an item; the results that follow come after it.
///
/// ```
/// use ft_local::{Batch, Iter, Native};
///
/// let batch = Batch::new(Native::<usize>::new(), Iter(0..3), 2).unwrap();
/// let mut all = Vec::new();
/// for loaded in &batch {
///     all.push(loaded?);
/// }
/// assert_eq!(all, [0, 1, 2]);
/// # Ok::<(), ft_local::LoadError<std::convert::Infallible>>(())
/// ```
#[must_use = "an iterator does nothing until it is asked"]
pub struct Loads<'b, H: Host, S: Source<H>> {
    batch: &'b Batch<H, S>,
}

/// The outcome of a load, as the item of an iterator.
pub(super) type Item<H, S> = Result<<H as Host>::Object, LoadError<<S as Source<H>>::Error>>;

pub(super) fn item<H: Host, S: Source<H>>(loaded: Item<H, S>) -> Option<Item<H, S>> {
    match loaded {
        Err(LoadError::Ended | LoadError::Closed) => None,
        loaded => Some(loaded),
    }
}

impl<H: Host, S: Source<H>> Iterator for Loads<'_, H, S> {
    type Item = Item<H, S>;

    fn next(&mut self) -> Option<Self::Item> {
        item::<H, S>(self.batch.load())
    }
}

impl<'b, H: Host, S: Source<H>> IntoIterator for &'b Batch<H, S> {
    type Item = Item<H, S>;
    type IntoIter = Loads<'b, H, S>;

    fn into_iter(self) -> Loads<'b, H, S> {
        self.iter()
    }
}

/// As an iterator, a cursor ends when the source has ended or the batch was closed. The cursor's
/// own [`next`](Cursor::next), which a method call on a cursor resolves to, returns an error then.
///
/// ```
/// use ft_local::{Batch, Iter, Native};
///
/// let batch = Batch::new(Native::<usize>::new(), Iter(0..100), 16).unwrap();
/// let all: Result<Vec<_>, _> = batch.cursor().unwrap().collect();
/// assert_eq!(all, Ok((0..100).collect()));
/// ```
impl<H: Host, S: Source<H>> Iterator for Cursor<'_, H, S> {
    type Item = Item<H, S>;

    fn next(&mut self) -> Option<Self::Item> {
        item::<H, S>(Cursor::next(self))
    }
}

impl<H: Host, S: Source<H>> fmt::Debug for Batch<H, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("size", &self.size())
            .field("len", &self.len())
            .field("is_closed", &self.is_closed())
            .field("options", &self.options())
            .finish_non_exhaustive()
    }
}

impl<H: Host, S: Source<H>> fmt::Debug for Loads<'_, H, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Loads").field(self.batch).finish()
    }
}

impl<H: Host, S: Source<H>> Clone for Loads<'_, H, S> {
    fn clone(&self) -> Self {
        self.batch.iter()
    }
}

impl<H: Host, S: Source<H>> fmt::Debug for Cursor<'_, H, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursor").field("len", &self.len()).finish_non_exhaustive()
    }
}

// A batch remains usable after a panic of its source, as after an error. Whether the source and the
// host do depends on them.
impl<H: Host + UnwindSafe, S: Source<H> + UnwindSafe> UnwindSafe for Batch<H, S> {}
impl<H: Host + RefUnwindSafe, S: Source<H> + UnwindSafe> RefUnwindSafe for Batch<H, S> {}
impl<H: Host + RefUnwindSafe, S: Source<H> + UnwindSafe> UnwindSafe for Cursor<'_, H, S> {}
impl<H: Host + RefUnwindSafe, S: Source<H> + UnwindSafe> RefUnwindSafe for Cursor<'_, H, S> {}
