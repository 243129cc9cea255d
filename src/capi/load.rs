//! How a thread comes by results.

use crate::argument::{check_address, cleared, cleared_count};
use crate::batch::{CBatch, batch_at, ft_local_batch};
use crate::call::{Outcome, call};
use crate::source::Argument;
use crate::status::{Failure, bad_argument, ft_local_status, ft_local_status_code as code};
use ft_local::raw::Slow;
use ft_local::{LoadError, Word};
use std::ffi::c_void;
use std::time::{Duration, Instant};

/// How long a call may wait. `None` if there is no limit.
pub(crate) fn timeout(timeout_ns: i64) -> Option<Duration> {
    u64::try_from(timeout_ns).ok().map(Duration::from_nanos)
}

/// When the wait of a call that begins now must end. `None` if there is no limit.
pub(crate) fn deadline(timeout_ns: i64) -> Option<Instant> {
    Instant::now().checked_add(timeout(timeout_ns)?)
}

/// Takes the next result. If there is none, runs the source, or waits for the thread that runs it.
///
/// Ownership: `*out` is new: the caller must release it.
/// Blocks: yes, while another thread runs the source and no result is ready.
/// Calls host: source, block, interrupted, release, wake: none of them if a result is ready, unless
/// fewer than `low_water` are left, when it runs the source for more. `release` for results that belong to
/// the parent of a fork, or that came while the batch was closed.
/// Errors: the source's own positive code, FT_LOCAL_ERR_SOURCE for its other failures,
/// FT_LOCAL_ERR_NOTHING_PRODUCED if it made nothing: these go only to the caller that ran the
/// source, and results made before are kept. FT_LOCAL_ERR_REENTRANT if the source loads from its own
/// batch; FT_LOCAL_ERR_DEADLOCK if two sources load from each other's batch in two threads;
/// FT_LOCAL_ERR_INTERRUPTED; FT_LOCAL_ERR_ARGUMENT. `*out` is then NULL, and the batch remains
/// usable. Permanent errors: FT_LOCAL_ERR_END, FT_LOCAL_ERR_CLOSED, FT_LOCAL_ERR_FORKED,
/// FT_LOCAL_ERR_PANIC.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ft_local_batch_load(
    batch: *const ft_local_batch,
    out: *mut *mut c_void,
) -> ft_local_status {
    load_by(batch, out, |batch, slow| batch.load_slow(slow, None))
}

/// A load: takes a result that is ready, or else what `slow` gets.
#[inline(always)]
pub(crate) unsafe fn load_by(
    batch: *const ft_local_batch,
    out: *mut *mut c_void,
    slow: impl FnOnce(&CBatch, Slow) -> Result<Word, LoadError<Failure>>,
) -> ft_local_status {
    call(
        || Ok((cleared(out)?, batch_at(batch)?)),
        |(out, batch)| match batch.try_claim_fast() {
            Ok(word) => {
                *out = std::ptr::with_exposed_provenance_mut(word);
                code::FT_LOCAL_OK as ft_local_status
            }
            Err(rest) => load_slow(batch, rest, slow, out),
        },
    )
}

/// Apart, and called last, so that a load which finds a result needs no stack.
#[cold]
#[inline(never)]
fn load_slow(
    batch: &CBatch,
    rest: Slow,
    slow: impl FnOnce(&CBatch, Slow) -> Result<Word, LoadError<Failure>>,
    out: &mut *mut c_void,
) -> ft_local_status {
    slow(batch, rest).map(|word| *out = std::ptr::with_exposed_provenance_mut(word)).status()
}

/// Takes the next result as `ft_local_batch_load` does, but waits for other threads for at most
/// `timeout_ns` nanoseconds. The timeout does not limit running the source in this thread.
///
/// Ownership: `*out` is new: the caller must release it.
/// Blocks: yes, as `ft_local_batch_load`, for at most `timeout_ns`; without limit if that is
/// negative.
/// Calls host: source, block, interrupted, release, wake: as `ft_local_batch_load`.
/// Errors: as for `ft_local_batch_load`, and FT_LOCAL_ERR_TIMED_OUT. `*out` is then NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ft_local_batch_load_for(
    batch: *const ft_local_batch,
    timeout_ns: i64,
    out: *mut *mut c_void,
) -> ft_local_status {
    load_by(batch, out, |batch, slow| batch.load_slow(slow, deadline(timeout_ns)))
}

/// Takes the next result as `ft_local_batch_load_for` does, and if it runs the source, passes `arg`
/// to its `fill_with`. Other sources do not get it. Any other function that runs the source passes
/// NULL. With 0 as `timeout_ns` it does not wait, as `ft_local_batch_load_now`.
///
/// Ownership: `*out` is new: the caller must release it. `arg` stays the caller's; the source gets it
/// only during the call.
/// Blocks: yes, as `ft_local_batch_load_for`; briefly if `timeout_ns` is 0.
/// Calls host: source, block, interrupted, release, wake: as `ft_local_batch_load`.
/// Errors: as for `ft_local_batch_load_for`, but FT_LOCAL_ERR_WOULD_WAIT if `timeout_ns` is 0,
/// another thread runs the source, and no result is ready. `*out` is then NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ft_local_batch_load_with(
    batch: *const ft_local_batch,
    arg: *mut c_void,
    timeout_ns: i64,
    out: *mut *mut c_void,
) -> ft_local_status {
    load_by(batch, out, |batch, slow| {
        batch.load_slow_with(slow, &Argument(arg), timeout(timeout_ns))
    })
}

/// Takes the next result if one is ready. Never runs the source.
///
/// Ownership: `*out` is new: the caller must release it.
/// Blocks: briefly.
/// Calls host: release, wake: `release` only for results that belong to the parent of a fork, or that
/// came while the batch was closed; `wake` only if results come back in other threads meanwhile.
/// Errors: FT_LOCAL_ERR_EMPTY if none is ready; FT_LOCAL_ERR_END, FT_LOCAL_ERR_CLOSED,
/// FT_LOCAL_ERR_FORKED, FT_LOCAL_ERR_ARGUMENT, FT_LOCAL_ERR_PANIC. `*out` is then NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ft_local_batch_try_load(
    batch: *const ft_local_batch,
    out: *mut *mut c_void,
) -> ft_local_status {
    call(
        || Ok((cleared(out)?, batch_at(batch)?)),
        |(out, batch)| -> Result<(), Failure> {
            *out = batch.try_load()?.ok_or(code::FT_LOCAL_ERR_EMPTY)?.into_raw();
            Ok(())
        },
    )
}

/// Takes the next `n` results, as `n` calls of `ft_local_batch_load_for` within one timeout would,
/// but claims all that are ready at once.
///
/// Ownership: the first `*count` of `objects` are new, after an error too. The other slots are
/// unchanged.
/// Blocks: yes, as `ft_local_batch_load`, for at most `timeout_ns` nanoseconds; without limit if
/// that is negative.
/// Calls host: source, block, interrupted, release, wake: as `ft_local_batch_load`.
/// Errors: as for `ft_local_batch_load_for`. FT_LOCAL_ERR_END and FT_LOCAL_ERR_CLOSED only if
/// `*count` is 0; otherwise `*count` is less than `n`. `objects` may be NULL if `n` is 0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ft_local_batch_load_many(
    batch: *const ft_local_batch,
    n: usize,
    timeout_ns: i64,
    objects: *mut *mut c_void,
    count: *mut usize,
) -> ft_local_status {
    call(
        || Ok((cleared_count(count)?, batch_at(batch)?, slots(objects, n)?)),
        |(count, batch, room)| batch.load_words(room, count, deadline(timeout_ns)),
    )
}

/// Gives back objects that were loaded from the batch. They are handed out again before newer ones.
/// A closed batch releases them.
///
/// Ownership: the `n` objects are moved, unless there is an error.
/// Blocks: briefly.
/// Calls host: release, wake: `release` only if the batch was closed, and for results that belong to
/// the parent of a fork; `wake` for registered waiters.
/// Errors: FT_LOCAL_ERR_ARGUMENT, also if an object is NULL and the host has no plain values;
/// FT_LOCAL_ERR_NO_MEMORY, since this function allocates, unlike the others of a batch;
/// FT_LOCAL_ERR_FORKED. The objects then remain the caller's.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ft_local_batch_give_back(
    batch: *const ft_local_batch,
    objects: *const *mut c_void,
    n: usize,
) -> ft_local_status {
    call(
        || {
            let (batch, words) = (batch_at(batch)?, words(objects, n)?);
            if !batch.host().holds_plain_values() && words.contains(&0) {
                return Err(bad_argument(c"one of the objects is NULL"));
            }
            Ok((batch, words))
        },
        |(batch, words)| batch.give_words_back(words),
    )
}

/// Whether the caller's array can be one of the core's words, which have the same size.
fn check_array(objects: *const *mut c_void, n: usize) -> Result<(), Failure> {
    const { assert!(size_of::<Word>() == size_of::<*mut c_void>()) };
    check_address(objects, c"objects is NULL, or no address of pointers")?;
    if n > isize::MAX.unsigned_abs() / size_of::<Word>() {
        return Err(bad_argument(c"n is more than any array holds"));
    }
    Ok(())
}

/// The objects in the caller's array. They are only read: other threads may read them too.
///
/// # Safety
/// `objects` must be NULL or point to `n` objects.
unsafe fn words<'a>(objects: *const *mut c_void, n: usize) -> Result<&'a [Word], Failure> {
    if n == 0 {
        return Ok(&[]);
    }
    check_array(objects, n)?;
    Ok(std::slice::from_raw_parts(objects.cast(), n))
}

/// The caller's array as room for words.
///
/// # Safety
/// `objects` must be NULL or point to `n` slots that may be written.
unsafe fn slots<'a>(objects: *mut *mut c_void, n: usize) -> Result<&'a mut [Word], Failure> {
    if n == 0 {
        return Ok(&mut []);
    }
    check_array(objects, n)?;
    Ok(std::slice::from_raw_parts_mut(objects.cast(), n))
}

/// Waits until fewer than `low_water` results are ready, then runs the source until it has made
/// `max` results or the buffer is full. `*made` is how many it made: 0 if it timed out. Call it in a
/// loop in a thread of your own, and loads rarely find the buffer empty.
///
/// Blocks: yes, until there is room, for at most `timeout_ns` nanoseconds; without limit if that is
/// negative.
/// Calls host: source, block, interrupted, release, wake: `release` as `ft_local_batch_load`.
/// Errors: as for `ft_local_batch_load`. Results made before an error are kept. `*made` is then 0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ft_local_batch_prefill(
    batch: *const ft_local_batch,
    low_water: usize,
    max: usize,
    timeout_ns: i64,
    made: *mut usize,
) -> ft_local_status {
    call(
        || Ok((cleared_count(made)?, batch_at(batch)?)),
        |(made, batch)| {
            let prefilled = batch.prefill(low_water, max, timeout(timeout_ns));
            prefilled.map(|count| *made = count)
        },
    )
}
