//! Opaque handles.

use crate::argument::check_address;
use crate::place::{OutOfMemory, free_place, take_from, try_make};
use crate::status::{Failure, bad_argument};
use ft_local::raw::keeps_freed;
use std::ffi::CStr;
use std::mem::offset_of;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A value with a mark that tells its kind from others, and a live handle from a freed one.
///
/// The mark catches many mistakes, not all: freed memory may be given out again, unless it is kept
/// (`ft_local::raw::keeps_freed`). It comes first,
/// so that it is found in a handle of another kind too, which may be smaller.
#[repr(C)]
pub(crate) struct Marked<T> {
    mark: AtomicUsize,
    value: T,
}

const FREED: usize = 0;

impl<T> Marked<T> {
    pub(crate) const MARK_OFFSET: usize = offset_of!(Self, mark);
    pub(crate) const VALUE_OFFSET: usize = offset_of!(Self, value);

    pub(crate) const fn new(mark: usize, value: T) -> Self {
        Self { mark: AtomicUsize::new(mark), value }
    }

    pub(crate) const fn value(&self) -> &T {
        &self.value
    }
}

/// A type that C sees as a handle.
pub(crate) trait Handle: Sized {
    /// What it holds.
    type Inner;
    /// Its mark. Not 0.
    const MARK: usize;
    /// What is said when it is NULL.
    const NULL: &'static CStr;
    /// What is said when it is something else.
    const WRONG: &'static CStr;

    fn marked(&self) -> &Marked<Self::Inner>;

    /// Makes the handle in memory of its own. If there is none, `make` is not called.
    #[inline]
    fn make_out(make: impl FnOnce() -> Self) -> Result<*mut Self, OutOfMemory> {
        try_make(make)
    }
}

/// What a caller has passed as a handle.
///
/// # Safety
/// `handle` must be NULL or come from this library and not be freed during `'a`. A handle of the
/// wrong kind, and most that were freed, are told from good ones.
#[inline]
pub(crate) unsafe fn borrow<'a, T: Handle + 'a>(handle: *const T) -> Result<&'a T::Inner, Failure> {
    check_address(handle, T::NULL)?;
    // SAFETY: the caller's promise.
    let marked = unsafe { &*handle }.marked();
    if marked.mark.load(Ordering::Relaxed) != T::MARK {
        return Err(bad_argument(T::WRONG));
    }
    Ok(&marked.value)
}

/// Makes a handle useless to its callers. What it holds stays, for others that refer to it.
///
/// # Safety
/// As for [`borrow`], and nobody else may use the handle from now on.
pub(crate) unsafe fn retire<'a, T: Handle + 'a>(handle: *mut T) -> Result<&'a T::Inner, Failure> {
    // SAFETY: the caller's promise.
    let inner = unsafe { borrow(handle) }?;
    // SAFETY: as above.
    let mark = &unsafe { &*handle }.marked().mark;
    if keeps_freed() && mark.swap(FREED, Ordering::Relaxed) != T::MARK {
        // Another thread frees it, against the rules.
        return Err(bad_argument(T::WRONG));
    }
    mark.store(FREED, Ordering::Relaxed);
    Ok(inner)
}

/// Takes what a handle holds out of its memory, which is freed.
///
/// # Safety
/// `handle` must come from `make_out`, and nobody may use it from now on.
pub(crate) unsafe fn reclaim<T: Handle>(handle: *mut T) -> T {
    // SAFETY: the caller's promise.
    unsafe { take_from(handle) }
}

/// Frees the memory of a handle, of which nothing is left to be dropped.
///
/// # Safety
/// As for [`reclaim`].
pub(crate) unsafe fn discard<T: Handle>(handle: *mut T) {
    // SAFETY: the caller's promise.
    unsafe { free_place(handle) }
}
