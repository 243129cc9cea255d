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

#[test]
fn an_owner_gets_all_that_other_threads_leave_to_it_while_places_are_reused() {
    crate::batch::check_model("owner", || {
        RELEASED.set(0);
        let owner = Arc::new(Owner::new(Release::Plain(release), 1).unwrap());
        let others: Vec<_> = [1, 10]
            .into_iter()
            .map(|handle| {
                let owner = owner.clone();
                thread::spawn(move || {
                    while !owner.reserve() {
                        thread::yield_now();
                    }
                    // SAFETY: the handle is a number, and a place is kept.
                    unsafe { owner.release(without_provenance_mut(handle)) };
                })
            })
            .collect();
        let mut done = 0;
        while done < 2 {
            if owner.is_pending() {
                done += owner.drain();
            } else {
                thread::yield_now();
            }
        }
        others.into_iter().for_each(|other| other.join().unwrap());
        // The flag may come after what it tells of was done.
        assert_eq!((owner.drain(), RELEASED.get(), owner.is_pending()), (0, 11, false));
    });
}
