//! The synchronisation primitives of the core: those of `std`, loom's when a model is checked in
//! every order of its steps, or shuttle's when larger scenes are run in many random ones.

#[cfg(not(all(test, any(loom, shuttle))))]
mod real;
#[cfg(not(all(test, any(loom, shuttle))))]
use real as imp;
#[cfg(all(test, loom))]
#[path = "sync/loom.rs"]
mod imp;
#[cfg(all(test, shuttle))]
#[path = "sync/shuttle.rs"]
mod imp;
#[cfg(all(any(test, feature = "test-hooks"), not(all(test, any(loom, shuttle)))))]
mod counted;
#[cfg(all(test, any(loom, shuttle)))]
mod model;
mod state;

/// Counts and hints that order nothing and are always relaxed. Models do not see them, and so need
/// not go through every order of them.
pub(crate) mod unordered {
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize};
}

pub(crate) use crossbeam_utils::CachePadded;
pub(crate) use imp::*;
#[cfg(all(test, any(loom, shuttle)))]
pub(crate) use model::*;
pub(crate) use state::{Global, Renewable, new_number};
pub(crate) use std::sync::atomic::Ordering;
