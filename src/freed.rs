//! Whether the memory of freed handles is kept.
//!
//! A handle is an address, and an address can be given out again, so a handle that was freed may
//! look like one that lives. `FT_LOCAL_CHECK_HANDLES=1` in the environment of the process ends
//! that: what was freed is never given back to the allocator. Its mark says so from then on, and
//! every use of it is refused. Loads pay nothing for it; the price is the memory.

use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU8, Ordering};

const UNKNOWN: u8 = 0;
const NO: u8 = 1;
const YES: u8 = 2;

static KEEPS: AtomicU8 = AtomicU8::new(UNKNOWN);

/// Whether freed handles keep their memory, so that each use of one is refused.
#[inline]
pub fn keeps_freed() -> bool {
    // Relaxed: it publishes nothing else.
    KEEPS.load(Ordering::Relaxed) != NO && ask()
}

/// Asks the environment, once; two threads that ask at the same time get the same answer. No lock
/// is taken, which a fork could leave taken, and nothing is allocated.
#[cold]
fn ask() -> bool {
    if KEEPS.load(Ordering::Relaxed) == UNKNOWN {
        // SAFETY: the name ends with NUL.
        let value = unsafe { libc::getenv(c"FT_LOCAL_CHECK_HANDLES".as_ptr()) };
        // SAFETY: not NULL, hence a text, which is at least its NUL.
        let on = !value.is_null() && !matches!(unsafe { *value.cast::<u8>() }, 0 | b'0');
        KEEPS.store(if on { YES } else { NO }, Ordering::Relaxed);
    }
    KEEPS.load(Ordering::Relaxed) == YES
}

/// The memory that was kept last. A word of each block points to the one before, so that tools which
/// look for leaks can reach all of it.
static KEPT: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());

/// Keeps a block of memory until the process ends.
///
/// # Safety
/// `link` must be a word of the block that may be written and that nothing else uses from now on.
/// The block must never be freed.
pub unsafe fn keep(block: *mut u8, link: *mut *mut u8) {
    let mut last = KEPT.load(Ordering::Relaxed);
    loop {
        // SAFETY: the caller's promise.
        unsafe { link.write(last) };
        // Relaxed: no thread follows the pointers.
        match KEPT.compare_exchange_weak(last, block, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return,
            Err(newer) => last = newer,
        }
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use std::process::Command;

    /// The answer is that of a process, so each value has one of its own, which runs this test alone.
    #[test]
    fn the_environment_says_whether_freed_handles_are_kept() {
        const CHILD: &str = "FT_LOCAL_TEST_EXPECTED";
        if let Ok(expected) = std::env::var(CHILD) {
            assert_eq!(
                [keeps_freed(), keeps_freed()].map(|keeps| keeps.to_string()),
                [&*expected; 2]
            );
            return;
        }
        for (value, expected) in [("1", "true"), ("yes", "true"), ("0", "false"), ("", "false")] {
            let status = Command::new(std::env::current_exe().unwrap())
                .args([
                    "--exact",
                    "freed::tests::the_environment_says_whether_freed_handles_are_kept",
                ])
                .env("FT_LOCAL_CHECK_HANDLES", value)
                .env(CHILD, expected)
                .status();
            assert!(status.unwrap().success(), "{value:?}");
        }
    }
}
