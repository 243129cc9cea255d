//! Results made by one thread at a time and handed to many.

use crate::argument::{cleared, read};
use crate::call::{ask, call, enter, status_of};
use crate::handle::{Handle, Marked, borrow, reclaim, retire};
use crate::host::{ft_local_host, table_of};
use crate::host_table::HostTable;
use crate::options::{ft_local_batch_options, options};
use crate::source::{ForeignSource, ft_local_source};
use crate::status::{Failure, ft_local_status};
use crate::wrapper::{check_visitor, ft_local_visitor};
use ft_local::{Batch, MAX_FILLERS, NewError};
use std::ffi::{CStr, c_void};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The largest size of a batch. A batch allocates 16 bytes for each result when it is made.
pub const FT_LOCAL_BATCH_MAX_SIZE: usize = 1_073_741_824;

const _: () = assert!(FT_LOCAL_BATCH_MAX_SIZE == ft_local::MAX_SIZE);

/// Runs a source in one thread at a time to fill a buffer with results, and hands each result to
/// exactly one of the threads that load, in the order in which the source made them. (Two
/// exceptions: if a fill fails, its first result is handed out after those that other threads have
/// taken since; and a cursor claims several results at once.)
///
/// After a fork, the child drops the results in the buffer, because the parent hands them out, and
/// asks the source for new ones, unless the batch's options say otherwise.
pub struct ft_local_batch(Marked<Shared>);

/// A batch, and how many handles refer to it: its own and those of its cursors.
pub(crate) struct Shared {
    batch: CBatch,
    /// In this order, after the batch, and each even if the host unwinds out of what is before.
    _source_ends: End,
    _host_ends: End,
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

/// Says that a context is no longer used, when it is dropped.
struct End {
    free_ctx: Option<unsafe extern "C-unwind" fn(*mut c_void)>,
    ctx: *mut c_void,
}

impl Drop for End {
    fn drop(&mut self) {
        if let Some(free_ctx) = self.free_ctx {
            // SAFETY: the promise of the maker of the batch, which has ended.
            unsafe { free_ctx(self.ctx) };
        }
    }
}

pub(crate) type CBatch = Batch<HostTable, ForeignSource>;

/// What a caller has passed as a batch.
///
/// # Safety
/// As for [`borrow`].
#[inline]
pub(crate) unsafe fn batch_at<'a>(handle: *const ft_local_batch) -> Result<&'a CBatch, Failure> {
    borrow(handle).map(|shared| &shared.batch)
}

/// Keeps a batch alive for a handle that refers to it.
///
/// # Safety
/// The batch must be alive.
pub(crate) unsafe fn add_reference(handle: *const ft_local_batch) {
    // Relaxed: the caller knows of another reference.
    (*handle).0.value().references.fetch_add(1, Ordering::Relaxed);
}

/// Ends what `add_reference` or the making of the batch began. The last reference ends the batch,
/// which calls the host.
///
/// # Safety
/// The reference must be the caller's.
pub(crate) unsafe fn drop_reference(handle: *mut ft_local_batch) {
    // AcqRel: with itself in other threads.
    if (*handle).0.value().references.fetch_sub(1, Ordering::AcqRel) == 1 {
        drop(reclaim(handle));
    }
}

/// A reference that ends with its scope, also if the host unwinds out of it.
struct Reference(*mut ft_local_batch);

impl Drop for Reference {
    fn drop(&mut self) {
        // SAFETY: the handle's own reference, which ends here.
        unsafe { drop_reference(self.0) };
    }
}

/// Makes a batch that runs `source` for up to `size` results whenever it has none.
///
/// Ownership: `host` and `source` are copied; what their `ctx` point to is the batch's if there is a
/// `free_ctx` and no error; `*out` is new: free it with `ft_local_batch_free`.
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
    ft_local_batch_new_with(host, source, size, std::ptr::null(), out)
}

/// Makes a batch with options.
///
/// Ownership: `host`, `source` and `options` are copied; what their `ctx` point to is the batch's if
/// there is a `free_ctx` and no error; `*out` is new: free it with `ft_local_batch_free`.
/// Blocks: briefly.
/// Errors: as for `ft_local_batch_new`. FT_LOCAL_ERR_ARGUMENT also if an option is out of range.
/// `options` may be NULL for the defaults.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ft_local_batch_new_with(
    host: *const ft_local_host,
    source: *const ft_local_source,
    size: usize,
    options: *const ft_local_batch_options,
    out: *mut *mut ft_local_batch,
) -> ft_local_status {
    status_of(|| {
        let out = cleared(out)?;
        let (host, source) = (read(host)?, read(source)?);
        let (options, fillers) = self::options(options)?;
        let one = ForeignSource::new(source)?;
        let batch = if fillers == 1 {
            Batch::with_options(table_of(host)?, one, size, options)?
        } else {
            let sources = copies(one, fillers)?;
            Batch::with_fillers(table_of(host)?, sources, size, options)?
        };
        *out = ft_local_batch::make_out(|| {
            // Not before there is memory for them: until then the contexts are the caller's.
            let shared = Shared {
                batch,
                _source_ends: End { free_ctx: source.free_ctx, ctx: source.ctx },
                _host_ends: End { free_ctx: host.free_ctx, ctx: host.ctx },
                references: AtomicUsize::new(1),
            };
            ft_local_batch(Marked::new(ft_local_batch::MARK, shared))
        })?;
        Ok(())
    })
}

/// The source for each filler. With too many of them, as many as are refused.
fn copies(source: ForeignSource, fillers: usize) -> Result<Vec<ForeignSource>, Failure> {
    let count = fillers.min(MAX_FILLERS + 1);
    let mut sources = Vec::new();
    sources.try_reserve_exact(count).map_err(|_| NewError::OutOfMemory)?;
    sources.resize(count, source);
    Ok(sources)
}

/// How many results are ready, which other threads may change at any time.
///
/// Errors: 0 if `batch` is not a batch; `ft_local_last_error` then says so.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ft_local_batch_len(batch: *const ft_local_batch) -> usize {
    ask(0, || batch_at(batch).map(Batch::len))
}

/// The size of the batch, as passed to `ft_local_batch_new`.
///
/// Errors: 0 if `batch` is not a batch; `ft_local_last_error` then says so.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ft_local_batch_size(batch: *const ft_local_batch) -> usize {
    ask(0, || batch_at(batch).map(Batch::size))
}

/// Calls `visitor` with each result in the buffer, for garbage collectors. It does not see results
/// that the source is currently returning, which the host still knows, and those that a cursor has
/// in hand: see `ft_local_cursor_visit`. Nor does it see what a thread stopped inside the library is
/// handing over at that moment: a result between its claim and the store to `*out`, or an object on
/// its way back. Only the registers and stack of that thread refer to it; a collector that does not
/// scan them must stop threads outside the library.
///
/// Ownership: each object is borrowed during the call of `visitor`.
/// Threads: when nobody else uses the handle, for example because all threads are stopped. They may
/// be stopped at any point, even in the middle of a fill.
/// Calls host: visitor: once for each result.
/// Errors: the first nonzero result of `visitor`, which ends the visit; FT_LOCAL_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ft_local_batch_visit(
    batch: *const ft_local_batch,
    visitor: ft_local_visitor,
    arg: *mut c_void,
) -> i32 {
    call(
        || Ok((batch_at(batch)?, check_visitor(visitor)?)),
        |(batch, visitor)| {
            let mut result = 0;
            batch.visit(|word| {
                result = visitor(std::ptr::with_exposed_provenance_mut(word), arg);
                result == 0
            });
            result
        },
    )
}

/// Releases all results in the buffer. The batch remains usable.
///
/// Ownership: the batch's references to the results are given up.
/// Blocks: briefly.
/// Calls host: release, wake: `release` once for each result; `wake` only if results come back in
/// other threads meanwhile.
/// Errors: FT_LOCAL_ERR_ARGUMENT, FT_LOCAL_ERR_PANIC, FT_LOCAL_ERR_FORKED.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ft_local_batch_clear(
    batch: *const ft_local_batch,
) -> ft_local_status {
    call(|| batch_at(batch), Batch::clear)
}

/// Closes a batch: releases the results in the buffer, and makes loads that wait, and all later
/// ones, return FT_LOCAL_ERR_CLOSED. Registered waiters are called. If the source is running, its
/// results are released too, except the one for the load that runs it. Cursors still hand out what
/// they have in hand. Closing again does nothing.
///
/// Ownership: the batch's references to the results are given up.
/// Blocks: briefly.
/// Calls host: release, wake: once for each result, and for each registered waiter.
/// Errors: FT_LOCAL_ERR_ARGUMENT, FT_LOCAL_ERR_PANIC, FT_LOCAL_ERR_FORKED.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ft_local_batch_close(
    batch: *const ft_local_batch,
) -> ft_local_status {
    call(|| batch_at(batch), Batch::close)
}

/// Whether a batch was closed: 1 if so, 0 if not.
///
/// Errors: 0 if `batch` is not a batch; `ft_local_last_error` then says so.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ft_local_batch_is_closed(batch: *const ft_local_batch) -> i32 {
    ask(0, || batch_at(batch).map(|batch| i32::from(batch.is_closed())))
}

/// Frees a batch and releases the results in its buffer, once the last of its cursors is freed. NULL
/// is ignored.
///
/// Ownership: `batch` is moved.
/// Threads: when nobody else uses the handle.
/// Blocks: briefly.
/// Calls host: release, wake, free_ctx: once for each result in the buffer, and for each registered
/// waiter; `free_ctx` once at the end.
/// Errors: not reported. What is not a batch, or was freed, is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ft_local_batch_free(batch: *mut ft_local_batch) {
    if batch.is_null() {
        return;
    }
    if let Ok(shared) = enter(|| retire(batch)) {
        // Out of the border: this calls the host. With the reference of a cursor the batch would
        // outlive its handle, and no waiter can load from it any more.
        let _reference = Reference(batch);
        shared.batch.wake_everybody();
    }
}
