//! Results that were claimed and not used, in the nodes in which they came back.

use crate::cursor::Node;
use crate::host::Word;
use crate::sync::unordered::AtomicUsize;
use crate::sync::{AtomicPtr, CachePadded, Ordering};
use std::ptr::{self, NonNull};

/// A stack of nodes. Nobody takes a node off: a thread takes the whole stack, helps itself to the
/// oldest result, and puts back what is left. So no node is reached by two threads, and there is
/// no lock. Another thread that looks in between finds nothing, and goes on to newer results.
pub(super) struct Returned(CachePadded<Stack>);

struct Stack {
    top: AtomicPtr<Node>,
    /// How many results there are, those that a thread is just looking through among them.
    len: AtomicUsize,
}

impl Returned {
    pub(super) fn new() -> Self {
        let (top, len) = (AtomicPtr::new(ptr::null_mut()), AtomicUsize::new(0));
        Self(CachePadded::new(Stack { top, len }))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len.load(Ordering::Relaxed)
    }

    /// Adds a node that is not empty.
    pub(super) fn push(&self, node: NonNull<Node>) {
        // SAFETY: the node is the caller's.
        self.0.len.fetch_add(unsafe { node.as_ref() }.len(), Ordering::Relaxed);
        self.put(node, node);
    }

    /// Puts the nodes from `first` to `last`, each of which has the next below it, on the stack.
    fn put(&self, first: NonNull<Node>, last: NonNull<Node>) {
        let mut top = self.0.top.load(Ordering::Relaxed);
        loop {
            // SAFETY: the nodes are the caller's.
            unsafe { last.as_ref() }.below.store(top, Ordering::Relaxed);
            // Release: with the Acquire in `pop`, for the nodes.
            match self.0.top.compare_exchange_weak(
                top,
                first.as_ptr(),
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(newer) => top = newer,
            }
        }
    }

    /// Takes the oldest result, and says how many are left in what was seen.
    pub(super) fn pop(&self) -> Option<(Word, usize)> {
        // Acquire: with the Release in `put`.
        let top = NonNull::new(self.0.top.swap(ptr::null_mut(), Ordering::Acquire))?;
        let oldest = nodes(top).min_by_key(|node| {
            // SAFETY: all nodes are this thread's since the swap.
            unsafe { node.as_ref() }.place()
        })?;
        // SAFETY: as above. No node on the stack is empty.
        let word = unsafe { oldest.as_ref() }.pop()?;
        let left = self.put_back(top, oldest);
        self.0.len.fetch_sub(1, Ordering::Relaxed);
        Some((word, left))
    }

    /// Puts the nodes from `top` on back, without `used` if that is empty. Returns how many
    /// results they hold.
    fn put_back(&self, top: NonNull<Node>, used: NonNull<Node>) -> usize {
        let (mut first, mut last, mut left) = (None::<NonNull<Node>>, None::<NonNull<Node>>, 0);
        let mut next = Some(top);
        while let Some(node) = next {
            // SAFETY: all nodes are this thread's.
            let it = unsafe { node.as_ref() };
            next = NonNull::new(it.below.load(Ordering::Relaxed));
            if node == used && it.len() == 0 {
                // SAFETY: nobody else knows the node.
                unsafe { Node::free(node) };
                continue;
            }
            left += it.len();
            if let Some(last) = last {
                // SAFETY: as above.
                unsafe { last.as_ref() }.below.store(node.as_ptr(), Ordering::Relaxed);
            }
            first = first.or(Some(node));
            last = Some(node);
        }
        if let (Some(first), Some(last)) = (first, last) {
            self.put(first, last);
        }
        left
    }

    /// Shows every result to `visit`, until it returns `false`, which is then returned.
    ///
    /// # Safety
    /// No other thread may use the stack meanwhile.
    pub(super) unsafe fn visit(&self, visit: &mut dyn FnMut(Word) -> bool) -> bool {
        // SAFETY: what is on the stack lives, and nobody takes it off meanwhile.
        NonNull::new(self.0.top.load(Ordering::Acquire))
            .is_none_or(|top| nodes(top).all(|node| unsafe { node.as_ref().visit(visit) }))
    }
}

/// The nodes from `top` down.
fn nodes(top: NonNull<Node>) -> impl Iterator<Item = NonNull<Node>> {
    std::iter::successors(Some(top), |node| {
        // SAFETY: the caller has all of them to itself.
        NonNull::new(unsafe { node.as_ref() }.below.load(Ordering::Relaxed))
    })
}
