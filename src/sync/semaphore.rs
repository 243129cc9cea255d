//! A counting semaphore whose `give` takes no lock on Linux, so that a signal handler may call it
//! whatever its thread was doing.

use std::time::{Duration, Instant};

/// When a wait of `period` ends. `None` if it does not.
fn end_of(period: Option<Duration>) -> Option<Instant> {
    Instant::now().checked_add(period?)
}

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod futex {
    use std::cell::Cell;
    use std::ptr;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::{Duration, Instant};

    pub(crate) struct Semaphore(AtomicU32);

    std::thread_local! {
        /// The word that this thread waits for, if it waits.
        static AWAITED: Cell<*const AtomicU32> = const { Cell::new(ptr::null()) };
    }

    /// For the child of a fork, in the thread that was copied. If a handler of signals has forked
    /// while its thread waited, this ends the wait: the system looks at the word again when the
    /// handler returns. No other thread is there to end it. Also after the word was written anew.
    pub(crate) fn end_wait_in_child() {
        let awaited = AWAITED.get();
        if !awaited.is_null() {
            // SAFETY: the thread is inside `wait_while_empty`, to whose caller the word belongs.
            let word = unsafe { &*awaited };
            let _ = word.compare_exchange(0, 1, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    impl Semaphore {
        pub(crate) const fn new() -> Self {
            Self(AtomicU32::new(0))
        }

        /// Adds `count`, and wakes as many threads.
        pub(crate) fn give(&self, count: usize) {
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            // Release: with the Acquire in `try_take`.
            self.0.fetch_add(count, Ordering::Release);
            // SAFETY: the word lives; nothing else is read.
            unsafe {
                libc::syscall(
                    libc::SYS_futex,
                    self.0.as_ptr(),
                    libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG,
                    count.min(i32::MAX.cast_unsigned()),
                );
            }
        }

        /// Takes one, and waits until there is one, for `period` at most. Returns whether it did.
        pub(crate) fn take(&self, period: Option<Duration>) -> bool {
            let end = super::end_of(period);
            while !self.try_take() {
                let left = end.map(|end| end.saturating_duration_since(Instant::now()));
                if left.is_some_and(|left| left.is_zero()) {
                    return false;
                }
                self.wait_while_empty(left);
            }
            true
        }

        fn try_take(&self) -> bool {
            // Acquire: with the Release in `give`.
            self.0
                .fetch_update(Ordering::Acquire, Ordering::Relaxed, |count| count.checked_sub(1))
                .is_ok()
        }

        /// Also comes back for no reason.
        fn wait_while_empty(&self, period: Option<Duration>) {
            let period = period.map(|period| libc::timespec {
                tv_sec: libc::time_t::try_from(period.as_secs()).unwrap_or(libc::time_t::MAX),
                tv_nsec: period.subsec_nanos().into(),
            });
            // A handler of signals may wait too.
            let outer = AWAITED.replace(&raw const self.0);
            // SAFETY: the word and the time live during the call.
            let refused = unsafe {
                libc::syscall(
                    libc::SYS_futex,
                    self.0.as_ptr(),
                    libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG,
                    0,
                    period.as_ref().map_or(ptr::null(), ptr::from_ref),
                ) != 0
            };
            AWAITED.set(outer);
            let usual = [Some(libc::EAGAIN), Some(libc::EINTR), Some(libc::ETIMEDOUT)];
            if refused && !usual.contains(&std::io::Error::last_os_error().raw_os_error()) {
                // A filter of system calls forbids it. Without a pause, this thread would poll.
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

#[cfg(any(test, not(all(target_os = "linux", target_pointer_width = "64"))))]
mod locked {
    use std::sync::{Condvar, Mutex, MutexGuard};
    use std::time::{Duration, Instant};

    pub(crate) struct Semaphore {
        count: Mutex<usize>,
        bell: Condvar,
    }

    /// No lock can be taken in the child of a fork.
    #[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
    pub(crate) fn end_wait_in_child() {}

    impl Semaphore {
        pub(crate) const fn new() -> Self {
            Self { count: Mutex::new(0), bell: Condvar::new() }
        }

        fn lock(&self) -> MutexGuard<'_, usize> {
            self.count.lock().unwrap_or_else(|poison| poison.into_inner())
        }

        /// Adds `count`, and wakes as many threads.
        pub(crate) fn give(&self, count: usize) {
            *self.lock() += count;
            (0..count).for_each(|_| self.bell.notify_one());
        }

        /// Takes one, and waits until there is one, for `period` at most. Returns whether it did.
        pub(crate) fn take(&self, period: Option<Duration>) -> bool {
            let end = super::end_of(period);
            let mut count = self.lock();
            while *count == 0 {
                count = match end {
                    None => self.bell.wait(count).unwrap_or_else(|poison| poison.into_inner()),
                    Some(end) => {
                        let left = end.saturating_duration_since(Instant::now());
                        if left.is_zero() {
                            return false;
                        }
                        let woken = self.bell.wait_timeout(count, left);
                        woken.unwrap_or_else(|poison| poison.into_inner()).0
                    }
                };
            }
            *count -= 1;
            true
        }
    }
}

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
pub(crate) use futex::{Semaphore, end_wait_in_child};
#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
pub(crate) use locked::{Semaphore, end_wait_in_child};

#[cfg(test)]
mod tests {
    use super::{Duration, Semaphore, locked};
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// One of the two kinds.
    trait Tested: Sync {
        fn give(&self, count: usize);
        fn take(&self, period: Option<Duration>) -> bool;
    }

    macro_rules! tested {
        ($kind:ty) => {
            impl Tested for $kind {
                fn give(&self, count: usize) {
                    self.give(count);
                }

                fn take(&self, period: Option<Duration>) -> bool {
                    self.take(period)
                }
            }
        };
    }
    tested!(locked::Semaphore);
    #[cfg(all(target_os = "linux", target_pointer_width = "64"))]
    tested!(Semaphore);

    fn kinds() -> [Box<dyn Tested>; 2] {
        [Box::new(Semaphore::new()), Box::new(locked::Semaphore::new())]
    }

    #[test]
    fn what_is_given_is_taken_once() {
        for semaphore in kinds() {
            semaphore.give(2);
            let no_time = Some(Duration::ZERO);
            assert_eq!([(); 3].map(|()| semaphore.take(no_time)), [true, true, false]);
            assert!(!semaphore.take(Some(Duration::from_millis(1))));
        }
    }

    #[test]
    fn each_that_is_given_lets_one_thread_go_on() {
        for semaphore in kinds() {
            let (semaphore, taken) = (&semaphore, &AtomicUsize::new(0));
            std::thread::scope(|scope| {
                for index in 0..6 {
                    let period = (index % 2 == 0).then_some(Duration::from_secs(60));
                    scope.spawn(move || {
                        assert!(semaphore.take(period));
                        taken.fetch_add(1, Ordering::Relaxed);
                    });
                }
                for given in [1, 2, 3] {
                    let all = taken.load(Ordering::Relaxed) + given;
                    semaphore.give(given);
                    while taken.load(Ordering::Relaxed) < all {
                        std::thread::yield_now();
                    }
                }
                assert_eq!(taken.load(Ordering::Relaxed), 6);
            });
        }
    }
}
