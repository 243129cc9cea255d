//! The states in which a function may find a batch and its cursor.

use super::super::*;
use super::world::{SIZE, World, wake};
use crate::cursor::*;
use ft_local::test_hooks as drill;
use std::sync::atomic::Ordering;

pub(super) struct State {
    pub(super) name: &'static str,
    pub(super) options: fn() -> ft_local_batch_options,
    pub(super) prepare: fn(&mut World),
    /// Whether the call is made in the child of a fork.
    pub(super) is_child: bool,
    /// Whether another thread is using the batch.
    pub(super) is_shared: bool,
    pub(super) has_no_memory: bool,
}

/// How many threads may run the source in the states of several fillers.
const FILLERS: usize = 3;

const PLAIN: State = State {
    name: "fresh",
    options: defaults,
    prepare: |_| {},
    is_child: false,
    is_shared: false,
    has_no_memory: false,
};

pub(super) const STATES: &[State] = &[
    PLAIN,
    State { name: "results are ready", prepare: ready, ..PLAIN },
    State { name: "a cursor has results in hand", prepare: in_hand, ..PLAIN },
    State { name: "full", prepare: full, ..PLAIN },
    State { name: "few are left, with a low-water mark", options: low, prepare: ready, ..PLAIN },
    State { name: "results came back", prepare: given_back, ..PLAIN },
    State { name: "the source fails", prepare: failing, ..PLAIN },
    State { name: "the source failed after a result", prepare: failed, ..PLAIN },
    State { name: "ended, with results", prepare: ended, ..PLAIN },
    State { name: "ended", prepare: ended_and_empty, ..PLAIN },
    State { name: "closed", prepare: closed, ..PLAIN },
    State { name: "panicked", prepare: panicked, ..PLAIN },
    State { name: "another thread fills", prepare: filling, is_shared: true, ..PLAIN },
    State { name: "three may fill", options: several, ..PLAIN },
    State {
        name: "one of three fills",
        options: several,
        prepare: filling,
        is_shared: true,
        ..PLAIN
    },
    State {
        name: "all three fill",
        options: several,
        prepare: all_filling,
        is_shared: true,
        ..PLAIN
    },
    State { name: "waiters are registered", prepare: registered, ..PLAIN },
    State { name: "waiters are registered, and results in hand", prepare: in_hand_too, ..PLAIN },
    State { name: "no memory", prepare: ready, has_no_memory: true, ..PLAIN },
    State { name: "a child", prepare: in_hand, is_child: true, ..PLAIN },
    State { name: "a child, results came back", prepare: given_back, is_child: true, ..PLAIN },
    State { name: "a child, closed", prepare: closed, is_child: true, ..PLAIN },
    State { name: "a child, ended", prepare: ended, is_child: true, ..PLAIN },
    State { name: "results that are wiped", options: wiping, prepare: ready, ..PLAIN },
    State { name: "a child that keeps", options: keep, prepare: in_hand, is_child: true, ..PLAIN },
    State {
        name: "a child that may not",
        options: forbid,
        prepare: in_hand,
        is_child: true,
        ..PLAIN
    },
    State { name: "a child, the filler stayed behind", prepare: filling, is_child: true, ..PLAIN },
    State {
        name: "a child, three fillers stayed behind",
        options: several,
        prepare: all_filling,
        is_child: true,
        ..PLAIN
    },
];

fn defaults() -> ft_local_batch_options {
    ft_local_batch_options {
        struct_size: size_of::<ft_local_batch_options>(),
        fill_budget: 0,
        low_water: 0,
        on_fork: FT_LOCAL_FORK_DISCARD,
        reserved: 0,
        wipe: 0,
        reserved_after_wipe: 0,
        fillers: 0,
    }
}

fn wiping() -> ft_local_batch_options {
    ft_local_batch_options { wipe: 1, ..defaults() }
}

fn low() -> ft_local_batch_options {
    ft_local_batch_options { low_water: SIZE - 1, ..defaults() }
}

fn several() -> ft_local_batch_options {
    ft_local_batch_options { fillers: FILLERS, ..defaults() }
}

fn keep() -> ft_local_batch_options {
    ft_local_batch_options { on_fork: FT_LOCAL_FORK_KEEP, ..defaults() }
}

fn forbid() -> ft_local_batch_options {
    ft_local_batch_options { on_fork: FT_LOCAL_FORK_ERROR, ..defaults() }
}

fn ready(world: &mut World) {
    world.load();
}

fn in_hand(world: &mut World) {
    world.load();
    // SAFETY: the cursor lives.
    unsafe {
        assert_eq!(ft_local_cursor_next(world.cursor, &mut null_mut()), 0);
        assert!(ft_local_cursor_len(world.cursor) > 0 && ft_local_batch_len(world.batch) > 0);
    }
}

fn full(world: &mut World) {
    let mut made = 0;
    // SAFETY: the batch lives.
    unsafe {
        assert_eq!(ft_local_batch_prefill(world.batch, SIZE, SIZE, 0, &raw mut made), 0);
    }
    assert_eq!(made, SIZE);
}

fn given_back(world: &mut World) {
    in_hand(world);
    for _ in 0..2 {
        let objects = [world.load()];
        // SAFETY: loaded from this batch.
        let status = unsafe { ft_local_batch_give_back(world.batch, objects.as_ptr(), 1) };
        assert_eq!(status, 0);
    }
}

fn failing(world: &mut World) {
    world.script.fails_at.store(0, Ordering::Relaxed);
}

fn failed(world: &mut World) {
    world.script.fails_at.store(1, Ordering::Relaxed);
    // SAFETY: the batch lives.
    unsafe {
        assert!(ft_local_batch_load(world.batch, &mut null_mut()) != 0);
        assert_eq!(ft_local_batch_len(world.batch), 1);
    }
}

fn ended(world: &mut World) {
    world.script.limit.store(6, Ordering::Relaxed);
    in_hand(world);
}

fn ended_and_empty(world: &mut World) {
    world.script.limit.store(2, Ordering::Relaxed);
    world.load();
    world.load();
    // SAFETY: the batch lives.
    assert!(unsafe { ft_local_batch_load(world.batch, &mut null_mut()) } < 0);
}

fn closed(world: &mut World) {
    in_hand(world);
    // SAFETY: the batch lives.
    assert_eq!(unsafe { ft_local_batch_close(world.batch) }, 0);
}

fn panicked(world: &mut World) {
    in_hand(world);
    // SAFETY: the batch lives.
    let batch = unsafe { crate::batch::batch_at(world.batch) }.ok().unwrap();
    drill::arm();
    assert!(batch.try_load().is_err());
    assert!(!drill::is_armed());
}

/// More waiters than a fill has wake-ups for. No result is left.
fn registered(world: &mut World) {
    world.let_others_fill(1);
    for _ in 0..3 * SIZE {
        // SAFETY: the batch lives.
        let status = unsafe { ft_local_batch_notify(world.batch, Some(wake), null_mut(), &mut 0) };
        assert_eq!(status, 0);
    }
    world.let_the_others_end();
    // SAFETY: as above.
    while unsafe { ft_local_batch_try_load(world.batch, &mut null_mut()) } == 0 {}
}

fn in_hand_too(world: &mut World) {
    in_hand(world);
    // SAFETY: the batch lives.
    while unsafe { ft_local_batch_try_load(world.batch, &mut null_mut()) } == 0 {}
    registered(world);
}

fn filling(world: &mut World) {
    world.let_others_fill(1);
}

fn all_filling(world: &mut World) {
    world.let_others_fill(FILLERS);
}
