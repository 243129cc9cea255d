//! The way in: every exported function starts with [`enter`].

use super::status::{Refusal, ft_local_status, ft_local_status_code as code};
use crate::border::border;
use std::ffi::CStr;
use std::mem::MaybeUninit;

/// Checks arguments, or does all of the work if it calls no host code, behind the panic border.
#[inline]
pub(super) fn enter<R>(
    own_code: impl FnOnce() -> Result<R, Refusal>,
) -> Result<R, ft_local_status> {
    match border(own_code) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(refusal)) => Err(refusal.into()),
        Err(_) => Err(code::FT_LOCAL_ERR_PANIC.into()),
    }
}

/// What an exported function returns.
#[inline]
pub(super) fn status_of(body: impl FnOnce() -> Result<(), ft_local_status>) -> ft_local_status {
    match body() {
        Ok(()) => code::FT_LOCAL_OK.into(),
        Err(status) => status,
    }
}

/// Refuses an address at which there can be no `T`.
#[inline]
pub(super) fn check_address<T>(pointer: *const T, why: &'static CStr) -> Result<(), Refusal> {
    if pointer.is_null() || !pointer.is_aligned() { Err(refused(why)) } else { Ok(()) }
}

/// Not inlined, so that no register is loaded with words that are never said.
#[cold]
#[inline(never)]
pub(super) fn refused(why: &'static CStr) -> Refusal {
    Refusal(why)
}

/// Sets an out-parameter to NULL, before anything else can fail.
///
/// # Safety
/// `out` must be NULL or point to a pointer that may be written.
#[inline]
pub(super) unsafe fn cleared<'a, T>(out: *mut *mut T) -> Result<&'a mut *mut T, Refusal> {
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
pub(super) unsafe fn cleared_count<'a>(out: *mut usize) -> Result<&'a mut usize, Refusal> {
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
pub(super) unsafe trait Versioned: Copy {
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

/// No struct will ever be this long.
const ABSURD_SIZE: usize = 4096;

pub(super) fn check_size<T: Versioned>(size: usize) -> Result<(), Refusal> {
    let sound =
        (T::FIRST_SIZE..=ABSURD_SIZE).contains(&size) && size.is_multiple_of(size_of::<usize>());
    if sound { Ok(()) } else { Err(Refusal(T::SIZE)) }
}

/// Copies a struct of an older or a newer version of the header.
///
/// # Safety
/// `given` must be NULL or point to as many readable bytes as its `struct_size` says.
pub(super) unsafe fn read<T: Versioned>(given: *const T) -> Result<T, Refusal> {
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
        return Err(Refusal(T::UNKNOWN));
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
pub(super) unsafe fn init<T: Versioned>(out: *mut T, struct_size: usize) -> Result<(), Refusal> {
    check_address(out, T::NULL)?;
    check_size::<T>(struct_size)?;
    // SAFETY: `struct_size` bytes are writable, and it is at least one `usize`.
    unsafe {
        out.cast::<u8>().write_bytes(0, struct_size);
        out.cast::<usize>().write(struct_size);
    }
    Ok(())
}
