//! All cursors of the process, for the child of a fork.

use super::node::Node;
use crate::process::generation;
use crate::sync::{Global, global, vanishing_point};
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
/// yet, or no more, is known to a thread that is gone, and to no other. How to leave the list without
/// a search, each node knows by a second store, so the child writes that anew.
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
        let it = unsafe { node.as_ref() };
        let after = self.first.load(Ordering::Relaxed);
        it.after.store(after, Ordering::Relaxed);
        it.place_in_list.set(&raw const self.first);
        self.first.store(node.as_ptr(), Ordering::Release);
        vanishing_point();
        Self::is_at(after, &it.after);
    }

    /// The node must be in the list.
    pub(super) fn remove(&self, node: NonNull<Node>) {
        // SAFETY: what is in the list is alive, and so is what it says of its place.
        let (it, place) = unsafe { (node.as_ref(), &*node.as_ref().place_in_list.get()) };
        let after = it.after.load(Ordering::Relaxed);
        place.store(after, Ordering::Release);
        vanishing_point();
        Self::is_at(after, place);
    }

    /// Tells a node, if there is one, where the list refers to it.
    fn is_at(node: *mut Node, place: &AtomicPtr<Node>) {
        if let Some(node) = NonNull::new(node) {
            // SAFETY: what is in the list is alive.
            unsafe { node.as_ref() }.place_in_list.set(place);
        }
    }

    /// In the child of a fork, while it has one thread: what cursors have in hand is the parent's.
    /// Not even their owners' fast path, which looks at nothing else, may hand it out.
    fn set_aside(&self) {
        for (place, node) in self.places() {
            // Between the two stores of a change it was another.
            Self::is_at(node.as_ptr(), place);
            // SAFETY: what is in the list is alive.
            unsafe { node.as_ref() }.set_aside();
        }
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    /// A list of three nodes, and these in the order of the list.
    fn three() -> (Box<Registry>, [NonNull<Node>; 3]) {
        // In a place of its own, which the first node knows.
        let list = Box::new(Registry::new());
        let nodes = [0; 3].map(|_| Node::new(1, ptr::null(), true, false).unwrap());
        nodes.iter().rev().for_each(|&node| list.add(node));
        (list, nodes)
    }

    fn has(list: &Registry, nodes: &[NonNull<Node>]) -> bool {
        list.places().map(|(_, node)| node).eq(nodes.iter().copied())
    }

    /// Takes the nodes out in the order of the numbers, and looks at the list each time.
    fn take_out(list: &Registry, nodes: &[NonNull<Node>], order: &[usize]) {
        let mut left = nodes.to_vec();
        for &index in order {
            list.remove(nodes[index]);
            left.retain(|&node| node != nodes[index]);
            assert!(has(list, &left), "{order:?}, {index}");
            // SAFETY: no longer in the list, and not used from here on.
            unsafe { Node::free(nodes[index]) };
        }
    }

    const ORDERS: [[usize; 3]; 6] =
        [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

    #[test]
    fn nodes_leave_the_list_in_any_order() {
        for order in ORDERS {
            let (list, nodes) = three();
            assert!(has(&list, &nodes));
            take_out(&list, &nodes, &order);
        }
    }

    #[test]
    fn a_child_mends_a_list_that_its_parent_was_changing() {
        for order in ORDERS {
            let (list, nodes) = three();
            let other = Node::new(1, ptr::null(), true, false).unwrap();
            // The first store of each change; the node behind does not know of it.
            list.add(other);
            list.first.store(nodes[0].as_ptr(), Ordering::Relaxed);
            list.set_aside();
            take_out(&list, &nodes, &order);

            let (list, nodes) = three();
            // SAFETY: made above.
            unsafe { other.as_ref() }.after.store(nodes[0].as_ptr(), Ordering::Relaxed);
            list.first.store(other.as_ptr(), Ordering::Relaxed);
            list.set_aside();
            list.remove(other);
            take_out(&list, &nodes, &order);
            // SAFETY: in no list, and not used from here on.
            unsafe { Node::free(other) };
        }
    }
}
