//! The fill role: the right to run the source.
//!
//! It is an atomic word that names the thread, not a mutex, because a thread keeps it while host
//! code runs. That code may run for any time, re-enter the library, leave by unwinding, or fork.
//!
//! If the host runs fibers on its threads, a second word names the fiber. It says more than the
//! thread: a fiber may leave the source for another fiber of its thread, and go on in another thread.

use crate::process::Thread;
use crate::sync::{AtomicU64, CachePadded, Ordering, unordered};

const FREE: u64 = 0;

/// No fiber: the thread itself, or a host that has none.
pub(crate) const NO_FIBER: u64 = 0;

/// A fiber has given the role up. Nobody has this number.
const FORMER_FIBER: u64 = u64::MAX;

pub(crate) struct FillRole(CachePadded<Holder>);

struct Holder {
    /// The thread in which the filler took the role.
    thread: AtomicU64,
    /// Its fiber. Only the filler writes it, when it has taken the role and before it gives it up. So
    /// a fiber that finds its own number here has the role.
    fiber: unordered::AtomicU64,
}

/// A thread, and the fiber that it runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Runner {
    thread: Thread,
    fiber: u64,
}

impl Runner {
    pub(crate) fn current(fiber: u64) -> Self {
        Self { thread: Thread::current(), fiber }
    }

    /// Whether one cannot run while the other blocks its thread. A fiber that has moved is known by
    /// its number; of the others it is assumed that they stay in their thread.
    pub(crate) fn is_stopped_with(self, other: Self) -> bool {
        self.thread.is(other.thread) || (self.fiber != NO_FIBER && self.fiber == other.fiber)
    }
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
    /// By the caller itself.
    ByThisThread,
    /// By another fiber of the caller's thread.
    InThisThread,
    ByAnother,
}

impl FillRole {
    pub(crate) fn new() -> Self {
        let fiber = unordered::AtomicU64::new(NO_FIBER);
        Self(CachePadded::new(Holder { thread: AtomicU64::new(FREE), fiber }))
    }

    /// Makes this thread the filler.
    #[cfg(test)]
    pub(crate) fn take(&self) -> Result<Vacancy, Taken> {
        self.take_as(NO_FIBER)
    }

    /// Makes this thread the filler, in which the host runs `fiber`.
    pub(crate) fn take_as(&self, fiber: u64) -> Result<Vacancy, Taken> {
        let vacancy = self.take_for_thread(fiber)?;
        self.note(fiber);
        Ok(vacancy)
    }

    /// For the filler: notes its fiber.
    fn note(&self, fiber: u64) {
        // Without fibers, nobody writes to the word.
        if self.0.fiber.load(Ordering::Relaxed) != fiber {
            // Release: with the Acquire in `is_held_by`, for the thread's word.
            self.0.fiber.store(fiber, Ordering::Release);
        }
    }

    fn take_for_thread(&self, fiber: u64) -> Result<Vacancy, Taken> {
        let me = Thread::current();
        let mut expected = FREE;
        loop {
            // Acquire: with the Release in `give_up`, for the source, the scratch slots and the
            // producer's side of the ring, which the filler before has left behind.
            let found = self.0.thread.compare_exchange(
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
                    if self.is_held_by(Runner { thread: me, fiber }) {
                        return Err(Taken::ByThisThread);
                    }
                    if holder.is(me) {
                        return Err(Taken::InThisThread);
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
        if self.0.fiber.load(Ordering::Relaxed) != NO_FIBER {
            // Not `NO_FIBER`: the thread in which the fiber began would take itself for the filler.
            self.0.fiber.store(FORMER_FIBER, Ordering::Release);
        }
        // Release: with the Acquire in `take`.
        self.0.thread.store(FREE, Ordering::Release);
    }

    /// Whether the caller is the filler.
    pub(crate) fn is_held_by(&self, me: Runner) -> bool {
        // Relaxed: a thread always sees what it wrote itself.
        let word = self.0.thread.load(Ordering::Relaxed);
        // Acquire: with the Release in `note`. If another thread has the role by now, the second look
        // at the thread shows it.
        let fiber = self.0.fiber.load(Ordering::Acquire);
        if me.fiber != NO_FIBER {
            return fiber == me.fiber;
        }
        let same_thread = |word| word != FREE && Thread::from_word(word).is(me.thread);
        same_thread(word) && fiber == NO_FIBER && same_thread(self.0.thread.load(Ordering::Relaxed))
    }

    /// For the filler: whether it took the role in this thread.
    pub(crate) fn began_in_this_thread(&self) -> bool {
        // Relaxed: the filler has written it.
        Thread::from_word(self.0.thread.load(Ordering::Relaxed)).is(Thread::current())
    }

    /// Whether the caller is the filler, or runs in its thread, which it would stop by waiting.
    pub(crate) fn is_in_thread_of(&self, fiber: u64) -> bool {
        let me = Runner::current(fiber);
        self.is_held_by(me) || self.holder().is_some_and(|holder| holder.thread.is(me.thread))
    }

    /// The thread that fills, and its fiber, if there is one.
    pub(crate) fn holder(&self) -> Option<Runner> {
        // Acquire: with the Release in `give_up`, for what the filler has published.
        let word = self.0.thread.load(Ordering::Acquire);
        let (thread, fiber) = (Thread::from_word(word), self.0.fiber.load(Ordering::Relaxed));
        (word != FREE && !thread.is_gone()).then_some(Runner { thread, fiber })
    }

    /// Takes the role from the fiber `dead`, which will never run again, for this thread. Returns
    /// `None` if that fiber does not have it, otherwise whether it took the role in this thread.
    pub(crate) fn inherit(&self, dead: u64) -> Option<bool> {
        // Before the fiber: if the role changes hands meanwhile, the exchange fails. Acquire: with
        // the Release in `give_up`, in case there was another filler in between.
        let word = self.0.thread.load(Ordering::Acquire);
        if [NO_FIBER, FORMER_FIBER].contains(&dead) || self.0.fiber.load(Ordering::Acquire) != dead
        {
            return None;
        }
        let me = Thread::current();
        let taken =
            self.0.thread.compare_exchange(word, me.word(), Ordering::Acquire, Ordering::Relaxed);
        taken.ok()?;
        self.note(NO_FIBER);
        Some(Thread::from_word(word).is(me))
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
        assert!(!role.is_in_thread_of(NO_FIBER));
        assert_eq!(role.take(), Ok(Vacancy::Free));
        assert!(role.is_in_thread_of(NO_FIBER));
        role.give_up();
        assert!(!role.is_in_thread_of(NO_FIBER));
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
                assert!(!role.is_in_thread_of(NO_FIBER));
                assert_eq!(role.take(), Err(Taken::ByAnother));
            });
        });
    }

    const ME: u64 = 11;
    const OTHER: u64 = 22;

    #[test]
    fn a_fiber_is_told_from_others_of_its_thread() {
        let role = FillRole::new();
        assert_eq!(role.take_as(ME), Ok(Vacancy::Free));
        assert_eq!(role.take_as(ME), Err(Taken::ByThisThread));
        assert_eq!(role.take_as(OTHER), Err(Taken::InThisThread));
        assert_eq!(role.take(), Err(Taken::InThisThread));
        assert!([ME, OTHER, NO_FIBER].iter().all(|&fiber| role.is_in_thread_of(fiber)));
        role.give_up();
        assert_eq!(role.take(), Ok(Vacancy::Free));
        assert_eq!(role.take(), Err(Taken::ByThisThread));
        assert_eq!(role.take_as(ME), Err(Taken::InThisThread));
    }

    #[test]
    fn a_fiber_is_known_in_the_thread_that_it_moved_to() {
        let role = FillRole::new();
        assert_eq!(role.take_as(ME), Ok(Vacancy::Free));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                assert_eq!(role.take_as(ME), Err(Taken::ByThisThread));
                assert_eq!(role.take_as(OTHER), Err(Taken::ByAnother));
                assert!(role.is_in_thread_of(ME) && !role.is_in_thread_of(OTHER));
                role.give_up();
                assert!(!role.is_in_thread_of(ME), "it has given the role up");
                assert_eq!(role.take(), Ok(Vacancy::Free));
            });
        });
        assert_eq!(role.take_as(ME), Err(Taken::ByAnother), "the number is out of date");
        assert_eq!(role.take(), Err(Taken::ByAnother));
    }

    #[test]
    fn the_role_of_a_dead_fiber_is_inherited_once() {
        let role = FillRole::new();
        assert_eq!(role.inherit(ME), None, "nobody fills");
        assert_eq!(role.take_as(ME), Ok(Vacancy::Free));
        assert_eq!(role.inherit(OTHER), None, "it does not fill");
        std::thread::scope(|scope| {
            scope.spawn(|| assert_eq!(role.inherit(ME), Some(false)));
        });
        assert_eq!(role.inherit(ME), None, "another has it now");
        role.give_up();
        assert_eq!(role.inherit(FORMER_FIBER), None, "nobody fills");
        assert_eq!(role.take_as(ME), Ok(Vacancy::Free));
        assert_eq!(role.inherit(ME), Some(true));
        assert_eq!(role.take(), Err(Taken::ByThisThread));
        role.give_up();
        assert_eq!(role.inherit(NO_FIBER), None);
    }
}
