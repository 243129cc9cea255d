//! A thread's own handle on a batch.

use crate::argument::{check_address, cleared};
use crate::batch::{add_reference, batch_at, drop_reference, ft_local_batch};
use crate::call::{Outcome, ask, call, enter, status_of};
use crate::host_table::HostTable;
use crate::load::{deadline, timeout};
use crate::source::{Argument, ForeignSource};
use crate::status::{Failure, bad_argument, ft_local_status, ft_local_status_code as code};
use crate::wrapper::{check_visitor, ft_local_visitor};
use ft_local::raw::{CursorNode as Node, keeps_freed};
use ft_local::{Cursor, LoadError, Word};
use std::ffi::{CStr, c_void};
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::atomic::Ordering;

/// Claims several results of a batch at once, how many depends on how many are left and how many
/// cursors there are, and hands them out without touching memory that other threads write. Make one
/// for each thread.
///
/// When a cursor is freed, the results in hand go back to the batch and are handed out before newer
/// ones. In the child of a fork, results in hand belong to the parent, unless the batch was made
/// with FT_LOCAL_FORK_KEEP.
///
/// A child that handlers of `pthread_atfork` do not see, made by `_Fork` or a bare `clone`, must
/// call some function of a batch, or `ft_local_cursor_len`, before it takes the next result of a
/// cursor or starts a thread. While there are results in hand, `next` looks at nothing else, so it
/// would hand out the parent's.
pub struct ft_local_cursor(());

/// The first two words of a cursor, which never change: the results in hand are `next` to `end - 1`.
#[repr(C)]
pub struct ft_local_cursor_frame {
    /// The next result, if this is not `end`.
    pub next: *mut *mut c_void,
    /// The end of the results in hand.
    pub end: *mut *mut c_void,
}

const _: () = assert!(
    Node::FRAME.0 == 0 && Node::FRAME.1 == size_of::<usize>(),
    "a cursor begins with its frame"
);

const MARK: usize = 0x6c63_7572;
const WRONG: &CStr = c"cursor is not an ft_local_cursor, or was freed";
const IN_USE: &CStr = c"cursor is in use by another thread; make one for each";

type CCursor = Cursor<'static, HostTable, ForeignSource>;

/// What a caller has passed as a cursor.
///
/// # Safety
/// `cursor` must be NULL, or a handle of this library that is not freed during `'a`.
#[inline]
unsafe fn node_at<'a>(cursor: *const ft_local_cursor) -> Result<&'a Node, Failure> {
    let node = cursor.cast::<Node>();
    check_address(node, c"cursor is NULL, or no address of a handle")?;
    // Every handle is at least as long as the part that is read.
    let node = &*node;
    // Other handles begin with their mark, and where a cursor has its own they may have nothing.
    if !node.looks_like_cursor() || node.tag.load(Ordering::Relaxed) != MARK {
        return Err(bad_argument(WRONG));
    }
    Ok(node)
}

/// The cursor that has this memory. The handle's reference keeps the batch alive.
///
/// # Safety
/// The node must be that of a cursor which lives.
#[inline]
unsafe fn cursor_of(node: &Node) -> ManuallyDrop<CCursor> {
    ManuallyDrop::new(CCursor::from_node(NonNull::from(node)))
}

/// Makes a cursor of a batch.
///
/// Ownership: `*out` is new: free it with `ft_local_cursor_free`. It keeps the batch alive, so that
/// the two may be freed in either order.
/// Blocks: briefly.
/// Errors: FT_LOCAL_ERR_ARGUMENT, FT_LOCAL_ERR_NO_MEMORY. `*out` is then NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ft_local_cursor_new(
    batch: *const ft_local_batch,
    out: *mut *mut ft_local_cursor,
) -> ft_local_status {
    status_of(|| {
        let (out, core) = (cleared(out)?, batch_at(batch)?);
        let node = core.cursor()?.into_node();
        node.as_ref().tag.store(MARK, Ordering::Relaxed);
        node.as_ref().data.set(batch.cast());
        add_reference(batch);
        *out = node.as_ptr().cast();
        Ok(())
    })
}

/// Takes the next result: one in hand, or else as `ft_local_batch_load` does.
/// `ft_local_cursor_next_inline` does the same without a call if there is one in hand.
///
/// Ownership: `*out` is new: the caller must release it.
/// Threads: any thread, one at a time.
/// Blocks: yes, as `ft_local_batch_load`; not if there is a result in hand.
/// Calls host: source, block, interrupted, release, wake: none of them if a result is in hand; else
/// as `ft_local_batch_load`.
/// Errors: as for `ft_local_batch_load`. `*out` is then NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ft_local_cursor_next(
    cursor: *mut ft_local_cursor,
    out: *mut *mut c_void,
) -> ft_local_status {
    next_by(cursor, out, |cursor| cursor.next_word(None))
}

/// Takes a result in hand, or else what `next` gets.
#[inline(always)]
unsafe fn next_by(
    cursor: *mut ft_local_cursor,
    out: *mut *mut c_void,
    next: impl FnOnce(&mut CCursor) -> Result<Word, LoadError<Failure>>,
) -> ft_local_status {
    call(
        || Ok((cleared(out)?, node_at(cursor)?)),
        |(out, node)| match node.pop() {
            Some(word) => {
                *out = std::ptr::with_exposed_provenance_mut(word);
                code::FT_LOCAL_OK as ft_local_status
            }
            None => claim(node, next, out),
        },
    )
}

/// Apart, and called last, so that a `next` which has a result in hand needs no stack.
///
/// # Safety
/// As for [`cursor_of`].
#[cold]
#[inline(never)]
unsafe fn claim(
    node: &Node,
    next: impl FnOnce(&mut CCursor) -> Result<Word, LoadError<Failure>>,
    out: &mut *mut c_void,
) -> ft_local_status {
    let Some(_inside) = node.enter() else {
        return bad_argument(IN_USE).status();
    };
    let claimed = next(&mut cursor_of(node));
    claimed.map(|word| *out = std::ptr::with_exposed_provenance_mut(word)).status()
}

/// Takes the next result as `ft_local_cursor_next` does, but waits for other threads for at most
/// `timeout_ns` nanoseconds.
///
/// Ownership: `*out` is new: the caller must release it.
/// Threads: any thread, one at a time.
/// Blocks: yes, as `ft_local_cursor_next`, for at most `timeout_ns` nanoseconds; without limit if
/// that is negative.
/// Calls host: source, block, interrupted, release, wake: as `ft_local_cursor_next`.
/// Errors: as for `ft_local_batch_load_for`. `*out` is then NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ft_local_cursor_next_for(
    cursor: *mut ft_local_cursor,
    timeout_ns: i64,
    out: *mut *mut c_void,
) -> ft_local_status {
    next_by(cursor, out, |cursor| cursor.next_word(deadline(timeout_ns)))
}

/// Takes the next result as `ft_local_cursor_next` does, but does not wait for another thread that
/// runs the source: see `ft_local_batch_load_now`.
///
/// Ownership: `*out` is new: the caller must release it.
/// Threads: any thread, one at a time.
/// Blocks: briefly.
/// Calls host: source, interrupted, release, wake: none of them if a result is in hand; else as
/// `ft_local_batch_load_now`.
/// Errors: as for `ft_local_batch_load_now`. `*out` is then NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ft_local_cursor_next_now(
    cursor: *mut ft_local_cursor,
    out: *mut *mut c_void,
) -> ft_local_status {
    next_by(cursor, out, CCursor::next_word_now)
}

/// Takes the next result as `ft_local_cursor_next_for` does, and if it runs the source, passes `arg`
/// to its `fill_with`: see `ft_local_batch_load_with`.
///
/// Ownership: `*out` is new: the caller must release it.
/// Threads: any thread, one at a time.
/// Blocks: yes, as `ft_local_batch_load_with`; not if there is a result in hand.
/// Calls host: source, block, interrupted, release, wake: as `ft_local_cursor_next`.
/// Errors: as for `ft_local_batch_load_with`. `*out` is then NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ft_local_cursor_next_with(
    cursor: *mut ft_local_cursor,
    arg: *mut c_void,
    timeout_ns: i64,
    out: *mut *mut c_void,
) -> ft_local_status {
    next_by(cursor, out, |cursor| cursor.next_word_with(&Argument(arg), timeout(timeout_ns)))
}

/// How many results a cursor has in hand.
///
/// Threads: any thread, one at a time.
/// Errors: 0 if `cursor` is not a cursor; `ft_local_last_error` then says so.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ft_local_cursor_len(cursor: *const ft_local_cursor) -> usize {
    ask(0, || node_at(cursor).map(|node| cursor_of(node).len()))
}

/// Calls `visitor` with each result that a cursor has in hand, for garbage collectors.
///
/// Ownership: each object is borrowed during the call of `visitor`.
/// Threads: when nobody else uses the handle, for example because all threads are stopped.
/// Calls host: visitor: once for each result.
/// Errors: the first nonzero result of `visitor`, which ends the visit; FT_LOCAL_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ft_local_cursor_visit(
    cursor: *const ft_local_cursor,
    visitor: ft_local_visitor,
    arg: *mut c_void,
) -> i32 {
    call(
        || Ok((node_at(cursor)?, check_visitor(visitor)?)),
        |(node, visitor)| {
            let mut result = 0;
            node.visit(&mut |word| {
                result = visitor(std::ptr::with_exposed_provenance_mut(word), arg);
                result == 0
            });
            result
        },
    )
}

/// Frees a cursor and gives the results in hand back to the batch. NULL is ignored.
///
/// Ownership: `cursor` is moved.
/// Threads: when nobody else uses the handle.
/// Blocks: briefly.
/// Calls host: release, wake, free_ctx: `release` for results in hand if the batch was closed or
/// they belong to the parent of a fork, and for all that is left if the batch was freed before;
/// `wake` for registered waiters; `free_ctx` if the batch was freed before, and this is its last
/// cursor.
/// Errors: not reported. What is not a cursor, or was freed, is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ft_local_cursor_free(cursor: *mut ft_local_cursor) {
    if cursor.is_null() {
        return;
    }
    let freed = enter(|| {
        let node = node_at(cursor)?;
        let _inside = node.enter().ok_or_else(|| bad_argument(IN_USE))?;
        if keeps_freed() && node.tag.swap(0, Ordering::Relaxed) != MARK {
            // Another thread frees it, against the rules.
            return Err(bad_argument(WRONG));
        }
        node.tag.store(0, Ordering::Relaxed);
        Ok(node)
    });
    if let Ok(node) = freed {
        // Out of the border: this calls the host, which may unwind.
        let _batch = BatchReference(node.data.get().cast_mut().cast());
        drop(CCursor::from_node(NonNull::from(node)));
    }
}

/// The reference with which a cursor keeps its batch alive.
struct BatchReference(*mut ft_local_batch);

impl Drop for BatchReference {
    fn drop(&mut self) {
        // SAFETY: made for the cursor that is freed, whose reference ends here.
        unsafe { drop_reference(self.0) };
    }
}
