//! Arguments as they come from C: addresses, out-parameters, and structs that grow.

use crate::status::{Failure, bad_argument};
use std::ffi::CStr;
use std::mem::MaybeUninit;

/// Refuses an address at which there can be no `T`.
#[inline]
pub(crate) fn check_address<T>(pointer: *const T, why: &'static CStr) -> Result<(), Failure> {
    if pointer.is_null() || !pointer.is_aligned() { Err(bad_argument(why)) } else { Ok(()) }
}

/// Sets an out-parameter to NULL, before anything else can fail.
///
/// # Safety
/// `out` must be NULL or point to a pointer that may be written.
#[inline]
pub(crate) unsafe fn cleared<'a, T>(out: *mut *mut T) -> Result<&'a mut *mut T, Failure> {
    check_address(out, c"out is NULL, or no address of a pointer")?;
    // SAFETY: not NULL, hence writable by the caller's promise.
    unsafe {
        out.write(std::ptr::null_mut());
        Ok(&mut *out)
    }
}

/// Sets a count that is an out-parameter to 0, before anything else can fail.
///
/// # Safety
/// `out` must be NULL or point to a count that may be written.
#[inline]
pub(crate) unsafe fn cleared_count<'a>(out: *mut usize) -> Result<&'a mut usize, Failure> {
    check_address(out, c"the address for the count is NULL, or no address of a size_t")?;
    // SAFETY: not NULL, hence writable by the caller's promise.
    unsafe {
        out.write(0);
        Ok(&mut *out)
    }
}

/// A struct that a host fills, and that may grow at its end from version to version.
///
/// # Safety
/// The struct must be `repr(C)`, begin with `size_t struct_size`, and be made of pointers,
/// functions and integers only, so that zero bytes are a value of every part.
pub(crate) unsafe trait Versioned: Copy {
    /// What is said when it is NULL.
    const NULL: &'static CStr;
    /// What is said when its size cannot be right.
    const SIZE: &'static CStr;
    /// What is said when a part is in use that this version does not know.
    const UNKNOWN: &'static CStr;
    /// How long it was in the first version. A number, and not computed from the fields, so that it
    /// stays when the struct grows.
    const FIRST_SIZE: usize;
}

/// Implements [`Versioned`] for a struct that a function has as the argument `$argument`. The struct
/// must be as `Versioned` asks; the macro `$init_macro` of the header initializes it.
macro_rules! versioned {
    ($struct:ident as $argument:literal, $init_macro:literal, first size $first_size:expr) => {
        // SAFETY: `repr(C)`, the size first, then pointers, functions and integers: said of each
        // struct where the macro is used.
        unsafe impl $crate::argument::Versioned for $struct {
            const NULL: &'static std::ffi::CStr =
                $crate::argument::text(concat!($argument, " is NULL\0"));
            const SIZE: &'static std::ffi::CStr = $crate::argument::text(concat!(
                $argument,
                "->struct_size is no size of an ",
                stringify!($struct),
                "; begin with ",
                $init_macro,
                " or ",
                stringify!($struct),
                "_init\0"
            ));
            const UNKNOWN: &'static std::ffi::CStr = $crate::argument::text(concat!(
                $argument,
                " has a field set that this version of the library does not know\0"
            ));
            const FIRST_SIZE: usize = $first_size;
        }
    };
}
pub(crate) use versioned;

/// A text that ends with its only NUL.
pub(crate) const fn text(text: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(text.as_bytes()) {
        Ok(text) => text,
        Err(_) => panic!("a text ends with its only NUL"),
    }
}

/// No struct will ever be this long.
const ABSURD_SIZE: usize = 4096;

pub(crate) fn check_size<T: Versioned>(size: usize) -> Result<(), Failure> {
    let sound =
        (T::FIRST_SIZE..=ABSURD_SIZE).contains(&size) && size.is_multiple_of(size_of::<usize>());
    if sound { Ok(()) } else { Err(bad_argument(T::SIZE)) }
}

/// Copies a struct of an older or a newer version of the header.
///
/// # Safety
/// `given` must be NULL or point to as many readable bytes as its `struct_size` says.
pub(crate) unsafe fn read<T: Versioned>(given: *const T) -> Result<T, Failure> {
    check_address(given, T::NULL)?;
    // SAFETY: readable by the caller's promise, and `Versioned` begins with its size.
    let size = unsafe { given.cast::<usize>().read() };
    if size == size_of::<T>() {
        // The usual case, which a wrapper meets each time it is made. SAFETY: it is as long as a
        // `T`, and made of what `Versioned` allows.
        return Ok(unsafe { given.read() });
    }
    check_size::<T>(size)?;
    let known = size.min(size_of::<T>());
    // SAFETY: `size` bytes are readable.
    let unknown =
        unsafe { std::slice::from_raw_parts(given.cast::<u8>().add(known), size - known) };
    if unknown.iter().any(|&byte| byte != 0) {
        return Err(bad_argument(T::UNKNOWN));
    }
    let mut copy = MaybeUninit::<T>::zeroed();
    // SAFETY: `known` bytes are readable there and writable here; the rest is zero, which
    // `Versioned` promises to be good.
    unsafe {
        copy.as_mut_ptr().cast::<u8>().copy_from_nonoverlapping(given.cast(), known);
        Ok(copy.assume_init())
    }
}

/// Fills a struct with zeroes and the size that the caller's header gives it.
///
/// # Safety
/// `out` must be NULL or point to `struct_size` writable bytes.
pub(crate) unsafe fn init<T: Versioned>(out: *mut T, struct_size: usize) -> Result<(), Failure> {
    check_address(out, T::NULL)?;
    check_size::<T>(struct_size)?;
    // SAFETY: `struct_size` bytes are writable, and it is at least one `usize`.
    unsafe {
        out.cast::<u8>().write_bytes(0, struct_size);
        out.cast::<usize>().write(struct_size);
    }
    Ok(())
}
