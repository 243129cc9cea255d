//! What a batch has done so far, as C reads it.

use crate::argument::{Versioned, check_address, check_size, init, versioned};
use crate::batch::{batch_at, ft_local_batch};
use crate::call::status_of;
use crate::status::ft_local_status;
use ft_local::Stats;
use std::time::Duration;

/// What a batch has done. Counting costs a load that finds a result nothing.
///
/// While no thread uses the batch, the counters balance: `produced + given_back` equals `loads +
/// claimed + released + dropped_on_fork` plus `ft_local_batch_len`.
///
/// Start from `FT_LOCAL_STATS_INIT` or `ft_local_stats_init`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ft_local_stats {
    /// `sizeof(ft_local_stats)`.
    pub struct_size: usize,
    /// Results handed out by loads.
    pub loads: u64,
    /// Claims by cursors.
    pub claims: u64,
    /// Results that cursors have claimed.
    pub claimed: u64,
    /// How often a thread became the one that runs the source, and ran it.
    pub fills: u64,
    /// Results that the source made.
    pub produced: u64,
    /// Loads that had to wait for another thread.
    pub waits: u64,
    /// How long they waited, in nanoseconds.
    pub wait_ns: u64,
    /// How long fills took, from the first call of the source to the last, in nanoseconds.
    pub source_ns: u64,
    /// Failures of the source.
    pub errors: u64,
    /// Results given back, by callers and by cursors that were freed.
    pub given_back: u64,
    /// Results released because the batch was cleared or closed.
    pub released: u64,
    /// Results that the child of a fork dropped because the parent hands them out.
    pub dropped_on_fork: u64,
}

// `repr(C)`, the size first, then integers.
versioned!(
    ft_local_stats as "out",
    "FT_LOCAL_STATS_INIT",
    first size size_of::<usize>().next_multiple_of(align_of::<u64>()) + 12 * size_of::<u64>()
);

impl ft_local_stats {
    fn new(stats: Stats, struct_size: usize) -> Self {
        // Each field by its name: none that is added later is forgotten in `Self`.
        let Stats {
            loads,
            claims,
            claimed,
            fills,
            produced,
            waits,
            wait_time,
            source_time,
            errors,
            given_back,
            released,
            dropped_on_fork,
            ..
        } = stats;
        Self {
            struct_size,
            loads,
            claims,
            claimed,
            fills,
            produced,
            waits,
            wait_ns: nanoseconds(wait_time),
            source_ns: nanoseconds(source_time),
            errors,
            given_back,
            released,
            dropped_on_fork,
        }
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Reads the counters of a batch. While threads use the batch, they are not an atomic snapshot.
///
/// Ownership: `out` stays the caller's. Fields of a newer header are set to 0.
/// Errors: FT_LOCAL_ERR_ARGUMENT, FT_LOCAL_ERR_PANIC. `*out` is then unchanged.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ft_local_batch_stats(
    batch: *const ft_local_batch,
    out: *mut ft_local_stats,
) -> ft_local_status {
    status_of(|| {
        check_address(out, ft_local_stats::NULL)?;
        let batch = batch_at(batch)?;
        let size = out.cast::<usize>().read();
        check_size::<ft_local_stats>(size)?;
        let stats = ft_local_stats::new(batch.stats(), size);
        init(out, size)?;
        let known = size.min(size_of::<ft_local_stats>());
        out.cast::<u8>().copy_from_nonoverlapping((&raw const stats).cast(), known);
        Ok(())
    })
}

/// Does what `FT_LOCAL_STATS_INIT` does, for languages without macros.
///
/// Ownership: `stats` stays the caller's.
/// Errors: FT_LOCAL_ERR_ARGUMENT if `stats` is NULL, or `struct_size` is not the size of an
/// `ft_local_stats` in any version of the header.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ft_local_stats_init(
    stats: *mut ft_local_stats,
    struct_size: usize,
) -> ft_local_status {
    status_of(|| init(stats, struct_size))
}
