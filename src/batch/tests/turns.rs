//! How long a thread runs the source while another has nothing.

use super::super::fill::run::TURN;
use super::*;
use std::time::Instant;

const SIZE: usize = 8;

/// Takes longer than a turn.
fn outlast_a_turn() {
    let start = Instant::now();
    until(|| start.elapsed() > TURN);
}

/// How many results there are after a fill whose second call of the source, if `sleeps`, sends
/// another thread to sleep, and in any case outlasts a turn.
fn made(options: Options, sleeps: bool, bulk: bool) -> u64 {
    let (go_on, told) = mpsc::channel();
    let mut made = 0;
    let mut next = move || {
        made += 1;
        if made == 2 {
            told.recv().unwrap();
            outlast_a_turn();
        }
        made
    };
    if bulk {
        let source = Bulk(move |slots: &mut Slots<'_, _>| {
            slots.push(next());
            Ok(())
        });
        fill(&Batch::with_options(VALUES, source, SIZE, options).unwrap(), sleeps, &go_on)
    } else {
        let source = move || Ok::<_, Infallible>(next());
        fill(&Batch::with_options(VALUES, source, SIZE, options).unwrap(), sleeps, &go_on)
    }
}

fn fill<S: Source<Native<usize>, Error: std::fmt::Debug + PartialEq + Send>>(
    batch: &Batch<Native<usize>, S>,
    sleeps: bool,
    go_on: &mpsc::Sender<()>,
) -> u64 {
    std::thread::scope(|scope| {
        let filler = scope.spawn(|| batch.load());
        until(|| !batch.role.is_free());
        let sleeper = sleeps.then(|| scope.spawn(|| batch.load()));
        until(|| batch.parking.sleepers() == usize::from(sleeps));
        go_on.send(()).unwrap();
        assert_eq!(filler.join().unwrap(), Ok(1));
        if let Some(sleeper) = sleeper {
            assert_eq!(sleeper.join().unwrap(), Ok(2));
        }
    });
    batch.stats().produced
}

#[test]
fn a_fill_hands_the_role_on_after_its_turn_if_a_thread_sleeps() {
    for bulk in [false, true] {
        assert_eq!(made(Options::default(), true, bulk), 2);
    }
}

#[test]
fn a_fill_goes_on_after_its_turn_if_no_thread_sleeps() {
    for bulk in [false, true] {
        assert_eq!(made(Options::default(), false, bulk), SIZE as u64);
    }
}

#[test]
fn a_budget_is_kept_to_however_long_it_takes() {
    for bulk in [false, true] {
        let options = Options { fill_budget: 5, ..Options::default() };
        assert_eq!(made(options, true, bulk), 5);
    }
}

#[test]
fn a_thread_that_prefills_makes_what_it_was_asked_for() {
    let (go_on, told) = mpsc::channel();
    let mut made = 0;
    let source = move || {
        made += 1;
        if made == 1 {
            told.recv().unwrap();
            outlast_a_turn();
        }
        Ok::<_, Infallible>(made)
    };
    let batch = Batch::new(VALUES, source, SIZE).unwrap();
    std::thread::scope(|scope| {
        let ahead = scope.spawn(|| batch.prefill(SIZE, SIZE, None));
        until(|| !batch.role.is_free());
        let sleeper = scope.spawn(|| batch.load());
        until(|| batch.parking.sleepers() == 1);
        go_on.send(()).unwrap();
        assert_eq!(ahead.join().unwrap(), Ok(SIZE));
        assert_eq!(sleeper.join().unwrap(), Ok(1));
    });
}

#[test]
fn a_fill_ahead_hands_the_role_on_after_its_turn_too() {
    let (go_on, told) = mpsc::channel();
    let mut made = 0;
    let source = move || {
        made += 1;
        if made == 4 {
            told.recv().unwrap();
            outlast_a_turn();
        }
        Ok::<_, Infallible>(made)
    };
    let options = Options { low_mark: 2, ..Options::default() };
    let batch = Batch::with_options(VALUES, source, SIZE, options).unwrap();
    assert_eq!(batch.prefill(1, 3, None), Ok(3));
    assert_eq!(batch.load(), Ok(1));
    std::thread::scope(|scope| {
        // Leaves 3 in the buffer, and makes more.
        let filler = scope.spawn(|| batch.load());
        until(|| !batch.role.is_free());
        assert_eq!(batch.load(), Ok(3));
        let sleeper = scope.spawn(|| batch.load());
        until(|| batch.parking.sleepers() == 1);
        go_on.send(()).unwrap();
        assert_eq!(filler.join().unwrap(), Ok(2));
        assert_eq!(sleeper.join().unwrap(), Ok(4));
    });
    assert_eq!(batch.stats().produced, 4);
}
