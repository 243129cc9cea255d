use super::*;
use crate::batch::Batch;
use crate::host::{Block, HostTable, Interrupt, Native, Retain};
use crate::object::Object;
use crate::source::Source;
use crate::status::LoadError;
use std::convert::Infallible;
use std::ptr::{NonNull, null_mut, without_provenance_mut};
use std::sync::Barrier;
use std::thread::{self, ThreadId};

/// What was released, and where.
#[derive(Default)]
struct Released(std::sync::Mutex<Vec<(usize, ThreadId)>>);

impl Released {
    fn way(&self) -> Release {
        unsafe extern "C-unwind" fn release(ctx: *mut c_void, handle: *mut c_void) {
            // SAFETY: `ctx` is the address of a `Released` that outlives the owner.
            let released = unsafe { &*ctx.cast::<Released>() };
            released.0.lock().unwrap().push((handle.addr(), thread::current().id()));
        }
        Release::WithCtx(release, std::ptr::from_ref(self).cast_mut().cast())
    }

    fn sorted(&self) -> Vec<usize> {
        let mut handles: Vec<_> =
            self.0.lock().unwrap().iter().map(|(handle, _)| *handle).collect();
        handles.sort_unstable();
        handles
    }
}

/// Releases a handle for which there is room.
fn release(owner: &Owner, handle: usize) {
    // SAFETY: the handle is a number, and is released once.
    unsafe { owner.release(without_provenance_mut(handle)) }
}

#[test]
fn the_owner_releases_at_once() {
    let released = Released::default();
    let owner = Owner::new(released.way(), 1).unwrap();
    assert!(owner.is_current());
    release(&owner, 7);
    assert_eq!((released.sorted(), owner.is_pending(), owner.drain()), (vec![7], false, 0));
}

#[test]
fn what_falls_due_elsewhere_waits_for_the_owner_in_its_order() {
    let released = Released::default();
    let owner = Owner::new(released.way(), 2).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            assert!(!owner.is_current());
            for handle in [8, 7] {
                assert!(owner.reserve());
                release(&owner, handle);
            }
        });
    });
    assert_eq!((released.sorted(), owner.is_pending()), (vec![], true));
    assert_eq!((owner.drain(), owner.is_pending(), owner.drain()), (2, false, 0));
    let here = thread::current().id();
    assert_eq!(*released.0.lock().unwrap(), [(8, here), (7, here)]);
}

#[test]
fn only_the_owner_drains() {
    let owner = Owner::new(Released::default().way(), 1).unwrap();
    let elsewhere = thread::scope(|scope| scope.spawn(|| owner.drain()).join());
    assert!(elsewhere.is_err());
}

#[test]
fn there_are_as_many_places_as_the_capacity_says() {
    let released = Released::default();
    let owner = Owner::new(released.way(), 2).unwrap();
    assert_eq!([(); 3].map(|()| owner.reserve()), [true, true, false]);
    owner.give_room_back();
    assert_eq!([(); 2].map(|()| owner.reserve()), [true, false]);
    // A release takes one of the places that are kept, and draining makes it free.
    thread::scope(|scope| _ = scope.spawn(|| release(&owner, 7)));
    assert!(!owner.reserve());
    assert_eq!((owner.drain(), owner.reserve(), owner.reserve()), (1, true, false));
}

#[test]
fn an_owner_knows_the_way_it_releases() {
    unsafe extern "C-unwind" fn plain(_: *mut c_void) {}
    let [mine, others] = [0; 2].map(|_| Released::default());
    let owner = Owner::new(mine.way(), 1).unwrap();
    assert!(owner.releases_by(mine.way()));
    assert!(!owner.releases_by(others.way()), "the same function, and another context");
    assert!(!owner.releases_by(Release::Plain(plain)));
    assert!(Owner::new(Release::Plain(plain), 1).unwrap().releases_by(Release::Plain(plain)));
}

#[test]
fn each_release_of_many_threads_happens_once_in_the_owners_thread() {
    const EACH: usize = 5000;
    let released = Released::default();
    let owner = Owner::new(released.way(), 16).unwrap();
    let start = Barrier::new(4);
    let work = |first: usize| {
        start.wait();
        for handle in first..first + EACH {
            while !owner.reserve() {
                thread::yield_now();
            }
            release(&owner, handle);
        }
    };
    let drained = thread::scope(|scope| {
        let work = &work;
        let others: Vec<_> =
            (0..3).map(|number| scope.spawn(move || work(number * EACH))).collect();
        start.wait();
        let mut drained = 0;
        while others.iter().any(|other| !other.is_finished()) {
            drained += owner.drain();
        }
        drained + owner.drain()
    });
    assert_eq!((drained, owner.is_pending()), (3 * EACH, false));
    assert_eq!(released.sorted(), (0..3 * EACH).collect::<Vec<_>>());
    let here = thread::current().id();
    assert!(released.0.lock().unwrap().iter().all(|(_, thread)| *thread == here));
}

/// A batch of objects that `owner` must release: 1, 2, 3, ...
fn bound_batch(owner: &Owner) -> Batch<HostTable, impl Source<HostTable, Error = Infallible>> {
    let release = Release::Bound(NonNull::from(owner));
    let (block, interrupt) = (Block::Plainly, Interrupt::None);
    let host = HostTable { retain: Retain::None, release, block, interrupt };
    let mut made = 0;
    let source = move || {
        made += 1;
        // SAFETY: the number stands for itself.
        Ok::<Object, Infallible>(unsafe { host.adopt(without_provenance_mut(made)) })
    };
    Batch::new(host, source, 4).unwrap()
}

#[test]
fn a_batch_is_cleared_elsewhere_as_far_as_the_owner_has_room() {
    let released = Released::default();
    let owner = Owner::new(released.way(), 2).unwrap();
    let batch = bound_batch(&owner);
    drop(batch.load().unwrap());
    let elsewhere = || thread::scope(|scope| scope.spawn(|| batch.clear().err()).join().unwrap());
    assert!(matches!(elsewhere(), Some(LoadError::Deferred)));
    assert_eq!((released.sorted(), batch.len()), (vec![1], 1));
    assert!(matches!(elsewhere(), Some(LoadError::Deferred)));
    assert_eq!(owner.drain(), 2);
    assert_eq!((elsewhere().is_none(), batch.len(), owner.drain()), (true, 0, 1));
    assert_eq!(released.sorted(), [1, 2, 3, 4]);
    assert!(owner.reserve() && owner.reserve(), "no place is lost");
}

#[test]
fn the_owner_clears_a_batch_without_a_queue() {
    let released = Released::default();
    let owner = Owner::new(released.way(), 1).unwrap();
    let batch = bound_batch(&owner);
    drop(batch.load().unwrap());
    assert!(batch.clear().is_ok());
    assert_eq!((released.sorted(), owner.is_pending()), (vec![1, 2, 3, 4], false));
}

#[test]
fn a_host_without_an_owner_may_always_release() {
    use crate::host::Host;
    assert!(Native::<usize>::new().may_release());
    let (block, interrupt) = (Block::Plainly, Interrupt::None);
    let host = HostTable { retain: Retain::None, release: Release::None, block, interrupt };
    assert!(host.may_release());
    host.did_not_release();
    // SAFETY: a host of plain values.
    assert!(unsafe { host.retain(null_mut()) }.is_some());
}
