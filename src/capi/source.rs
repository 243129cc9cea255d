//! The host's source of results, as C writes it.

use crate::argument::{init, versioned};
use crate::call::status_of;
use crate::host_table::HostTable;
use crate::status::{Failure, bad_argument, ft_local_status, ft_local_status_code as code};
use ft_local::{Filled, Filler, Made, Slots, Source, Word};
use std::ffi::{CStr, c_void};

/// Where the results of a batch come from: `fill`, `next_plain` for one at a time, or `fill_with`.
///
/// One thread at a time calls it, not always the same one, or as many as `fillers` in
/// `ft_local_batch_options` says. It may use other batches. If it loads
/// from the batch that it fills, it gets what is ready, or FT_LOCAL_ERR_REENTRANT. It must return: no
/// C++ exception, no longjmp.
///
/// Start from `FT_LOCAL_SOURCE_INIT` or `ft_local_source_init`. The library copies the struct.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ft_local_source {
    /// `sizeof(ft_local_source)`.
    pub struct_size: usize,
    /// Passed to the source. It must stay valid until the batch and its last cursor are freed, which
    /// `free_ctx` says.
    pub ctx: *mut c_void,
    /// Makes 1 to `capacity` objects, writes them to `out`, stores their number in `*produced` and
    /// returns 0. The slots of `out` are NULL and `*produced` is 0 before the call. Each object
    /// comes with one reference, which moves to the library.
    ///
    /// To fail, it returns a positive code, which `ft_local_batch_load` returns in the thread that
    /// ran the source. Objects counted in `*produced` are kept.
    ///
    /// To end, it returns FT_LOCAL_ERR_END. It is not called again; counted objects are kept.
    pub fill: Option<
        unsafe extern "C-unwind" fn(
            ctx: *mut c_void,
            out: *mut *mut c_void,
            capacity: usize,
            produced: *mut usize,
        ) -> i32,
    >,
    /// Instead of `fill`: makes one object and returns it with one reference, which moves to the
    /// library. NULL is a failure, which `ft_local_batch_load` returns as FT_LOCAL_ERR_SOURCE. For
    /// functions that the runtime already has, such as PyObject_CallNoArgs.
    pub next_plain: Option<unsafe extern "C-unwind" fn(ctx: *mut c_void) -> *mut c_void>,
    /// Called after `next_plain` has returned NULL, in the same thread: nonzero if the source has
    /// ended, 0 if it has failed. Without this function, NULL is a failure.
    pub ended_plain: Option<unsafe extern "C-unwind" fn(ended_ctx: *mut c_void) -> i32>,
    /// Passed to `ended_plain`.
    pub ended_ctx: *mut c_void,
    /// Instead of `fill`: the same, with the `arg` of the `ft_local_batch_load_with` or
    /// `ft_local_cursor_next_with` that runs the source. NULL if another function runs it. For
    /// sources that travel with the call: `arg` is that of the thread that runs the source, and the
    /// objects may go to other threads.
    pub fill_with: Option<
        unsafe extern "C-unwind" fn(
            ctx: *mut c_void,
            arg: *mut c_void,
            out: *mut *mut c_void,
            capacity: usize,
            produced: *mut usize,
        ) -> i32,
    >,
    /// Called once with `ctx`, when the batch and its last cursor are freed: the end of `ctx`. The
    /// last results are released before. It is called by the thread that frees the last of them,
    /// inside the runtime, and may use other handles. In the child of a fork it is called again,
    /// with the child's copy, if the child frees them too. If making the batch fails, it is not
    /// called, and `ctx` stays the caller's.
    pub free_ctx: Option<unsafe extern "C-unwind" fn(ctx: *mut c_void)>,
}

// `repr(C)`, the size first, then pointers and functions.
versioned!(ft_local_source as "source", "FT_LOCAL_SOURCE_INIT", first size 3 * size_of::<usize>());

/// A source that was checked. Each filler has a copy.
#[derive(Clone, Copy)]
pub(crate) struct ForeignSource {
    ctx: *mut c_void,
    function: Function,
}

/// What a load has for a source, which is called in the same thread.
pub(crate) struct Argument(pub(crate) *mut c_void);

type FillFunction =
    unsafe extern "C-unwind" fn(*mut c_void, *mut *mut c_void, usize, *mut usize) -> i32;

type FillWithFunction = unsafe extern "C-unwind" fn(
    *mut c_void,
    *mut c_void,
    *mut *mut c_void,
    usize,
    *mut usize,
) -> i32;

#[derive(Clone, Copy)]
enum Function {
    Fill(FillFunction),
    FillWith(FillWithFunction),
    Next(NextFunction, Option<Ended>),
}

type NextFunction = unsafe extern "C-unwind" fn(*mut c_void) -> *mut c_void;

/// How to learn that a NULL was the end, and what to ask with.
type Ended = (unsafe extern "C-unwind" fn(*mut c_void) -> i32, *mut c_void);

// SAFETY: the host's promise: any thread may call the function with `ctx`, as many at a time as
// there are fillers.
unsafe impl Send for ForeignSource {}

const NO_FUNCTION: &CStr = c"source has none of fill, next_plain and fill_with; set one";
const NOT_ASKED: &CStr =
    c"source has ended_plain, which is asked after next_plain; let fill return FT_LOCAL_ERR_END";
const TWO_FUNCTIONS: &CStr = c"source has more than one of fill, next_plain and fill_with; set one";

impl ForeignSource {
    pub(crate) fn new(source: ft_local_source) -> Result<Self, Failure> {
        // Each field by its name: none that is added later is forgotten here.
        let ft_local_source {
            struct_size: _,
            ctx,
            fill,
            next_plain,
            ended_plain,
            ended_ctx,
            fill_with,
            free_ctx: _,
        } = source;
        if ended_plain.is_some() && next_plain.is_none() {
            return Err(bad_argument(NOT_ASKED));
        }
        let function = match (fill, next_plain, fill_with) {
            (Some(fill), None, None) => Function::Fill(fill),
            (None, Some(next), None) => {
                Function::Next(next, ended_plain.map(|ended| (ended, ended_ctx)))
            }
            (None, None, Some(fill)) => Function::FillWith(fill),
            (None, None, None) => return Err(bad_argument(NO_FUNCTION)),
            _ => return Err(bad_argument(TWO_FUNCTIONS)),
        };
        Ok(Self { ctx, function })
    }
}

impl Source<HostTable> for ForeignSource {
    type Error = Failure;

    fn run(&mut self, filler: impl Filler<HostTable, Failure>) -> Filled {
        match self.function {
            Function::Fill(fill) => filler.many(|host, slots| {
                // SAFETY: the host's promise, which `new` has passed on.
                unsafe {
                    fill_slots(host, slots, |out, capacity, produced| {
                        fill(self.ctx, out, capacity, produced)
                    })
                }
            }),
            Function::FillWith(fill) => filler.many_with(|host, slots, argument| {
                let argument = argument.and_then(|it| it.downcast_ref::<Argument>());
                let argument = argument.map_or(std::ptr::null_mut(), |it| it.0);
                // SAFETY: as above.
                unsafe {
                    fill_slots(host, slots, |out, capacity, produced| {
                        fill(self.ctx, argument, out, capacity, produced)
                    })
                }
            }),
            Function::Next(next, ended) => {
                // A copy, which the compiler knows that no call changes.
                let ctx = self.ctx;
                // SAFETY: as above.
                filler.one_by_one(|_| unsafe { make_one(next, ctx, ended) })
            }
        }
    }
}

/// # Safety
/// The functions must be as the comment of `ft_local_source` says.
#[inline]
unsafe fn make_one(
    next: NextFunction,
    ctx: *mut c_void,
    ended: Option<Ended>,
) -> Result<Option<Made<HostTable>>, Failure> {
    let object = next(ctx);
    if !object.is_null() {
        // The host has just made the object, with a reference that moves here.
        return Ok(Some(Made::from_word(object.expose_provenance())));
    }
    if has_ended(ended) { Ok(None) } else { Err(code::FT_LOCAL_ERR_SOURCE.into()) }
}

/// # Safety
/// As for [`make_one`].
#[cold]
#[inline(never)]
unsafe fn has_ended(ended: Option<Ended>) -> bool {
    ended.is_some_and(|(ended, ctx)| ended(ctx) != 0)
}

/// Lets the source write to the slots.
///
/// # Safety
/// `fill` must do what the comment of `ft_local_source` says.
#[inline]
unsafe fn fill_slots(
    host: &HostTable,
    slots: &mut Slots<'_, HostTable>,
    fill: impl FnOnce(*mut *mut c_void, usize, *mut usize) -> i32,
) -> Result<(), Failure> {
    let out = slots.unfilled();
    let mut produced = 0;
    // `out` has as many slots as `capacity` says.
    let result = fill(out.as_mut_ptr().cast(), out.len(), &raw mut produced);
    let counted = produced.min(out.len());
    let kept = keep_good(&mut out[..counted], host.holds_plain_values());
    let uncounted = &mut out[counted..];
    if result != 0 || uncounted.first().is_some_and(|&word| word != 0) {
        // What the source wrote and did not count is still its own; the slots are to be NULL when it
        // is called again.
        uncounted.fill(0);
    }
    // The host has counted them, and none is NULL.
    slots.advance(kept);
    const END: i32 = code::FT_LOCAL_ERR_END as i32;
    match result {
        0 if kept == produced => Ok(()),
        END if kept == produced => {
            slots.end();
            Ok(())
        }
        1.. => Err(Failure(result)),
        _ => Err(code::FT_LOCAL_ERR_SOURCE.into()),
    }
}

/// Moves the objects among the counted slots to the front, and returns how many there are.
fn keep_good(counted: &mut [Word], null_is_good: bool) -> usize {
    if null_is_good || !counted.contains(&0) {
        return counted.len();
    }
    let mut kept = 0;
    for index in 0..counted.len() {
        let word = std::mem::take(&mut counted[index]);
        if word != 0 {
            counted[kept] = word;
            kept += 1;
        }
    }
    kept
}

/// Does what `FT_LOCAL_SOURCE_INIT` does, for languages without macros.
///
/// Ownership: `source` stays the caller's.
/// Errors: FT_LOCAL_ERR_ARGUMENT if `source` is NULL, or `struct_size` is not the size of an
/// `ft_local_source` in any version of the header.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ft_local_source_init(
    source: *mut ft_local_source,
    struct_size: usize,
) -> ft_local_status {
    status_of(|| init(source, struct_size))
}
