//! Finds the node with the oldest result: a pairing heap (Fredman, Sedgewick, Sleator and Tarjan,
//! 1986). It allocates nothing, because its links are in the nodes.

use super::node::Node;
use std::ptr::NonNull;

/// The owner of the heap owns its nodes.
pub(super) struct Heap {
    root: Option<NonNull<Node>>,
}

impl Heap {
    pub(super) const fn new() -> Self {
        Self { root: None }
    }

    pub(super) const fn oldest(&self) -> Option<NonNull<Node>> {
        self.root
    }

    /// # Safety
    /// `node` must be alive, belong to the caller, and be in no heap.
    pub(super) unsafe fn add(&mut self, node: NonNull<Node>) {
        // SAFETY: the caller's promise, and what is in the heap is alive.
        unsafe {
            node.as_ref().links.child.set(None);
            self.root = Some(self.root.map_or(node, |root| meld(root, node)));
        }
    }

    /// Removes the oldest node.
    pub(super) fn remove_oldest(&mut self) {
        let Some(oldest) = self.root.take() else { return };
        // SAFETY: all that is in the heap is alive, and this thread's.
        unsafe {
            let mut rest = oldest.as_ref().links.child.take();
            // First two by two, from the first child on, and then all together, from the last
            // pair on: that keeps the trees flat.
            let mut pairs = None;
            while let Some(first) = rest {
                let second = first.as_ref().links.sibling.get();
                rest = second.and_then(|second| second.as_ref().links.sibling.get());
                let pair = second.map_or(first, |second| meld(first, second));
                pair.as_ref().links.sibling.set(pairs);
                pairs = Some(pair);
            }
            while let Some(pair) = pairs {
                pairs = pair.as_ref().links.sibling.get();
                self.root = Some(self.root.map_or(pair, |root| meld(root, pair)));
            }
        }
    }
}

#[cfg(test)]
std::thread_local! {
    /// How often this thread has compared two nodes.
    pub(super) static COMPARED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Merges two trees.
///
/// # Safety
/// Both must be alive and belong to the caller.
unsafe fn meld(a: NonNull<Node>, b: NonNull<Node>) -> NonNull<Node> {
    #[cfg(test)]
    COMPARED.set(COMPARED.get() + 1);
    // SAFETY: the caller's promise.
    unsafe {
        let (older, newer) = if a.as_ref().place() <= b.as_ref().place() { (a, b) } else { (b, a) };
        newer.as_ref().links.sibling.set(older.as_ref().links.child.get());
        older.as_ref().links.child.set(Some(newer));
        older
    }
}
