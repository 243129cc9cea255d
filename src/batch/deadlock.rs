//! Detects cycles of fills that wait for each other, so that they get an error and not a deadlock.
//!
//! While a thread runs the source of one batch and waits for another, all threads that wait for the
//! first batch wait too. If the filler of the other batch waits, through any chain, for a batch
//! that this thread fills, none of them can continue; if a batch has several fillers, all of them
//! must wait so. Such waits are rare, so they can share one
//! lock, which is held only to read or change the list. The thread that closes a cycle finds it.

use super::role::{FillRole, NO_FIBER, Runner};
use crate::panic::{Panicked, border};
use crate::process::generation;
use crate::sync::{Global, global, per_thread};
use std::cell::Cell;
use std::ptr;
use std::time::Duration;

/// How often a thread that fills and waits repeats the check. A cycle that it belongs to may close
/// without it, if a third thread takes the result that its filler was about to get.
pub(crate) const PERIOD: Duration = Duration::from_millis(50);

/// What a thread can wait for.
pub(crate) trait Awaited {
    /// Calls `each` with the threads that fill.
    fn each_filler(&self, each: &mut dyn FnMut(Runner));

    /// Whether a waiting thread can stop waiting.
    fn is_ready(&self) -> bool;
}

/// Waiting would close a cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cycle;

/// A thread that fills and waits. This node is on that thread's stack.
struct Wait {
    runner: Runner,
    awaited: *const dyn Awaited,
    next: Cell<*const Wait>,
    /// Only of use while a thread looks for a circle.
    search: Cell<Search>,
}

/// What a search for a circle has found out about a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Search {
    Unseen,
    /// The thread is a filler of a batch on the way, and what it waits for was not looked at.
    Found,
    Done,
}

/// All threads that fill and wait.
struct Waits {
    first: *const Wait,
}

// SAFETY: the list is used only under its lock, and what it points to leaves it before it goes.
unsafe impl Send for Waits {}

impl Waits {
    const fn new() -> Self {
        Self { first: ptr::null() }
    }

    fn iter(&self) -> impl Iterator<Item = &Wait> {
        // SAFETY: what is in the list lives.
        let at = |wait: *const Wait| unsafe { wait.as_ref() };
        std::iter::successors(at(self.first), move |wait| at(wait.next.get()))
    }

    /// Whether `awaited` would never be ready: each thread that fills it waits, itself or through
    /// others, for `runner`.
    fn lead_to(&self, runner: Runner, awaited: &dyn Awaited) -> bool {
        self.iter().for_each(|wait| wait.search.set(Search::Unseen));
        let mut comes_back = match self.find_fillers(runner, awaited) {
            Some(found) => found,
            None => return false,
        };
        while let Some(wait) = self.iter().find(|wait| wait.search.get() == Search::Found) {
            wait.search.set(Search::Done);
            // SAFETY: what somebody in the list waits for lives.
            let awaited = unsafe { &*wait.awaited };
            if awaited.is_ready() {
                // It is about to go on.
                return false;
            }
            match self.find_fillers(runner, awaited) {
                Some(found) => comes_back |= found,
                None => return false,
            }
        }
        // Otherwise this is a circle of others, one of which finds it.
        comes_back
    }

    /// Marks the waits of the threads that fill `awaited`. Returns whether `runner` is one of them,
    /// and `None` if one of them waits for nothing and will go on.
    fn find_fillers(&self, runner: Runner, awaited: &dyn Awaited) -> Option<bool> {
        let (mut is_one, mut goes_on, mut some) = (false, false, false);
        awaited.each_filler(&mut |filler| {
            some = true;
            if filler.is_stopped_with(runner) {
                is_one = true;
            } else if let Some(wait) = self.iter().find(|wait| wait.runner.is_stopped_with(filler))
            {
                if wait.search.get() == Search::Unseen {
                    wait.search.set(Search::Found);
                }
            } else {
                goes_on = true;
            }
        });
        (some && !goes_on).then_some(is_one)
    }

    fn add(&mut self, wait: &Wait) {
        wait.next.set(self.first);
        self.first = wait;
    }

    fn remove(&mut self, wait: &Wait) {
        if ptr::eq(self.first, wait) {
            self.first = wait.next.get();
        } else if let Some(before) = self.iter().find(|before| ptr::eq(before.next.get(), wait)) {
            before.next.set(wait.next.get());
        }
    }
}

global! {
    WAITS: Global<Waits> = Global::new(Waits::new())
}

fn with_waits<R>(f: impl FnOnce(&mut Waits) -> R) -> R {
    // In a child, the lock is renewed first.
    generation();
    WAITS.with(f)
}

/// For the child of a fork.
///
/// # Safety
/// No thread of this process may be using the list.
pub(crate) unsafe fn renew() {
    // SAFETY: the caller's promise.
    unsafe { WAITS.renew(Waits::new()) }
}

per_thread! {
    FILLS: Cell<isize> = Cell::new(0)
}

/// Changes the number of fills that this thread is in the middle of, and returns it. Not inlined: a
/// fiber may call it in two threads from one function, which must not remember where the first of them
/// has the number.
#[inline(never)]
pub(crate) fn count_fills(change: isize) -> isize {
    FILLS.with(|fills| {
        fills.set(fills.get() + change);
        fills.get()
    })
}

/// Gives up the role at the end of a fill.
pub(crate) fn end_fill(role: &FillRole) {
    // A fiber may end its fill in another thread than it began in. The number of that thread then
    // stays too high, which only makes it look for cycles when it waits.
    let began_here = role.began_in_this_thread();
    role.give_up();
    if began_here {
        count_fills(-1);
    }
}

/// Whether the calling thread is filling a batch.
pub(crate) fn this_thread_fills() -> bool {
    count_fills(0) > 0
}

/// Waits by `wait`, which may call the host, unless that would deadlock. `fiber` is the caller's.
pub(crate) fn wait_for<R>(
    awaited: &dyn Awaited,
    fiber: u64,
    wait: impl FnOnce() -> R,
) -> Result<Result<R, Cycle>, Panicked> {
    // A fiber may have begun to fill in another thread.
    if fiber == NO_FIBER && !this_thread_fills() {
        return Ok(Ok(wait()));
    }
    // SAFETY: only the lifetime is left out; `leave` takes the pointer back before it ends.
    let awaited: *const dyn Awaited =
        unsafe { std::mem::transmute::<&dyn Awaited, *const dyn Awaited>(awaited) };
    let node = Wait {
        runner: Runner::current(fiber),
        awaited,
        next: Cell::new(ptr::null()),
        search: Cell::new(Search::Unseen),
    };
    let entered = border(|| {
        with_waits(|waits| {
            // SAFETY: the caller's reference lives.
            if waits.lead_to(node.runner, unsafe { &*awaited }) {
                return Err(Cycle);
            }
            waits.add(&node);
            Ok(())
        })
    })?;
    if entered.is_err() {
        return Ok(Err(Cycle));
    }
    let leave = Leave(&node);
    let result = wait();
    drop(leave);
    Ok(Ok(result))
}

/// Removes a thread from the list, also when the host ends the thread by unwinding.
struct Leave<'a>(&'a Wait);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        let _ = border(|| with_waits(|waits| waits.remove(self.0)));
    }
}
