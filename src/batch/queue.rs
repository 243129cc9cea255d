//! What a batch keeps its results in.

use crate::host::Word;

/// Items for any number of consumers, first in, first out, from one producer at a time, which holds
/// the fill role.
///
/// [`Ring`](super::ring::Ring) is the one in use. crossbeam's `ArrayQueue` can take its place, for
/// tests and measurements against a queue that others have proven.
pub trait Queue: Send + Sync + Sized {
    /// A queue with room for `capacity` items, which is more than 0. `None` without the memory.
    fn with_room(capacity: usize) -> Option<Self>;

    /// For the producer, before it adds items: how many there are. What consumers have left behind
    /// by then may be written over.
    fn begin(&self) -> usize;

    /// Adds an item behind all others, which whoever finds nothing else may take at once. Only the
    /// producer calls it, and only if there is room.
    fn push(&self, word: Word);

    /// Adds items behind all others, which become visible together.
    fn push_all(&self, words: &[Word]);

    /// Makes the items that were pushed visible at a glance.
    fn publish(&self);

    /// Takes the oldest item, and says how many are left at least.
    fn claim(&self) -> Option<(Word, usize)>;

    /// Takes as many of the oldest items as `share` says of the number there is, at once, and
    /// writes them to `room`.
    fn claim_many(&self, room: &mut [Word], share: impl Fn(usize) -> usize) -> Option<Claimed>;

    /// How many items there are; a moment later there may be others.
    fn len(&self) -> usize;

    /// Whether there is no item.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a glance shows an item: one that was published, or there since long.
    fn has_published(&self) -> bool {
        !self.is_empty()
    }

    /// How many items were ever added. For the producer.
    fn made(&self) -> u64;

    /// How many items were ever taken.
    fn taken(&self) -> u64;

    /// Shows every item to `visit`, until it returns `false`, which is then returned. Only if no
    /// other thread uses the queue meanwhile are the items those of one moment.
    fn visit(&self, visit: &mut dyn FnMut(Word) -> bool) -> bool;
}

/// What a claim of many items brought.
#[derive(Debug, Clone, Copy)]
pub struct Claimed {
    /// How many items were taken before.
    pub position: u64,
    /// How many items they are.
    pub count: usize,
    /// How many are left at least.
    pub left: usize,
}
