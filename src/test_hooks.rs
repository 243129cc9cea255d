//! What the tests of a binding need to see and to do inside the library.

pub use crate::panic::drill::{arm, is_armed};

/// How often this thread has locked one of the library's mutexes.
#[cfg(not(all(test, any(loom, shuttle))))]
pub fn locks_of_this_thread() -> usize {
    crate::sync::locks_of_this_thread()
}
