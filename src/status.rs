//! What can go wrong.

use crate::border::Panicked;
use crate::memory::OutOfMemory;
use std::error::Error;
use std::fmt;

/// Why a batch was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NewError {
    /// The size is 0 or above [`MAX_SIZE`](crate::MAX_SIZE).
    Size,
    /// The low-water mark is above the size.
    LowWater,
    /// There is not enough memory.
    OutOfMemory,
}

/// Why a load brought nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadError<E> {
    /// The source, run by this call, failed. What it had produced before is kept.
    Source(E),
    /// The source, run by this call, reported success and produced nothing.
    NothingProduced,
    /// The source loads from the batch that it is filling.
    Reentrant,
    /// The thread that fills this batch waits, itself or through others, for a batch that this
    /// thread fills: the wait would never end.
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
    /// The batch is the parent's of this process, and was made with
    /// [`ForkPolicy::Error`](crate::ForkPolicy::Error).
    Forked,
    /// There is not enough memory.
    OutOfMemory,
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
            Self::Size => write!(f, "the size must be between 1 and {}", crate::MAX_SIZE),
            Self::LowWater => f.write_str("the low-water mark must not be above the size"),
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
            Self::Reentrant => f.write_str("the source loads from the batch that it is filling"),
            Self::Deadlock => f.write_str(
                "the wait would never end: who fills this batch waits for a batch that this thread fills",
            ),
            Self::Interrupted => f.write_str("the host interrupted the load"),
            Self::Panicked => f.write_str("the library panicked; this batch can only be freed"),
            Self::Ended => f.write_str("the source has ended, and all that it made was handed out"),
            Self::Closed => f.write_str("the batch was closed"),
            Self::TimedOut => f.write_str("no result came in time"),
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
