//! Waiting in the host's own way: loads that do not wait, and calls when to try again.

use crate::argument::check_address;
use crate::batch::{CBatch, batch_at, ft_local_batch};
use crate::call::{call, enter, status_of};
use crate::load::load_by;
use crate::status::{Failure, bad_argument, ft_local_status};
use ft_local::Ticket;
use ft_local::raw::RawWake;
use std::ffi::c_void;

/// A function that tells a waiter to try again. The library calls it once, with the `arg` of
/// `ft_local_batch_notify`, in any thread that uses the batch, and inside that thread's runtime. It
/// holds no lock meanwhile. The function must not block: it makes an event loop or a scheduler run
/// the waiter, and returns. It must return: no C++ exception, no longjmp.
pub type ft_local_wake = Option<unsafe extern "C-unwind" fn(arg: *mut c_void)>;

/// Takes the next result as `ft_local_batch_load` does, and runs the source if no thread does, but
/// does not wait for another thread that runs it. For threads that must not block: event loops,
/// fibers, virtual threads.
///
/// Ownership: `*out` is new: the caller must release it.
/// Blocks: briefly.
/// Calls host: source, interrupted, release, wake: none of them if a result is ready; else as
/// `ft_local_batch_load`.
/// Errors: FT_LOCAL_ERR_WOULD_WAIT if another thread runs the source and no result is ready:
/// `ft_local_batch_notify` says when to try again. Otherwise as for `ft_local_batch_load`. `*out` is
/// then NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ft_local_batch_load_now(
    batch: *const ft_local_batch,
    out: *mut *mut c_void,
) -> ft_local_status {
    load_by(batch, out, CBatch::load_slow_now)
}

/// Registers a waiter: `wake(arg)` is called once, when there is a result, when no thread runs the
/// source any more, or when there will be no more results, because the source has ended or the batch
/// was closed or freed. That may be in this call, and before `*ticket` is set.
///
/// The waiter then loads again, by `ft_local_batch_load_now` or `ft_local_cursor_next_now`, and if
/// it would wait, registers again. One result wakes one waiter, be it a thread or a registration, and
/// the oldest registration comes first.
///
/// In the child of a fork, no registration of the parent is called.
///
/// Ownership: `arg` is the library's until it passes it to `wake`, or `ft_local_batch_forget`
/// returns 1. `*ticket` is a number. It needs no freeing.
/// Blocks: briefly.
/// Calls host: wake, release: `wake` if there is something to load already; `release` for results
/// that belong to the parent of a fork.
/// Errors: FT_LOCAL_ERR_ARGUMENT, FT_LOCAL_ERR_NO_MEMORY, FT_LOCAL_ERR_FORKED, FT_LOCAL_ERR_PANIC.
/// `wake` is then not called, and `*ticket` is 0, which is no ticket.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ft_local_batch_notify(
    batch: *const ft_local_batch,
    wake: ft_local_wake,
    arg: *mut c_void,
    ticket: *mut u64,
) -> ft_local_status {
    call(
        || {
            check_address(ticket, c"ticket is NULL, or no address of a uint64_t")?;
            *ticket = 0;
            let function = wake.ok_or_else(|| bad_argument(c"wake is NULL"))?;
            Ok((batch_at(batch)?, RawWake { function, arg }))
        },
        |(batch, wake)| -> Result<(), Failure> {
            *ticket = batch.notify_raw(wake)?.number();
            Ok(())
        },
    )
}

/// Makes every thread that sleeps in a load of this batch, or in `ft_local_batch_prefill`, ask the
/// host's `interrupted` now. Without this call it asks within 50 ms. For a runtime that interrupts its
/// threads from outside: Ruby's unblock function, `Thread.interrupt` of Java. Let `interrupted` be true
/// first. A thread that is just about to sleep may still ask 50 ms later.
///
/// Errors: FT_LOCAL_ERR_ARGUMENT.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ft_local_batch_interrupt(batch: *const ft_local_batch) -> ft_local_status {
    status_of(|| batch_at(batch).map(CBatch::interrupt))
}

/// Ends the registration of a waiter that will not load: 1 if `wake` was not called and never will
/// be. 0 if it was called, or is being called in another thread; what it was called for then goes to
/// the next waiter. So a waiter that was called and has loaded need not, and should not, call this.
///
/// In the child of a fork, it is 0 for a ticket of the parent, since a thread of the parent may have
/// been calling `wake`.
///
/// Ownership: after 1, `arg` is the caller's again.
/// Blocks: briefly.
/// Calls host: wake, release: `wake` for the next waiter; `release` for results that belong to the
/// parent of a fork.
/// Errors: 0 if `batch` is not a batch; `ft_local_last_error` then says so.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ft_local_batch_forget(
    batch: *const ft_local_batch,
    ticket: u64,
) -> i32 {
    // Out of the border: this calls the host.
    enter(|| batch_at(batch))
        .map_or(0, |batch| i32::from(batch.forget(Ticket::from_number(ticket))))
}

/// Gives up the right to run the source, for a fiber that was ended in the middle of the source and
/// will never run again: 1 if it had it, 0 if not. `fiber` is what the host's `fiber` returned in it.
/// What the fiber had made is kept, and the next load runs the source. Objects that the source had
/// written and not yet returned are still the source's. Call it before the memory of the fiber's stack
/// is given back, and in one thread. The fiber must not have died in a wait of the library.
///
/// Blocks: briefly.
/// Calls host: release, wake: `release` if the batch was closed, and for results that belong to the
/// parent of a fork; `wake` for registered waiters.
/// Errors: 0 if `batch` is not a batch; `ft_local_last_error` then says so.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ft_local_batch_abandon(
    batch: *const ft_local_batch,
    fiber: u64,
) -> i32 {
    // Out of the border: this calls the host.
    enter(|| batch_at(batch)).map_or(0, |batch| i32::from(batch.abandon(fiber).unwrap_or(false)))
}
