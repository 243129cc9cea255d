//! The one place where a reference of the host is given back.

use std::ffi::c_void;
use std::mem::{ManuallyDrop, offset_of};

/// How a host gives a reference back.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Release {
    /// There is nothing to give back: a plain value.
    None,
    /// By a function of the handle alone.
    Plain(unsafe extern "C-unwind" fn(*mut c_void)),
    /// By a function of the host's context and the handle.
    WithCtx(unsafe extern "C-unwind" fn(*mut c_void, *mut c_void), *mut c_void),
}

impl Release {
    /// Ends one reference.
    ///
    /// # Safety
    /// `handle` must stand for one reference that this is the way to end.
    #[inline]
    pub(crate) unsafe fn call(self, handle: *mut c_void) {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Self::None => {}
                Self::Plain(release) => release(handle),
                Self::WithCtx(release, ctx) => release(ctx, handle),
            }
        }
    }
}

/// One reference to an object of a host known by its functions. Dropping it releases it.
///
/// The handle comes first, where `ft_local_wrapper_get_inline` reads it.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Object {
    handle: *mut c_void,
    release: Release,
}

// SAFETY: the host's promise: its objects may be used and released in any thread.
unsafe impl Send for Object {}
// SAFETY: as above; all that a shared `Object` offers is to read the handle.
unsafe impl Sync for Object {}

impl Object {
    pub(crate) const HANDLE_OFFSET: usize = offset_of!(Self, handle);

    /// # Safety
    /// `handle` must stand for one reference, which the caller gives up and which `release` ends.
    pub(crate) unsafe fn new(handle: *mut c_void, release: Release) -> Self {
        Self { handle, release }
    }

    /// The handle. It is good as long as `self` lives.
    pub(crate) fn as_ptr(&self) -> *mut c_void {
        self.handle
    }

    /// Moves the reference out: the caller owes the release.
    pub(crate) fn into_raw(self) -> *mut c_void {
        ManuallyDrop::new(self).handle
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        // SAFETY: `new` was given the one reference that ends here, with its way to end.
        unsafe { self.release.call(self.handle) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_four_words() {
        assert_eq!(size_of::<Object>(), 4 * size_of::<usize>());
    }
}
