//! Statuses, and the words for them.

use crate::place::OutOfMemory;
use ft_local::raw::{Panicked, border};
use ft_local::{LoadError, NewError};
use std::cell::Cell;
use std::ffi::{CStr, c_char};

/// What a function returns: `FT_LOCAL_OK`, one of the library's errors, which are negative, or a
/// positive code that comes from the host's own source.
pub type ft_local_status = i32;

/// The library's own values of `ft_local_status`. Numbers are never reused.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ft_local_status_code {
    /// Success.
    FT_LOCAL_OK = 0,
    /// Invalid argument; `ft_local_last_error` says which. Nothing was changed.
    FT_LOCAL_ERR_ARGUMENT = -1,
    /// Out of memory. Nothing was changed.
    FT_LOCAL_ERR_NO_MEMORY = -2,
    /// The host could not retain the object. Nothing was changed.
    FT_LOCAL_ERR_RETAIN = -3,
    /// The source failed without a code of its own, or broke its contract: it counted a NULL
    /// object, or more objects than fit. What it produced is kept.
    FT_LOCAL_ERR_SOURCE = -4,
    /// The source reported success and produced nothing.
    FT_LOCAL_ERR_NOTHING_PRODUCED = -5,
    /// Nothing is ready, and the calling thread is already running the source: the source itself
    /// loads, or it has switched to another greenlet or fiber of the thread.
    FT_LOCAL_ERR_REENTRANT = -6,
    /// The host interrupted the wait or the fill. Nothing was lost.
    FT_LOCAL_ERR_INTERRUPTED = -7,
    /// The library panicked, which is a bug in it. Only this handle is affected; free it.
    FT_LOCAL_ERR_PANIC = -8,
    /// The thread that fills this batch waits, directly or through other threads, for a batch that
    /// the calling thread fills. The wait would never end, or only when one of the waits times out.
    FT_LOCAL_ERR_DEADLOCK = -9,
    /// The source has ended, and all its results were handed out. A source returns this to end.
    FT_LOCAL_ERR_END = -10,
    /// The batch was closed.
    FT_LOCAL_ERR_CLOSED = -11,
    /// Timed out. Nothing was lost.
    FT_LOCAL_ERR_TIMED_OUT = -12,
    /// No result is ready, and the function does not wait.
    FT_LOCAL_ERR_EMPTY = -13,
    /// This process is a fork, and the batch was made with FT_LOCAL_FORK_ERROR.
    FT_LOCAL_ERR_FORKED = -14,
    /// Another thread runs the source, no result is ready, and the function does not wait.
    FT_LOCAL_ERR_WOULD_WAIT = -15,
}

use ft_local_status_code as code;

/// Any status but success, on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failure(pub(crate) ft_local_status);

impl From<code> for Failure {
    fn from(code: code) -> Self {
        Self(code as ft_local_status)
    }
}

impl From<Panicked> for Failure {
    fn from(_: Panicked) -> Self {
        code::FT_LOCAL_ERR_PANIC.into()
    }
}

impl From<NewError> for Failure {
    fn from(error: NewError) -> Self {
        match error {
            NewError::Size(_) => bad_argument(c"size must be between 1 and 1073741824"),
            NewError::LowMark { .. } => bad_argument(c"options->low_water is above size"),
            NewError::Fillers(_) => bad_argument(c"options->fillers must be between 0 and 256"),
            _ => code::FT_LOCAL_ERR_NO_MEMORY.into(),
        }
    }
}

impl From<LoadError<Self>> for Failure {
    fn from(error: LoadError<Self>) -> Self {
        match error {
            LoadError::Source(failure) => failure,
            LoadError::NothingProduced => code::FT_LOCAL_ERR_NOTHING_PRODUCED.into(),
            LoadError::Reentrant => code::FT_LOCAL_ERR_REENTRANT.into(),
            LoadError::Deadlock => code::FT_LOCAL_ERR_DEADLOCK.into(),
            LoadError::Interrupted => code::FT_LOCAL_ERR_INTERRUPTED.into(),
            LoadError::Panicked => code::FT_LOCAL_ERR_PANIC.into(),
            LoadError::Ended => code::FT_LOCAL_ERR_END.into(),
            LoadError::Closed => code::FT_LOCAL_ERR_CLOSED.into(),
            LoadError::TimedOut => code::FT_LOCAL_ERR_TIMED_OUT.into(),
            LoadError::WouldWait => code::FT_LOCAL_ERR_WOULD_WAIT.into(),
            LoadError::Forked => code::FT_LOCAL_ERR_FORKED.into(),
            // All that is left of a core of this version: not enough memory.
            _ => code::FT_LOCAL_ERR_NO_MEMORY.into(),
        }
    }
}

impl From<OutOfMemory> for Failure {
    fn from(_: OutOfMemory) -> Self {
        code::FT_LOCAL_ERR_NO_MEMORY.into()
    }
}

thread_local! {
    static LAST: Cell<&'static CStr> = const { Cell::new(c"") };
}

/// Refuses an argument, and keeps the reason for `ft_local_last_error`: text for the person who
/// wrote the call. Not inlined, so that no register is loaded for it on the common path.
#[cold]
#[inline(never)]
pub(crate) fn bad_argument(why: &'static CStr) -> Failure {
    // A thread that is ending may have lost the place; then the text is lost too.
    let _ = LAST.try_with(|last| last.set(why));
    code::FT_LOCAL_ERR_ARGUMENT.into()
}

/// The meaning of a status, in English.
///
/// Ownership: the text is borrowed and valid for the life of the process.
/// Errors: none. Positive and unknown statuses have a text too.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn ft_local_status_text(status: ft_local_status) -> *const c_char {
    let text = || {
        match status {
        0 => c"success",
        -1 => c"bad argument; ft_local_last_error tells which",
        -2 => c"not enough memory",
        -3 => c"the host could not retain the object",
        -4 => c"the source failed, or broke its contract",
        -5 => c"the source reported success and produced nothing",
        -6 => c"nothing is ready, and this thread is already running the source: the source itself loads, or another greenlet or fiber of this thread; keep results ready by prefill in a thread of its own",
        -7 => c"the host interrupted the load",
        -8 => c"the library panicked; please report this, and free the handle",
        -9 => c"the wait would never end: who fills this batch waits for a batch that this thread fills",
        -10 => c"the source has ended, and all that it made was handed out",
        -11 => c"the batch was closed",
        -12 => c"no result came in time",
        -13 => c"no result is ready",
        -14 => c"this process is a fork, and the batch was made to be used in its parent only",
        -15 => c"another thread runs the source, and the load does not wait",
        1.. => c"the source failed with a code of its own",
        _ => c"not a status of this version of ft_local",
    }
    };
    border(text).unwrap_or(c"").as_ptr()
}

/// What was wrong with which argument, for the last `FT_LOCAL_ERR_ARGUMENT` in the calling thread.
/// Empty if there was none.
///
/// Ownership: the text is borrowed and valid for the life of the process.
/// Threads: any thread, at once; each has its own last error.
/// Blocks: no. (The first use in a thread may take memory for the thread's own variables.)
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn ft_local_last_error() -> *const c_char {
    border(|| LAST.try_with(Cell::get).unwrap_or(c"")).unwrap_or(c"").as_ptr()
}
