//! Results that are awaited: a load as a future.
//!
//! A future that would wait registers a waker of its own, and keeps that registration, and with it
//! its turn, whoever polls it meanwhile: only the task that the waker wakes changes.

use super::{Batch, Cursor, Ticket};
use crate::error::LoadError;
use crate::host::Host;
use crate::source::Source;
use crate::sync::Mutex;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// What the batch calls.
struct Signal(Mutex<Call>);

struct Call {
    came: bool,
    /// Whom it wakes.
    task: Option<Waker>,
}

impl Signal {
    fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Call { came: false, task: None })))
    }

    fn with<R>(&self, change: impl FnOnce(&mut Call) -> R) -> R {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets the next call wake `task`. Returns whether there was a call before.
    fn came_before(&self, task: &Waker) -> bool {
        let old = self.with(|call| {
            if !call.came && call.task.as_ref().is_none_or(|old| !old.will_wake(task)) {
                (call.came, call.task.replace(task.clone()))
            } else {
                (call.came, None)
            }
        });
        // The old waker, which is an executor's, is dropped here, when the lock is free.
        old.0
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        let task = self.with(|call| {
            call.came = true;
            call.task.take()
        });
        if let Some(task) = task {
            task.wake();
        }
    }
}

/// A load that may have to wait, from one poll to the next.
pub(super) struct Waiting<'b, H: Host, S: Source<H>> {
    batch: &'b Batch<H, S>,
    /// Made by the first poll that has to wait.
    registered: Option<(Arc<Signal>, Ticket)>,
}

impl<'b, H: Host, S: Source<H>> Waiting<'b, H, S> {
    pub(super) fn new(batch: &'b Batch<H, S>) -> Self {
        Self { batch, registered: None }
    }

    pub(super) fn poll<T>(
        &mut self,
        context: &Context<'_>,
        load: impl FnOnce() -> Result<T, LoadError<S::Error>>,
    ) -> Poll<Result<T, LoadError<S::Error>>> {
        match load() {
            Err(LoadError::WouldWait) => {}
            loaded => {
                self.has_loaded();
                return Poll::Ready(loaded);
            }
        }
        if let Some((signal, _)) = &self.registered
            && !signal.came_before(context.waker())
        {
            return Poll::Pending;
        }
        // Called, and another thread was faster; or not registered yet.
        self.registered = None;
        let signal = Signal::new();
        signal.with(|call| call.task = Some(context.waker().clone()));
        match self.batch.notify(signal.clone().into()) {
            Ok(ticket) => {
                self.registered = Some((signal, ticket));
                Poll::Pending
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    /// A registration that was called has done its work. Another one would be called for nothing.
    fn has_loaded(&mut self) {
        if let Some((signal, ticket)) = self.registered.take()
            && !signal.with(|call| call.came)
        {
            self.batch.forget(ticket);
        }
    }
}

impl<H: Host, S: Source<H>> Drop for Waiting<'_, H, S> {
    /// Cancelled: what it was called for, if it was, goes to the next waiter.
    fn drop(&mut self) {
        if let Some((_, ticket)) = self.registered.take() {
            self.batch.forget(ticket);
        }
    }
}

/// The next result of a batch, from [`Batch::load_async`].
///
/// If it is dropped before it is ready, nothing is lost: a result that it was woken for goes to the
/// next waiter.
#[must_use = "a future does nothing until it is polled"]
pub struct LoadFuture<'b, H: Host, S: Source<H>> {
    waiting: Waiting<'b, H, S>,
}

impl<H: Host, S: Source<H>> Future for LoadFuture<'_, H, S> {
    type Output = Result<H::Object, LoadError<S::Error>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let batch = self.waiting.batch;
        self.waiting.poll(context, || batch.load_now())
    }
}

/// The next result of a cursor, from [`Cursor::next_async`].
///
/// If it is dropped before it is ready, nothing is lost, as with a [`LoadFuture`].
#[must_use = "a future does nothing until it is polled"]
pub struct NextFuture<'c, 'b, H: Host, S: Source<H>> {
    cursor: &'c mut Cursor<'b, H, S>,
    waiting: Waiting<'b, H, S>,
}

impl<H: Host, S: Source<H>> Future for NextFuture<'_, '_, H, S> {
    type Output = Result<H::Object, LoadError<S::Error>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { cursor, waiting } = &mut *self;
        waiting.poll(context, || cursor.next_now())
    }
}

impl<H: Host, S: Source<H>> Batch<H, S> {
    /// The next result, as a future that waits for other threads without blocking its own.
    ///
    /// A poll runs the source if no thread does, so a source that blocks belongs into a thread that
    /// may be blocked: let one [`prefill`](Self::prefill), or [`load`](Self::load) there. It works in
    /// every executor, and tasks may share the batch with threads that load.
    ///
    /// # Errors
    /// As for [`load`](Self::load).
    ///
    /// # Example
    /// ```
    /// # use ft_local::{Batch, Iter, Native};
    /// # use std::sync::Arc;
    /// let batch = Arc::new(Batch::new(Native::<usize>::new(), Iter(1..), 8)?);
    /// let tasks = (0..3).map(|_| {
    ///     let batch = batch.clone();
    ///     async move { batch.load_async().await }
    /// });
    /// let loaded = futures::executor::block_on(futures::future::join_all(tasks));
    /// assert_eq!(loaded, [Ok(1), Ok(2), Ok(3)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn load_async(&self) -> LoadFuture<'_, H, S> {
        LoadFuture { waiting: Waiting::new(self) }
    }
}

impl<'b, H: Host, S: Source<H>> Cursor<'b, H, S> {
    /// The next result, as [`Batch::load_async`] waits for it.
    ///
    /// # Errors
    /// As for [`next`](Self::next).
    ///
    /// # Example
    /// ```
    /// # use ft_local::{Batch, Iter, Native};
    /// let batch = Batch::new(Native::<usize>::new(), Iter(1..), 8)?;
    /// let mut cursor = batch.cursor()?;
    /// let sum = async { Ok(cursor.next_async().await? + cursor.next_async().await?) };
    /// assert_eq!(futures::executor::block_on(sum), Ok::<_, ft_local::LoadError<_>>(1 + 2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn next_async(&mut self) -> NextFuture<'_, 'b, H, S> {
        let waiting = Waiting::new(self.batch());
        NextFuture { cursor: self, waiting }
    }
}

impl<H: Host, S: Source<H>> fmt::Debug for LoadFuture<'_, H, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LoadFuture").field(self.waiting.batch).finish()
    }
}

impl<H: Host, S: Source<H>> fmt::Debug for NextFuture<'_, '_, H, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NextFuture").field(&self.cursor).finish()
    }
}
