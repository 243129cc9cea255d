//! The claim of ft_utils.local 0.2.0: take a place first, read it afterwards. It is
//! here for its speed. It is wrong: between the two steps a refill may write the place anew, so
//! results are lost and handed out twice. Its reference counts, which cost it more, are left out.

use super::{Candidate, Numbers, SIZE};
use crate::harness::shot::{Shot, Tally};
use crossbeam_utils::CachePadded;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

pub(crate) struct FtUtils {
    places: Vec<AtomicUsize>,
    /// The first place that nobody has taken; beyond the last if all are.
    at: CachePadded<AtomicUsize>,
    refill: Mutex<Numbers>,
}

impl FtUtils {
    pub(crate) fn new() -> Self {
        Self {
            places: (0..SIZE).map(|_| AtomicUsize::new(0)).collect(),
            at: AtomicUsize::new(SIZE).into(),
            refill: Mutex::new(Numbers::new()),
        }
    }

    #[inline]
    fn take(&self) -> usize {
        loop {
            let place = self.at.fetch_add(1, Ordering::AcqRel);
            if let Some(place) = self.places.get(place) {
                return place.load(Ordering::Acquire);
            }
            self.fill();
        }
    }

    #[cold]
    fn fill(&self) {
        let numbers = self.refill.lock().expect("no thread panics");
        if self.at.load(Ordering::Acquire) < SIZE {
            return;
        }
        for place in &self.places {
            place.store(numbers.next(), Ordering::Relaxed);
        }
        self.at.store(0, Ordering::Release);
    }
}

impl Candidate for FtUtils {
    fn shot(&self, _thread: usize, shot: &Shot<'_>) -> Tally {
        shot.run(|| self.take())
    }

    fn settle(&self, left: &mut dyn FnMut(usize)) -> Option<u64> {
        let at = self.at.swap(SIZE, Ordering::Relaxed).min(SIZE);
        self.places[at..].iter().for_each(|place| left(place.load(Ordering::Relaxed)));
        Some(self.refill.lock().expect("no thread panics").made())
    }

    fn is_racy(&self) -> bool {
        true
    }
}
