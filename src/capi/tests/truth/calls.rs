//! A call of each export, with good arguments.

use super::super::*;
use super::watch::{VISITOR, note};
use super::world::{SIZE, World, wake};
use crate::cursor::*;
use std::mem::replace;

/// Long enough to wait, and short where nothing comes.
const A_MOMENT: i64 = 1_000_000;

unsafe extern "C-unwind" fn look(_object: *mut c_void, _arg: *mut c_void) -> i32 {
    note(VISITOR);
    0
}

/// A name, and the call.
type Call = (&'static str, fn(&mut World));

macro_rules! calls {
    ($($name:ident: |$world:ident| $call:expr;)*) => {
        &[$((stringify!($name), |$world: &mut World| {
            // SAFETY: the world's handles live until a call frees one, and sets it to NULL.
            #[allow(unused_unsafe)]
            let _ = unsafe { $call };
        })),*]
    };
}

pub(super) const CALLS: &[Call] = calls! {
    ft_local_version: |_w| ft_local_version();
    ft_local_version_number: |_w| ft_local_version_number();
    ft_local_abi_version: |_w| ft_local_abi_version();
    ft_local_status_text: |_w| ft_local_status_text(0);
    ft_local_last_error: |_w| ft_local_last_error();
    ft_local_host_init: |w| ft_local_host_init(&raw mut w.host, size_of::<ft_local_host>());
    ft_local_source_init: |w| ft_local_source_init(&raw mut w.source, size_of::<ft_local_source>());
    ft_local_batch_options_init: |_w| {
        let mut options = std::mem::zeroed::<ft_local_batch_options>();
        ft_local_batch_options_init(&raw mut options, size_of::<ft_local_batch_options>())
    };
    ft_local_stats_init: |_w| {
        let mut stats = std::mem::zeroed::<ft_local_stats>();
        ft_local_stats_init(&raw mut stats, size_of::<ft_local_stats>())
    };
    ft_local_wrapper_new: |w| {
        let object = std::ptr::without_provenance_mut(8);
        ft_local_wrapper_new(&raw const w.host, object, &raw mut w.made.2)
    };
    ft_local_wrapper_get: |w| ft_local_wrapper_get(w.wrapper);
    ft_local_wrapper_visit: |w| ft_local_wrapper_visit(w.wrapper, Some(look), null_mut());
    ft_local_wrapper_free: |w| ft_local_wrapper_free(replace(&mut w.wrapper, null_mut()));
    ft_local_batch_new: |w| {
        ft_local_batch_new(&raw const w.host, &raw const w.source, SIZE, &raw mut w.made.0)
    };
    ft_local_batch_new_with: |w| {
        let (host, source) = (&raw const w.host, &raw const w.source);
        ft_local_batch_new_with(host, source, SIZE, null(), &raw mut w.made.0)
    };
    ft_local_batch_len: |w| ft_local_batch_len(w.batch);
    ft_local_batch_size: |w| ft_local_batch_size(w.batch);
    ft_local_batch_visit: |w| ft_local_batch_visit(w.batch, Some(look), null_mut());
    ft_local_batch_clear: |w| ft_local_batch_clear(w.batch);
    ft_local_batch_close: |w| ft_local_batch_close(w.batch);
    ft_local_batch_is_closed: |w| ft_local_batch_is_closed(w.batch);
    ft_local_batch_free: |w| {
        // The cursor's reference would keep the batch.
        ft_local_cursor_free(replace(&mut w.cursor, null_mut()));
        ft_local_batch_free(replace(&mut w.batch, null_mut()))
    };
    ft_local_batch_load: |w| ft_local_batch_load(w.batch, &mut null_mut());
    ft_local_batch_load_for: |w| ft_local_batch_load_for(w.batch, A_MOMENT, &mut null_mut());
    ft_local_batch_load_with: |w| {
        ft_local_batch_load_with(w.batch, null_mut(), A_MOMENT, &mut null_mut())
    };
    ft_local_batch_try_load: |w| ft_local_batch_try_load(w.batch, &mut null_mut());
    ft_local_batch_load_many: |w| {
        let (mut objects, mut count) = ([null_mut(); 3], 0);
        ft_local_batch_load_many(w.batch, 3, A_MOMENT, objects.as_mut_ptr(), &raw mut count)
    };
    ft_local_batch_give_back: |w| {
        let object: *mut c_void = std::ptr::without_provenance_mut(8);
        ft_local_batch_give_back(w.batch, &raw const object, 1)
    };
    ft_local_batch_load_now: |w| ft_local_batch_load_now(w.batch, &mut null_mut());
    ft_local_batch_notify: |w| ft_local_batch_notify(w.batch, Some(wake), null_mut(), &mut 0);
    // The oldest ticket, which was called if there ever was one.
    ft_local_batch_forget: |w| ft_local_batch_forget(w.batch, 1);
    ft_local_batch_abandon: |w| {
        // No fiber has this number; a child adopts the batch.
        let _ = ft_local_batch_abandon(w.batch, 1);
        ft_local_batch_abandon(w.batch, w.let_a_fiber_die())
    };
    ft_local_batch_interrupt: |w| ft_local_batch_interrupt(w.batch);
    ft_local_cursor_next_now: |w| ft_local_cursor_next_now(w.cursor, &mut null_mut());
    ft_local_batch_prefill: |w| ft_local_batch_prefill(w.batch, SIZE, 1, A_MOMENT, &mut 0);
    ft_local_batch_stats: |w| {
        let mut stats = std::mem::zeroed::<ft_local_stats>();
        stats.struct_size = size_of::<ft_local_stats>();
        ft_local_batch_stats(w.batch, &raw mut stats)
    };
    ft_local_cursor_new: |w| ft_local_cursor_new(w.batch, &raw mut w.made.1);
    ft_local_cursor_next: |w| ft_local_cursor_next(w.cursor, &mut null_mut());
    ft_local_cursor_next_for: |w| ft_local_cursor_next_for(w.cursor, A_MOMENT, &mut null_mut());
    ft_local_cursor_next_with: |w| {
        ft_local_cursor_next_with(w.cursor, null_mut(), A_MOMENT, &mut null_mut())
    };
    ft_local_cursor_len: |w| ft_local_cursor_len(w.cursor);
    ft_local_cursor_visit: |w| ft_local_cursor_visit(w.cursor, Some(look), null_mut());
    ft_local_cursor_free: |w| {
        if !w.is_shared() {
            // Then the cursor's reference is the last.
            ft_local_batch_free(replace(&mut w.batch, null_mut()));
        }
        ft_local_cursor_free(replace(&mut w.cursor, null_mut()))
    };
};
