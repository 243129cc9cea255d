//! The memory of a cursor, which outlives it when it is closed with results in hand.

use crate::freed::{keep, keeps_freed};
use crate::host::Word;
use crate::process::Thread;
use crate::sync::{AtomicPtr, Ordering, UnsafeCell, vanishing_point};
use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::cell::Cell;
use std::ptr::{self, NonNull};
use std::sync::atomic::AtomicUsize;

/// The most results that a cursor has in hand.
pub(crate) const CAPACITY: usize = 64;

/// The memory of a cursor: results in the order in which they were made, and where they are to go.
///
/// It begins with two addresses: of the next result in hand, and of the end of those. Code that a
/// binding compiles into programs may take a result by advancing the first, as [`pop`](Self::pop)
/// does. Then come two words for the binding.
// The results follow the node in memory. One thread at a time uses a node; it changes hands through
// the list of results given back, which releases and acquires.
#[repr(C, align(64))]
pub struct Node {
    next: Cell<*mut Word>,
    end: Cell<*mut Word>,
    /// The binding's. The library never uses it.
    pub tag: AtomicUsize,
    /// The binding's. The library never uses it.
    pub data: Cell<*const ()>,
    /// The batch that the results belong to.
    pub(crate) batch: *const (),
    /// How many results came before the first of the words; less than none if nobody knows.
    position: Cell<i64>,
    /// The node below, in the list of results given back.
    pub(crate) below: AtomicPtr<Node>,
    pub(crate) links: Links,
    /// The node after this one in the list of all cursors, and the place where that list refers to
    /// this one. The list has a lock of its own.
    pub(super) after: std::sync::atomic::AtomicPtr<Node>,
    pub(super) place_in_list: Cell<*const std::sync::atomic::AtomicPtr<Node>>,
    /// Whether it is a cursor's, or only has what a caller gave back.
    is_cursors: bool,
    /// The results that were in hand when this process was forked, and are the parent's.
    aside: Cell<(*mut Word, *mut Word)>,
    /// Whether the child of a fork keeps what is in hand.
    pub(super) keeps: bool,
    capacity: usize,
    /// The last round of claims in which the cursor has counted itself.
    pub(super) round: Cell<u64>,
    /// The thread inside a call with this cursor, if that is noted; 0 if there is none.
    inside: std::sync::atomic::AtomicU64,
    /// Touched at each use of the node, so that a model sees two threads that use it.
    user: UnsafeCell<()>,
}

/// What the list of results given back knows of a node that is in it.
#[derive(Default)]
pub(crate) struct Links {
    /// The node above.
    pub(crate) above: Cell<Option<NonNull<Node>>>,
    /// The first of the nodes that are newer, in the heap, and the next one beside this node.
    pub(crate) child: Cell<Option<NonNull<Node>>>,
    pub(crate) sibling: Cell<Option<NonNull<Node>>>,
}

impl Node {
    /// The offsets of the two addresses.
    pub const FRAME: (usize, usize) =
        (std::mem::offset_of!(Self, next), std::mem::offset_of!(Self, end));

    fn layout(capacity: usize) -> Option<Layout> {
        let words = Layout::array::<Word>(capacity).ok()?;
        Some(Layout::new::<Self>().extend(words).ok()?.0.pad_to_align())
    }

    /// An empty node with room for `capacity` words. `None` without the memory.
    pub(crate) fn new(
        capacity: usize,
        batch: *const (),
        is_cursors: bool,
        keeps: bool,
    ) -> Option<NonNull<Self>> {
        let layout = Self::layout(capacity)?;
        // SAFETY: the layout's size is not zero.
        let node = NonNull::new(unsafe { alloc_zeroed(layout) })?.cast::<Self>();
        // Field by field: a whole node would come with what the stack had between its fields, such as
        // a part of the result that is given back.
        macro_rules! set {
            ($($field:ident: $value:expr,)*) => {
                // SAFETY: fresh memory of the right size and alignment.
                unsafe { $((&raw mut (*node.as_ptr()).$field).write($value);)* }
            };
        }
        // SAFETY: the words follow the node.
        let words = unsafe { node.as_ptr().add(1).cast::<Word>() };
        set! {
            next: Cell::new(words),
            end: Cell::new(words),
            tag: AtomicUsize::new(0),
            data: Cell::new(ptr::null()),
            batch: batch,
            position: Cell::new(0),
            below: AtomicPtr::new(ptr::null_mut()),
            links: Links::default(),
            after: std::sync::atomic::AtomicPtr::new(ptr::null_mut()),
            place_in_list: Cell::new(ptr::null()),
            is_cursors: is_cursors,
            aside: Cell::new((words, words)),
            keeps: keeps,
            capacity: capacity,
            round: Cell::new(0),
            inside: std::sync::atomic::AtomicU64::new(0),
            user: UnsafeCell::new(()),
        }
        Some(node)
    }

    /// # Safety
    /// The node must come from `new`, and nobody may use it from now on.
    pub(crate) unsafe fn free(node: NonNull<Self>) {
        // SAFETY: the caller's promise.
        unsafe {
            let capacity = node.as_ref().capacity;
            node.as_ref().user.with_mut(|_| ());
            if node.as_ref().is_cursors && keeps_freed() {
                // There is nothing in hand, so that code in programs, which looks at nothing else,
                // asks the library.
                return keep(node.as_ptr().cast(), node.as_ref().after.as_ptr().cast());
            }
            node.drop_in_place();
            dealloc(node.as_ptr().cast(), Self::layout(capacity).expect("it was allocated so"));
        }
    }

    fn first_word(&self) -> *mut Word {
        ptr::from_ref(self).wrapping_add(1).cast_mut().cast()
    }

    /// Whether the first address is one in this memory. A binding that does not know what it was
    /// given asks this first: it reads nothing else.
    #[inline]
    pub fn looks_like_cursor(&self) -> bool {
        let distance = self.next.get().addr().wrapping_sub(ptr::from_ref(self).addr());
        let words = size_of::<Self>()..=size_of::<Self>() + CAPACITY * size_of::<Word>();
        words.contains(&distance)
    }

    /// How many results are in hand.
    pub(crate) fn len(&self) -> usize {
        // Less than nothing while it is being refilled.
        self.end.get().addr().saturating_sub(self.next.get().addr()) / size_of::<Word>()
    }

    /// Takes the oldest result in hand.
    #[inline]
    pub fn pop(&self) -> Option<Word> {
        let next = self.next.get();
        if next == self.end.get() {
            return None;
        }
        self.user.with_mut(|_| ());
        self.next.set(next.wrapping_add(1));
        // SAFETY: between the first word and `end`, which only this thread moves.
        Some(unsafe { next.read() })
    }

    /// As `pop`, and wipes the word.
    pub(crate) fn pop_and_wipe(&self) -> Option<Word> {
        let word = self.pop()?;
        // SAFETY: the word that was just taken, which nobody reads again.
        unsafe { self.next.get().wrapping_sub(1).write_volatile(0) };
        Some(word)
    }

    /// In the child of a fork: wipes what threads of the parent had taken, and not yet wiped.
    pub(crate) fn wipe_taken(&self) {
        let mut word = self.first_word();
        while word < self.next.get() {
            // SAFETY: before the next word in hand, so that nobody reads it again.
            unsafe { word.write_volatile(0) };
            word = word.wrapping_add(1);
        }
    }

    /// Lets `write` put results into the empty node. It returns how many results were made before
    /// them, how many they are, and what else it has to say.
    pub(crate) fn refill<R>(
        &self,
        write: impl FnOnce(&mut [Word]) -> Option<(i64, usize, R)>,
    ) -> Option<R> {
        assert_eq!(self.len(), 0, "a refill would write over results in hand");
        self.user.with_mut(|_| ());
        // This thread may vanish after any of these steps, and the child of the fork then looks at
        // what is in hand. That is nothing, with the range upside down in between, until the last
        // store makes it all of what was written.
        self.end.set(self.first_word());
        vanishing_point();
        self.next.set(self.first_word());
        vanishing_point();
        // SAFETY: as many words as that follow the node, and only this thread uses them.
        let room = unsafe { std::slice::from_raw_parts_mut(self.first_word(), self.capacity) };
        let (position, count, rest) = write(room)?;
        assert!(count <= self.capacity, "{count} results, and room for {}", self.capacity);
        self.position.set(position);
        vanishing_point();
        self.end.set(self.first_word().wrapping_add(count));
        Some(rest)
    }

    /// How many results were made before the oldest in hand.
    pub(crate) fn place(&self) -> i64 {
        let taken = (self.next.get().addr() - self.first_word().addr()) / size_of::<Word>();
        self.position.get().saturating_add_unsigned(taken as u64)
    }

    /// Shows each result in hand to `visit`, until that returns `false`, which is then returned.
    ///
    /// # Safety
    /// No other thread may use the node meanwhile.
    pub unsafe fn visit(&self, visit: &mut dyn FnMut(Word) -> bool) -> bool {
        let (next, count) = (self.next.get(), self.len());
        // SAFETY: between the first word and `end`, which nobody moves meanwhile.
        (0..count).all(|index| visit(unsafe { next.add(index).read() }))
    }

    /// In the child of a fork: the results in hand are the parent's.
    pub(super) fn set_aside(&self) {
        let (next, end) = (self.next.get(), self.end.get());
        if next > end {
            // Another thread was about to refill it.
            self.next.set(end);
        } else if !self.keeps && next < end {
            self.aside.set((next, end));
            self.next.set(end);
        }
    }

    /// Takes one of the results that were set aside.
    pub(crate) fn pop_aside(&self) -> Option<Word> {
        let (next, end) = self.aside.get();
        if next == end {
            return None;
        }
        self.aside.set((next.wrapping_add(1), end));
        // SAFETY: set aside by `set_aside`, and not written over: the cursor empties this first.
        Some(unsafe { next.read() })
    }
}

impl Node {
    /// The node that goes back to the batch when a cursor ends: its own, with what is in hand.
    ///
    /// If freed handles are kept, that is in another one, so that nothing can be taken through the
    /// handle of the cursor.
    pub(super) fn leave(node: NonNull<Self>) -> NonNull<Self> {
        // SAFETY: the node is the caller's.
        let it = unsafe { node.as_ref() };
        if !keeps_freed() || it.len() == 0 {
            return node;
        }
        // SAFETY: between the first word and `end`, which only this thread moves.
        let in_hand = unsafe { std::slice::from_raw_parts(it.next.get(), it.len()) };
        let Some(other) = node_of(in_hand, it.place(), it.batch) else { return node };
        it.next.set(it.end.get());
        // SAFETY: the caller gives it up.
        unsafe { Self::free(node) };
        other
    }

    /// Notes that this thread is inside a call with the cursor, until the value is dropped, for a
    /// binding whose callers may break the rule that one thread at a time uses a cursor. `None` if
    /// another thread is inside. Nothing is noted unless freed handles are kept.
    #[inline]
    pub fn enter(&self) -> Option<InUse<'_>> {
        if keeps_freed() { self.note_thread() } else { Some(InUse(None)) }
    }

    #[cold]
    fn note_thread(&self) -> Option<InUse<'_>> {
        let me = Thread::current();
        // Relaxed: nothing is read because of it.
        let before =
            self.inside.compare_exchange(0, me.word(), Ordering::Relaxed, Ordering::Relaxed);
        match before.map_err(Thread::from_word) {
            Ok(_) => Some(InUse(Some(self))),
            // The source, or a handler of signals, uses the cursor that its own thread is using.
            Err(other) if other.is(me) => Some(InUse(None)),
            // It was not copied into this process.
            Err(other) if other.is_gone() => {
                self.inside.store(me.word(), Ordering::Relaxed);
                Some(InUse(Some(self)))
            }
            Err(_) => None,
        }
    }
}

/// This thread is inside a call with a cursor.
#[must_use = "the thread is inside until this is dropped"]
pub struct InUse<'a>(Option<&'a Node>);

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        if let Some(node) = self.0 {
            node.inside.store(0, Ordering::Relaxed);
        }
    }
}

/// Words that are to be handed out again at their `place`, in a node of their own. `None` without
/// the memory.
pub(crate) fn node_of(words: &[Word], place: i64, batch: *const ()) -> Option<NonNull<Node>> {
    let node = Node::new(words.len(), batch, false, false)?;
    // SAFETY: just made.
    let filled = unsafe { node.as_ref() }.refill(|room| {
        room.copy_from_slice(words);
        Some((place, words.len(), ()))
    });
    debug_assert!(filled.is_some());
    Some(node)
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    /// Gives `f` a node with these results, made after ten others, and frees it.
    fn with_node<R>(words: &[Word], f: impl FnOnce(&mut Node) -> R) -> R {
        let mut node = node_of(words, 10, ptr::null()).unwrap();
        // SAFETY: made above, and used by nobody else.
        let result = f(unsafe { node.as_mut() });
        // SAFETY: as above.
        unsafe { Node::free(node) };
        result
    }

    /// Leaves so many of these bytes where the next calls have their frames.
    #[inline(never)]
    fn fill_the_stack<const BYTES: usize>(mark: u8) {
        std::hint::black_box(&mut [mark; BYTES]);
    }

    #[test]
    fn a_node_has_nothing_that_was_on_the_stack() {
        const MARK: u8 = 0xa5;
        fill_the_stack::<0x4000>(MARK);
        with_node(&[1], |node| {
            let first = ptr::from_mut(node).cast::<u8>();
            // SAFETY: all of the node was zeroed when it was made.
            let byte = |at| unsafe { first.add(at).read_volatile() };
            let marks = (0..size_of::<Node>()).filter(|&at| byte(at) == MARK).count();
            // An address may have such a byte too.
            assert!(marks < 4, "{marks} bytes of the stack");
        });
    }

    fn all(take: impl FnMut() -> Option<Word>) -> Vec<Word> {
        std::iter::from_fn(take).collect()
    }

    #[test]
    fn a_node_knows_the_place_of_its_oldest_result() {
        with_node(&[1, 2, 3], |node| {
            assert_eq!((node.place(), node.pop(), node.place(), node.len()), (10, Some(1), 11, 2));
        });
    }

    #[test]
    fn a_child_wipes_what_was_taken_and_no_more() {
        with_node(&[1, 2, 3], |node| {
            assert_eq!(node.pop(), Some(1));
            node.wipe_taken();
            // SAFETY: the first of the words.
            assert_eq!(unsafe { node.first_word().read() }, 0);
            assert_eq!(all(|| node.pop()), [2, 3]);
        });
    }

    #[test]
    fn what_is_in_hand_at_a_fork_is_set_aside_unless_it_is_kept() {
        let forked = |node: &mut Node, keeps| {
            node.keeps = keeps;
            node.pop();
            node.set_aside();
            (node.len(), all(|| node.pop()), all(|| node.pop_aside()))
        };
        assert_eq!(with_node(&[1, 2, 3], |node| forked(node, false)), (0, vec![], vec![2, 3]));
        assert_eq!(with_node(&[1, 2, 3], |node| forked(node, true)), (2, vec![2, 3], vec![]));
        assert_eq!(with_node(&[1], |node| forked(node, false)), (0, vec![], vec![]));
        let forked_again = |node: &mut Node| {
            node.set_aside();
            forked(node, false)
        };
        assert_eq!(with_node(&[1, 2], forked_again), (0, vec![], vec![1, 2]));
    }

    #[test]
    fn a_refill_that_a_fork_cut_short_leaves_nothing() {
        with_node(&[1, 2, 3], |node| {
            all(|| node.pop());
            node.end.set(node.first_word());
            node.set_aside();
            assert_eq!(
                (node.next.get(), node.pop(), node.pop_aside()),
                (node.end.get(), None, None)
            );
        });
    }

    #[test]
    fn a_cursor_is_known_by_an_address_in_its_memory() {
        with_node(&[0; CAPACITY], |node| {
            let (first, end) = (node.first_word(), node.end.get());
            let looks = |next| {
                node.next.set(next);
                node.looks_like_cursor()
            };
            assert_eq!(
                [first, end, first.wrapping_sub(1), end.wrapping_add(1)].map(looks),
                [true, true, false, false]
            );
            node.next.set(first);
        });
    }
}
