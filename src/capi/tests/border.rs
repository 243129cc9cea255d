//! Every exported function meets a panic, and must turn it into its error value.

use super::facts::facts;
use super::*;
use crate::cursor::*;
use ft_local::test_hooks as drill;

/// An export, and the call of it that is to meet a panic.
type Drill<'a> = (&'static str, &'a dyn Fn(&str));

const PANIC: ft_local_status = ft_local_status_code::FT_LOCAL_ERR_PANIC as ft_local_status;

/// Makes the library panic in `call`, which must turn that into its error value.
fn survives<R: PartialEq + std::fmt::Debug>(name: &str, expected: R, call: impl FnOnce() -> R) {
    drill::arm();
    assert_eq!(call(), expected, "{name}");
    assert!(!drill::is_armed(), "{name} has no border");
}

struct Handles {
    host: ft_local_host,
    source: ft_local_source,
    batch: *mut ft_local_batch,
    cursor: *mut ft_local_cursor,
    wrapper: *mut ft_local_wrapper,
}

impl Handles {
    fn new() -> Self {
        let (host, source) = (values(), source());
        let (mut batch, mut cursor, mut wrapper) = (null_mut(), null_mut(), null_mut());
        // SAFETY: all arguments are good.
        let statuses = unsafe {
            [
                ft_local_batch_new(&raw const host, &raw const source, 4, &raw mut batch),
                ft_local_cursor_new(batch, &raw mut cursor),
                ft_local_wrapper_new(&raw const host, null_mut(), &raw mut wrapper),
            ]
        };
        assert_eq!(statuses, [0; 3]);
        Self { host, source, batch, cursor, wrapper }
    }
}

#[test]
fn every_export_stops_a_panic() {
    let Handles { host, source, batch, cursor, wrapper } = Handles::new();
    let (host, source) = (&raw const host, &raw const source);
    let (mut object, mut number) = (null_mut::<c_void>(), 0_usize);
    let (object, number) = (&raw mut object, &raw mut number);
    let (out, count) = (|| object, || number);
    // SAFETY: all arguments are good; handles are used while they live. Nothing is freed by the
    // calls below: the panic comes before the handle is taken back.
    let exports: [Drill; 43] = unsafe {
        [
            ("ft_local_version", &|n| survives(n, 0, || text(ft_local_version()).len())),
            ("ft_local_version_number", &|n| survives(n, 0, || ft_local_version_number())),
            ("ft_local_abi_version", &|n| survives(n, 0, || ft_local_abi_version())),
            ("ft_local_status_text", &|n| survives(n, 0, || text(ft_local_status_text(0)).len())),
            ("ft_local_last_error", &|n| survives(n, 0, || text(ft_local_last_error()).len())),
            ("ft_local_host_init", &|n| survives(n, PANIC, || ft_local_host_init(null_mut(), 0))),
            ("ft_local_source_init", &|n| {
                survives(n, PANIC, || ft_local_source_init(null_mut(), 0))
            }),
            ("ft_local_batch_options_init", &|n| {
                survives(n, PANIC, || ft_local_batch_options_init(null_mut(), 0))
            }),
            ("ft_local_stats_init", &|n| survives(n, PANIC, || ft_local_stats_init(null_mut(), 0))),
            ("ft_local_wrapper_new", &|n| {
                survives(n, PANIC, || ft_local_wrapper_new(host, null_mut(), &mut null_mut()))
            }),
            ("ft_local_wrapper_get", &|n| {
                survives(n, null_mut(), || ft_local_wrapper_get(wrapper))
            }),
            ("ft_local_wrapper_visit", &|n| {
                survives(n, PANIC, || ft_local_wrapper_visit(wrapper, Some(look), null_mut()))
            }),
            ("ft_local_wrapper_free", &|n| survives(n, (), || ft_local_wrapper_free(wrapper))),
            ("ft_local_batch_new", &|n| {
                survives(n, PANIC, || ft_local_batch_new(host, source, 4, &mut null_mut()))
            }),
            ("ft_local_batch_new_with", &|n| {
                survives(n, PANIC, || {
                    ft_local_batch_new_with(host, source, 4, null(), &mut null_mut())
                })
            }),
            ("ft_local_batch_load", &|n| survives(n, PANIC, || ft_local_batch_load(batch, out()))),
            ("ft_local_batch_load_now", &|n| {
                survives(n, PANIC, || ft_local_batch_load_now(batch, out()))
            }),
            ("ft_local_batch_notify", &|n| {
                survives(n, PANIC, || ft_local_batch_notify(batch, Some(wake), null_mut(), &mut 0))
            }),
            ("ft_local_batch_interrupt", &|n| {
                survives(n, PANIC, || ft_local_batch_interrupt(batch))
            }),
            ("ft_local_batch_forget", &|n| survives(n, 0, || ft_local_batch_forget(batch, 1))),
            ("ft_local_batch_abandon", &|n| survives(n, 0, || ft_local_batch_abandon(batch, 1))),
            ("ft_local_cursor_next_now", &|n| {
                survives(n, PANIC, || ft_local_cursor_next_now(cursor, out()))
            }),
            ("ft_local_batch_load_for", &|n| {
                survives(n, PANIC, || ft_local_batch_load_for(batch, 0, out()))
            }),
            ("ft_local_batch_load_with", &|n| {
                survives(n, PANIC, || ft_local_batch_load_with(batch, null_mut(), 0, out()))
            }),
            ("ft_local_cursor_next_with", &|n| {
                survives(n, PANIC, || ft_local_cursor_next_with(cursor, null_mut(), 0, out()))
            }),
            ("ft_local_batch_try_load", &|n| {
                survives(n, PANIC, || ft_local_batch_try_load(batch, out()))
            }),
            ("ft_local_batch_load_many", &|n| {
                survives(n, PANIC, || ft_local_batch_load_many(batch, 1, 0, out(), count()))
            }),
            ("ft_local_batch_give_back", &|n| {
                survives(n, PANIC, || ft_local_batch_give_back(batch, out(), 1))
            }),
            ("ft_local_batch_prefill", &|n| {
                survives(n, PANIC, || ft_local_batch_prefill(batch, 1, 1, 0, count()))
            }),
            ("ft_local_batch_len", &|n| survives(n, 0, || ft_local_batch_len(batch))),
            ("ft_local_batch_size", &|n| survives(n, 0, || ft_local_batch_size(batch))),
            ("ft_local_batch_stats", &|n| {
                survives(n, PANIC, || ft_local_batch_stats(batch, null_mut()))
            }),
            ("ft_local_batch_visit", &|n| {
                survives(n, PANIC, || ft_local_batch_visit(batch, Some(look), null_mut()))
            }),
            ("ft_local_batch_clear", &|n| survives(n, PANIC, || ft_local_batch_clear(batch))),
            ("ft_local_batch_close", &|n| survives(n, PANIC, || ft_local_batch_close(batch))),
            ("ft_local_batch_is_closed", &|n| survives(n, 0, || ft_local_batch_is_closed(batch))),
            ("ft_local_batch_free", &|n| survives(n, (), || ft_local_batch_free(batch))),
            ("ft_local_cursor_new", &|n| {
                survives(n, PANIC, || ft_local_cursor_new(batch, &mut null_mut()))
            }),
            ("ft_local_cursor_next", &|n| {
                survives(n, PANIC, || ft_local_cursor_next(cursor, out()))
            }),
            ("ft_local_cursor_next_for", &|n| {
                survives(n, PANIC, || ft_local_cursor_next_for(cursor, 0, out()))
            }),
            ("ft_local_cursor_len", &|n| survives(n, 0, || ft_local_cursor_len(cursor))),
            ("ft_local_cursor_visit", &|n| {
                survives(n, PANIC, || ft_local_cursor_visit(cursor, Some(look), null_mut()))
            }),
            ("ft_local_cursor_free", &|n| survives(n, (), || ft_local_cursor_free(cursor))),
        ]
    };
    let mut tested: Vec<_> = exports.iter().map(|(name, _)| *name).collect();
    tested.sort_unstable();
    let exported: Vec<_> = facts().iter().map(|fact| fact.name).collect();
    assert_eq!(tested, exported, "an export is not tested here");
    for (name, test) in exports {
        test(name);
    }
    // SAFETY: freed once, and used no more.
    unsafe {
        ft_local_cursor_free(cursor);
        ft_local_wrapper_free(wrapper);
        ft_local_batch_free(batch);
    }
}
