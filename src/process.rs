//! Which process this is, and which of its threads are alive.
//!
//! `fork` copies the memory of a process and one of its threads, the one that calls it. In the
//! child all others are gone in the middle of whatever they did, and whatever the parent has made
//! for later is there twice. So each process has a generation, one more than its parent's, and a
//! thread is named together with the generation in which it took its name.
//!
//! *What the copy looks like.* The kernel copies page by page while other threads run on. A thread
//! that writes to a page which was copied already stops there until the fork is done. So of each
//! thread's stores the child has those up to some point and none behind it, and of a store that
//! another thread has seen and acted upon, it has both or neither the answer. That is what a stop
//! of all other threads, each between two of its stores, would leave. A fork makes some stops
//! likely, namely those where one store is in one page and the next in another; none is special
//! otherwise. So each structure is right if a thread may vanish between any two of its stores. Where
//! that takes an argument, it stands beside the stores.

#[cfg(all(test, any(loom, shuttle)))]
#[path = "process/model.rs"]
mod imp;
#[cfg(all(unix, not(all(test, any(loom, shuttle)))))]
#[path = "process/real.rs"]
mod imp;
#[cfg(not(any(unix, all(test, any(loom, shuttle)))))]
#[path = "process/single.rs"]
mod imp;

use crate::memory::OutOfMemory;
use crate::sync::{new_number, per_thread, watch_barriers};
#[cfg(all(test, any(loom, shuttle)))]
pub(crate) use imp::begin_generation;
pub(crate) use imp::{generation, generation_at_a_glance, with_signals_held};
use std::cell::Cell;

/// The generation of a process is counted in steps of this: the bits below are for what is kept
/// beside it. They leave room for a trillion threads, and those above for 16 million processes,
/// each the child of the last.
pub(crate) const GENERATION_STEP: u64 = 1 << 40;

/// Makes sure that forks are noticed from now on. `renew` is what a child does before anything
/// else: it renews what threads of its parent may have been using.
pub(crate) fn watch(renew: Renew) -> Result<(), OutOfMemory> {
    watch_barriers();
    imp::watch(renew)
}

/// # Safety
/// No thread of this process may be using what is renewed.
pub(crate) type Renew = unsafe fn();

per_thread! {
    NUMBER: Cell<u64> = Cell::new(0)
}

/// A number for this thread, counted from 1. Not inlined, as a fiber may change threads between two
/// calls: see `deadlock::count_fills`.
#[inline(never)]
pub(crate) fn thread_number() -> u64 {
    NUMBER.with(|number| {
        if number.get() == 0 {
            number.set(new_number());
        }
        number.get()
    })
}

/// A thread, as a word that is not 0. No two threads that live at the same time have the same.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Thread(u64);

impl Thread {
    pub(crate) fn current() -> Self {
        Self(generation() | thread_number())
    }

    pub(crate) const fn from_word(word: u64) -> Self {
        Self(word)
    }

    pub(crate) const fn word(self) -> u64 {
        self.0
    }

    const fn number(self) -> u64 {
        self.0 & (GENERATION_STEP - 1)
    }

    /// Whether both names are of one thread, perhaps from before and after a fork.
    pub(crate) const fn is(self, other: Self) -> bool {
        self.number() == other.number()
    }

    /// Whether the thread was not copied into this process. While it is not known which one was,
    /// it may be any.
    pub(crate) fn is_gone(self) -> bool {
        let took_its_name_here = self.0 - self.number() == generation();
        !took_its_name_here && ![0, self.number()].contains(&imp::survivor())
    }
}

#[cfg(all(test, unix, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn threads_that_a_fork_left_behind_are_gone() {
        let (me, other) = (Thread::current(), Thread::from_word(generation() | 1 << 39));
        assert!(
            !me.is_gone() && !other.is_gone(),
            "no thread is gone in the process that it began in"
        );
        let parent = generation();
        // SAFETY: the child asks for numbers only, and leaves.
        match unsafe { libc::fork() } {
            0 => {
                let new = Thread::from_word(generation() | 1 << 39);
                let passed = generation() == parent + GENERATION_STEP
                    && !me.is_gone()
                    && other.is_gone()
                    && !new.is_gone()
                    && !Thread::current().is_gone()
                    && Thread::current().is(me);
                // SAFETY: always sound.
                unsafe { libc::_exit(i32::from(!passed)) }
            }
            child => {
                let mut status = -1;
                // SAFETY: `status` may be written.
                assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
                assert_eq!(status, 0);
            }
        }
    }
}
