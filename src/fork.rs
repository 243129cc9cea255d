//! Which process this is, and which of its threads are alive.
//!
//! `fork` copies the memory of a process and one of its threads, the one that calls it. In the
//! child all others are gone in the middle of whatever they did, and whatever the parent has made
//! for later is there twice. So each process has a generation, one more than its parent's, and a
//! thread is named together with the generation in which it took its name.

use crate::memory::OutOfMemory;
pub(crate) use crate::sync::generation;
use crate::sync::{
    GENERATION_STEP, begin_generation, renew_statics, survivor, thread_number, watch_barriers,
};
use std::sync::OnceLock;

/// Makes sure that forks are noticed from now on.
pub(crate) fn watch() -> Result<(), OutOfMemory> {
    static WATCHED: OnceLock<Result<(), OutOfMemory>> = OnceLock::new();
    extern "C" fn in_child() {
        begin_generation(thread_number());
        renew_statics();
    }
    *WATCHED.get_or_init(|| {
        watch_barriers();
        // SAFETY: the function is there as long as the library, and does what may be done between
        // fork and exec: it takes no lock and allocates nothing.
        match unsafe { libc::pthread_atfork(None, None, Some(in_child)) } {
            0 => Ok(()),
            _ => Err(OutOfMemory),
        }
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

    /// Whether the thread was not copied into this process.
    pub(crate) fn is_gone(self) -> bool {
        let took_its_name_here = self.0 - self.number() == generation();
        !took_its_name_here && self.number() != survivor()
    }
}
