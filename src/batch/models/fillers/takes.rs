//! The other ways to take results: cursors, and many in one call.

use super::*;

/// Everything that was made and that no thread has taken.
fn rest<S: Source<Values>>(batch: &Batch<Values, S>) -> Vec<usize> {
    std::iter::from_fn(|| batch.try_load().ok().flatten()).collect()
}

fn assert_all_made<S: Source<Values>>(batch: &Batch<Values, S>, taken: Vec<usize>) {
    let all = sorted(taken.into_iter().chain(rest(batch)).collect());
    assert_eq!(all, (1..=usize::try_from(batch.stats().produced).unwrap()).collect::<Vec<_>>());
}

#[test]
fn cursors_of_two_fillers_get_each_result_once() {
    check_preemptions(2, "cursor against cursor, two fillers", || {
        let batch = two(usize::MAX, Options { fill_budget: 2, ..Options::default() });
        // What the cursor has in hand goes back.
        let take = |batch: &Tested| batch.cursor().unwrap().next().unwrap();
        let other = spawn(&batch, take);
        let taken = vec![take(&batch), other.join().unwrap()];
        assert_all_made(&batch, taken);
    });
}

/// One of several sources that make two results in each call, 1, 2, 3, ... between them.
#[derive(Clone, Default)]
struct Pairs(std::sync::Arc<AtomicUsize>);

impl Source<Values> for Pairs {
    type Error = ();

    fn run(&mut self, filler: impl Filler<Values, ()>) -> Filled {
        filler.many(|_, slots| {
            let first = self.0.fetch_add(2, Ordering::Relaxed) + 1;
            slots.push(first);
            slots.push(first + 1);
            Ok(())
        })
    }
}

#[test]
fn loads_of_many_from_two_fillers_get_each_result_once() {
    check_one_preemption("load of many against load, two fillers", || {
        let sources = vec![Pairs::default(); 2];
        let options = Options { fill_budget: 2, ..Options::default() };
        let batch = Arc::new(Batch::with_fillers(Values::new(), sources, 2, options).unwrap());
        let shared = batch.clone();
        let other = thread::spawn(move || shared.load().unwrap());
        let mut taken = Vec::new();
        assert_eq!(batch.load_many(3, None, &mut taken), Ok(()));
        assert_eq!(taken.len(), 3);
        taken.push(other.join().unwrap());
        assert_all_made(&batch, taken);
    });
}
