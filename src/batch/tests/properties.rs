//! Any sequence of steps, against a model.

use super::*;
use crossbeam_queue::ArrayQueue;
use proptest::prelude::*;
use std::collections::VecDeque;

/// What a user may do with a batch in one thread.
#[derive(Debug, Clone)]
enum Step {
    Load,
    /// The source fails after that many more results, once.
    FailAfter(usize),
    Clear,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => Just(Step::Load),
        2 => (0_usize..30).prop_map(Step::FailAfter),
        1 => Just(Step::Clear),
    ];
    prop::collection::vec(step, 0..200)
}

/// A source of 1, 2, 3, ... that fails when `fail_after` has come down to 0.
struct Model {
    made: usize,
    fail_after: Option<usize>,
}

impl Model {
    fn make(&mut self) -> Result<usize, ()> {
        match &mut self.fail_after {
            Some(0) => {
                self.fail_after = None;
                return Err(());
            }
            Some(left) => *left -= 1,
            None => {}
        }
        self.made += 1;
        Ok(self.made)
    }
}

proptest! {
    #[test]
    fn a_batch_does_what_a_queue_with_a_source_would(size in 1_usize..12, steps in steps()) {
        let real = Arc::new(Mutex::new(Model { made: 0, fail_after: None }));
        let source = { let real = Arc::clone(&real); move || real.lock().unwrap().make() };
        let batch = Batch::new(VALUES, source, size).unwrap();
        let (mut queue, mut model) = (VecDeque::new(), Model { made: 0, fail_after: None });
        for step in steps {
            match step {
                Step::FailAfter(results) => {
                    real.lock().unwrap().fail_after = Some(results);
                    model.fail_after = Some(results);
                }
                Step::Clear => {
                    batch.clear().unwrap();
                    queue.clear();
                }
                Step::Load => {
                    let mut filled = Ok(());
                    if queue.is_empty() {
                        for _ in 0..size {
                            match model.make() {
                                Ok(result) => queue.push_back(result),
                                Err(()) => { filled = Err(LoadError::Source(())); break }
                            }
                        }
                    }
                    let expected = filled.map(|()| queue.pop_front().unwrap());
                    prop_assert_eq!(batch.load(), expected);
                }
            }
            prop_assert_eq!(batch.len(), queue.len());
        }
    }

    #[test]
    fn the_ring_does_what_a_proven_queue_does(power in 0_u32..5, pushes in prop::collection::vec(any::<bool>(), 0..200)) {
        let capacity = 1_usize << power;
        let (ring, reference) = (Ring::with_room(capacity).unwrap(), ArrayQueue::new(capacity));
        for (item, push) in pushes.into_iter().enumerate() {
            if push && reference.push(item).is_ok() {
                ring.push(item);
            } else if !push {
                prop_assert_eq!(ring.claim().map(|(word, _)| word), reference.pop());
            }
            prop_assert_eq!(ring.len(), reference.len());
        }
    }
}
