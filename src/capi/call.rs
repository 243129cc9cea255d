//! The way in and out of every exported function: check, call, status.

use crate::status::{Failure, ft_local_status, ft_local_status_code as code};
use ft_local::raw::border;

/// Checks arguments, or does all of the work if it calls no host code, behind the panic border.
#[inline]
pub(crate) fn enter<R>(own_code: impl FnOnce() -> Result<R, Failure>) -> Result<R, Failure> {
    border(own_code)?
}

/// A function that returns a status: `check` runs behind the panic border. `body` gets what it
/// returned and may call the host.
#[inline(always)] // Some bodies end with a call that replaces this one, so that they need no stack.
pub(crate) fn call<A, S: Outcome>(
    check: impl FnOnce() -> Result<A, Failure>,
    body: impl FnOnce(A) -> S,
) -> ft_local_status {
    match enter(check) {
        Ok(arguments) => body(arguments).status(),
        Err(failure) => failure.status(),
    }
}

/// A function that returns a status and calls nothing of the host.
#[inline]
pub(crate) fn status_of(own_code: impl FnOnce() -> Result<(), Failure>) -> ft_local_status {
    enter(own_code).status()
}

/// A function that returns something else, or `otherwise` if an argument is bad.
#[inline]
pub(crate) fn ask<R>(otherwise: R, own_code: impl FnOnce() -> Result<R, Failure>) -> R {
    enter(own_code).unwrap_or(otherwise)
}

/// What becomes a status.
pub(crate) trait Outcome {
    fn status(self) -> ft_local_status;
}

impl Outcome for ft_local_status {
    #[inline]
    fn status(self) -> ft_local_status {
        self
    }
}

impl Outcome for Failure {
    #[inline]
    fn status(self) -> ft_local_status {
        self.0
    }
}

impl<E: Into<Failure>> Outcome for Result<(), E> {
    #[inline]
    fn status(self) -> ft_local_status {
        self.map_or_else(|error| error.into().0, |()| code::FT_LOCAL_OK as ft_local_status)
    }
}
