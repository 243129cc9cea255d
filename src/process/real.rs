//! The generation of this process, in memory that the kernel wipes in every child of a fork.
//!
//! Handlers of `pthread_atfork` do not see every fork: not `_Fork` or a bare `clone`, and not yet
//! while a handler that was registered before runs in the child. A page that was advised with
//! `MADV_WIPEONFORK` (Linux 4.14) reads as zeroes in any child, however it was made. No generation is
//! 0, so a load that compares its batch's with the page's goes the slow way there, and the first
//! thread that comes by begins the new generation. Where the kernel wipes nothing, the handler does
//! it.

use super::{GENERATION_STEP, Renew, thread_number};
use crate::memory::OutOfMemory;
use crate::sync::{end_wait_in_child, register_barriers};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};

/// As large as any page, so that the page around `words` lies in the struct as a whole, and shares
/// nothing with the file that the library was loaded from, whatever the linker makes of alignment.
/// Pages that nobody touches take no memory.
const LARGEST_PAGE: usize = 1 << 16;

#[repr(C, align(64))]
struct Page {
    _before: [u8; LARGEST_PAGE],
    words: Words,
    _after: [u8; LARGEST_PAGE],
}

struct Words {
    /// 0 in a child that nobody has looked at yet.
    generation: AtomicU64,
    /// Whether a thread of this process is beginning its generation. It cannot be copied set: that
    /// thread would have stayed behind.
    beginning: AtomicBool,
    /// The thread that the fork has copied, 0 if that is not known.
    survivor: AtomicU64,
}

static PAGE: Page = Page {
    _before: [0; LARGEST_PAGE],
    words: Words {
        generation: AtomicU64::new(0),
        beginning: AtomicBool::new(false),
        survivor: AtomicU64::new(0),
    },
    _after: [0; LARGEST_PAGE],
};

/// The latest generation of this process or its parent, in memory that forks copy. 0 before the
/// first.
static LATEST: AtomicU64 = AtomicU64::new(0);

/// The generation of this process, or 0 in a child that nobody has looked at yet. All that a load
/// looks at if there is nothing else to see.
#[inline]
pub(crate) fn generation_at_a_glance() -> u64 {
    // Relaxed: a caller that needs what was done when the generation began calls `generation`.
    PAGE.words.generation.load(Ordering::Relaxed)
}

/// The generation of this process, in steps of [`GENERATION_STEP`]. In a child, the first call
/// begins it.
#[inline]
pub(crate) fn generation() -> u64 {
    // Acquire: with the Release in `begin`, for the statics that were renewed.
    match PAGE.words.generation.load(Ordering::Acquire) {
        0 => with_signals_held(begin),
        here => here,
    }
}

#[cold]
fn begin() -> u64 {
    let words = &PAGE.words;
    // Acquire: with the Release in `note`, so that the second look below sees the first generation.
    let parents = LATEST.load(Ordering::Acquire);
    if parents == 0 {
        // The first process. There is nothing to renew, hence no reason to keep others waiting.
        let first = words.generation.compare_exchange(
            0,
            GENERATION_STEP,
            Ordering::AcqRel,
            Ordering::Acquire,
        );
        let here = first.map_or_else(|here| here, |_| GENERATION_STEP);
        note(here);
        return here;
    }
    if words.beginning.swap(true, Ordering::AcqRel) {
        // Another thread of this process is at it, and it takes a few microseconds.
        loop {
            match words.generation.load(Ordering::Acquire) {
                0 => std::thread::yield_now(),
                here => return here,
            }
        }
    }
    let seen = words.generation.load(Ordering::Acquire);
    if seen != 0 {
        return seen;
    }
    let here = parents + GENERATION_STEP;
    // Before anything can bear the new generation: the next child's is to be another.
    LATEST.store(here, Ordering::Relaxed);
    survivor();
    // SAFETY: every way to what is renewed leads through `generation`, which lets nobody pass yet.
    unsafe { renew() };
    register_barriers();
    // Release: with the Acquire in `generation`.
    words.generation.store(here, Ordering::Release);
    here
}

/// What `watch` was given, as an address. NULL before the first batch, when there is nothing to
/// renew.
static RENEW: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

/// # Safety
/// As for [`Renew`].
unsafe fn renew() {
    let address = RENEW.load(Ordering::Relaxed);
    if !address.is_null() {
        // SAFETY: `watch` has stored the address of such a function; and the caller's promise.
        unsafe { std::mem::transmute::<*mut (), Renew>(address)() }
    }
}

pub(super) fn watch(renew: Renew) -> Result<(), OutOfMemory> {
    // Before the caller makes anything that needs it. Relaxed: a fork copies it like the rest.
    RENEW.store(renew as *mut (), Ordering::Relaxed);
    watch_forks()
}

/// Ensures that a child's generation differs from `here`.
fn note(here: u64) {
    // Release: with the Acquire in `begin`.
    LATEST.fetch_max(here, Ordering::Release);
}

/// The thread that the fork has copied, or 0 if that is not known: a new thread of the child may
/// come by before it.
pub(crate) fn survivor() -> u64 {
    let survivor = &PAGE.words.survivor;
    if survivor.load(Ordering::Relaxed) == 0 && has_forked() {
        survivor.store(thread_number(), Ordering::Relaxed);
    }
    survivor.load(Ordering::Relaxed)
}

/// Whether this thread is the one that a fork has copied, if this process is a child.
fn has_forked() -> bool {
    #[cfg(target_os = "linux")]
    // The first thread of a process has its number. SAFETY: neither call takes a pointer.
    return unsafe { libc::syscall(libc::SYS_gettid) == libc::c_long::from(libc::getpid()) };
    // Only the handler begins a generation there, in that thread.
    #[cfg(not(target_os = "linux"))]
    return true;
}

/// Whether the kernel wipes the page.
static WIPES: AtomicBool = AtomicBool::new(false);

fn ask_to_wipe() -> bool {
    #[cfg(target_os = "linux")]
    {
        // SAFETY: takes no pointer.
        let Ok(page) = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }) else {
            return false;
        };
        let start = ptr::from_ref(&PAGE.words).map_addr(|at| at & !(page - 1));
        // SAFETY: the page holds parts of `PAGE` alone, and changes in no process but a child, all
        // of whose threads find it as it is at the beginning.
        page <= LARGEST_PAGE
            && unsafe { libc::madvise(start.cast_mut().cast(), page, libc::MADV_WIPEONFORK) == 0 }
    }
    #[cfg(not(target_os = "linux"))]
    false
}

extern "C" fn in_child() {
    if !WIPES.load(Ordering::Relaxed) {
        let words = &PAGE.words;
        words.generation.store(0, Ordering::Relaxed);
        words.beginning.store(false, Ordering::Relaxed);
        words.survivor.store(0, Ordering::Relaxed);
    }
    // At once, so that not even what looks at nothing, a cursor with results in hand, goes on with
    // what is the parent's.
    generation();
    end_wait_in_child();
}

/// Makes sure that forks are noticed from now on.
///
/// There is no lock, which would stay locked in a child forked at that moment, and no state in
/// between: each step may be done twice. Two handlers do no more than one.
fn watch_forks() -> Result<(), OutOfMemory> {
    static WATCHES: AtomicBool = AtomicBool::new(false);
    if !WATCHES.load(Ordering::Acquire) {
        // Named here, so that no linker leaves it out.
        std::hint::black_box(&AT_LOAD);
        WIPES.store(ask_to_wipe(), Ordering::Relaxed);
        // SAFETY: the function is there as long as the library, and does what may be done between
        // fork and exec: it takes no lock and allocates nothing.
        if unsafe { libc::pthread_atfork(None, None, Some(in_child)) } != 0 {
            return Err(OutOfMemory);
        }
        WATCHES.store(true, Ordering::Release);
    }
    // Before this process makes anything that bears its generation.
    note(generation());
    Ok(())
}

/// When the library is loaded, so that most libraries' handlers come after its own. What fails
/// here is tried again when the first batch is made.
#[used]
#[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".init_array"))]
#[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func"))]
static AT_LOAD: extern "C" fn() = {
    extern "C" fn at_load() {
        let _ = watch_forks();
    }
    at_load
};

/// Does what a handler of signals must not interrupt, as it may call the library and would wait for
/// the thread that it has interrupted. Signals of what the thread itself does come through: SIGSYS,
/// with which sandboxes answer system calls, would end the process if it could not.
pub(crate) fn with_signals_held<R>(f: impl FnOnce() -> R) -> R {
    struct Held(libc::sigset_t);
    impl Drop for Held {
        fn drop(&mut self) {
            // SAFETY: the set is what the call below has written.
            unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.0, ptr::null_mut()) };
        }
    }
    // SAFETY: both sets are local, and zeroes are a value of the type.
    let _held = unsafe {
        let (mut all, mut before) = std::mem::zeroed::<(libc::sigset_t, libc::sigset_t)>();
        libc::sigfillset(&raw mut all);
        let own =
            [libc::SIGSYS, libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP];
        for signal in own {
            libc::sigdelset(&raw mut all, signal);
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        Held(before)
    };
    f()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// Without the handlers of `pthread_atfork`.
    fn bare_clone() -> libc::c_long {
        // SAFETY: the child has a copy of everything, as after a fork.
        unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) }
    }

    fn is_held(signal: libc::c_int) -> bool {
        // SAFETY: the set is local, and zeroes are a value of the type.
        unsafe {
            let mut held = std::mem::zeroed::<libc::sigset_t>();
            libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), &raw mut held);
            libc::sigismember(&raw const held, signal) == 1
        }
    }

    #[test]
    fn signals_are_held_meanwhile_but_those_of_what_the_thread_does() {
        let signals = [libc::SIGUSR1, libc::SIGTERM, libc::SIGSYS, libc::SIGSEGV];
        assert_eq!(signals.map(is_held), [false; 4]);
        assert_eq!(with_signals_held(|| signals.map(is_held)), [true, true, false, false]);
        assert_eq!(signals.map(is_held), [false; 4]);
    }

    #[test]
    fn the_kernel_tells_a_child_that_no_handler_sees() {
        watch_forks().unwrap();
        let (here, me) = (generation(), thread_number());
        match bare_clone() {
            0 => {
                let passed = generation_at_a_glance() == 0
                    && generation() == here + GENERATION_STEP
                    && generation_at_a_glance() == here + GENERATION_STEP
                    && survivor() == me;
                // SAFETY: always sound.
                unsafe { libc::_exit(i32::from(!passed)) }
            }
            child => {
                let mut status = -1;
                // SAFETY: `status` may be written.
                let ended = unsafe { libc::waitpid(child.try_into().unwrap(), &raw mut status, 0) };
                assert_eq!((libc::c_long::from(ended), status), (child, 0));
            }
        }
        assert_eq!(generation(), here);
    }
}
