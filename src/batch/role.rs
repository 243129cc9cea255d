//! The fill role: the right to run the source.
//!
//! It is an atomic word that names the thread, not a mutex, because a thread keeps it while host
//! code runs. That code may run for any time, re-enter the library, leave by unwinding, or fork.

use crate::process::Thread;
use crate::sync::{AtomicU64, CachePadded, Ordering};

const FREE: u64 = 0;

pub(crate) struct FillRole(CachePadded<AtomicU64>);

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
        Self(CachePadded::new(AtomicU64::new(FREE)))
    }

    /// Makes this thread the filler.
    pub(crate) fn take(&self) -> Result<Vacancy, Taken> {
        let me = Thread::current();
        let mut expected = FREE;
        loop {
            // Acquire: with the Release in `give_up`, for the source, the scratch slots and the
            // producer's side of the ring, which the filler before has left behind.
            let found =
                self.0.compare_exchange(expected, me.word(), Ordering::Acquire, Ordering::Relaxed);
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
        // Release: with the Acquire in `take`.
        self.0.store(FREE, Ordering::Release);
    }

    /// Whether this thread is the filler.
    pub(crate) fn is_mine(&self) -> bool {
        // Relaxed: a thread always sees what it wrote itself.
        let word = self.0.load(Ordering::Relaxed);
        word != FREE && Thread::from_word(word).is(Thread::current())
    }

    /// The thread that fills, if there is one.
    pub(crate) fn holder(&self) -> Option<Thread> {
        // Acquire: with the Release in `give_up`, for what the filler has published.
        let word = self.0.load(Ordering::Acquire);
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
    fn a_filler_knows_that_it_is_one() {
        let role = FillRole::new();
        assert!(!role.is_mine());
        assert_eq!(role.take(), Ok(Vacancy::Free));
        assert!(role.is_mine());
        role.give_up();
        assert!(!role.is_mine());
    }

    #[test]
    fn a_later_thread_is_not_mistaken_for_the_filler() {
        let role = FillRole::new();
        std::thread::scope(|scope| {
            assert_eq!(scope.spawn(|| role.take()).join().unwrap(), Ok(Vacancy::Free))
        });
        // The thread has gone without giving the role up. The next one may lie where it lay.
        std::thread::scope(|scope| {
            scope.spawn(|| {
                assert!(!role.is_mine());
                assert_eq!(role.take(), Err(Taken::ByAnother));
            });
        });
    }
}
