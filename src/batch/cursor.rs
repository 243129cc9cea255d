//! A thread's own handle on a batch, which takes several results at once.

use super::Batch;
use super::load::{Patience, Terms};
use super::node::{CAPACITY, Node};
use super::own::Origin;
use super::registry::with_cursors;
use crate::error::{LoadError, NewError};
use crate::host::{Host, Word};
use crate::panic::Defer;
use crate::process::generation;
use crate::source::Source;
use std::any::Any;
use std::ptr::{self, NonNull};
use std::time::{Duration, Instant};

/// Hands out results of a batch without touching anything that other threads write, but for one
/// claim of several results now and then.
///
/// How many it claims depends on how many are left and on how many cursors there are, so that none
/// hoards what others wait for. Across threads, results come in no order; each cursor's own are in
/// the order of the source, but for what others have given back. When a cursor is dropped, what it
/// has in hand goes back, and is handed out before anything newer.
///
/// ```
/// use ft_local::{Batch, Iter, Native};
///
/// let batch = Batch::new(Native::<usize>::new(), Iter(0..1000), 64).unwrap();
/// std::thread::scope(|scope| {
///     for _ in 0..4 {
///         scope.spawn(|| {
///             let mut cursor = batch.cursor().expect("there is memory");
///             let first = cursor.next();
///             let rest: usize = cursor.map_while(Result::ok).sum();
///         });
///     }
/// });
/// assert_eq!(batch.stats().claimed, 1000 + batch.stats().given_back);
/// ```
///
/// One thread at a time uses it. In the child of a fork, what it had in hand is the parent's,
/// unless the batch was made with [`ForkPolicy::Keep`](crate::ForkPolicy::Keep). A child of `_Fork`
/// or of a bare `clone` calls [`len`](Self::len) or anything of a batch first: `next` looks at
/// nothing while it has results in hand, and there is no handler that has dropped them.
pub struct Cursor<'b, H: Host, S: Source<H>> {
    batch: &'b Batch<H, S>,
    node: NonNull<Node>,
}

// SAFETY: the node is the cursor's own, and its words stand for objects that are `Send`.
unsafe impl<H: Host, S: Source<H>> Send for Cursor<'_, H, S> {}

impl<'b, H: Host, S: Source<H>> Cursor<'b, H, S> {
    pub(crate) fn new(batch: &'b Batch<H, S>) -> Result<Self, NewError> {
        let node = Node::new(CAPACITY, ptr::from_ref(batch).cast(), true, batch.keeps_on_fork())
            .ok_or(NewError::OutOfMemory)?;
        with_cursors(|cursors| cursors.add(node));
        Ok(Self { batch, node })
    }

    /// Takes the next result: one in hand, or else as [`Batch::load`] does.
    ///
    /// # Errors
    /// See [`LoadError`].
    ///
    /// # Example
    /// ```
    /// # use ft_local::{Batch, Iter, Native};
    /// let batch = Batch::new(Native::<usize>::new(), Iter(1..), 8)?;
    /// let mut cursor = batch.cursor()?;
    /// assert_eq!(cursor.next()?, 1);
    /// assert_eq!(cursor.next()?, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    #[allow(clippy::should_implement_trait)] // It returns errors.
    pub fn next(&mut self) -> Result<H::Object, LoadError<S::Error>> {
        let word = self.next_word(None)?;
        // SAFETY: the node's words were claimed from the batch, and it gives each once.
        Ok(unsafe { self.batch.host().adopt_word(word) })
    }

    /// Takes the next result as a word, and waits for other threads until `deadline`.
    ///
    /// # Errors
    /// See [`LoadError`].
    #[inline]
    pub fn next_word(&mut self, deadline: Option<Instant>) -> Result<Word, LoadError<S::Error>> {
        match self.node().pop() {
            Some(word) => Ok(word),
            None => self.claim(deadline.into()),
        }
    }

    /// Takes the next result as [`next`](Self::next) does, but does not wait for another thread that
    /// runs the source.
    ///
    /// # Errors
    /// [`LoadError::WouldWait`], as for [`Batch::load_now`]; [`Batch::notify`] says when to try
    /// again. Otherwise see [`LoadError`].
    ///
    /// # Example
    /// ```
    /// # use ft_local::{Batch, Iter, Native};
    /// let batch = Batch::new(Native::<usize>::new(), Iter(1..), 8)?;
    /// let mut cursor = batch.cursor()?;
    /// assert_eq!(cursor.next_now()?, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn next_now(&mut self) -> Result<H::Object, LoadError<S::Error>> {
        let word = self.next_word_now()?;
        // SAFETY: as in `next`.
        Ok(unsafe { self.batch.host().adopt_word(word) })
    }

    /// As [`next_now`](Self::next_now), but returns a word.
    ///
    /// # Errors
    /// As for `next_now`.
    pub fn next_word_now(&mut self) -> Result<Word, LoadError<S::Error>> {
        match self.node().pop() {
            Some(word) => Ok(word),
            None => self.claim(Patience::NoWait.into()),
        }
    }

    /// As [`next`](Self::next), but gives up after `timeout`.
    ///
    /// # Errors
    /// See [`LoadError`].
    ///
    /// # Example
    /// ```
    /// # use ft_local::{Batch, Iter, Native};
    /// # use std::time::Duration;
    /// let batch = Batch::new(Native::<usize>::new(), Iter(1..), 8)?;
    /// let mut cursor = batch.cursor()?;
    /// assert_eq!(cursor.next_within(Duration::from_millis(5))?, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn next_within(&mut self, timeout: Duration) -> Result<H::Object, LoadError<S::Error>> {
        let word = match self.node().pop() {
            Some(word) => word,
            None => self.claim(Instant::now().checked_add(timeout).into())?,
        };
        // SAFETY: as in `next`.
        Ok(unsafe { self.batch.host().adopt_word(word) })
    }

    /// As [`next`](Self::next), and if this call runs the source, passes it `argument`, as
    /// [`Batch::load_with`] does.
    ///
    /// # Errors
    /// As for `Batch::load_with`.
    ///
    /// # Example
    /// ```
    /// # use ft_local::{Batch, Iter, Native};
    /// let batch = Batch::new(Native::<usize>::new(), Iter(1..), 8)?;
    /// let mut cursor = batch.cursor()?;
    /// assert_eq!(cursor.next_with(&"this source asks for nothing", None)?, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn next_with(
        &mut self,
        argument: &dyn Any,
        timeout: Option<Duration>,
    ) -> Result<H::Object, LoadError<S::Error>> {
        let word = self.next_word_with(argument, timeout)?;
        // SAFETY: as in `next`.
        Ok(unsafe { self.batch.host().adopt_word(word) })
    }

    /// As [`next_with`](Self::next_with), but returns a word.
    ///
    /// # Errors
    /// As for `next_with`.
    pub fn next_word_with(
        &mut self,
        argument: &dyn Any,
        timeout: Option<Duration>,
    ) -> Result<Word, LoadError<S::Error>> {
        match self.node().pop() {
            Some(word) => Ok(word),
            None => self.claim(Terms::with(argument, timeout)),
        }
    }

    /// How many results are in hand.
    pub fn len(&self) -> usize {
        // In a child that nothing has been called in yet, it is none.
        generation();
        self.node().len()
    }

    /// Whether no result is in hand.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whose cursor it is.
    pub fn batch(&self) -> &'b Batch<H, S> {
        self.batch
    }

    #[cold]
    fn claim(&self, terms: Terms<'_>) -> Result<Word, LoadError<S::Error>> {
        self.release_aside();
        let node = self.node();
        let mut claimed = false;
        let word = self.batch.acquire(terms, || {
            // A handler of signals may have used this cursor while its thread was waiting.
            let word = node.pop().or_else(|| self.batch.claim_for(node));
            claimed = word.is_some();
            word
        });
        if !claimed && word.is_ok() {
            // The first result of a fill of this thread's own.
            self.batch.queue.count_claim(1);
        }
        self.batch.refill_after_claim(word?, Origin::Claim, terms)
    }

    /// After a fork: releases what was in hand, which is the parent's.
    fn release_aside(&self) {
        while let Some(word) = self.node().pop_aside() {
            self.batch.count_dropped_by_cursor();
            // SAFETY: this process's copy of the reference, which is given up once.
            drop(unsafe { self.batch.host().adopt_word(word) });
        }
    }

    fn node(&self) -> &Node {
        // SAFETY: made by `new`, and given up by `drop`.
        unsafe { self.node.as_ref() }
    }
}

impl<H: Host, S: Source<H>> Drop for Cursor<'_, H, S> {
    fn drop(&mut self) {
        with_cursors(|cursors| cursors.remove(self.node));
        let _last = Defer(|| self.batch.give_node_back(Node::leave(self.node)));
        // As in `Batch::release_all`, the host may unwind.
        let rest = Defer(|| self.release_aside());
        self.release_aside();
        std::mem::forget(rest);
    }
}

impl<H: Host, S: Source<H>> Cursor<'_, H, S> {
    /// Gives up the cursor for the address of its memory, which a binding can use as a handle.
    pub fn into_node(self) -> NonNull<Node> {
        std::mem::ManuallyDrop::new(self).node
    }

    /// The cursor that was given up for its memory.
    ///
    /// # Safety
    /// `node` must come from [`into_node`](Self::into_node) of a cursor of these types, whose batch
    /// still exists, and only one cursor may be made of it at a time.
    pub unsafe fn from_node(node: NonNull<Node>) -> Self {
        // SAFETY: the node's batch is of these types and lives.
        let batch = unsafe { &*node.as_ref().batch.cast::<Batch<H, S>>() };
        Self { batch, node }
    }
}

impl<H: Host, S: Source<H>> Batch<H, S> {
    /// Creates a handle for one thread, which claims several results at once.
    ///
    /// # Errors
    /// If there is not enough memory.
    ///
    /// # Example
    /// ```
    /// # use ft_local::{Batch, Iter, Native};
    /// let batch = Batch::new(Native::<usize>::new(), Iter(1..), 8)?;
    /// let mut cursor = batch.cursor()?;
    /// assert_eq!(cursor.next()?, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cursor(&self) -> Result<Cursor<'_, H, S>, NewError> {
        Cursor::new(self)
    }
}
