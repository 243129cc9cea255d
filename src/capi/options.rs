//! Choices for a batch, as C writes them.

use crate::argument::{Versioned, init, read, versioned};
use crate::call::status_of;
use crate::status::{Failure, bad_argument, ft_local_status};
use ft_local::{ForkPolicy, Options};

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
    /// How many results one thread makes before another may take over. With a slow source, a small
    /// budget bounds the time that one load spends running the source. With 0, one thread makes as
    /// many as fit, but hands over after about a millisecond if other threads load meanwhile.
    pub fill_budget: usize,
    /// A load that leaves fewer results than this runs the source, while other threads load what is
    /// left; 0 for never. At most the size of the batch. Then few loads find nothing and wait, but
    /// the one that runs the source takes as long as that. `ft_local_batch_prefill` in a thread of
    /// your own spares all loads.
    pub low_water: usize,
    /// FT_LOCAL_FORK_DISCARD, FT_LOCAL_FORK_KEEP or FT_LOCAL_FORK_ERROR.
    pub on_fork: i32,
    /// Must be 0.
    pub reserved: i32,
    /// 1: each result is overwritten in the batch's own memory as soon as it is handed out or
    /// dropped, so that a later leak of that memory shows no plain value that was a key or a token.
    /// Loads take longer, and a cursor claims one result at a time. Only the words are wiped: what
    /// they point to, registers, stacks and the caller's copies are not. The child of a fork wipes
    /// what it drops when it first uses the batch or frees it.
    pub wipe: i32,
    /// Must be 0.
    pub reserved_after_wipe: i32,
    /// How many threads may call the source at the same time, for sources that wait, such as for a
    /// server; 0 means 1, and 256 is the most. With 2 or more, a load that finds nothing calls the
    /// source while other threads do, and waits only if so many are. Results come in the order in
    /// which the calls end, and the first of a call is for the load that made it. One such load makes
    /// one result for itself, and more for others only as `fill_budget` says, or for as long as the
    /// source is quick. `fill` may be asked for `size` results by each thread, and all may be ready:
    /// a batch then allocates 16 bytes for each result and thread. When one call says that the source
    /// has ended, none is made any more; what running calls bring is handed out before the end is.
    pub fillers: usize,
}

// `repr(C)`, the size first, then integers.
versioned!(
    ft_local_batch_options as "options",
    "FT_LOCAL_BATCH_OPTIONS_INIT",
    first size 3 * size_of::<usize>() + 2 * size_of::<i32>()
);

/// The core's form of the options, and the number of fillers; NULL is the default.
///
/// # Safety
/// `given` must be NULL or point to a struct as its comment describes it.
pub(crate) unsafe fn options(
    given: *const ft_local_batch_options,
) -> Result<(Options, usize), Failure> {
    if given.is_null() {
        return Ok((Options::default(), 1));
    }
    // Each field by its name: none that is added later is forgotten here.
    let ft_local_batch_options {
        struct_size: _,
        fill_budget,
        low_water,
        on_fork,
        reserved,
        wipe,
        reserved_after_wipe,
        fillers,
    } = read(given)?;
    let on_fork = match on_fork {
        FT_LOCAL_FORK_DISCARD => ForkPolicy::Discard,
        FT_LOCAL_FORK_KEEP => ForkPolicy::Keep,
        FT_LOCAL_FORK_ERROR => ForkPolicy::Error,
        _ => return Err(bad_argument(c"options->on_fork is none of the FT_LOCAL_FORK_ values")),
    };
    if !matches!(wipe, 0 | 1) {
        return Err(bad_argument(c"options->wipe is neither 0 nor 1"));
    }
    if reserved != 0 || reserved_after_wipe != 0 {
        return Err(bad_argument(ft_local_batch_options::UNKNOWN));
    }
    let options = Options { fill_budget, low_mark: low_water, on_fork, wipe: wipe != 0 };
    Ok((options, fillers.max(1)))
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
    status_of(|| init(options, struct_size))
}
