//! What only the inside can show: that every export is guarded, and what its messages say.

mod border;
mod facts;
mod truth;

use crate::argument::{Versioned, init, read};
use crate::batch::*;
use crate::host::*;
use crate::load::*;
use crate::notify::*;
use crate::options::*;
use crate::source::*;
use crate::stats::*;
use crate::status::*;
use crate::version::*;
use crate::wrapper::*;
use std::ffi::{CStr, c_char, c_void};
use std::ptr::{null, null_mut};

unsafe extern "C-unwind" fn fill(
    _ctx: *mut c_void,
    out: *mut *mut c_void,
    _capacity: usize,
    produced: *mut usize,
) -> i32 {
    // SAFETY: the library gives room for at least one.
    unsafe {
        *out = std::ptr::without_provenance_mut(7);
        *produced = 1;
    }
    0
}

unsafe extern "C-unwind" fn same(object: *mut c_void) -> *mut c_void {
    object
}

unsafe extern "C-unwind" fn look(_object: *mut c_void, _arg: *mut c_void) -> i32 {
    0
}

unsafe extern "C-unwind" fn wake(_arg: *mut c_void) {}

fn values() -> ft_local_host {
    // SAFETY: all zero is a host of plain values, but for the size.
    let mut host: ft_local_host = unsafe { std::mem::zeroed() };
    host.struct_size = size_of::<ft_local_host>();
    host
}

fn source() -> ft_local_source {
    ft_local_source {
        struct_size: size_of::<ft_local_source>(),
        ctx: null_mut(),
        fill: Some(fill),
        next_plain: None,
        ended_plain: None,
        ended_ctx: null_mut(),
        fill_with: None,
        free_ctx: None,
    }
}

fn text(text: *const c_char) -> String {
    // SAFETY: the library's texts end and stay.
    unsafe { CStr::from_ptr(text) }.to_str().unwrap().to_owned()
}

/// Why an argument was refused.
fn why<T>(refused: Result<T, Failure>) -> &'static CStr {
    assert_eq!(refused.err(), Some(ft_local_status_code::FT_LOCAL_ERR_ARGUMENT.into()));
    // SAFETY: the library's texts end and stay.
    unsafe { CStr::from_ptr(ft_local_last_error()) }
}

#[test]
fn a_refused_argument_is_named() {
    // SAFETY: NULL is an argument error.
    unsafe {
        assert_eq!(ft_local_batch_load(null(), &mut null_mut()), -1);
        assert_eq!(text(ft_local_last_error()), "batch is NULL, or no address of a handle");
        assert_eq!(ft_local_batch_len(null()), 0);
        let mut host = values();
        host.retain_plain = Some(same);
        assert_eq!(ft_local_wrapper_new(&raw const host, null_mut(), &mut null_mut()), -1);
        assert_eq!(
            text(ft_local_last_error()),
            "host can retain but not release; set release or release_plain"
        );
    }
}

#[test]
fn every_status_has_a_text_of_its_own() {
    let texts: Vec<_> = (-16..=1).map(|status| text(ft_local_status_text(status))).collect();
    for (index, one) in texts.iter().enumerate() {
        assert!(!texts[..index].contains(one), "{one}");
    }
    assert_eq!(text(ft_local_status_text(99)), text(ft_local_status_text(1)));
    assert_eq!(texts[0], "not a status of this version of ft_local");
}

#[test]
fn the_version_is_cargos() {
    assert_eq!(text(ft_local_version()), env!("CARGO_PKG_VERSION"));
    let parts: Vec<u32> =
        env!("CARGO_PKG_VERSION").split('.').map(|part| part.parse().unwrap()).collect();
    assert_eq!(ft_local_version_number(), parts[0] * 1_000_000 + parts[1] * 1_000 + parts[2]);
}

/// A struct of a later version: two more fields.
#[repr(C)]
#[derive(Clone, Copy)]
struct Later {
    known: ft_local_source,
    news: [usize; 2],
}

#[test]
fn a_later_struct_is_read_if_its_new_fields_are_unset() {
    let mut later = Later { known: source(), news: [0; 2] };
    later.known.struct_size = size_of::<Later>();
    // SAFETY: as long as it says.
    unsafe {
        let given = (&raw const later).cast::<ft_local_source>();
        assert!(read(given).is_ok());
        later.news[1] = 1;
        let given = (&raw const later).cast::<ft_local_source>();
        assert_eq!(why(read(given)), ft_local_source::UNKNOWN);
    }
}

#[test]
fn an_earlier_struct_is_read_with_its_missing_tail_as_zero() {
    let mut host = values();
    host.struct_size = ft_local_host::FIRST_SIZE;
    // Beyond the size: not to be looked at.
    host.interrupted = Some(look_ctx);
    // SAFETY: longer than it says.
    let copy = unsafe { read(&raw const host) }
        .unwrap_or_else(|_| panic!("{}", text(ft_local_last_error())));
    assert!(copy.interrupted.is_none());
    assert_eq!(copy.struct_size, ft_local_host::FIRST_SIZE);
}

#[test]
fn the_first_size_of_each_struct_is_what_programs_were_compiled_with() {
    let word = size_of::<usize>();
    assert_eq!(ft_local_host::FIRST_SIZE, 4 * word);
    assert_eq!(ft_local_source::FIRST_SIZE, 3 * word);
    assert_eq!(ft_local_batch_options::FIRST_SIZE, 3 * word + 8);
    assert_eq!(ft_local_stats::FIRST_SIZE, align_of::<u64>() + 12 * 8);
}

unsafe extern "C-unwind" fn look_ctx(_ctx: *mut c_void) -> i32 {
    0
}

#[test]
fn impossible_struct_sizes_are_refused() {
    let mut host = values();
    for size in
        [0, 8, ft_local_host::FIRST_SIZE - 8, ft_local_host::FIRST_SIZE + 1, 4104, usize::MAX]
    {
        host.struct_size = size;
        // SAFETY: refused before more than the size is read or written.
        unsafe {
            assert_eq!(why(read(&raw const host)), ft_local_host::SIZE, "{size}");
            assert!(init(&raw mut host, size).is_err(), "{size}");
        }
    }
}
