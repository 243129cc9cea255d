//! The producer's side of the ring: the thread that holds the fill role, or of several fillers the
//! one that adds results.

use super::{Ring, difference};
use crate::host::Word;
use crate::sync::{AtomicU64, AtomicUsize, Backoff, Ordering, own};

/// How many items are published at once to consumers that still have other items to take.
const GROUP: u64 = 64;

/// How often the producer looks whether a slot was wiped.
const PATIENCE: u32 = if cfg!(all(test, loom)) { 1 } else { 16 };

impl Ring {
    /// For the producer, before it adds items: how many items there are. Slots of items that were
    /// taken before may then be overwritten.
    pub(in crate::batch) fn begin(&self) -> usize {
        // Acquire: with the Release in `claim_by`, so that the copies of the slots' former items
        // are over.
        let h = self.taken.head.load(Ordering::Acquire);
        self.made.room.store(h + self.shown.slots.len() as u64, Ordering::Relaxed);
        // Only the producer writes `tail`, and the role that makes it the producer carries the
        // value from the thread before.
        difference(own(&self.made.tail), h)
    }

    /// Adds an item behind all others. A consumer that finds nothing else can take it at once. Only
    /// the producer calls this. Returns whether `begin` found room for it.
    #[inline]
    #[must_use]
    pub(in crate::batch) fn push(&self, word: Word) -> bool {
        let mut row = self.row(1);
        let has_room = row.len() > 0;
        row.push(word);
        self.publish_group();
        has_room
    }

    /// The next free slots, `most` at most: as many as lie in a row, and none beyond the end of a
    /// group. None if `begin` found no room. Only the producer calls this, and then calls
    /// `publish_group`. Meanwhile it adds items by the row alone.
    #[inline]
    pub(in crate::batch) fn row(&self, most: usize) -> Row<'_> {
        let t = own(&self.made.tail);
        let room = difference(own(&self.made.room).max(t), t);
        let [in_a_row, _] = self.runs(t, most.min(room).min(difference(GROUP, t % GROUP)));
        Row { slots: in_a_row.iter(), next: t + 1, tail: &self.made.tail }
    }

    /// Makes the pushed items visible through `horizon` if they complete a group.
    #[inline]
    pub(in crate::batch) fn publish_group(&self) {
        if own(&self.made.tail).is_multiple_of(GROUP) {
            self.publish();
        }
    }

    /// Adds items behind all others, which become visible together.
    pub(in crate::batch) fn push_all(&self, words: &[Word]) {
        let t = own(&self.made.tail);
        let room = own(&self.made.room).saturating_sub(t);
        assert!(words.len() as u64 <= room, "{} results, and room for {room}", words.len());
        let mut rest = words;
        for run in self.runs(t, words.len()) {
            let (words, later) = rest.split_at(run.len());
            rest = later;
            for (slot, &word) in run.iter().zip(words) {
                slot.store(word, Ordering::Relaxed);
            }
        }
        // Release: as in `push`.
        self.made.tail.store(t + words.len() as u64, Ordering::Release);
        self.publish();
    }

    /// Makes the pushed items visible through `horizon`.
    #[inline]
    pub(in crate::batch) fn publish(&self) {
        // Release: with the Acquire of `horizon` in `claim_by`.
        self.shown.horizon.store(own(&self.made.tail), Ordering::Release);
    }

    /// As `begin`, if items are taken by `claim_and_wipe`. Returns how many items there are, and for
    /// how many more there are wiped slots.
    pub(in crate::batch) fn begin_with_wiped(&self) -> (usize, usize) {
        let count = self.begin();
        let (t, end) = (own(&self.made.tail), own(&self.made.room));
        let is_wiped = |position: &u64| self.slot(*position).load(Ordering::Relaxed) == 0;
        // The thread that has taken an item wipes its slot next. If it takes long, the caller comes
        // again.
        let backoff = Backoff::new();
        for _ in 0..PATIENCE {
            if t == end || is_wiped(&t) {
                break;
            }
            backoff.snooze();
        }
        let room = (t..end).take_while(is_wiped).count();
        self.made.room.store(t + room as u64, Ordering::Relaxed);
        (count, room)
    }

    /// How many items were ever added. For the producer.
    pub(in crate::batch) fn made(&self) -> u64 {
        own(&self.made.tail)
    }
}

/// Free slots in a row, which take the next items.
pub(in crate::batch) struct Row<'a> {
    slots: std::slice::Iter<'a, AtomicUsize>,
    /// One more than is in `tail`, which nobody else writes.
    next: u64,
    tail: &'a AtomicU64,
}

impl Row<'_> {
    /// How many slots there are.
    #[inline]
    pub(in crate::batch) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Adds an item behind all others, if there is a slot. A consumer that finds nothing else can
    /// take it at once.
    #[inline]
    pub(in crate::batch) fn push(&mut self, word: Word) {
        let Some(slot) = self.slots.next() else { return };
        slot.store(word, Ordering::Relaxed);
        // Release: with the Acquire of `tail` in `claim_by`.
        self.tail.store(self.next, Ordering::Release);
        self.next += 1;
    }

    /// There are no slots from now on.
    pub(in crate::batch) fn end(&mut self) {
        self.slots = [].iter();
    }
}
