//! The fill role: the right to run the source.
//!
//! It is an atomic word that names the thread, not a mutex, because a thread keeps it while host
//! code runs. That code may run for any time, re-enter the library, leave by unwinding, or fork.

use crate::fork::Thread;
use crate::sync::unordered::AtomicUsize;
use crate::sync::{AtomicU64, CachePadded, Ordering, thread_pointer};

const FREE: u64 = 0;

pub(crate) struct FillRole(CachePadded<Holder>);

/// `name` alone identifies the holder. If a fork does not copy a thread that is between its two
/// stores, the `pointer` that it leaves only makes another thread check the name.
struct Holder {
    name: AtomicU64,
    /// The holder's thread pointer, or 0: the same in a form that is cheap enough for every load.
    pointer: AtomicUsize,
}

/// The state in which the role was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vacancy {
    Free,
    /// The thread that held it exists only in the parent process.
    Orphaned,
}

/// Why the role could not be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    ByThisThread,
    ByAnother,
}

impl FillRole {
    pub(crate) fn new() -> Self {
        let (name, pointer) = (AtomicU64::new(FREE), AtomicUsize::new(0));
        Self(CachePadded::new(Holder { name, pointer }))
    }

    /// Makes this thread the filler.
    pub(crate) fn take(&self) -> Result<Vacancy, Taken> {
        let vacancy = self.take_name()?;
        self.0.pointer.store(thread_pointer(), Ordering::Relaxed);
        Ok(vacancy)
    }

    fn take_name(&self) -> Result<Vacancy, Taken> {
        let me = Thread::current();
        let mut expected = FREE;
        loop {
            // Acquire: with the Release in `give_up`, for the source, the scratch slots and the
            // producer's side of the ring, which the filler before has left behind.
            let found = self.0.name.compare_exchange(
                expected,
                me.word(),
                Ordering::Acquire,
                Ordering::Relaxed,
            );
            match found {
                Ok(FREE) => return Ok(Vacancy::Free),
                Ok(_) => return Ok(Vacancy::Orphaned),
                Err(FREE) => expected = FREE,
                Err(word) => {
                    let holder = Thread::from_word(word);
                    if holder.is(me) {
                        return Err(Taken::ByThisThread);
                    }
                    if !holder.is_gone() {
                        return Err(Taken::ByAnother);
                    }
                    expected = word;
                }
            }
        }
    }

    /// Gives up the role.
    pub(crate) fn give_up(&self) {
        self.0.pointer.store(0, Ordering::Relaxed);
        // Release: with the Acquire in `take_name`.
        self.0.name.store(FREE, Ordering::Release);
    }

    /// Whether this thread may be the filler: if not, it is not.
    #[inline]
    pub(crate) fn may_be_mine(&self) -> bool {
        // Relaxed: a thread always sees what it wrote itself. In the child of a fork, a new thread
        // may have the pointer of one that stayed behind.
        self.0.pointer.load(Ordering::Relaxed) == thread_pointer()
    }

    /// Whether this thread is the filler.
    pub(crate) fn is_mine(&self) -> bool {
        // Relaxed: as in `may_be_mine`.
        let word = self.0.name.load(Ordering::Relaxed);
        word != FREE && Thread::from_word(word).is(Thread::current())
    }

    /// The thread that fills, if there is one.
    pub(crate) fn holder(&self) -> Option<Thread> {
        // Acquire: with the Release in `give_up`, for what the filler has published.
        let word = self.0.name.load(Ordering::Acquire);
        let holder = Thread::from_word(word);
        (word != FREE && !holder.is_gone()).then_some(holder)
    }

    /// Whether `take` would succeed.
    pub(crate) fn is_free(&self) -> bool {
        self.holder().is_none()
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_with_the_address_of_the_filler_is_not_taken_for_it() {
        let role = FillRole::new();
        std::thread::scope(|scope| {
            assert_eq!(scope.spawn(|| role.take()).join().unwrap(), Ok(Vacancy::Free))
        });
        // The thread is gone without a word, and this one has come to lie where it lay.
        role.0.pointer.store(thread_pointer(), Ordering::Relaxed);
        assert!(role.may_be_mine() && !role.is_mine());
        assert_eq!(role.take(), Err(Taken::ByAnother));
    }
}
