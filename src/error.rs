//! What can go wrong.

use crate::memory::{MAX_SIZE, OutOfMemory};
use crate::panic::Panicked;
use std::error::Error;
use std::fmt;

/// Why a batch was not made.
///
/// ```
/// use ft_local::{Batch, Iter, Native, NewError};
///
/// let refused = Batch::new(Native::<usize>::new(), Iter(0..9), 0);
/// assert_eq!(refused.err(), Some(NewError::Size(0)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NewError {
    /// This size is 0 or above [`MAX_SIZE`].
    Size(usize),
    /// The low mark is above the size.
    LowMark {
        /// The low mark that was asked for.
        low_mark: usize,
        /// The size.
        size: usize,
    },
    /// So many sources were given: none, or more than [`MAX_FILLERS`](crate::MAX_FILLERS).
    Fillers(usize),
    /// There is not enough memory.
    OutOfMemory,
}

/// Why a load brought nothing.
///
/// ```
/// use ft_local::{Batch, LoadError, Native};
///
/// let batch = Batch::new(Native::<usize>::new(), || Err("nothing there"), 4).unwrap();
/// match batch.load() {
///     Err(LoadError::Source(error)) => assert_eq!(error, "nothing there"),
///     other => unreachable!("{other:?}"),
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadError<E> {
    /// The source, run by this call, failed. What it had produced before is kept.
    Source(E),
    /// The source, run by this call, reported success and produced nothing.
    NothingProduced,
    /// Nothing is ready, and the calling thread is already running the source: the source itself
    /// loads, or it has switched to another fiber of the thread.
    Reentrant,
    /// The thread that fills this batch waits, itself or through others, for a batch that this
    /// thread fills: the wait would never end. Also if one of the waits has a timeout, which would
    /// end it later and no better.
    Deadlock,
    /// The host wants the thread to stop waiting or filling.
    Interrupted,
    /// The library panicked in this batch, now or earlier. It can only be freed.
    Panicked,
    /// The source has ended, and all that it made was handed out.
    Ended,
    /// The batch was closed.
    Closed,
    /// No result came in the time that there was.
    TimedOut,
    /// Another thread runs the source, nothing is ready, and the load does not wait.
    WouldWait,
    /// The batch is the parent's of this process, and was made with
    /// [`ForkPolicy::Error`](crate::ForkPolicy::Error).
    Forked,
    /// There is not enough memory.
    OutOfMemory,
}

impl<E> LoadError<E> {
    /// The same, with another error of the source.
    ///
    /// ```
    /// use ft_local::LoadError;
    ///
    /// let error = LoadError::Source("7").map_source(str::len);
    /// assert_eq!(error, LoadError::Source(1));
    /// assert_eq!(LoadError::<&str>::Closed.map_source(str::len), LoadError::Closed);
    /// ```
    pub fn map_source<F>(self, change: impl FnOnce(E) -> F) -> LoadError<F> {
        match self {
            Self::Source(error) => LoadError::Source(change(error)),
            Self::NothingProduced => LoadError::NothingProduced,
            Self::Reentrant => LoadError::Reentrant,
            Self::Deadlock => LoadError::Deadlock,
            Self::Interrupted => LoadError::Interrupted,
            Self::Panicked => LoadError::Panicked,
            Self::Ended => LoadError::Ended,
            Self::Closed => LoadError::Closed,
            Self::TimedOut => LoadError::TimedOut,
            Self::WouldWait => LoadError::WouldWait,
            Self::Forked => LoadError::Forked,
            Self::OutOfMemory => LoadError::OutOfMemory,
        }
    }
}

/// An error of any type, for sources that can fail in several ways.
///
/// A source that returns it may use `?` on any error. `Box<dyn Error>` would not do: it is no
/// [`Error`] itself, so a [`LoadError`] of it could not be one either. A [`LoadError`] of this is,
/// and its [`source`](Error::source) is the error in the box.
///
/// ```
/// use ft_local::{Batch, BoxError, LoadError, Native};
/// use std::error::Error;
///
/// let mut lines = "1\n2\nthree".lines();
/// let source = move || {
///     let line = lines.next().ok_or_else(|| BoxError::new("no line is left"))?;
///     Ok::<_, BoxError>(line.parse::<usize>()?)
/// };
/// let batch = Batch::new(Native::<usize>::new(), source, 1).unwrap();
/// assert_eq!((batch.load().unwrap(), batch.load().unwrap()), (1, 2));
/// let failed: Box<dyn Error> = batch.load().unwrap_err().into();
/// assert!(failed.source().unwrap().is::<std::num::ParseIntError>());
/// ```
pub struct BoxError(Box<dyn Error + Send + Sync>);

impl BoxError {
    /// An error of an error or of a text.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(error.into())
    }

    /// The error in the box.
    pub fn get(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.0
    }

    /// The box.
    pub fn into_inner(self) -> Box<dyn Error + Send + Sync> {
        self.0
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for BoxError {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

impl fmt::Debug for BoxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for BoxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Error for LoadError<BoxError> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Source(error) => Some(&*error.0),
            _ => None,
        }
    }
}

impl<E> From<Panicked> for LoadError<E> {
    fn from(_: Panicked) -> Self {
        Self::Panicked
    }
}

impl From<OutOfMemory> for NewError {
    fn from(_: OutOfMemory) -> Self {
        Self::OutOfMemory
    }
}

impl fmt::Display for NewError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size(size) => write!(f, "the size must be between 1 and {MAX_SIZE}, got {size}"),
            Self::LowMark { low_mark, size } => {
                write!(f, "the low mark must not be above the size {size}, got {low_mark}")
            }
            Self::Fillers(count) => {
                write!(f, "there must be between 1 and {} sources, got {count}", crate::MAX_FILLERS)
            }
            Self::OutOfMemory => f.write_str("not enough memory"),
        }
    }
}

impl Error for NewError {}

impl<E: fmt::Display> fmt::Display for LoadError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(error) => write!(f, "the source failed: {error}"),
            Self::NothingProduced => f.write_str("the source produced nothing"),
            Self::Reentrant => f.write_str(
                "nothing is ready, and this thread is already running the source: the source itself loads, or another greenlet or fiber of this thread; keep results ready by prefill in a thread of its own",
            ),
            Self::Deadlock => f.write_str(
                "the wait would never end: who fills this batch waits for a batch that this thread fills",
            ),
            Self::Interrupted => f.write_str("the host interrupted the load"),
            Self::Panicked => f.write_str("the library panicked; this batch can only be freed"),
            Self::Ended => f.write_str("the source has ended, and all that it made was handed out"),
            Self::Closed => f.write_str("the batch was closed"),
            Self::TimedOut => f.write_str("no result came in time"),
            Self::WouldWait => f.write_str("another thread runs the source, and the load does not wait"),
            Self::Forked => f.write_str(
                "this process is a fork, and the batch was made to be used in its parent only",
            ),
            Self::OutOfMemory => f.write_str("not enough memory"),
        }
    }
}

impl<E: Error + 'static> Error for LoadError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Source(error) => Some(error),
            _ => None,
        }
    }
}
