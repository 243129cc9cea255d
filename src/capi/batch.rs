//! Results made by one thread at a time and handed to many.

use super::argument::{cleared, enter, status_of};
use super::handle::{Handle, Marked, borrow, reclaim, retire};
use super::host::{ft_local_host, table};
use super::options::{ft_local_batch_options, options};
use super::source::{ForeignSource, ft_local_source};
use super::status::{ft_local_status, ft_local_status_code as code};
use super::wrapper::{NO_VISITOR, ft_local_visitor};
use crate::batch::Batch;
use crate::host::HostTable;
use crate::sync::Ordering;
use std::ffi::{CStr, c_void};
use std::sync::atomic::AtomicUsize;

/// The largest size of a batch. Its memory is taken when it is made: 16 bytes for each result.
pub const FT_LOCAL_BATCH_MAX_SIZE: usize = 1_073_741_824;

const _: () = assert!(FT_LOCAL_BATCH_MAX_SIZE == crate::batch::MAX_SIZE);

/// Runs a source to fill a buffer of results, in one thread at a time, and hands each result to
/// exactly one of the threads that load, in the order in which the source made them. (When a fill
/// fails, its first result comes after those that other threads have taken meanwhile; and a
/// cursor claims several results at once.)
///
/// After a fork, the child drops the results that the parent had in the buffer, which the parent
/// hands out, and asks the source for new ones, unless the batch's options say otherwise.
pub struct ft_local_batch(Marked<Shared>);

/// A batch, and how many handles refer to it: its own and those of its cursors.
pub(super) struct Shared {
    pub(super) batch: Batch<HostTable, ForeignSource>,
    references: AtomicUsize,
}

impl Handle for ft_local_batch {
    type Inner = Shared;
    const MARK: usize = 0x6c62_7463;
    const NULL: &'static CStr = c"batch is NULL, or no address of a handle";
    const WRONG: &'static CStr = c"batch is not an ft_local_batch, or was freed";

    fn marked(&self) -> &Marked<Self::Inner> {
        &self.0
    }
}

pub(super) type CBatch = Batch<HostTable, ForeignSource>;

/// What a caller has passed as a batch.
///
/// # Safety
/// As for [`borrow`].
#[inline]
pub(super) unsafe fn batch_at<'a>(
    handle: *const ft_local_batch,
) -> Result<&'a CBatch, super::status::Refusal> {
    // SAFETY: the caller's promise.
    unsafe { borrow(handle) }.map(|shared| &shared.batch)
}

/// Keeps a batch alive for a handle that refers to it.
///
/// # Safety
/// The batch must be alive.
pub(super) unsafe fn add_reference(handle: *const ft_local_batch) {
    // Relaxed: the caller knows of another reference. SAFETY: the caller's promise.
    unsafe { &*handle }.0.value().references.fetch_add(1, Ordering::Relaxed);
}

/// Ends what `add_reference` or the making of the batch began. The last reference ends the batch,
/// which calls the host.
///
/// # Safety
/// The reference must be the caller's.
pub(super) unsafe fn drop_reference(handle: *mut ft_local_batch) {
    // SAFETY: the caller's reference keeps it alive.
    let shared = unsafe { &*handle }.0.value();
    // AcqRel: with itself in other threads.
    if shared.references.fetch_sub(1, Ordering::AcqRel) > 1 {
        return;
    }
    // SAFETY: that was the last reference.
    drop(unsafe { reclaim(handle) });
}

/// Makes a batch that asks `source` for up to `size` results whenever it has none.
///
/// Ownership: `host` and `source` are copied; `*out` is new: free it with `ft_local_batch_free`.
/// Blocks: briefly.
/// Errors: FT_LOCAL_ERR_ARGUMENT, also if `size` is 0 or above FT_LOCAL_BATCH_MAX_SIZE;
/// FT_LOCAL_ERR_NO_MEMORY. `*out` is then NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ft_local_batch_new(
    host: *const ft_local_host,
    source: *const ft_local_source,
    size: usize,
    out: *mut *mut ft_local_batch,
) -> ft_local_status {
    // SAFETY: the caller's promise.
    unsafe { ft_local_batch_new_with(host, source, size, std::ptr::null(), out) }
}

/// Makes a batch with options.
///
/// Ownership: `host`, `source` and `options` are copied; `*out` is new: free it with
/// `ft_local_batch_free`.
/// Blocks: briefly.
/// Errors: as for `ft_local_batch_new`. FT_LOCAL_ERR_ARGUMENT also if an option has no such value.
/// `options` may be NULL, which is the default.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ft_local_batch_new_with(
    host: *const ft_local_host,
    source: *const ft_local_source,
    size: usize,
    options: *const ft_local_batch_options,
    out: *mut *mut ft_local_batch,
) -> ft_local_status {
    let made = enter(|| {
        // SAFETY: the caller's promise.
        let (out, host, source, options) = unsafe {
            let out = cleared(out)?;
            (out, table(host)?, ForeignSource::new(source)?, self::options(options)?)
        };
        let made = Batch::with_options(host, source, size, options);
        Ok(made.map_err(ft_local_status::from).and_then(|batch| {
            let shared = Shared { batch, references: AtomicUsize::new(1) };
            *out = ft_local_batch(Marked::new(ft_local_batch::MARK, shared)).give_out()?;
            Ok(())
        }))
    });
    status_of(|| made?)
}

/// How many results are ready; a moment later there may be others.
///
/// Errors: 0 if `batch` is not a batch; `ft_local_last_error` then says so.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ft_local_batch_len(batch: *const ft_local_batch) -> usize {
    // SAFETY: the caller's promise.
    enter(|| unsafe { batch_at(batch) }.map(Batch::len)).unwrap_or(0)
}

/// How many results one fill makes at most, as the batch was made.
///
/// Errors: 0 if `batch` is not a batch; `ft_local_last_error` then says so.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ft_local_batch_size(batch: *const ft_local_batch) -> usize {
    // SAFETY: the caller's promise.
    enter(|| unsafe { batch_at(batch) }.map(Batch::size)).unwrap_or(0)
}

/// Shows each result in the buffer to `visitor`, for a garbage collector that wants to know what
/// is referred to. Not shown are results that the source is just handing over, which the host still
/// knows of, and those that a cursor has in hand: see `ft_local_cursor_visit`. Nor is what a thread
/// that was stopped inside the library is just handing over: a result between its claim and the
/// store to `*out`, an object that is given back before it is there. Only that thread's registers
/// and stack refer to it, so a collector that does not look there stops threads elsewhere.
///
/// Ownership: each object is borrowed during the call of `visitor`.
/// Threads: when nobody else uses the handle, because the world is stopped for instance. It may
/// have been stopped at any point, in the middle of a fill too.
/// Calls host: visitor: once for each result.
/// Errors: what `visitor` returns if that is not 0, which also ends the visit;
/// FT_LOCAL_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ft_local_batch_visit(
    batch: *const ft_local_batch,
    visitor: ft_local_visitor,
    arg: *mut c_void,
) -> i32 {
    // SAFETY: the caller's promise.
    let checked = enter(|| Ok((unsafe { batch_at(batch) }?, visitor.ok_or(NO_VISITOR)?)));
    let (batch, visitor) = match checked {
        Ok(checked) => checked,
        Err(status) => return status,
    };
    let mut result = 0;
    // SAFETY: the caller's promise: nobody else uses the batch, and `visitor` may be called.
    unsafe {
        batch.visit(|word| {
            result = visitor(std::ptr::with_exposed_provenance_mut(word), arg);
            result == 0
        });
    }
    result
}

/// Releases all results in the buffer. The batch works on.
///
/// Ownership: the batch's references to the results are given up.
/// Blocks: briefly.
/// Calls host: release: once for each result.
/// Errors: FT_LOCAL_ERR_ARGUMENT, FT_LOCAL_ERR_PANIC, FT_LOCAL_ERR_FORKED.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ft_local_batch_clear(
    batch: *const ft_local_batch,
) -> ft_local_status {
    // SAFETY: the caller's promise.
    match enter(|| unsafe { batch_at(batch) }) {
        Ok(batch) => {
            batch.clear().map_or_else(ft_local_status::from, |()| code::FT_LOCAL_OK.into())
        }
        Err(status) => status,
    }
}

/// Ends a batch: releases the results in the buffer, and every load from now on, and every one that
/// waits, gets FT_LOCAL_ERR_CLOSED. What the source is just making is released too, but for the one
/// result of the load that runs it; what cursors have in hand they still hand out. Closing again
/// does nothing.
///
/// Ownership: the batch's references to the results are given up.
/// Blocks: briefly.
/// Calls host: release: once for each result.
/// Errors: FT_LOCAL_ERR_ARGUMENT, FT_LOCAL_ERR_PANIC, FT_LOCAL_ERR_FORKED.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ft_local_batch_close(
    batch: *const ft_local_batch,
) -> ft_local_status {
    // SAFETY: the caller's promise.
    match enter(|| unsafe { batch_at(batch) }) {
        Ok(batch) => {
            batch.close().map_or_else(ft_local_status::from, |()| code::FT_LOCAL_OK.into())
        }
        Err(status) => status,
    }
}

/// Whether a batch was closed: 1 if so, 0 if not.
///
/// Errors: 0 if `batch` is not a batch; `ft_local_last_error` then says so.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ft_local_batch_is_closed(batch: *const ft_local_batch) -> i32 {
    // SAFETY: the caller's promise.
    enter(|| unsafe { batch_at(batch) }.map(|batch| i32::from(batch.is_closed()))).unwrap_or(0)
}

/// Frees a batch and releases the results in its buffer. NULL is nothing to free.
///
/// If cursors of the batch are still there, that happens when the last of them is freed.
///
/// Ownership: `batch` is moved: no longer yours.
/// Threads: when nobody else uses the handle.
/// Blocks: briefly.
/// Calls host: release: once for each result in the buffer.
/// Errors: none that are told. What is not a batch, or was freed, is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ft_local_batch_free(batch: *mut ft_local_batch) {
    if batch.is_null() {
        return;
    }
    // SAFETY: the caller's promise.
    if enter(|| unsafe { retire(batch) }).is_ok() {
        // Out of the border: this calls the host. SAFETY: the reference of the handle itself.
        unsafe { drop_reference(batch) };
    }
}
