//! A bounded ring: one producer at a time, any number of consumers, first in, first out.
//!
//! `head` counts the items taken and `tail` the items made. Neither decreases, and item `s` is in
//! slot `s & mask` while `head <= s < tail`. `horizon` is a slightly older value of `tail`.
//! Invariants:
//!
//! * I1: `head <= tail <= head + slots` at all times, and `horizon <= tail`.
//! * I2: for `s` in `head..tail`, slot `s & mask` holds item `s`.
//! * I3: only the producer writes slots, `tail` and `horizon`; `head` moves only by a successful
//!   compare-and-swap from `h` to `h + k` after a `tail` or `horizon` of at least `h + k` was read.
//!
//! A consumer copies the slots first and then takes the items by the compare-and-swap, which fails
//! if `head` has moved since. So no item is ever taken but not yet read, and a preempted consumer
//! blocks no other thread.
//!
//! *Each item is taken once*: the successful compare-and-swaps are disjoint steps of a counter.
//!
//! *What was copied is the item*: item `s + slots` overwrites item `s` only after the producer has
//! read `head > s` (Acquire, in `begin`). That value comes from the compare-and-swap (Release) that
//! took item `s`, or from a later one in its release sequence. If this consumer's compare-and-swap
//! succeeded, it is the one that took the item, and its copy came before it, and so before the
//! overwriting store.
//!
//! *What was copied is initialised*: slot store, then `tail` or `horizon` store (Release, in `push`
//! and `publish`), then a load of the same (Acquire, in `claim_by`), then slot load.
//!
//! *Why two counts*: `tail` changes with every item. If consumers read it all the time, its cache
//! line would move between them and the producer for each item (75 % slower with two threads on one
//! die, and up to five times across dies). They read `horizon`, which changes every 64
//! items, and `tail` only when `horizon` is exhausted. So a starving thread gets an item as soon as
//! it is made, and no other thread pays for it.
//!
//! *If a thread vanishes*, because a fork did not copy it: a producer has stored `tail` or not, so
//! its item exists completely or not at all, and the next producer continues from `tail`. If it has
//! not stored `horizon`, consumers only read `tail` as well. A consumer has moved `head` or not, so
//! its items are gone with it or still there.
//!
//! Items are claimed as in Go's `runqgrab` and in the FIFO `steal_batch` of crossbeam-deque.

mod producer;

use super::stats::Counter;
use crate::host::Word;
use crate::memory::try_zeroed;
use crate::sync::{AtomicU64, AtomicUsize, Backoff, CachePadded, Ordering, own, vanishing_point};

/// The queue of a batch's results.
pub(super) struct Ring {
    taken: CachePadded<Taken>,
    made: CachePadded<Made>,
    shown: CachePadded<Shown>,
}

/// What consumers write.
struct Taken {
    /// Items taken so far.
    head: AtomicU64,
    /// Claims of cursors, and of how many items they were, here because a claim has just brought this
    /// line to its core.
    claims: Counter,
    claimed: Counter,
}

/// What the producer writes.
struct Made {
    /// Items made so far.
    tail: AtomicU64,
    /// The limit for `tail`: the slots up to there are free. Only the producer reads it.
    room: AtomicU64,
}

/// What consumers read for every claim.
struct Shown {
    /// Items made so far, in groups. Written by the producer.
    horizon: AtomicU64,
    slots: Box<[AtomicUsize]>,
    /// The number of slots, a power of two, less one.
    mask: usize,
}

impl Ring {
    /// Takes the items that `copy` has copied. `copy` gets the position of the oldest item and the
    /// number of items, and returns how many it wants.
    #[inline]
    fn claim_by<R>(&self, mut copy: impl FnMut(u64, usize) -> (usize, R)) -> Option<(R, usize)> {
        let backoff = Backoff::new();
        // Acquire: with the Release of the compare-and-swap below, so that `tail` is read at
        // least as new as the claimer before me read it.
        let mut h = self.taken.head.load(Ordering::Acquire);
        loop {
            // Acquire: with the Release of `publish`, for the slots.
            let mut t = self.shown.horizon.load(Ordering::Acquire);
            if t <= h {
                // Acquire: with the Release of `push`, for the slots.
                t = self.made.tail.load(Ordering::Acquire);
                debug_assert!(t >= h, "I1");
                if t <= h {
                    return None;
                }
            }
            let there = difference(t, h);
            let (wanted, copied) = copy(h, there);
            // Release: with the Acquire of `head` in `begin`, for the reuse of the slots.
            // Acquire: with itself in other threads, as at the first load of `head`.
            let taken = self.taken.head.compare_exchange_weak(
                h,
                h + wanted as u64,
                Ordering::AcqRel,
                Ordering::Acquire,
            );
            match taken {
                Ok(_) => return Some((copied, there - wanted)),
                Err(newer) => {
                    // Without a pause two threads at this line lose a factor of four.
                    backoff.spin();
                    h = newer;
                }
            }
        }
    }

    #[inline]
    fn slot(&self, position: u64) -> &AtomicUsize {
        // On a 32-bit machine the cut drops only bits that the mask drops anyway.
        #[allow(clippy::cast_possible_truncation)]
        let index = position as usize & self.shown.mask;
        // SAFETY: the mask leaves an index. A check here could panic, as the compiler sees it, and
        // cost every claim its registers.
        unsafe { self.shown.slots.get_unchecked(index) }
    }

    /// The slots of `count` items from `position` on, at most all slots: two consecutive runs.
    #[inline]
    fn runs(&self, position: u64, count: usize) -> [&[AtomicUsize]; 2] {
        #[allow(clippy::cast_possible_truncation)] // As in `slot`.
        let start = position as usize & self.shown.mask;
        let (before, after) = self.shown.slots.split_at(start);
        let wrapped = count.saturating_sub(after.len());
        [&after[..count - wrapped], &before[..wrapped]]
    }
}

/// `later - earlier`, which fits: there are never more items than slots.
#[inline]
#[allow(clippy::cast_possible_truncation)]
const fn difference(later: u64, earlier: u64) -> usize {
    (later - earlier) as usize
}

impl Ring {
    /// A ring with room for `capacity` items, which must be more than 0. `None` if there is not
    /// enough memory.
    pub(super) fn with_room(capacity: usize) -> Option<Self> {
        let slots = try_zeroed(capacity.next_power_of_two()).ok()?;
        let mask = slots.len() - 1;
        Some(Self {
            taken: CachePadded::new(Taken {
                head: AtomicU64::new(0),
                claims: Counter::default(),
                claimed: Counter::default(),
            }),
            made: CachePadded::new(Made {
                tail: AtomicU64::new(0),
                room: AtomicU64::new(slots.len() as u64),
            }),
            shown: CachePadded::new(Shown { horizon: AtomicU64::new(0), slots, mask }),
        })
    }

    /// Takes the oldest item, and returns a lower bound of how many are left.
    #[inline]
    pub(super) fn claim(&self) -> Option<(Word, usize)> {
        self.claim_by(|h, _| (1, self.slot(h).load(Ordering::Relaxed)))
    }

    /// Takes the oldest item and wipes its slot.
    ///
    /// The producer uses no slot that is not wiped, so this is no store to a newer item. If a
    /// thread vanishes before the store, the child wipes the slot: see `wipe_taken`.
    pub(super) fn claim_and_wipe(&self) -> Option<Word> {
        let read = |h, _| (1, (h, self.slot(h).load(Ordering::Relaxed)));
        let ((position, word), _) = self.claim_by(read)?;
        vanishing_point();
        if word != 0 {
            // Not if it is 0, which the producer takes for wiped. Relaxed: the producer that reads
            // this 0 stores its item after it in the slot's own order.
            self.slot(position).store(0, Ordering::Relaxed);
        }
        Some(word)
    }

    /// For the child of a fork, while no other thread uses the ring: wipes the slots of items that
    /// threads of the parent had taken.
    pub(super) fn wipe_taken(&self) {
        let t = own(&self.made.tail);
        let taken = self.shown.slots.len() - self.len();
        (t..t + taken as u64).for_each(|position| self.slot(position).store(0, Ordering::Relaxed));
    }

    /// Takes several of the oldest items at once and writes them to `room`. `share` gets the number
    /// of items and returns how many to take.
    pub(super) fn claim_many(
        &self,
        room: &mut [Word],
        share: impl Fn(usize) -> usize,
    ) -> Option<Claimed> {
        let claimed = self.claim_by(|h, there| {
            // More than there are slots: `h` was read long before, and will not be validated.
            let there = there.min(self.shown.slots.len());
            let wanted = share(there).clamp(1, room.len().min(there));
            let mut rest = &mut room[..wanted];
            for run in self.runs(h, wanted) {
                let (words, later) = rest.split_at_mut(run.len());
                rest = later;
                for (word, slot) in words.iter_mut().zip(run) {
                    *word = slot.load(Ordering::Relaxed);
                }
            }
            (wanted, (h, wanted))
        });
        claimed.map(|((position, count), _)| Claimed { position, count })
    }

    /// What is in all slots.
    #[cfg(test)]
    pub(super) fn memory(&self) -> impl Iterator<Item = Word> {
        self.shown.slots.iter().map(|slot| slot.load(Ordering::Relaxed))
    }

    /// How many items there are. The number may change at once.
    pub(super) fn len(&self) -> usize {
        // `head` first: `tail` is then at least as new, and the difference not negative.
        let h = self.taken.head.load(Ordering::Acquire);
        let t = self.made.tail.load(Ordering::Acquire);
        // More than the ring holds means that items came and went between the two loads.
        usize::try_from(t - h).map_or(self.shown.slots.len(), |n| n.min(self.shown.slots.len()))
    }

    /// Whether there is no item.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether `horizon` shows an item.
    pub(super) fn has_published(&self) -> bool {
        // Relaxed: a hint. `claim_by` looks again.
        let h = self.taken.head.load(Ordering::Relaxed);
        self.shown.horizon.load(Ordering::Relaxed) > h
    }

    /// Counts a claim of `claimed` items by a cursor.
    pub(super) fn count_claim(&self, claimed: usize) {
        self.taken.claims.add(1);
        self.taken.claimed.add(claimed as u64);
    }

    /// How many claims were counted, and of how many items in all.
    pub(super) fn claims(&self) -> (u64, u64) {
        (self.taken.claims.get(), self.taken.claimed.get())
    }

    /// How many items were ever taken.
    pub(super) fn taken(&self) -> u64 {
        self.taken.head.load(Ordering::Relaxed)
    }

    /// Calls `visit` for every item until it returns `false`; `false` is then returned. The items
    /// are a consistent snapshot only if no other thread uses the ring during the call.
    pub(super) fn visit(&self, visit: &mut dyn FnMut(Word) -> bool) -> bool {
        let h = self.taken.head.load(Ordering::Acquire);
        let t = self.made.tail.load(Ordering::Acquire);
        (h..t).all(|position| visit(self.slot(position).load(Ordering::Relaxed)))
    }
}

/// The result of a claim of many items.
pub(super) struct Claimed {
    /// How many items were taken before.
    pub position: u64,
    /// How many items were claimed.
    pub count: usize,
}
