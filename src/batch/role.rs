//! The fill role: who runs the source.
//!
//! An atomic word that names the thread, not a held mutex: it is kept while host code runs, which
//! may take as long as it likes, re-enter the library, or leave by unwinding.

use crate::sync::{AtomicUsize, CachePadded, Ordering, thread_token};

const FREE: usize = 0;

pub(crate) struct FillRole {
    holder: CachePadded<AtomicUsize>,
}

/// Why the role was not to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    ByThisThread,
    ByAnother,
}

impl FillRole {
    pub(crate) fn new() -> Self {
        Self { holder: CachePadded::new(AtomicUsize::new(FREE)) }
    }

    /// Makes this thread the filler.
    pub(crate) fn take(&self) -> Result<(), Taken> {
        let me = thread_token();
        // Acquire: with the Release in `give_up`, for the source, the scratch slots and the
        // producer's side of the ring, which the filler before has left behind.
        match self.holder.compare_exchange(FREE, me, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => Ok(()),
            Err(holder) if holder == me => Err(Taken::ByThisThread),
            Err(_) => Err(Taken::ByAnother),
        }
    }

    /// Ends what `take` began.
    pub(crate) fn give_up(&self) {
        // Release: with the Acquire in `take`.
        self.holder.store(FREE, Ordering::Release);
    }

    /// The thread that fills, as its token.
    pub(crate) fn holder(&self) -> usize {
        self.holder.load(Ordering::Acquire)
    }

    pub(crate) fn is_free(&self) -> bool {
        self.holder() == FREE
    }
}
