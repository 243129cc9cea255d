//! A thread that a host's objects are bound to.

use super::argument::{cleared, cleared_count, enter, status_of};
use super::handle::{Handle, Marked, borrow, reclaim, retire};
use super::host::{ft_local_host, table};
use super::status::{Refusal, ft_local_status, ft_local_status_code as code};
use crate::object::Release;
use crate::owner::{MAX_CAPACITY, Owner};
use crate::sync::Ordering;
use std::ffi::CStr;
use std::ptr::NonNull;

/// The largest capacity of an owner. Its memory is taken when it is made: 16 bytes for each.
pub const FT_LOCAL_OWNER_MAX_CAPACITY: usize = 16_777_216;

const _: () = assert!(FT_LOCAL_OWNER_MAX_CAPACITY == MAX_CAPACITY);

/// Keeps the releases that fall due in other threads for the one thread that may do them.
///
/// Some runtimes let only the thread that made an object touch it. Such a host makes an owner in
/// that thread and sets `owner` in its `ft_local_host`. Its handles may then be used and freed in
/// any thread: what is to be released elsewhere waits in a queue until the owner drains it. Every
/// handle keeps a place in the queue, so that freeing it never fails.
pub struct ft_local_owner(Marked<Owner>);

impl Handle for ft_local_owner {
    type Inner = Owner;
    const MARK: usize = 0x6c6f_776e;
    const NULL: &'static CStr = c"owner is NULL, or no address of a handle";
    const WRONG: &'static CStr = c"owner is not an ft_local_owner, or was freed";

    fn marked(&self) -> &Marked<Owner> {
        &self.0
    }
}

const OTHER_RELEASE: Refusal =
    Refusal(c"host->owner was made with a host that releases in another way");

/// The way to release an object of a host that names an owner.
///
/// # Safety
/// `owner` must be NULL, which is refused, or a handle that is not freed during the call.
pub(super) unsafe fn bound(
    owner: *mut ft_local_owner,
    release: Release,
) -> Result<Release, Refusal> {
    // SAFETY: the caller's promise.
    let owner = unsafe { borrow(owner) }?;
    if !owner.releases_by(release) {
        return Err(OTHER_RELEASE);
    }
    Ok(Release::Bound(NonNull::from(owner)))
}

/// A handle's reference to the owner of its object, with a place in the owner's queue.
pub(super) struct Kept(Option<NonNull<Owner>>);

impl Kept {
    /// Keeps the owner that `release` names, if it names one, and a place in its queue.
    pub(super) fn of(release: Release) -> Result<Self, ft_local_status> {
        let Release::Bound(owner) = release else {
            return Ok(Self(None));
        };
        // SAFETY: the caller has just found the owner in its handle.
        let it = unsafe { owner.as_ref() };
        if !it.reserve() {
            return Err(code::FT_LOCAL_ERR_OWNER_FULL.into());
        }
        // Relaxed: the caller's handle is there.
        it.references.fetch_add(1, Ordering::Relaxed);
        Ok(Self(Some(owner)))
    }

    pub(super) fn owner(&self) -> Option<&Owner> {
        // SAFETY: the reference that this stands for keeps it alive.
        self.0.map(|owner| unsafe { owner.as_ref() })
    }

    /// Leaves the place and the reference to a handle that is given out, which ends both by
    /// `again` when it is freed.
    pub(super) fn leave(self) {
        std::mem::forget(self);
    }

    /// The reference that a handle was left with.
    ///
    /// # Safety
    /// It must have been left by `leave`, and be taken up again once.
    pub(super) unsafe fn again(release: Release) -> Self {
        match release {
            Release::Bound(owner) => Self(Some(owner)),
            _ => Self(None),
        }
    }

    /// Ends the reference after the place in the queue was used.
    pub(super) fn used(self) {
        if let Some(owner) = std::mem::ManuallyDrop::new(self).0 {
            drop_reference(owner);
        }
    }

    /// Ends the reference after the object was released that the place was kept for, and waits
    /// there if this is not the owner's thread.
    pub(super) fn after_release(self) {
        if self.owner().is_some_and(|owner| !owner.is_current()) {
            self.used();
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(owner) = self.0 {
            // SAFETY: the reference keeps it alive.
            unsafe { owner.as_ref() }.give_room_back();
            drop_reference(owner);
        }
    }
}

fn drop_reference(owner: NonNull<Owner>) {
    // SAFETY: the reference keeps it alive. AcqRel: with itself in other threads.
    if unsafe { owner.as_ref() }.references.fetch_sub(1, Ordering::AcqRel) == 1 {
        // SAFETY: the last reference, and an owner lies in its handle.
        drop(unsafe {
            reclaim(owner.as_ptr().byte_sub(Marked::<Owner>::OFFSET).cast::<ft_local_owner>())
        });
    }
}

/// Makes the calling thread the owner of the objects of `host`, with room for `capacity` releases.
/// A batch and a wrapper need one place each, as long as they live; what is cleared from a batch in
/// another thread needs one for each object until it is drained.
///
/// Ownership: `host` is read for the way it releases; `*out` is new: free it with
/// `ft_local_owner_free`.
/// Threads: any thread, at once. The caller's becomes the owner.
/// Blocks: no.
/// Calls host: no.
/// Errors: FT_LOCAL_ERR_ARGUMENT, also if `capacity` is 0 or above FT_LOCAL_OWNER_MAX_CAPACITY, or
/// `host` has no release or an owner already; FT_LOCAL_ERR_NO_MEMORY. `*out` is then NULL.
/// Since: 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ft_local_owner_new(
    host: *const ft_local_host,
    capacity: usize,
    out: *mut *mut ft_local_owner,
) -> ft_local_status {
    let made = enter(|| {
        // SAFETY: the caller's promise.
        let (out, host) = unsafe { (cleared(out)?, table(host)?) };
        match host.release {
            Release::None => return Err(Refusal(c"host has no release to keep for an owner")),
            Release::Bound(_) => return Err(Refusal(c"host has an owner already")),
            Release::Plain(_) | Release::WithCtx(..) => {}
        }
        if !(1..=MAX_CAPACITY).contains(&capacity) {
            return Err(Refusal(c"capacity must be between 1 and FT_LOCAL_OWNER_MAX_CAPACITY"));
        }
        let handle = Owner::new(host.release, capacity)
            .map(|owner| ft_local_owner(Marked::new(ft_local_owner::MARK, owner)))
            .and_then(Handle::give_out);
        Ok(handle.map(|handle| *out = handle))
    });
    status_of(|| Ok(made??))
}

/// Whether releases wait for the owner. Costs one read of memory.
///
/// Ownership: nothing changes hands.
/// Threads: any thread, at once.
/// Blocks: no.
/// Calls host: no.
/// Errors: 0 if `owner` is not an owner; `ft_local_last_error` then says so.
/// Since: 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ft_local_owner_pending(owner: *const ft_local_owner) -> i32 {
    // SAFETY: the caller's promise.
    enter(|| unsafe { borrow(owner) }.map(|owner| i32::from(owner.is_pending()))).unwrap_or(0)
}

/// Does the releases that wait for the owner, and says in `*released` how many there were; a batch
/// that was freed elsewhere counts as one.
///
/// Ownership: references that other threads gave up end here.
/// Threads: owner thread only.
/// Blocks: no.
/// Calls host: release, once for each object.
/// Errors: FT_LOCAL_ERR_ARGUMENT, also in another thread than the owner's. `*released` is then 0.
/// Since: 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ft_local_owner_drain(
    owner: *const ft_local_owner,
    released: *mut usize,
) -> ft_local_status {
    let checked = enter(|| {
        // SAFETY: the caller's promise.
        let (released, owner) = unsafe { (cleared_count(released)?, borrow(owner)?) };
        if !owner.is_current() {
            return Err(Refusal(c"owner belongs to another thread, which alone may drain it"));
        }
        Ok((released, owner))
    });
    match checked {
        Ok((released, owner)) => {
            // Out of the border: this calls the host.
            *released = owner.drain();
            code::FT_LOCAL_OK.into()
        }
        Err(status) => status,
    }
}

/// Drains an owner and frees it; its memory stays until the last handle made with it is freed. What
/// these leave to the owner from now on is never released, so free them first. NULL is nothing to
/// free.
///
/// Ownership: `owner` is moved: no longer yours.
/// Threads: owner thread only.
/// Blocks: no.
/// Calls host: release, once for each object that waits.
/// Errors: none that are told. What is not an owner, or was freed, is left alone; in another
/// thread nothing is drained.
/// Since: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ft_local_owner_free(owner: *mut ft_local_owner) {
    if owner.is_null() {
        return;
    }
    // SAFETY: the caller's promise.
    if let Ok(inner) = enter(|| unsafe { retire(owner) }) {
        if inner.is_current() {
            inner.drain();
        }
        drop_reference(NonNull::from(inner));
    }
}
