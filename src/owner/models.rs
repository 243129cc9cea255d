//! Model checks of what waits for an owner.

use super::{Owner, Release};
use loom::sync::Arc;
use loom::thread;
use std::cell::Cell;
use std::ffi::c_void;
use std::ptr::without_provenance_mut;

std::thread_local! {
    // All threads of a model are one to the operating system.
    static RELEASED: Cell<usize> = const { Cell::new(0) };
}

unsafe extern "C-unwind" fn release(handle: *mut c_void) {
    RELEASED.set(RELEASED.get() + handle.addr());
}

/// Leaves a handle to the owner as soon as there is a place for it.
fn leave(owner: &Owner, handle: usize) {
    while !owner.reserve() {
        thread::yield_now();
    }
    // SAFETY: the handle is a number, and a place is kept.
    unsafe { owner.release(without_provenance_mut(handle)) };
}

/// Has other threads leave 1 and 10 to an owner with `places` places, which drains meanwhile.
fn check_owner(name: &str, places: usize, shares: &'static [&'static [usize]]) {
    crate::batch::check_model(name, move || {
        RELEASED.set(0);
        let owner = Arc::new(Owner::new(Release::Plain(release), places).unwrap());
        let others: Vec<_> = shares
            .iter()
            .map(|share| {
                let owner = owner.clone();
                thread::spawn(move || share.iter().for_each(|&handle| leave(&owner, handle)))
            })
            .collect();
        let mut done = 0;
        while done < 2 {
            done += owner.drain();
            thread::yield_now();
        }
        others.into_iter().for_each(|other| other.join().unwrap());
        // The flag may come after what it tells of was done.
        assert_eq!((owner.drain(), RELEASED.get(), owner.is_pending()), (0, 11, false));
    });
}

#[test]
fn an_owner_gets_all_that_two_threads_leave_to_it() {
    check_owner("owner of two", 2, &[&[1], &[10]]);
}

#[test]
fn an_owner_gets_all_while_its_one_place_is_used_again() {
    check_owner("owner of one", 1, &[&[1, 10]]);
}
