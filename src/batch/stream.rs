//! A batch and a cursor as streams.

use super::future::Waiting;
use super::whole::{Item, item};
use super::{Batch, Cursor};
use crate::host::Host;
use crate::source::Source;
use futures_core::Stream;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The results of a batch until its source ends or the batch is closed, from [`Batch::stream`].
///
/// Other tasks and threads may load from the batch too, so it gets only some of the results. A source
/// error is an item; the results that follow come after it.
#[must_use = "a stream does nothing until it is polled"]
pub struct LoadStream<'b, H: Host, S: Source<H>> {
    batch: &'b Batch<H, S>,
    waiting: Waiting<'b, H, S>,
}

impl<H: Host, S: Source<H>> Stream for LoadStream<'_, H, S> {
    type Item = Item<H, S>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let batch = self.batch;
        self.waiting.poll(context, || batch.load_now()).map(item::<H, S>)
    }
}

/// The results of a cursor until there will be no more, from [`Cursor::into_stream`].
#[must_use = "a stream does nothing until it is polled"]
pub struct CursorStream<'b, H: Host, S: Source<H>> {
    cursor: Cursor<'b, H, S>,
    waiting: Waiting<'b, H, S>,
}

impl<H: Host, S: Source<H>> Stream for CursorStream<'_, H, S> {
    type Item = Item<H, S>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { cursor, waiting } = &mut *self;
        waiting.poll(context, || cursor.next_now()).map(item::<H, S>)
    }
}

impl<H: Host, S: Source<H>> Batch<H, S> {
    /// Loads until the source has ended or the batch was closed, without blocking a thread. With the
    /// feature `stream`.
    ///
    /// # Example
    /// ```
    /// # use ft_local::{Batch, Iter, Native};
    /// use futures::TryStreamExt;
    ///
    /// let batch = Batch::new(Native::<usize>::new(), Iter(1..=4), 2)?;
    /// let all = batch.stream().try_collect::<Vec<_>>();
    /// assert_eq!(futures::executor::block_on(all)?, [1, 2, 3, 4]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stream(&self) -> LoadStream<'_, H, S> {
        LoadStream { batch: self, waiting: Waiting::new(self) }
    }
}

impl<'b, H: Host, S: Source<H>> Cursor<'b, H, S> {
    /// The same results as a stream. With the feature `stream`.
    ///
    /// # Example
    /// ```
    /// # use ft_local::{Batch, Iter, Native};
    /// use futures::TryStreamExt;
    ///
    /// let batch = Batch::new(Native::<usize>::new(), Iter(0..100), 16)?;
    /// let all = batch.cursor()?.into_stream().try_collect::<Vec<_>>();
    /// assert_eq!(futures::executor::block_on(all)?.len(), 100);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn into_stream(self) -> CursorStream<'b, H, S> {
        let waiting = Waiting::new(self.batch());
        CursorStream { cursor: self, waiting }
    }
}

impl<H: Host, S: Source<H>> fmt::Debug for LoadStream<'_, H, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LoadStream").field(self.batch).finish()
    }
}

impl<H: Host, S: Source<H>> fmt::Debug for CursorStream<'_, H, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CursorStream").field(&self.cursor).finish()
    }
}
