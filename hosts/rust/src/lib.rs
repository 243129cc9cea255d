//! Ids that a server leases in blocks, handed to any number of threads, each id once.
//!
//! It shows [`ft_local`] as a Rust library: a [`Batch`] of `Arc`s over a source that makes many
//! results in one call and may fail, and a [`Wrapper`] for each thread. There is no C in it, and no
//! `unsafe`.
//!
//! ```
//! use block_ids::{Ids, Lease};
//! use std::convert::Infallible;
//!
//! // A real server is asked over the network, and keeps the number in a database.
//! let mut next = 0;
//! let ids = Ids::new(1000, move |count| {
//!     next += count;
//!     Ok::<_, Infallible>(Lease { first: next - count, count })
//! })?;
//! std::thread::scope(|scope| {
//!     for _ in 0..4 {
//!         scope.spawn(|| {
//!             let id = ids.next().expect("this server never fails");
//!             assert!(id.number() < 4);
//!         });
//!     }
//! });
//! assert_eq!(ids.ready(), 996);
//! # Ok::<(), ft_local::NewError>(())
//! ```

/// The example of the README is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

use ft_local::{Batch, Filled, Filler, LoadError, Native, NewError, Source, Wrapper};
use std::ops::Range;
use std::sync::Arc;

/// A block of numbers that belong to this process: `first`, and those that follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The first number.
    pub first: u64,
    /// How many there are.
    pub count: u64,
}

/// An id. Threads share it by its `Arc`; it knows the lease that it comes from.
#[derive(Debug, PartialEq, Eq)]
pub struct Id {
    number: u64,
    lease: Lease,
}

impl Id {
    /// The number, which no other id has.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The lease that the number is part of.
    pub fn lease(&self) -> Lease {
        self.lease
    }
}

/// The source: turns leases into ids, and keeps what is left of a lease that was larger than asked
/// for.
struct Blocks<F> {
    server: F,
    lease: Lease,
    left: Range<u64>,
}

impl<F, E> Source<Native<Arc<Id>>> for Blocks<F>
where
    F: FnMut(u64) -> Result<Lease, E> + Send,
{
    type Error = E;

    fn run(&mut self, filler: impl Filler<Native<Arc<Id>>, E>) -> Filled {
        filler.many(|_, slots| {
            if self.left.is_empty() {
                self.lease = (self.server)(slots.capacity() as u64)?;
                self.left = self.lease.first..self.lease.first + self.lease.count;
            }
            for number in self.left.by_ref().take(slots.capacity()) {
                slots.push(Arc::new(Id { number, lease: self.lease }));
            }
            Ok(())
        })
    }
}

type IdBatch<F> = Batch<Native<Arc<Id>>, Blocks<F>>;

/// Hands out ids.
pub struct Ids<F, E>
where
    F: FnMut(u64) -> Result<Lease, E> + Send,
{
    batch: Arc<IdBatch<F>>,
}

impl<F, E> Ids<F, E>
where
    F: FnMut(u64) -> Result<Lease, E> + Send,
{
    /// Ids from `server`, which leases a block of the size that it is given, or of another.
    ///
    /// It is called in one thread at a time, the one that finds no id left, so it needs no lock.
    ///
    /// # Errors
    /// If `block` is 0 or too large; see [`NewError`].
    pub fn new(block: usize, server: F) -> Result<Self, NewError> {
        let nothing = Lease { first: 0, count: 0 };
        let source = Blocks { server, lease: nothing, left: 0..0 };
        let batch = Batch::new(Native::new(), source, block)?;
        Ok(Self { batch: Arc::new(batch) })
    }

    /// The next id.
    ///
    /// # Errors
    /// The error of the server, if this call asked it: then nothing is lost, and the next call
    /// asks again.
    ///
    /// ```
    /// use block_ids::{Ids, Lease};
    ///
    /// let mut connected = false;
    /// let ids = Ids::new(10, move |count| {
    ///     if std::mem::replace(&mut connected, true) {
    ///         Ok(Lease { first: 70, count })
    ///     } else {
    ///         Err("no connection")
    ///     }
    /// })?;
    /// assert_eq!(ids.next().unwrap_err().to_string(), "the source failed: no connection");
    /// assert_eq!(ids.next().unwrap().number(), 70);
    /// # Ok::<(), ft_local::NewError>(())
    /// ```
    pub fn next(&self) -> Result<Arc<Id>, LoadError<E>> {
        self.batch.load()
    }

    /// How many ids are ready; a moment later there may be others.
    pub fn ready(&self) -> usize {
        self.batch.len()
    }

    /// A handle for one thread, which reaches the ids without touching the count that all threads
    /// share.
    ///
    /// ```
    /// use block_ids::{Ids, Lease};
    ///
    /// let ids = Ids::new(4, |count| Ok::<_, ()>(Lease { first: 0, count }))?;
    /// let mine = ids.local();
    /// let worker = std::thread::spawn(move || mine.next().map(|id| id.number()));
    /// assert_eq!(worker.join().unwrap(), Ok(0));
    /// # Ok::<(), ft_local::NewError>(())
    /// ```
    pub fn local(&self) -> LocalIds<F, E> {
        LocalIds { batch: Wrapper::new(Arc::clone(&self.batch)) }
    }
}

/// One thread's handle on [`Ids`]. The ids live as long as anybody has one.
pub struct LocalIds<F, E>
where
    F: FnMut(u64) -> Result<Lease, E> + Send,
{
    batch: Wrapper<Arc<IdBatch<F>>>,
}

impl<F, E> LocalIds<F, E>
where
    F: FnMut(u64) -> Result<Lease, E> + Send,
{
    /// As [`Ids::next`].
    ///
    /// # Errors
    /// As [`Ids::next`].
    pub fn next(&self) -> Result<Arc<Id>, LoadError<E>> {
        self.batch.load()
    }
}
