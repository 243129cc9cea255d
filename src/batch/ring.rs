//! A bounded ring: one producer at a time, any number of consumers, first in, first out.
//!
//! `head` counts the items taken and `tail` the items published; neither ever goes back, so that
//! item `s` lives in slot `s & mask` while `head <= s < tail`. Invariants:
//!
//! * I1: `head <= tail <= head + slots` at all times.
//! * I2: for `s` in `head..tail`, slot `s & mask` holds item `s`.
//! * I3: only the producer writes slots and `tail`; `head` moves only by a successful
//!   compare-and-swap from `h` to `h + 1` after some `tail > h` was read.
//!
//! A consumer copies the slot first and then takes the item by the compare-and-swap, which fails
//! if `head` has moved meanwhile. So there is no state in which an item is taken but not yet read,
//! and a consumer that loses its core blocks nobody.
//!
//! *Each item is taken once*: the successful compare-and-swaps are disjoint steps of a counter.
//!
//! *What was copied is the item*: item `s + slots` overwrites item `s` only after the producer
//! has read `head > s` (Acquire, in `extend`). That value comes from the compare-and-swap (Release)
//! which took item `s`, or from a later one in its release sequence. If mine succeeded, it is the
//! one, and my copy came before it, hence before the overwriting store.
//!
//! *What was copied is initialised*: slot store, then `tail` store (Release, in `extend`), then
//! `tail` load (Acquire, in `claim`), then slot load.
//!
//! The pattern is that of Go's `runqgrab` and of the FIFO `steal` of crossbeam-deque.

use crate::host::Word;
use crate::memory::{OutOfMemory, try_zeroed};
use crate::sync::{AtomicU64, AtomicUsize, Backoff, CachePadded, Ordering};

pub(crate) struct Ring {
    /// Items taken so far. Written by consumers.
    head: CachePadded<AtomicU64>,
    /// Items published so far. Written by the producer.
    tail: CachePadded<AtomicU64>,
    slots: Box<[AtomicUsize]>,
}

impl Ring {
    /// A ring with room for at least `capacity` items, which is more than 0.
    pub(crate) fn new(capacity: usize) -> Result<Self, OutOfMemory> {
        let slots = try_zeroed(capacity.next_power_of_two())?;
        Ok(Self {
            head: CachePadded::new(AtomicU64::new(0)),
            tail: CachePadded::new(AtomicU64::new(0)),
            slots,
        })
    }

    /// Takes the oldest item.
    pub(crate) fn claim(&self) -> Option<Word> {
        let backoff = Backoff::new();
        // Acquire: with the Release of the compare-and-swap below, so that `tail` is read at
        // least as new as the claimer of `h - 1` read it.
        let mut h = self.head.load(Ordering::Acquire);
        loop {
            // Acquire: with the Release of `extend`, for the slot.
            let t = self.tail.load(Ordering::Acquire);
            debug_assert!(t >= h, "I1");
            if t <= h {
                return None;
            }
            let word = self.slot(h).load(Ordering::Relaxed);
            // Release: with the Acquire of `head` in `extend`, for the reuse of the slot.
            // Acquire: with itself in other threads, as at the first load of `head`.
            match self.head.compare_exchange_weak(h, h + 1, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(word),
                Err(newer) => {
                    // Without a pause two threads at this line lose a factor of four.
                    backoff.spin();
                    h = newer;
                }
            }
        }
    }

    /// Adds an item behind all others.
    ///
    /// Only one thread at a time may do so, and only while there is room.
    pub(crate) fn push(&self, word: Word) {
        self.extend(std::iter::once(word));
    }

    /// Adds items behind all others, which become visible together. Returns how many they were.
    ///
    /// Only one thread at a time may do so, and only while there is room.
    pub(crate) fn extend(&self, words: impl ExactSizeIterator<Item = Word>) -> usize {
        let count = words.len();
        if count == 0 {
            return 0;
        }
        // Relaxed: only the producer writes `tail`, and the role that makes it the producer
        // carries the value from the thread before.
        let mut t = self.tail.load(Ordering::Relaxed);
        // Acquire: with the Release in `claim`, so that the copies of the slots' former items are
        // over.
        let h = self.head.load(Ordering::Acquire);
        assert!(t - h + count as u64 <= self.slots.len() as u64, "a push into a full ring");
        for word in words {
            self.slot(t).store(word, Ordering::Relaxed);
            t += 1;
        }
        // Release: with the Acquire of `tail` in `claim`.
        self.tail.store(t, Ordering::Release);
        count
    }

    /// How many items there are; a moment later there may be others.
    pub(crate) fn len(&self) -> usize {
        // `head` first: `tail` is then at least as new, and the difference not negative.
        let h = self.head.load(Ordering::Acquire);
        let t = self.tail.load(Ordering::Acquire);
        // More than the ring holds means that items came and went between the two loads.
        usize::try_from(t - h).map_or(self.slots.len(), |n| n.min(self.slots.len()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Shows every item to `visit`, until it returns `false`, which is then returned.
    ///
    /// The items are those of one moment only if no other thread pushes or claims meanwhile.
    pub(crate) fn visit(&self, visit: &mut dyn FnMut(Word) -> bool) -> bool {
        let h = self.head.load(Ordering::Acquire);
        let t = self.tail.load(Ordering::Acquire);
        (h..t).all(|position| visit(self.slot(position).load(Ordering::Relaxed)))
    }

    fn slot(&self, position: u64) -> &AtomicUsize {
        // On a 32-bit machine the cut drops only bits that the mask drops anyway.
        #[allow(clippy::cast_possible_truncation)]
        &self.slots[position as usize & (self.slots.len() - 1)]
    }
}
