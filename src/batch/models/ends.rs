//! Cursors that are dropped, batches that are closed, sources that end.

use super::super::{Batch, ForkPolicy, Options};
use super::{check, check_parking, counter, sorted};
use crate::error::LoadError;
use crate::host::Native;
use crate::process::{begin_generation, thread_number};
use crate::source::{Filled, Filler, Iter, Source};
use loom::sync::Arc;
use loom::thread;

type Values = Native<usize>;

/// Two results in each call: 1 and 2, then 3 and 4, ...
struct Pairs(usize);

impl Source<Values> for Pairs {
    type Error = ();

    fn run(&mut self, filler: impl Filler<Values, ()>) -> Filled {
        filler.many(|_, slots| {
            for _ in 0..slots.capacity().min(2) {
                self.0 += 1;
                slots.push(self.0);
            }
            Ok(())
        })
    }
}

fn rest<S: Source<Values>>(batch: &Batch<Values, S>) -> Vec<usize> {
    std::iter::from_fn(|| batch.try_load().ok().flatten()).collect()
}

#[test]
fn what_a_cursor_has_in_hand_goes_back_and_comes_first() {
    check_parking("cursor against load", || {
        let batch = Arc::new(Batch::new(Values::new(), Pairs(0), 3).unwrap());
        let other = {
            let batch = batch.clone();
            thread::spawn(move || batch.cursor().unwrap().next().unwrap())
        };
        let mine = batch.load().unwrap();
        let taken = [mine, other.join().unwrap()];
        let rest = rest(&batch);
        assert!(rest.is_sorted(), "what came back is older: {rest:?}");
        let all = sorted(taken.into_iter().chain(rest).collect());
        assert_eq!(all, (1..=usize::try_from(batch.stats().produced).unwrap()).collect::<Vec<_>>());
    });
}

#[test]
fn two_cursors_give_back_at_once() {
    check("give back against give back", || {
        let batch = Arc::new(Batch::new(Values::new(), Pairs(0), 4).unwrap());
        assert_eq!(batch.load(), Ok(1));
        let others: Vec<_> = (0..2)
            .map(|_| {
                let batch = batch.clone();
                thread::spawn(move || batch.cursor().unwrap().next().unwrap())
            })
            .collect();
        // One may have announced what it gives back while the other is still doing so.
        let mine = batch.try_load().unwrap();
        let taken: Vec<_> = others.into_iter().map(|other| other.join().unwrap()).collect();
        let all = sorted(taken.into_iter().chain(mine).chain(rest(&batch)).collect());
        assert_eq!(all, (2..=usize::try_from(batch.stats().produced).unwrap()).collect::<Vec<_>>());
    });
}

#[test]
fn a_close_wakes_waiting_threads_and_leaves_nothing_behind() {
    check_parking("close against load", || {
        let batch = Arc::new(Batch::new(Values::new(), Pairs(0), 3).unwrap());
        let other = {
            let batch = batch.clone();
            thread::spawn(move || batch.load())
        };
        assert_eq!(batch.close(), Ok(()));
        let loaded = match other.join().unwrap() {
            Ok(_) => 1,
            Err(error) => {
                assert_eq!(error, LoadError::Closed);
                0
            }
        };
        assert_eq!((batch.load(), rest(&batch)), (Err(LoadError::Closed), vec![]));
        let stats = batch.stats();
        assert_eq!(stats.produced, loaded + stats.released, "{stats:?}");
        assert!(batch.queue.is_empty(), "a result came after the close and stayed");
    });
}

#[test]
fn a_cursor_that_goes_while_the_batch_is_closed_leaves_nothing_behind() {
    check("close against give back", || {
        let batch = Arc::new(Batch::new(Values::new(), Pairs(0), 4).unwrap());
        assert_eq!(batch.load(), Ok(1));
        let mut cursor = batch.cursor().unwrap();
        assert_eq!(cursor.next(), Ok(2));
        assert!(!cursor.is_empty());
        let closer = {
            let batch = batch.clone();
            thread::spawn(move || batch.close())
        };
        drop(cursor);
        assert_eq!(closer.join().unwrap(), Ok(()));
        let stats = batch.stats();
        assert_eq!(stats.produced, 2 + stats.released, "{stats:?}");
    });
}

#[test]
fn every_thread_learns_of_the_end() {
    check_parking("end", || {
        let source = Iter([1].into_iter());
        let batch = Arc::new(Batch::new(Values::new(), source, 2).unwrap());
        let other = {
            let batch = batch.clone();
            thread::spawn(move || batch.load())
        };
        let loads = [batch.load(), other.join().unwrap()];
        assert!(loads.contains(&Ok(1)) && loads.contains(&Err(LoadError::Ended)), "{loads:?}");
    });
}

#[test]
fn two_threads_of_a_child_adopt_a_batch_once() {
    for on_fork in [ForkPolicy::Discard, ForkPolicy::Keep, ForkPolicy::Error] {
        check(&format!("adoption, {on_fork:?}"), move || {
            let options = Options { on_fork, ..Options::default() };
            let batch = Batch::with_options(Values::new(), counter(&[]), 2, options).unwrap();
            assert_eq!(batch.load(), Ok(1));
            let batch = Arc::new(batch);
            // 2 is in the buffer, and the parent's.
            begin_generation(thread_number());
            let other = {
                let batch = batch.clone();
                thread::spawn(move || batch.load())
            };
            let loads = [batch.load(), other.join().unwrap()];
            match on_fork {
                ForkPolicy::Error => assert_eq!(loads, [Err(LoadError::Forked); 2]),
                ForkPolicy::Discard => {
                    assert_eq!(sorted(loads.map(Result::unwrap).to_vec()), [3, 4]);
                }
                ForkPolicy::Keep => {
                    assert_eq!(sorted(loads.map(Result::unwrap).to_vec()), [2, 3]);
                }
            }
        });
    }
}

/// 1 in the first `good` calls, then the end; called again, it fails the model.
fn ends_once(good: usize) -> Iter<impl Iterator<Item = usize> + Send> {
    let mut calls = 0;
    Iter(std::iter::from_fn(move || {
        calls += 1;
        assert!(calls <= good + 1, "the source was called again after its end");
        (calls <= good).then_some(1)
    }))
}

#[test]
fn a_source_that_has_ended_is_not_called_again_by_a_load() {
    check("end against load", || {
        let batch = Arc::new(Batch::new(Values::new(), ends_once(0), 1).unwrap());
        let other = {
            let batch = batch.clone();
            thread::spawn(move || batch.load())
        };
        assert_eq!([batch.load(), other.join().unwrap()], [Err(LoadError::Ended); 2]);
    });
}

#[test]
fn a_source_that_has_ended_is_not_called_again_ahead_of_loads() {
    check("end against prefill", || {
        let batch = Arc::new(Batch::new(Values::new(), ends_once(0), 1).unwrap());
        let other = {
            let batch = batch.clone();
            thread::spawn(move || batch.load())
        };
        let ahead = batch.prefill(1, 1, Some(std::time::Duration::ZERO));
        assert!(matches!(ahead, Ok(0) | Err(LoadError::Ended)), "{ahead:?}");
        assert_eq!(other.join().unwrap(), Err(LoadError::Ended));
    });
    check("end against a load that leaves few", || {
        let options = Options { low_mark: 2, ..Options::default() };
        let batch = Batch::with_options(Values::new(), ends_once(1), 2, options).unwrap();
        assert_eq!(batch.prefill(1, 1, Some(std::time::Duration::ZERO)), Ok(1));
        let batch = Arc::new(batch);
        let other = {
            let batch = batch.clone();
            thread::spawn(move || batch.load())
        };
        let loads = [batch.load(), other.join().unwrap()];
        assert!(loads.contains(&Ok(1)) && loads.contains(&Err(LoadError::Ended)), "{loads:?}");
    });
}

#[test]
fn the_end_is_not_reported_while_a_returned_result_is_there() {
    check("give back against load, after the end", || {
        let batch = Arc::new(Batch::new(Values::new(), ends_once(0), 1).unwrap());
        assert_eq!(batch.load(), Err(LoadError::Ended));
        assert_eq!(batch.take_words_back(&[1]), Ok(()));
        let other = {
            let batch = batch.clone();
            thread::spawn(move || {
                assert_eq!(batch.take_words_back(&[2]), Ok(()));
                batch.load()
            })
        };
        let loads = [batch.load(), other.join().unwrap()];
        assert_eq!(sorted(loads.map(Result::unwrap).to_vec()), [1, 2]);
    });
}

#[test]
fn a_result_returned_while_the_last_is_taken_is_announced() {
    check("give back against take", || {
        let batch = Arc::new(Batch::new(Values::new(), counter(&[]), 1).unwrap());
        assert_eq!(batch.take_words_back(&[1]), Ok(()));
        let other = {
            let batch = batch.clone();
            thread::spawn(move || assert_eq!(batch.take_words_back(&[2]), Ok(())))
        };
        let first = batch.take_returned();
        other.join().unwrap();
        let all = first.into_iter().chain(std::iter::from_fn(|| batch.take_returned()));
        assert_eq!(sorted(all.collect()), [1, 2]);
    });
}
