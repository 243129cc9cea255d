//! The host's table of functions, as C writes it.

use crate::argument::{init, read, versioned};
use crate::call::status_of;
use crate::host_table::{Block, HostTable, Interrupt, Retain};
use crate::object::Release;
use crate::status::{Failure, bad_argument, ft_local_status};
use std::ffi::{CStr, c_void};

/// A function that waits, which the library passes to the host's `block`. It returns normally.
pub type ft_local_wait = unsafe extern "C" fn(arg: *mut c_void);

/// What the library must know of the runtime that owns the objects.
///
/// Start from `FT_LOCAL_HOST_INIT` or `ft_local_host_init` and set what your runtime needs; fields
/// left NULL are not used. The library copies the struct. It calls the functions from any thread
/// that uses a handle made with them. It holds no lock while it does, so they may call the library.
/// They must return: no C++ exception, no longjmp.
///
/// If a function comes with and without `ctx`, set one of the two. The form without `ctx` is for
/// functions that the runtime already has, such as Py_NewRef or g_object_unref.
///
/// Without functions to retain and release, objects are plain values of pointer size, and NULL is a
/// value too.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ft_local_host {
    /// `sizeof(ft_local_host)`.
    pub struct_size: usize,
    /// Passed to the functions that take it. The library does not look at it. It must stay valid
    /// until each batch made with it is freed, with its last cursor, which `free_ctx` says, and each
    /// wrapper.
    pub ctx: *mut c_void,
    /// Takes a reference to `object` and returns the handle that stands for it, which may be
    /// `object` itself. NULL if it cannot.
    pub retain:
        Option<unsafe extern "C-unwind" fn(ctx: *mut c_void, object: *mut c_void) -> *mut c_void>,
    /// Gives up the reference that `handle` stands for.
    pub release: Option<unsafe extern "C-unwind" fn(ctx: *mut c_void, handle: *mut c_void)>,
    /// `retain` without `ctx`.
    pub retain_plain: Option<unsafe extern "C-unwind" fn(object: *mut c_void) -> *mut c_void>,
    /// `release` without `ctx`.
    pub release_plain: Option<unsafe extern "C-unwind" fn(handle: *mut c_void)>,
    /// Calls `wait(arg)` once, outside the runtime: with an interpreter's lock given up, or
    /// whatever else a thread of the runtime does before it blocks. Called only to wait. It may
    /// return without the call if the thread is interrupted; FT_LOCAL_ERR_INTERRUPTED then says so.
    pub block: Option<
        unsafe extern "C-unwind" fn(ctx: *mut c_void, wait: ft_local_wait, arg: *mut c_void),
    >,
    /// `block` in two halves, for runtimes that already have them, such as PyEval_SaveThread:
    /// leaves the runtime, before a wait. What it returns goes to `attach`.
    pub detach: Option<unsafe extern "C-unwind" fn() -> *mut c_void>,
    /// Comes back to the runtime, after a wait.
    pub attach: Option<unsafe extern "C-unwind" fn(token: *mut c_void)>,
    /// Whether the calling thread must stop what it does, because of a signal for example: 0 if
    /// not. Asked about every 50 ms while a thread waits, and now and then while it fills, always
    /// inside the runtime.
    pub interrupted: Option<unsafe extern "C-unwind" fn(ctx: *mut c_void) -> i32>,
    /// `interrupted` without `ctx`.
    pub interrupted_plain: Option<unsafe extern "C-unwind" fn() -> i32>,
    /// Whether the calling thread can be interrupted at all: 0 if not. A thread that cannot be
    /// sleeps until it is woken, instead of looking up every 50 ms to be asked `interrupted`. Asked
    /// inside the runtime before each wait. If NULL, every thread can be.
    pub interruptible: Option<unsafe extern "C-unwind" fn(ctx: *mut c_void) -> i32>,
    /// `interruptible` without `ctx`.
    pub interruptible_plain: Option<unsafe extern "C-unwind" fn() -> i32>,
    /// Called with `ctx` once for each batch that was made with it, when the batch and its last
    /// cursor are freed, after the source's `free_ctx`: see there. A wrapper does not call it: its
    /// last use of `ctx` is its `release`.
    pub free_ctx: Option<unsafe extern "C-unwind" fn(ctx: *mut c_void)>,
    /// 1 if one thread of the runtime runs at a time, because of a lock that `block`, or `detach` and
    /// `attach`, give up and take again, such as CPython's; 0 if not. Waiting threads are then woken
    /// for many results of a quick source at once, and a thread that has made results leaves the
    /// runtime for a moment, as to wait, so that others get some.
    pub one_lock: usize,
    /// Which fiber, greenlet or virtual thread the calling thread runs: a number that no other of them
    /// has while it lives, neither 0 nor UINT64_MAX; 0 for the thread itself. Asked inside the
    /// runtime, before the thread runs the source or waits. With it, `ft_local_batch_load_now` tells a
    /// fiber that shares the thread of the one that runs the source, and gets
    /// FT_LOCAL_ERR_WOULD_WAIT, from a source that loads from its own batch. A function that waits
    /// still returns FT_LOCAL_ERR_REENTRANT there, since the wait would stop the source; if the batch
    /// has several `fillers`, only if all of them are fibers of this thread. A fiber may go on in
    /// another thread while it runs the source, but must not fork there.
    pub fiber: Option<unsafe extern "C-unwind" fn(ctx: *mut c_void) -> u64>,
    /// 1 if a thread that waits for a quick source had better wait until the fill ends than take each
    /// result as soon as it is made; 0 if not. It waits for some 300 microseconds at most. For runtimes
    /// whose threads count references to the same objects, such as CPython without its GIL: the thread
    /// that uses a result and the source would slow each other down. It changes nothing if `one_lock`
    /// is 1.
    pub whole_fills: usize,
}

// `repr(C)`, the size first, then pointers, functions and a number.
versioned!(ft_local_host as "host", "FT_LOCAL_HOST_INIT", first size 4 * size_of::<usize>());

const TWO_RETAINS: &CStr = c"host has both retain and retain_plain; set one";
const TWO_RELEASES: &CStr = c"host has both release and release_plain; set one";
const TWO_BLOCKS: &CStr = c"host has both block and detach or attach; set one way to wait";
const HALF_BLOCK: &CStr = c"host has one of detach and attach; set both or none";
const TWO_INTERRUPTS: &CStr = c"host has both interrupted and interrupted_plain; set one";
const TWO_INTERRUPTIBLES: &CStr = c"host has both interruptible and interruptible_plain; set one";
const NO_INTERRUPT: &CStr = c"host has interruptible and no way to ask what it is for; set interrupted or interrupted_plain";
const ONE_LOCK: &CStr = c"host->one_lock must be 0 or 1";
const WHOLE_FILLS: &CStr = c"host->whole_fills must be 0 or 1";
const NO_RELEASE: &CStr = c"host can retain but not release; set release or release_plain";

/// The core's form of the table.
///
/// # Safety
/// `given` must be NULL or point to a struct as its comment describes it.
#[inline(always)]
pub(crate) unsafe fn table(given: *const ft_local_host) -> Result<HostTable, Failure> {
    table_of(read(given)?)
}

/// The core's form of a table that was read.
#[inline(always)]
pub(crate) fn table_of(host: ft_local_host) -> Result<HostTable, Failure> {
    // Each field by its name: none that is added later is forgotten here.
    let ft_local_host {
        struct_size: _,
        ctx,
        retain,
        release,
        retain_plain,
        release_plain,
        block,
        detach,
        attach,
        interrupted,
        interrupted_plain,
        interruptible,
        interruptible_plain,
        // A batch calls it, and a wrapper does not.
        free_ctx: _,
        one_lock,
        fiber,
        whole_fills,
    } = host;
    let retain = match (retain, retain_plain) {
        (None, None) => Retain::None,
        (Some(retain), None) => Retain::WithCtx(retain, ctx),
        (None, Some(retain)) => Retain::Plain(retain),
        (Some(_), Some(_)) => return Err(bad_argument(TWO_RETAINS)),
    };
    let release = match (release, release_plain) {
        (None, None) if matches!(retain, Retain::None) => Release::None,
        (None, None) => return Err(bad_argument(NO_RELEASE)),
        (Some(release), None) => Release::WithCtx(release, ctx),
        (None, Some(release)) => Release::Plain(release),
        (Some(_), Some(_)) => return Err(bad_argument(TWO_RELEASES)),
    };
    let block = match (block, detach, attach) {
        (None, None, None) => Block::Plainly,
        (Some(block), None, None) => Block::Through(block, ctx),
        (None, Some(detach), Some(attach)) => Block::DetachAttach(detach, attach),
        (None, _, _) => return Err(bad_argument(HALF_BLOCK)),
        (Some(_), _, _) => return Err(bad_argument(TWO_BLOCKS)),
    };
    let interrupt = match (interrupted, interrupted_plain) {
        (None, None) => Interrupt::None,
        (Some(asked), None) => Interrupt::WithCtx(asked, ctx),
        (None, Some(asked)) => Interrupt::Plain(asked),
        (Some(_), Some(_)) => return Err(bad_argument(TWO_INTERRUPTS)),
    };
    let interruptible = match (interruptible, interruptible_plain) {
        (None, None) => Interrupt::None,
        (Some(_), Some(_)) => return Err(bad_argument(TWO_INTERRUPTIBLES)),
        _ if matches!(interrupt, Interrupt::None) => return Err(bad_argument(NO_INTERRUPT)),
        (Some(asked), None) => Interrupt::WithCtx(asked, ctx),
        (None, Some(asked)) => Interrupt::Plain(asked),
    };
    Ok(HostTable {
        retain,
        release,
        block,
        interrupt,
        interruptible,
        one_lock: yes_or_no(one_lock, ONE_LOCK)?,
        whole_fills: yes_or_no(whole_fills, WHOLE_FILLS)?,
        fiber: fiber.map(|asked| (asked, ctx)),
    })
}

#[inline(always)]
fn yes_or_no(given: usize, otherwise: &'static CStr) -> Result<bool, Failure> {
    match given {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(bad_argument(otherwise)),
    }
}

/// Does what `FT_LOCAL_HOST_INIT` does, for languages without macros.
///
/// Ownership: `host` stays the caller's.
/// Errors: FT_LOCAL_ERR_ARGUMENT if `host` is NULL, or `struct_size` is not the size of an
/// `ft_local_host` in any version of the header.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ft_local_host_init(
    host: *mut ft_local_host,
    struct_size: usize,
) -> ft_local_status {
    status_of(|| init(host, struct_size))
}
