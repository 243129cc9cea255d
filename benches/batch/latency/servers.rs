//! What loads are made from: a batch in its variants, and a plain buffer under a lock.

use super::scene::Scene;
use super::slow::Slow;
use ft_local::{Batch, Native, Options, Source};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(crate) const LOCKED: &str = "refill under a lock";
pub(crate) const PLAIN: &str = "load";
pub(crate) const BUDGET: &str = "load, fill budget 4";
pub(crate) const PREFILLED: &str = "load, with prefill";

pub(crate) trait Server: Sync {
    fn load(&self) -> usize;
    fn source(&self) -> &Slow;
    /// Takes what is left, when nobody else uses it.
    fn take_left(&self) -> Option<usize>;
    /// What a thread in the background does until it is told to stop.
    fn background(&self, _stop: &AtomicBool) {}
}

pub(crate) fn server(name: &str, scene: &Scene) -> Box<dyn Server> {
    let source = Arc::new(Slow::new(scene.pause));
    if name == LOCKED {
        let buffer = Mutex::new(VecDeque::with_capacity(scene.size));
        return Box::new(Locked { buffer, source, size: scene.size });
    }
    let fill_budget = if name == BUDGET { 4 } else { 0 };
    let options = Options { fill_budget, ..Options::default() };
    let numbers = Arc::clone(&source);
    let next = move || Ok::<_, Infallible>(numbers.next());
    let batch = Batch::with_options(Native::new(), next, scene.size, options)
        .expect("the size and the budget are good");
    Box::new(Ours { batch, source, prefills: name == PREFILLED })
}

struct Ours<S: Source<Native<usize>>> {
    batch: Batch<Native<usize>, S>,
    source: Arc<Slow>,
    prefills: bool,
}

impl<S: Source<Native<usize>, Error = Infallible>> Server for Ours<S> {
    fn load(&self) -> usize {
        self.batch.load().expect("the source never fails")
    }

    fn source(&self) -> &Slow {
        &self.source
    }

    fn take_left(&self) -> Option<usize> {
        self.batch.try_load().expect("the batch is open")
    }

    fn background(&self, stop: &AtomicBool) {
        let (low_mark, max) = (self.batch.size() / 2, self.batch.size());
        while self.prefills && !stop.load(Ordering::Relaxed) {
            let made = self.batch.prefill(low_mark, max, Some(Duration::from_millis(20)));
            made.expect("the source never fails");
        }
    }
}

/// All in one: the thread that finds the buffer empty refills it, and the others wait for the lock.
struct Locked {
    buffer: Mutex<VecDeque<usize>>,
    source: Arc<Slow>,
    size: usize,
}

impl Server for Locked {
    fn load(&self) -> usize {
        let mut buffer = self.buffer.lock().expect("no thread panics");
        if buffer.is_empty() {
            buffer.extend((0..self.size).map(|_| self.source.next()));
        }
        buffer.pop_front().expect("just filled")
    }

    fn source(&self) -> &Slow {
        &self.source
    }

    fn take_left(&self) -> Option<usize> {
        self.buffer.lock().expect("no thread panics").pop_front()
    }
}
