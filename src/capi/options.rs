//! Choices for a batch, as C writes them.

use super::argument::{Versioned, enter, init, read, status_of};
use super::status::{Refusal, ft_local_status};
use crate::batch::{ForkPolicy, Options};
use std::ffi::CStr;

/// In the child of a fork: drop the results in the buffer. The parent hands them out.
pub const FT_LOCAL_FORK_DISCARD: i32 = 0;
/// In the child of a fork: hand them out as well, so that each exists twice.
pub const FT_LOCAL_FORK_KEEP: i32 = 1;
/// In the child of a fork: the batch can only be freed; all else is FT_LOCAL_ERR_FORKED.
pub const FT_LOCAL_FORK_ERROR: i32 = 2;

/// Options of a batch. Zero is the default of each.
///
/// Start from `FT_LOCAL_BATCH_OPTIONS_INIT` or `ft_local_batch_options_init`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ft_local_batch_options {
    /// `sizeof(ft_local_batch_options)`.
    pub struct_size: usize,
    /// How many results one thread makes before another may take over; 0 for as many as fit. With
    /// a slow source, a small budget bounds the time that one load spends running the source.
    pub fill_budget: usize,
    /// A load that leaves fewer results than this runs the source, while other threads load what is
    /// left; 0 for never. At most the size of the batch.
    pub low_water: usize,
    /// FT_LOCAL_FORK_DISCARD, FT_LOCAL_FORK_KEEP or FT_LOCAL_FORK_ERROR.
    pub on_fork: i32,
    /// Must be 0.
    pub reserved: i32,
}

// SAFETY: `repr(C)`, the size first, then integers.
unsafe impl Versioned for ft_local_batch_options {
    const NULL: &'static CStr = c"options is NULL";
    const SIZE: &'static CStr = c"options->struct_size is no size of an ft_local_batch_options; begin with FT_LOCAL_BATCH_OPTIONS_INIT or ft_local_batch_options_init";
    const UNKNOWN: &'static CStr =
        c"options has a field set that this version of the library does not know";
    const FIRST_SIZE: usize = 3 * size_of::<usize>() + 2 * size_of::<i32>();
}

/// The core's form of the options; NULL is the default.
///
/// # Safety
/// `given` must be NULL or point to a struct as its comment describes it.
pub(super) unsafe fn options(given: *const ft_local_batch_options) -> Result<Options, Refusal> {
    if given.is_null() {
        return Ok(Options::default());
    }
    // SAFETY: the caller's promise.
    let options = unsafe { read(given) }?;
    // Each field by its name: none that is added later is forgotten here.
    let ft_local_batch_options { struct_size: _, fill_budget, low_water, on_fork, reserved } =
        options;
    let on_fork = match on_fork {
        FT_LOCAL_FORK_DISCARD => ForkPolicy::Discard,
        FT_LOCAL_FORK_KEEP => ForkPolicy::Keep,
        FT_LOCAL_FORK_ERROR => ForkPolicy::Error,
        _ => return Err(Refusal(c"options->on_fork is none of the FT_LOCAL_FORK_ values")),
    };
    if reserved != 0 {
        return Err(Refusal(ft_local_batch_options::UNKNOWN));
    }
    Ok(Options { fill_budget, low_water, on_fork })
}

/// Does what `FT_LOCAL_BATCH_OPTIONS_INIT` does, for languages without macros.
///
/// Ownership: `options` stays the caller's.
/// Errors: FT_LOCAL_ERR_ARGUMENT if `options` is NULL, or `struct_size` is not the size of an
/// `ft_local_batch_options` in any version of the header.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ft_local_batch_options_init(
    options: *mut ft_local_batch_options,
    struct_size: usize,
) -> ft_local_status {
    // SAFETY: the caller's promise.
    status_of(|| enter(|| unsafe { init(options, struct_size) }))
}
