//! The border that no panic of the library crosses.
//!
//! It encloses the library's own code and never a callback of the host: a C++ exception or the
//! forced unwind of `pthread_exit` that comes out of a callback must pass, and would stop the
//! process if it met `catch_unwind`.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// The library panicked: a defect of its own, reported to the host as a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Panicked;

/// Runs `own_code`, which must call nothing of the host, and returns a panic of it as an error.
///
/// # Errors
/// [`Panicked`], if it panicked.
pub fn border<R>(own_code: impl FnOnce() -> R) -> Result<R, Panicked> {
    if cfg!(all(test, loom)) {
        // A model reports what it finds by panicking.
        return Ok(own_code());
    }
    let watched = || {
        #[cfg(any(test, feature = "test-hooks"))]
        drill::panic_if_armed();
        own_code()
    };
    catch_unwind(AssertUnwindSafe(watched)).map_err(|payload| {
        // Dropping a payload runs its destructor, which may panic in its turn.
        std::mem::forget(payload);
        Panicked
    })
}

/// Does something at the end of a scope, also if the host unwinds out of it.
pub(crate) struct Defer<F: FnMut()>(pub(crate) F);

impl<F: FnMut()> Drop for Defer<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Lets a test make the next border of its thread meet a panic.
#[cfg(any(test, feature = "test-hooks"))]
pub(crate) mod drill {
    use std::cell::Cell;

    thread_local! {
        static ARMED: Cell<bool> = const { Cell::new(false) };
    }

    /// Makes the next border of this thread meet a panic.
    pub fn arm() {
        ARMED.set(true);
    }

    /// Whether that border is still to come.
    #[cfg(feature = "test-hooks")]
    pub fn is_armed() -> bool {
        ARMED.get()
    }

    pub(super) fn panic_if_armed() {
        if ARMED.replace(false) {
            // Without memory of its own, as the border forgets it.
            std::panic::resume_unwind(Box::new(()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct PanicsOnDrop;

    impl Drop for PanicsOnDrop {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }

    #[test]
    fn a_panic_becomes_an_error() {
        let result = border(|| -> i32 { std::panic::resume_unwind(Box::new(())) });
        assert_eq!(result, Err(Panicked));
    }

    #[test]
    fn a_payload_that_panics_when_dropped_is_survived() {
        let result = border(|| std::panic::resume_unwind(Box::new(PanicsOnDrop)));
        assert_eq!(result, Err::<(), _>(Panicked));
    }
}
