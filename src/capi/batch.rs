//! Results made by one thread at a time and handed to many.

use super::argument::{cleared, enter};
use super::handle::{Handle, Marked, borrow, take_back};
use super::host::{ft_local_host, table};
use super::source::{ForeignSource, ft_local_source};
use super::status::{ft_local_status, ft_local_status_code as code};
use super::wrapper::{NO_VISITOR, ft_local_visitor};
use crate::batch::Batch;
use crate::host::HostTable;
use std::ffi::{CStr, c_void};

/// The largest size of a batch. Its memory is taken when it is made: 16 bytes for each result.
pub const FT_LOCAL_BATCH_MAX_SIZE: usize = 1_073_741_824;

const _: () = assert!(FT_LOCAL_BATCH_MAX_SIZE == crate::batch::MAX_SIZE);

/// Runs a source to fill a buffer of results, in one thread at a time, and hands each result to
/// exactly one of the threads that load, in the order in which the source made them. (When a fill
/// fails, its first result comes after those that other threads have taken meanwhile.)
///
/// After a fork, the child drops the results that the parent had in the buffer, which the parent
/// hands out, and asks the source for new ones.
pub struct ft_local_batch(Marked<Batch<HostTable, ForeignSource>>);

impl Handle for ft_local_batch {
    type Inner = Batch<HostTable, ForeignSource>;
    const MARK: usize = 0x6c62_7463;
    const NULL: &'static CStr = c"batch is NULL, or no address of a handle";
    const WRONG: &'static CStr = c"batch is not an ft_local_batch, or was freed";

    fn marked(&self) -> &Marked<Self::Inner> {
        &self.0
    }
}

/// Makes a batch that asks `source` for up to `size` results whenever it has none.
///
/// Ownership: `host` and `source` are copied; `*out` is new: free it with `ft_local_batch_free`.
/// Threads: any thread, at once.
/// Blocks: no.
/// Calls host: no.
/// Errors: FT_LOCAL_ERR_ARGUMENT, also if `size` is 0 or above FT_LOCAL_BATCH_MAX_SIZE;
/// FT_LOCAL_ERR_NO_MEMORY. `*out` is then NULL.
/// Since: 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ft_local_batch_new(
    host: *const ft_local_host,
    source: *const ft_local_source,
    size: usize,
    out: *mut *mut ft_local_batch,
) -> ft_local_status {
    let made = enter(|| {
        // SAFETY: the caller's promise.
        let (out, host, source) =
            unsafe { (cleared(out)?, table(host)?, ForeignSource::new(source)?) };
        Ok((out, Batch::new(host, source, size)))
    });
    let (out, batch) = match made {
        Ok((out, Ok(batch))) => (out, batch),
        Ok((_, Err(error))) => return error.into(),
        Err(status) => return status,
    };
    match ft_local_batch(Marked::new(ft_local_batch::MARK, batch)).give_out() {
        Ok(handle) => {
            *out = handle;
            code::FT_LOCAL_OK.into()
        }
        Err(no_memory) => no_memory.into(),
    }
}

/// Takes the next result. If there is none, runs the source, or waits for the thread that runs it.
///
/// Ownership: `*out` is new: it holds the reference that the source made, and you owe its release.
/// Threads: any thread, at once.
/// Blocks: while another thread runs the source and nothing is ready, through the host's `block`.
/// Calls host: the source, block, interrupted; nothing if a result is ready.
/// Errors: a positive code is the source's own, FT_LOCAL_ERR_SOURCE stands for its other failures
/// and FT_LOCAL_ERR_NOTHING_PRODUCED for its having nothing: these go only to the caller that ran
/// the source, and what it had produced before is kept. FT_LOCAL_ERR_REENTRANT if the source
/// loads from its own batch; FT_LOCAL_ERR_DEADLOCK if two sources load from each other's batch in
/// two threads; FT_LOCAL_ERR_INTERRUPTED if the host wants it; FT_LOCAL_ERR_ARGUMENT;
/// FT_LOCAL_ERR_PANIC. `*out` is then NULL, and after all but the last the batch works on.
/// Since: 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ft_local_batch_load(
    batch: *const ft_local_batch,
    out: *mut *mut c_void,
) -> ft_local_status {
    // SAFETY: the caller's promise.
    let (out, batch) = match enter(|| unsafe { Ok((cleared(out)?, borrow(batch)?)) }) {
        Ok(checked) => checked,
        Err(status) => return status,
    };
    match batch.load() {
        Ok(object) => {
            *out = object.into_raw();
            code::FT_LOCAL_OK.into()
        }
        Err(error) => error.into(),
    }
}

/// How many results are ready; a moment later there may be others.
///
/// Ownership: nothing changes hands.
/// Threads: any thread, at once.
/// Blocks: no.
/// Calls host: no.
/// Errors: 0 if `batch` is not a batch; `ft_local_last_error` then says so.
/// Since: 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ft_local_batch_len(batch: *const ft_local_batch) -> usize {
    // SAFETY: the caller's promise.
    enter(|| unsafe { borrow(batch) }.map(Batch::len)).unwrap_or(0)
}

/// How many results one fill makes at most, as the batch was made.
///
/// Ownership: nothing changes hands.
/// Threads: any thread, at once.
/// Blocks: no.
/// Calls host: no.
/// Errors: 0 if `batch` is not a batch; `ft_local_last_error` then says so.
/// Since: 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ft_local_batch_size(batch: *const ft_local_batch) -> usize {
    // SAFETY: the caller's promise.
    enter(|| unsafe { borrow(batch) }.map(Batch::size)).unwrap_or(0)
}

/// Shows each result in the buffer to `visitor`, for a garbage collector that wants to know what
/// is referred to. Results that the source is just handing over are not shown.
///
/// Ownership: each object is borrowed during the call of `visitor`.
/// Threads: when nobody else uses the handle, because the world is stopped for instance.
/// Blocks: no, and takes no lock.
/// Calls host: `visitor`, once for each result.
/// Errors: what `visitor` returns if that is not 0, which also ends the visit;
/// FT_LOCAL_ERR_ARGUMENT.
/// Since: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ft_local_batch_visit(
    batch: *const ft_local_batch,
    visitor: ft_local_visitor,
    arg: *mut c_void,
) -> i32 {
    // SAFETY: the caller's promise.
    let checked = enter(|| Ok((unsafe { borrow(batch) }?, visitor.ok_or(NO_VISITOR)?)));
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
/// Threads: any thread, at once.
/// Blocks: no.
/// Calls host: release, once for each result.
/// Errors: FT_LOCAL_ERR_ARGUMENT, FT_LOCAL_ERR_PANIC.
/// Since: 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ft_local_batch_clear(
    batch: *const ft_local_batch,
) -> ft_local_status {
    // SAFETY: the caller's promise.
    match enter(|| unsafe { borrow(batch) }) {
        Ok(batch) => {
            batch.clear();
            code::FT_LOCAL_OK.into()
        }
        Err(status) => status,
    }
}

/// Frees a batch and releases the results in its buffer. NULL is nothing to free.
///
/// Ownership: `batch` is moved: no longer yours.
/// Threads: when nobody else uses the handle.
/// Blocks: no.
/// Calls host: release, once for each result in the buffer.
/// Errors: none that are told. What is not a batch, or was freed, is left alone.
/// Since: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ft_local_batch_free(batch: *mut ft_local_batch) {
    // SAFETY: the caller's promise.
    let taken = enter(|| unsafe { take_back(batch) });
    // Out of the border: this calls the host.
    drop(taken);
}
