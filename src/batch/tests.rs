mod basics;
mod forks;
mod properties;
mod sources;
mod waits;

use super::*;
use crate::border::drill;
use crate::host::Native;
use crate::object::Object;
use crate::source::Slots;
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, OnceLock, Weak, mpsc};
use std::time::Duration;

const VALUES: Native<usize> = Native::new();

/// 1, 2, 3, ...
fn counter() -> impl FnMut() -> Result<usize, Infallible> + Send {
    let mut made = 0;
    move || {
        made += 1;
        Ok(made)
    }
}

/// 1, 2, 3, ..., but the calls for which `fails` holds fail, and count.
fn failing(fails: impl Fn(usize) -> bool + Send) -> impl FnMut() -> Result<usize, usize> + Send {
    let (mut calls, mut made) = (0, 0);
    move || {
        calls += 1;
        if fails(calls) {
            return Err(calls);
        }
        made += 1;
        Ok(made)
    }
}
