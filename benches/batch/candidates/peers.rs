//! General-purpose queues at the same job.

use super::{Candidate, Numbers, SIZE};
use crate::harness::shot::{Shot, Tally};
use crossbeam_deque::{Steal, Stealer, Worker};
use crossbeam_queue::{ArrayQueue, SegQueue};
use crossbeam_utils::Backoff;
use std::collections::VecDeque;
use std::sync::Mutex;

/// A queue that is refilled under a lock of its own.
pub(crate) struct Refilled<Q> {
    queue: Q,
    refill: Mutex<Numbers>,
}

/// A queue of many producers and many consumers.
pub(crate) trait Queue: Sync {
    fn push(&self, number: usize);
    fn pop(&self) -> Option<usize>;
}

impl Queue for ArrayQueue<usize> {
    fn push(&self, number: usize) {
        ArrayQueue::push(self, number).expect("there is room for a refill");
    }

    fn pop(&self) -> Option<usize> {
        ArrayQueue::pop(self)
    }
}

impl Queue for SegQueue<usize> {
    fn push(&self, number: usize) {
        SegQueue::push(self, number);
    }

    fn pop(&self) -> Option<usize> {
        SegQueue::pop(self)
    }
}

impl Refilled<ArrayQueue<usize>> {
    pub(crate) fn array_queue() -> Self {
        Self { queue: ArrayQueue::new(SIZE), refill: Mutex::new(Numbers::new()) }
    }
}

impl Refilled<SegQueue<usize>> {
    pub(crate) fn seg_queue() -> Self {
        Self { queue: SegQueue::new(), refill: Mutex::new(Numbers::new()) }
    }
}

impl<Q: Queue> Refilled<Q> {
    #[inline]
    fn take(&self) -> usize {
        self.queue.pop().unwrap_or_else(|| self.fill())
    }

    #[cold]
    fn fill(&self) -> usize {
        let numbers = self.refill.lock().expect("no thread panics");
        self.queue.pop().unwrap_or_else(|| {
            let mine = numbers.next();
            (1..SIZE).for_each(|_| self.queue.push(numbers.next()));
            mine
        })
    }
}

impl<Q: Queue> Candidate for Refilled<Q> {
    fn shot(&self, _thread: usize, shot: &Shot<'_>) -> Tally {
        shot.run(|| self.take())
    }

    fn settle(&self, left: &mut dyn FnMut(usize)) -> Option<u64> {
        std::iter::from_fn(|| self.queue.pop()).for_each(left);
        Some(self.refill.lock().expect("no thread panics").made())
    }
}

/// What most programs would write first.
pub(crate) struct LockedDeque(Mutex<(VecDeque<usize>, Numbers)>);

impl LockedDeque {
    pub(crate) fn new() -> Self {
        Self(Mutex::new((VecDeque::with_capacity(SIZE), Numbers::new())))
    }

    #[inline]
    fn take(&self) -> usize {
        let (queue, numbers) = &mut *self.0.lock().expect("no thread panics");
        queue.pop_front().unwrap_or_else(|| {
            queue.extend((1..=SIZE).map(|_| numbers.next()));
            queue.pop_front().expect("just filled")
        })
    }
}

impl Candidate for LockedDeque {
    fn shot(&self, _thread: usize, shot: &Shot<'_>) -> Tally {
        shot.run(|| self.take())
    }

    fn settle(&self, left: &mut dyn FnMut(usize)) -> Option<u64> {
        let (queue, numbers) = &mut *self.0.lock().expect("no thread panics");
        queue.drain(..).for_each(left);
        Some(numbers.made())
    }
}

/// How many items one steal takes at most.
const BULK: usize = 32;

/// A work-stealing deque, which all threads steal from: one by one, or several at a time into a
/// deque of the thread's own.
pub(crate) struct Deque {
    stealer: Stealer<usize>,
    refill: Mutex<(Worker<usize>, Numbers)>,
    bulk: bool,
}

impl Deque {
    pub(crate) fn new(bulk: bool) -> Self {
        let worker = Worker::new_fifo();
        Self { stealer: worker.stealer(), refill: Mutex::new((worker, Numbers::new())), bulk }
    }

    #[inline]
    fn take(&self, steal: impl Fn() -> Steal<usize>) -> usize {
        let backoff = Backoff::new();
        loop {
            match steal() {
                Steal::Success(number) => return number,
                Steal::Retry => backoff.spin(),
                Steal::Empty => {
                    if let Some(number) = self.fill() {
                        return number;
                    }
                }
            }
        }
    }

    #[cold]
    fn fill(&self) -> Option<usize> {
        let (worker, numbers) = &*self.refill.lock().expect("no thread panics");
        worker.is_empty().then(|| {
            let mine = numbers.next();
            (1..SIZE).for_each(|_| worker.push(numbers.next()));
            mine
        })
    }
}

impl Candidate for Deque {
    fn shot(&self, _thread: usize, shot: &Shot<'_>) -> Tally {
        if !self.bulk {
            return shot.run(|| self.take(|| self.stealer.steal()));
        }
        let own = Worker::new_fifo();
        let steal = || self.stealer.steal_batch_with_limit_and_pop(&own, BULK);
        let mut tally = shot.run(|| own.pop().unwrap_or_else(|| self.take(steal)));
        while let Some(number) = own.pop() {
            tally.add(number);
            shot.seen.inspect(|seen| seen.mark(number));
        }
        tally
    }

    fn settle(&self, left: &mut dyn FnMut(usize)) -> Option<u64> {
        let (worker, numbers) = &*self.refill.lock().expect("no thread panics");
        std::iter::from_fn(|| worker.pop()).for_each(left);
        Some(numbers.made())
    }
}
