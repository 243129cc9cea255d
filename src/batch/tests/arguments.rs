//! What a load hands to the source.

use super::*;
use std::any::Any;

/// Each result is the argument of the load that made it, 0 without one.
struct Asks;

impl Source<Native<usize>> for Asks {
    type Error = Infallible;

    fn run(&mut self, filler: impl Filler<Native<usize>, Infallible>) -> Filled {
        filler.many_with(|_, slots, argument| {
            slots.push(number(argument));
            Ok(())
        })
    }
}

fn number(argument: Option<&dyn Any>) -> usize {
    argument.map_or(0, |it| *it.downcast_ref().unwrap())
}

fn batch_with(low_mark: usize) -> Batch<Native<usize>, Asks> {
    let options = Options { fill_budget: 2, low_mark, ..Options::default() };
    Batch::with_options(VALUES, Asks, 4, options).unwrap()
}

#[test]
fn the_source_gets_the_argument_of_the_load_that_runs_it() {
    let batch = batch_with(0);
    assert_eq!(batch.load_with(&1_usize, None), Ok(1));
    assert_eq!(batch.load_with(&2_usize, None), Ok(1), "made by the load before");
    assert_eq!(batch.cursor().unwrap().next_with(&3_usize, Some(LONG)), Ok(3));
    assert_eq!(batch.load(), Ok(3));
    assert_eq!([batch.load(), batch.load_now()], [Ok(0), Ok(0)]);
}

#[test]
fn a_refill_gets_the_argument_of_its_load() {
    let batch = batch_with(1);
    let results = [4_usize, 5, 6].map(|argument| batch.load_with(&argument, None));
    assert_eq!(results, [Ok(4), Ok(4), Ok(5)]);
    assert_eq!(rest(&batch), [5]);
}

#[test]
fn a_load_with_an_argument_waits_as_long_as_it_may() {
    let (go_on, source) = waits_from(1);
    let batch = Batch::new(VALUES, source, 2).unwrap();
    std::thread::scope(|scope| {
        // It goes with this closure, so that a failure lets the other threads end.
        let go_on = go_on;
        let first = scope.spawn(|| batch.load());
        until(|| !batch.role.is_free());
        let mut cursor = batch.cursor().unwrap();
        assert_eq!(batch.load_with(&(), Some(Duration::ZERO)), Err(LoadError::WouldWait));
        assert_eq!(cursor.next_with(&(), Some(Duration::ZERO)), Err(LoadError::WouldWait));
        assert_eq!(batch.stats().waits, 0);
        let soon = Some(Duration::from_nanos(1));
        assert_eq!(batch.load_with(&(), soon), Err(LoadError::TimedOut));
        let second = scope.spawn(|| batch.load_with(&(), None));
        until(|| batch.stats().waits == 2);
        go_on.send(()).unwrap();
        go_on.send(()).unwrap();
        assert_exact([first, second].map(|thread| thread.join().unwrap().unwrap()).to_vec());
    });
}
