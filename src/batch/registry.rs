//! All cursors of the process, for the child of a fork and for statistics.

use super::node::Node;
use crate::process::generation;
use crate::sync::{Global, global};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, Ordering};

global! {
    CURSORS: Registry = Registry::new()
}

global! {
    LOCK: Global<()> = Global::new(())
}

/// Gives `f` the list of all cursors, under its lock.
pub(crate) fn with_cursors<R>(f: impl FnOnce(&Registry) -> R) -> R {
    // In a child, the lock is renewed first.
    generation();
    LOCK.with(|()| f(&CURSORS))
}

/// For the child of a fork: what cursors have in hand is the parent's.
///
/// # Safety
/// No thread of this process may be using the list.
pub(crate) unsafe fn renew() {
    // SAFETY: the caller's promise.
    unsafe { LOCK.renew(()) };
    CURSORS.set_aside();
}

/// A list of the cursors that are open. A thread that changes or reads it holds its lock, except for
/// the child of a fork, which may find it in the middle of a change: the single store that makes up
/// each change has happened or has not, and the list is good either way. A node that is not in it
/// yet, or no more, is known to a thread that is gone, and to no other.
pub(crate) struct Registry {
    first: AtomicPtr<Node>,
}

impl Registry {
    const fn new() -> Self {
        Self { first: AtomicPtr::new(ptr::null_mut()) }
    }

    /// The places where the list refers to a node, and the nodes.
    fn places(&self) -> impl Iterator<Item = (&AtomicPtr<Node>, NonNull<Node>)> {
        let mut place = &self.first;
        std::iter::from_fn(move || {
            let node = NonNull::new(place.load(Ordering::Relaxed))?;
            let found = (place, node);
            // SAFETY: what is in the list is alive.
            place = unsafe { &node.as_ref().after };
            Some(found)
        })
    }

    pub(super) fn add(&self, node: NonNull<Node>) {
        // SAFETY: the caller has just made the node.
        unsafe { node.as_ref() }.after.store(self.first.load(Ordering::Relaxed), Ordering::Relaxed);
        self.first.store(node.as_ptr(), Ordering::Release);
    }

    pub(super) fn remove(&self, node: NonNull<Node>) {
        if let Some((place, node)) = self.places().find(|(_, found)| *found == node) {
            // SAFETY: what is in the list is alive.
            let after = unsafe { node.as_ref() }.after.load(Ordering::Relaxed);
            place.store(after, Ordering::Release);
        }
    }

    /// The cursors of the batch with that number.
    pub(crate) fn of(&self, number: u64) -> impl Iterator<Item = &Node> {
        // SAFETY: what is in the list is alive.
        let nodes = self.places().map(|(_, node)| unsafe { &*node.as_ptr().cast_const() });
        nodes.filter(move |node| node.number == number)
    }

    /// In the child of a fork, while it has one thread: what cursors have in hand is the parent's.
    /// Not even their owners' fast path, which looks at nothing else, may hand it out.
    fn set_aside(&self) {
        for (_, node) in self.places() {
            // SAFETY: what is in the list is alive.
            unsafe { node.as_ref() }.set_aside();
        }
    }
}
