//! crossbeam's `ArrayQueue` in the place of the ring.

use super::queue::{Claimed, Queue};
use crate::host::Word;
use crossbeam_queue::ArrayQueue;
use std::sync::atomic::{AtomicU64, Ordering};

/// A queue that others have proven, for differential tests and as a peer in measurements.
///
/// It takes items one at a time, and cannot show them to a collector.
#[derive(Debug)]
pub struct Reference {
    items: ArrayQueue<Word>,
    made: AtomicU64,
    taken: AtomicU64,
}

impl Queue for Reference {
    fn with_room(capacity: usize) -> Option<Self> {
        Some(Self {
            items: ArrayQueue::new(capacity),
            made: AtomicU64::new(0),
            taken: AtomicU64::new(0),
        })
    }

    fn begin(&self) -> usize {
        self.items.len()
    }

    fn push(&self, word: Word) {
        self.items.push(word).expect("the producer counts the room");
        self.made.fetch_add(1, Ordering::Relaxed);
    }

    fn push_all(&self, words: &[Word]) {
        words.iter().for_each(|&word| self.push(word));
    }

    fn publish(&self) {}

    fn claim(&self) -> Option<(Word, usize)> {
        let word = self.items.pop()?;
        self.taken.fetch_add(1, Ordering::Relaxed);
        Some((word, self.items.len()))
    }

    fn claim_many(&self, room: &mut [Word], share: impl Fn(usize) -> usize) -> Option<Claimed> {
        let position = self.taken();
        let wanted = share(self.items.len()).clamp(1, room.len());
        let mut count = 0;
        while count < wanted
            && let Some((word, _)) = self.claim()
        {
            room[count] = word;
            count += 1;
        }
        (count > 0).then(|| Claimed { position, count, left: self.items.len() })
    }

    fn len(&self) -> usize {
        self.items.len()
    }

    fn made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }

    fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    fn visit(&self, _visit: &mut dyn FnMut(Word) -> bool) -> bool {
        true
    }
}
