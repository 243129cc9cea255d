//! The primitives of `std`, and what the operating system adds.

#[path = "semaphore.rs"]
mod semaphore;

#[cfg(any(test, feature = "test-hooks"))]
pub(crate) use super::counted::Mutex;
#[cfg(feature = "test-hooks")]
pub(crate) use super::counted::locks_of_this_thread;
pub(crate) use crossbeam_utils::Backoff;
pub(crate) use semaphore::{Semaphore, end_wait_in_child};
#[cfg(not(any(test, feature = "test-hooks")))]
pub(crate) use std::sync::Mutex;
pub(crate) use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize};

use super::Ordering;
use std::sync::atomic::{AtomicBool, compiler_fence};
use std::time::{Duration, Instant};

/// A static that each model has anew.
macro_rules! global {
    ($(#[$doc:meta])* $name:ident: $type:ty = $value:expr) => {
        $(#[$doc])* static $name: $type = $value;
    };
}

/// A static of each thread that each model has anew.
macro_rules! per_thread {
    ($(#[$doc:meta])* $name:ident: $type:ty = $value:expr) => {
        std::thread_local! { $(#[$doc])* static $name: $type = const { $value }; }
    };
}
pub(crate) use {global, per_thread};

/// `std`'s cell with the access by closure that loom needs to see each access.
#[repr(transparent)]
pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

impl<T> UnsafeCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    #[inline]
    pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }
}

/// Looks until `ready`, for about a microsecond. Returns whether it was.
pub(crate) fn look_briefly(ready: impl Fn() -> bool) -> bool {
    let backoff = Backoff::new();
    for _ in 0..6 {
        if ready() {
            return true;
        }
        backoff.spin();
    }
    false
}

/// How long a thread looks again and again before it sleeps, when others have something to do
/// meanwhile. A sleep and a wake-up take about 5 us; a source that takes longer is worth it.
const PATIENCE: Duration = Duration::from_micros(30);

/// Looks until `ready`, for a while. Returns whether it was.
pub(crate) fn look_for_a_while(ready: impl Fn() -> bool) -> bool {
    let end = Instant::now() + PATIENCE;
    loop {
        for _ in 0..16 {
            if ready() {
                return true;
            }
            std::hint::spin_loop();
        }
        if Instant::now() >= end {
            return ready();
        }
        std::thread::yield_now();
    }
}

/// Whether what began at `start` has lasted for `period`.
pub(crate) fn has_lasted(start: Instant, period: Duration) -> bool {
    start.elapsed() >= period
}

/// The most calls of a source between two looks at the clock.
pub(crate) const MOST_CALLS: usize = 64;

/// A source that takes longer is asked for its time at each call.
const SLOW: Duration = Duration::from_micros(100);

/// How many calls of a source there are until the next look at the clock, if there were `calls`
/// since `start`: more and more while they are quick.
pub(crate) fn next_pace(calls: usize, start: Instant) -> usize {
    if has_lasted(start, SLOW) { 1 } else { (2 * calls).min(MOST_CALLS) }
}

/// Between two plain stores whose order the child of a fork relies on, in which this thread may be
/// gone after the first. See `process.rs` for why it is enough to keep the compiler from moving them.
#[inline(always)]
pub(crate) fn vanishing_point() {
    compiler_fence(Ordering::SeqCst);
}

/// Whether `heavy_barrier` makes up for what `light_barrier` leaves out.
static ASYMMETRIC: AtomicBool = AtomicBool::new(false);

#[inline]
pub(crate) fn barriers_are_asymmetric() -> bool {
    ASYMMETRIC.load(Ordering::Relaxed)
}

/// Keeps the compiler from moving a load before an earlier store. What the processor may still do
/// is undone by a `heavy_barrier` in another thread.
#[inline]
pub(crate) fn light_barrier() {
    compiler_fence(Ordering::SeqCst);
}

#[cfg(target_os = "linux")]
mod membarrier {
    pub(super) const REGISTER: libc::c_int = 1 << 4;
    pub(super) const EXPEDITED: libc::c_int = 1 << 3;

    pub(super) fn call(command: libc::c_int) -> bool {
        // SAFETY: the system call takes no pointer.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
    }
}

/// Makes every thread of the process pass a full barrier, by membarrier(2). Returns whether it
/// could: a filter of system calls may have been installed since it was registered. Nobody tries
/// again after a refusal.
pub(crate) fn heavy_barrier() -> bool {
    #[cfg(target_os = "linux")]
    if barriers_are_asymmetric() && membarrier::call(membarrier::EXPEDITED) {
        return true;
    }
    ASYMMETRIC.store(false, Ordering::Relaxed);
    false
}

/// Waits until every thread sees what this one has stored, and this one sees what the others had
/// stored before they could. A processor holds a store back for less than a microsecond.
pub(crate) fn await_stores() {
    std::thread::sleep(Duration::from_millis(1));
}

/// Finds out whether the operating system offers heavy barriers. That takes milliseconds in a
/// process with threads, so it is done when the first batch is made, and without a lock, which a
/// child forked meanwhile would find held by nobody.
pub(crate) fn watch_barriers() {
    static WATCHED: AtomicBool = AtomicBool::new(false);
    if !WATCHED.load(Ordering::Acquire) {
        register_barriers();
        WATCHED.store(true, Ordering::Release);
    }
}

/// Also for the child of a fork, which inherits no registration.
pub(crate) fn register_barriers() {
    #[cfg(target_os = "linux")]
    ASYMMETRIC.store(membarrier::call(membarrier::REGISTER), Ordering::Relaxed);
}

/// What only the calling thread writes, or threads that have handed that on to it.
#[inline]
pub(crate) fn own(atomic: &AtomicU64) -> u64 {
    atomic.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// A condition that is true at the look with this number, from 1 on, and how often it was looked at.
    fn true_at(look: usize) -> (impl Fn() -> bool, std::rc::Rc<Cell<usize>>) {
        let looks = std::rc::Rc::new(Cell::new(0));
        let counted = looks.clone();
        let condition = move || {
            counted.set(counted.get() + 1);
            counted.get() >= look
        };
        (condition, looks)
    }

    #[test]
    fn a_thread_looks_until_it_is_ready_but_not_without_end() {
        let (ready, looks) = true_at(3);
        assert!(look_briefly(ready));
        assert_eq!(looks.get(), 3);
        assert!(!look_briefly(|| false));

        let (ready, looks) = true_at(3);
        assert!(look_for_a_while(ready));
        assert_eq!(looks.get(), 3);
        let start = Instant::now();
        assert!(!look_for_a_while(|| false));
        assert!(has_lasted(start, PATIENCE), "it was looked at for a while");
        assert!(!has_lasted(Instant::now(), Duration::from_secs(3600)));
    }

    /// In a child, since a process that was refused a barrier once does not ask again.
    #[cfg(target_os = "linux")]
    #[test]
    fn barriers_are_heavy_where_the_system_has_them_and_were_asked_for() {
        const QUERY: libc::c_int = 0;
        // SAFETY: the call takes no pointer.
        let has = unsafe { libc::syscall(libc::SYS_membarrier, QUERY, 0, 0) };
        let has = has > 0 && has & libc::c_long::from(membarrier::REGISTER) != 0;
        watch_barriers();
        assert_eq!(barriers_are_asymmetric(), has);
        // SAFETY: the child makes system calls only, and leaves.
        match unsafe { libc::fork() } {
            0 => {
                ASYMMETRIC.store(false, Ordering::Relaxed);
                let refused = !barriers_are_asymmetric() && !heavy_barrier();
                register_barriers();
                let passed = refused
                    && barriers_are_asymmetric() == has
                    && heavy_barrier() == has
                    && !membarrier::call(-1);
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

    #[test]
    fn the_pace_doubles_while_calls_are_quick() {
        const HOUR: Duration = Duration::from_secs(3600);
        // What began in the future has taken no time at all.
        let (quick, slow) = (Instant::now() + HOUR, Instant::now().checked_sub(HOUR).unwrap());
        let paces = [1, 3, 32, 33].map(|calls| next_pace(calls, quick));
        assert_eq!(paces, [2, 6, MOST_CALLS, MOST_CALLS]);
        assert_eq!(next_pace(32, slow), 1);
    }
}
