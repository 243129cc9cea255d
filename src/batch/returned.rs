//! Results that were claimed and not used, in the nodes that brought them back.
//!
//! All nodes are in one list. A thread that gives a node back pushes it by a compare-and-swap,
//! without a lock. A thread that takes a result holds a lock, for some ten instructions and never
//! while host code runs, so that no other thread takes the nodes that it is inspecting.
//!
//! *A thread may stop at any instruction*, because a collector has stopped the world, or because a
//! fork did not copy it. So each change to the list is a single store: one adds a node, one takes a
//! result (`Node::pop`), and one removes an empty node. Everything else (the lock, the count and
//! the index) can be rebuilt from the list.

use super::heap::Heap;
use super::node::Node;
use crate::host::Word;
use crate::sync::unordered::{AtomicI64, AtomicUsize};
use crate::sync::{AtomicPtr, AtomicU64, Backoff, CachePadded, Ordering, UnsafeCell};
use std::ptr::{self, NonNull};

pub(super) struct Returned(CachePadded<Place>);

struct Place {
    /// The node that came back last. Each node points to the previous one with `below`.
    top: AtomicPtr<Node>,
    /// An upper bound of the number of results: each counts from just before it is added until it
    /// is taken.
    len: AtomicUsize,
    /// The place of the results that a caller gave back last. The caller does not say where they
    /// were.
    before_all: AtomicI64,
    lock: AtomicU64,
    /// Only the holder of the lock touches it.
    index: UnsafeCell<Index>,
}

/// Finds the oldest node.
struct Index {
    heap: Heap,
    /// The top node among those in the heap. From it downwards, each node has a link to the one
    /// above.
    top: Option<NonNull<Node>>,
}

const FREE: u64 = 0;
const HELD: u64 = 1;

// SAFETY: the nodes hold words that stand for objects which are `Send`, and each node is used by
// one thread at a time: by the one that brings it, then by the holder of the lock.
unsafe impl Send for Returned {}
// SAFETY: as above.
unsafe impl Sync for Returned {}

impl Returned {
    pub(super) fn new() -> Self {
        Self(CachePadded::new(Place {
            top: AtomicPtr::new(ptr::null_mut()),
            len: AtomicUsize::new(0),
            before_all: AtomicI64::new(0),
            lock: AtomicU64::new(FREE),
            index: UnsafeCell::new(Index::new()),
        }))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len.load(Ordering::Relaxed)
    }

    /// Whether there is a node.
    pub(super) fn has_some(&self) -> bool {
        // Acquire: with the Release in `push`, for a caller that relies on it.
        !self.0.top.load(Ordering::Acquire).is_null()
    }

    /// A place for `count` results, before all results in the list.
    pub(super) fn place_before_all(&self, count: usize) -> i64 {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.0.before_all.fetch_sub(count, Ordering::Relaxed) - count
    }

    /// Adds a node that is not empty.
    pub(super) fn push(&self, node: NonNull<Node>) {
        // SAFETY: the node is the caller's.
        let it = unsafe { node.as_ref() };
        self.0.len.fetch_add(it.len(), Ordering::Relaxed);
        let mut top = self.0.top.load(Ordering::Relaxed);
        loop {
            it.below.store(top, Ordering::Relaxed);
            // Release: with the Acquire in `take_oldest`, for the node.
            match self.0.top.compare_exchange_weak(
                top,
                node.as_ptr(),
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(newer) => top = newer,
            }
        }
    }

    /// Takes the oldest result.
    pub(super) fn pop(&self) -> Option<Word> {
        // So that a handler of signals may look, while nothing comes back to the batch.
        while self.has_some() {
            let (word, empty) = self.locked(|index| {
                let taken = index.take_oldest(&self.0.top)?;
                if taken.0.is_some() {
                    self.0.len.fetch_sub(1, Ordering::Relaxed);
                }
                Some(taken)
            })?;
            if let Some(node) = empty {
                // SAFETY: it is no longer in the list, and only this thread knows it.
                unsafe { Node::free(node) };
            }
            if word.is_some() {
                return word;
            }
        }
        None
    }

    fn locked<R>(&self, f: impl FnOnce(&mut Index) -> R) -> R {
        /// Unlocks also after a panic, so that no thread waits forever.
        struct Unlock<'a>(&'a AtomicU64);

        impl Drop for Unlock<'_> {
            fn drop(&mut self) {
                // Release: with the Acquire below.
                self.0.store(FREE, Ordering::Release);
            }
        }

        let backoff = Backoff::new();
        // Acquire: with the Release above, for the nodes and the index.
        while self
            .0
            .lock
            .compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            backoff.snooze();
        }
        let _unlock = Unlock(&self.0.lock);
        // SAFETY: the index is used under the lock only.
        self.0.index.with_mut(|index| f(unsafe { &mut *index }))
    }

    /// Calls `visit` for every result until it returns `false`; `false` is then returned.
    ///
    /// # Safety
    /// No other thread may use the list during the call. It may have stopped in the middle of a
    /// use.
    pub(super) unsafe fn visit(&self, visit: &mut dyn FnMut(Word) -> bool) -> bool {
        // SAFETY: what is in the list is alive, and nobody changes it meanwhile.
        self.nodes().all(|node| unsafe { node.as_ref().visit(visit) })
    }

    /// For the child of a fork: threads of the parent may have been in the middle of a use.
    ///
    /// # Safety
    /// No thread of this process may be using the list.
    pub(super) unsafe fn renew(&self) {
        // SAFETY: the caller's promise.
        self.0.index.with_mut(|index| unsafe { *index = Index::new() });
        let mut len = 0;
        for node in self.nodes() {
            // SAFETY: what is in the list is alive.
            let node = unsafe { node.as_ref() };
            node.wipe_taken();
            len += node.len();
        }
        self.0.len.store(len, Ordering::Relaxed);
        self.0.lock.store(FREE, Ordering::Relaxed);
    }

    /// All nodes. The caller must know that no thread changes the list during the call.
    fn nodes(&self) -> impl Iterator<Item = NonNull<Node>> {
        let top = NonNull::new(self.0.top.load(Ordering::Acquire));
        std::iter::successors(top, |node| below(*node))
    }
}

impl Index {
    const fn new() -> Self {
        Self { heap: Heap::new(), top: None }
    }

    /// Takes the oldest result, and its node if that is now empty.
    fn take_oldest(
        &mut self,
        top: &AtomicPtr<Node>,
    ) -> Option<(Option<Word>, Option<NonNull<Node>>)> {
        self.see_new(top);
        let oldest = self.heap.oldest()?;
        // SAFETY: what is in the heap is in the list, which is this thread's.
        let node = unsafe { oldest.as_ref() };
        // A node is empty here only if a thread that the fork has not copied has emptied it.
        // Always wiped: what comes back is rare.
        let word = node.pop_and_wipe();
        if node.len() > 0 {
            // The results of a node are neighbours, so those that are left are still the oldest.
            return Some((word, None));
        }
        self.heap.remove_oldest();
        self.unlink(oldest, top);
        Some((word, Some(oldest)))
    }

    /// Adds the nodes pushed since then to the heap.
    fn see_new(&mut self, top: &AtomicPtr<Node>) {
        // Acquire: with the Release in `push`.
        let new_top = NonNull::new(top.load(Ordering::Acquire));
        let (mut above, mut next) = (None, new_top);
        while let Some(node) = next {
            // SAFETY: what is in the list is alive, and this thread's once it is there.
            unsafe { node.as_ref() }.links.above.set(above);
            if next == self.top {
                break;
            }
            // SAFETY: as above; it is new.
            unsafe { self.heap.add(node) };
            (above, next) = (Some(node), below(node));
        }
        self.top = new_top;
    }

    /// Removes a node from the list.
    fn unlink(&mut self, node: NonNull<Node>, top: &AtomicPtr<Node>) {
        // SAFETY: what is in the list is alive, and this thread's.
        let links = unsafe { &node.as_ref().links };
        let below = below(node);
        let below_or_null = below.map_or(ptr::null_mut(), NonNull::as_ptr);
        if links.above.get().is_none() {
            // Acquire: with the Release in `push`, if there are new nodes on top.
            let was_top = top.compare_exchange(
                node.as_ptr(),
                below_or_null,
                Ordering::Acquire,
                Ordering::Acquire,
            );
            if was_top.is_err() {
                self.see_new(top);
            }
        }
        if let Some(above) = links.above.get() {
            // SAFETY: as above.
            unsafe { above.as_ref() }.below.store(below_or_null, Ordering::Relaxed);
        }
        if let Some(below) = below {
            // SAFETY: as above.
            unsafe { below.as_ref() }.links.above.set(links.above.get());
        }
        if self.top == Some(node) {
            self.top = below;
        }
    }
}

fn below(node: NonNull<Node>) -> Option<NonNull<Node>> {
    // SAFETY: the caller knows that the node is in the list, and so alive.
    NonNull::new(unsafe { node.as_ref() }.below.load(Ordering::Relaxed))
}
