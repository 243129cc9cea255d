//! A thread's own handle on a shared object.

use crate::argument::cleared;
use crate::call::{ask, call, enter};
use crate::handle::{Handle, Marked, borrow, discard, retire};
use crate::host::{ft_local_host, table};
use crate::host_table::Retain;
use crate::object::Object;
use crate::status::{Failure, bad_argument, ft_local_status, ft_local_status_code as code};
use ft_local::Wrapper;
use ft_local::raw::keeps_freed;
use std::ffi::{CStr, c_void};
use std::mem::offset_of;

/// Holds one object, retained once. Make one for each thread that uses the object: the object's
/// reference count then changes only when the wrapper is made and when it is freed.
pub struct ft_local_wrapper(Wrapper<Marked<Object>>);

const _: () = assert!(size_of::<ft_local_wrapper>() == 64, "a wrapper fills one cache line");

/// The first two words of a wrapper, which never change their place.
#[repr(C)]
pub struct ft_local_wrapper_frame {
    /// The library's own.
    pub mark: usize,
    /// The object.
    pub object: *mut c_void,
}

const _: () = assert!(
    offset_of!(ft_local_wrapper_frame, mark) == Marked::<Object>::MARK_OFFSET
        && offset_of!(ft_local_wrapper_frame, object)
            == Marked::<Object>::VALUE_OFFSET + Object::HANDLE_OFFSET,
    "a wrapper begins with its frame"
);

impl Handle for ft_local_wrapper {
    type Inner = Object;
    const MARK: usize = 0x6c77_7270;
    const NULL: &'static CStr = c"wrapper is NULL, or no address of a handle";
    const WRONG: &'static CStr = c"wrapper is not an ft_local_wrapper, or was freed";

    fn marked(&self) -> &Marked<Object> {
        self.0.get()
    }
}

/// Called with one object; returns 0 to continue, anything else to stop. It must only look.
pub type ft_local_visitor =
    Option<unsafe extern "C-unwind" fn(object: *mut c_void, arg: *mut c_void) -> i32>;

type Visitor = unsafe extern "C-unwind" fn(object: *mut c_void, arg: *mut c_void) -> i32;

pub(crate) fn check_visitor(visitor: ft_local_visitor) -> Result<Visitor, Failure> {
    visitor.ok_or_else(|| bad_argument(c"visitor is NULL"))
}

/// Makes a wrapper of `object`.
///
/// Ownership: `object` is borrowed during the call and retained once by the host's `retain`;
/// `*out` is new: free it with `ft_local_wrapper_free`.
/// Blocks: briefly.
/// Calls host: retain, release: `retain` once; `release` if there is no memory for the wrapper.
/// Errors: FT_LOCAL_ERR_ARGUMENT, FT_LOCAL_ERR_NO_MEMORY, FT_LOCAL_ERR_RETAIN. `*out` is then
/// NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ft_local_wrapper_new(
    host: *const ft_local_host,
    object: *mut c_void,
    out: *mut *mut ft_local_wrapper,
) -> ft_local_status {
    call(
        || {
            let (out, host) = (cleared(out)?, table(host)?);
            if object.is_null() && !host.holds_plain_values() {
                return Err(bad_argument(c"object is NULL"));
            }
            if matches!(host.retain, Retain::None) && !host.holds_plain_values() {
                return Err(bad_argument(
                    c"host can release but not retain; set retain or retain_plain",
                ));
            }
            Ok((out, host))
        },
        |(out, host)| -> Result<(), Failure> {
            let object = host.retain(object).ok_or(code::FT_LOCAL_ERR_RETAIN)?;
            *out = ft_local_wrapper::make_out(|| {
                ft_local_wrapper(Wrapper::new(Marked::new(ft_local_wrapper::MARK, object)))
            })?;
            Ok(())
        },
    )
}

/// The object in a wrapper. `ft_local_wrapper_get_inline` does the same without a call.
///
/// Ownership: the object is borrowed and valid until the wrapper is freed.
/// Errors: NULL if `wrapper` is not a wrapper; `ft_local_last_error` then says so.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ft_local_wrapper_get(wrapper: *const ft_local_wrapper) -> *mut c_void {
    ask(std::ptr::null_mut(), || borrow(wrapper).map(Object::as_ptr))
}

/// Calls `visitor` with the object, for garbage collectors.
///
/// Ownership: the object is borrowed during the call of `visitor`.
/// Calls host: visitor: once.
/// Errors: what `visitor` returns; FT_LOCAL_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ft_local_wrapper_visit(
    wrapper: *const ft_local_wrapper,
    visitor: ft_local_visitor,
    arg: *mut c_void,
) -> i32 {
    call(
        || Ok((borrow(wrapper)?, check_visitor(visitor)?)),
        |(object, visitor)| visitor(object.as_ptr(), arg),
    )
}

/// Frees a wrapper and releases its object. NULL is ignored.
///
/// Ownership: `wrapper` is moved.
/// Threads: when nobody else uses the handle.
/// Blocks: briefly.
/// Calls host: release: once.
/// Errors: not reported. What is not a wrapper, or was freed, is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ft_local_wrapper_free(wrapper: *mut ft_local_wrapper) {
    if wrapper.is_null() {
        return;
    }
    if let Ok(object) = enter(|| retire(wrapper)) {
        // Only the object is moved out, which is all that is to be dropped: a processor that copied
        // the mark too, which was just written, would wait for the cache.
        let object = std::ptr::read(object);
        if keeps_freed() {
            // For programs that read it without a call.
            (*wrapper.cast::<ft_local_wrapper_frame>()).object = std::ptr::null_mut();
        }
        discard(wrapper);
        // Out of the border: this calls the host.
        drop(object);
    }
}
