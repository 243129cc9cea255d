//! The ring of ft_local with nothing around it: no end, close, fork or error, no sleepers, no
//! counters, and results that are numbers. What the claim and the source cost by themselves.

use super::{Candidate, Numbers, SIZE};
use crate::harness::shot::{Shot, Tally};
use crossbeam_utils::{Backoff, CachePadded};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// As many as a cursor has in hand at most.
const IN_HAND: usize = 64;

pub(crate) struct Bare {
    head: CachePadded<AtomicUsize>,
    tail: CachePadded<AtomicUsize>,
    slots: Vec<AtomicUsize>,
    refill: Mutex<Numbers>,
    in_hand: bool,
    /// What threads had in hand at the end of a sample.
    left: Mutex<Vec<usize>>,
}

impl Bare {
    /// With `in_hand`, a thread claims several items at once.
    pub(crate) fn new(in_hand: bool) -> Self {
        Self {
            head: AtomicUsize::new(0).into(),
            tail: AtomicUsize::new(0).into(),
            slots: (0..SIZE).map(|_| AtomicUsize::new(0)).collect(),
            refill: Mutex::new(Numbers::new()),
            in_hand,
            left: Mutex::new(Vec::new()),
        }
    }

    fn slot(&self, position: usize) -> &AtomicUsize {
        // A constant power of two, so that there is no check.
        &self.slots[..SIZE][position % SIZE]
    }

    #[inline]
    fn claim<R>(&self, mut copy: impl FnMut(usize, usize) -> (usize, R)) -> R {
        let backoff = Backoff::new();
        let mut h = self.head.load(Ordering::Acquire);
        loop {
            let t = self.tail.load(Ordering::Acquire);
            if t <= h {
                self.fill();
                h = self.head.load(Ordering::Acquire);
                continue;
            }
            let (count, copied) = copy(h, t - h);
            let taken =
                self.head.compare_exchange_weak(h, h + count, Ordering::AcqRel, Ordering::Acquire);
            match taken {
                Ok(_) => return copied,
                Err(newer) => {
                    backoff.spin();
                    h = newer;
                }
            }
        }
    }

    fn take(&self) -> usize {
        self.claim(|h, _| (1, self.slot(h).load(Ordering::Relaxed)))
    }

    #[cold]
    fn fill(&self) {
        let numbers = self.refill.lock().expect("no thread panics");
        let (h, t) = (self.head.load(Ordering::Acquire), self.tail.load(Ordering::Relaxed));
        if h == t {
            for position in t..t + SIZE {
                self.slot(position).store(numbers.next(), Ordering::Relaxed);
            }
            self.tail.store(t + SIZE, Ordering::Release);
        }
    }
}

impl Candidate for Bare {
    fn shot(&self, _thread: usize, shot: &Shot<'_>) -> Tally {
        if !self.in_hand {
            return shot.run(|| self.take());
        }
        let (mut words, mut next, mut end) = ([0; IN_HAND], 0, 0);
        let tally = shot.run(|| {
            if next == end {
                end = self.claim(|h, there| {
                    let count = there.min(IN_HAND);
                    for (position, word) in (h..).zip(&mut words[..count]) {
                        *word = self.slot(position).load(Ordering::Relaxed);
                    }
                    (count, count)
                });
                next = 0;
            }
            next += 1;
            words[next - 1]
        });
        self.left.lock().expect("no thread panics").extend(&words[next..end]);
        tally
    }

    fn settle(&self, left: &mut dyn FnMut(usize)) -> Option<u64> {
        let (h, t) = (self.head.load(Ordering::Relaxed), self.tail.load(Ordering::Relaxed));
        (h..t).for_each(|position| left(self.slot(position).load(Ordering::Relaxed)));
        self.head.store(t, Ordering::Relaxed);
        self.left.lock().expect("no thread panics").drain(..).for_each(left);
        Some(self.refill.lock().expect("no thread panics").made())
    }
}
