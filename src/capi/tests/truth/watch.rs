//! Notes what a call does: which functions of the host it calls, and whether it takes a lock, or
//! memory, or gives memory back.

use ft_local::test_hooks::locks_of_this_thread;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{Read, Write};

/// A set of the things below.
pub(super) type Seen = u16;

pub(super) const RETAIN: Seen = 1;
pub(super) const RELEASE: Seen = 1 << 1;
pub(super) const SOURCE: Seen = 1 << 2;
pub(super) const BLOCK: Seen = 1 << 3;
pub(super) const INTERRUPTED: Seen = 1 << 4;
pub(super) const VISITOR: Seen = 1 << 5;
pub(super) const WAKE: Seen = 1 << 6;
pub(super) const FREE_CTX: Seen = 1 << 7;
pub(super) const MEMORY: Seen = 1 << 8;
pub(super) const LOCK: Seen = 1 << 9;

/// What of it is the host's.
pub(super) const HOST: Seen =
    RETAIN | RELEASE | SOURCE | BLOCK | INTERRUPTED | VISITOR | WAKE | FREE_CTX;

/// What the header calls one of them.
pub(super) fn names(bit: Seen) -> &'static str {
    match bit {
        RETAIN => "retain",
        RELEASE => "release",
        SOURCE => "source",
        BLOCK => "block",
        INTERRUPTED => "interrupted",
        VISITOR => "visitor",
        WAKE => "wake",
        FREE_CTX => "free_ctx",
        LOCK => "a lock",
        _ => "memory",
    }
}

thread_local! {
    static SEEN: Cell<Seen> = const { Cell::new(0) };
    static HAS_NO_MEMORY: Cell<bool> = const { Cell::new(false) };
}

/// To be called by each function of the host.
pub(super) fn note(what: Seen) {
    // A thread that is ending may have lost the place.
    let _ = SEEN.try_with(|seen| seen.set(seen.get() | what));
}

/// What is seen during a call, in this thread.
pub(super) fn during(call: impl FnOnce()) -> Seen {
    let locks = locks_of_this_thread();
    SEEN.set(0);
    call();
    let seen = SEEN.get();
    if locks_of_this_thread() == locks { seen } else { seen | LOCK }
}

/// Makes every request for memory fail.
pub(super) fn without_memory(call: impl FnOnce()) {
    HAS_NO_MEMORY.set(true);
    call();
    HAS_NO_MEMORY.set(false);
}

/// Whether every request of this thread for memory fails.
pub(super) fn has_no_memory() -> bool {
    HAS_NO_MEMORY.get()
}

/// What is seen in a child of a fork, which ends with the call.
pub(super) fn in_child(call: impl FnOnce() -> Seen) -> Seen {
    let (mut from_child, mut to_parent) = std::io::pipe().unwrap();
    // SAFETY: the child makes the call and leaves without a word.
    let status = unsafe {
        let child = libc::fork();
        if child == 0 {
            match std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)) {
                Ok(seen) => {
                    to_parent.write_all(&seen.to_ne_bytes()).unwrap();
                    libc::_exit(0)
                }
                Err(_) => libc::abort(),
            }
        }
        let mut status = -1;
        assert_eq!(libc::waitpid(child, &raw mut status, 0), child);
        status
    };
    assert_eq!(status, 0, "the call failed in the child");
    let mut seen = [0; size_of::<Seen>()];
    from_child.read_exact(&mut seen).unwrap();
    Seen::from_ne_bytes(seen)
}

/// The allocator of the tests.
struct Watched;

#[global_allocator]
static WATCHED: Watched = Watched;

// SAFETY: the system's, which may fail.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(MEMORY);
        if HAS_NO_MEMORY.try_with(Cell::get).unwrap_or(false) {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        note(MEMORY);
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(MEMORY);
        if HAS_NO_MEMORY.try_with(Cell::get).unwrap_or(false) {
            return std::ptr::null_mut();
        }
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }
}
