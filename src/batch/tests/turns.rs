//! How long a thread runs the source while others load.

use super::super::fill::run::TURN;
use super::one_lock::Locked;
use super::*;
use std::time::Instant;

const SIZE: usize = 8;

/// Takes longer than a turn.
fn outlast_a_turn() {
    let start = Instant::now();
    until(|| start.elapsed() > TURN);
}

/// What another thread does during a fill.
#[derive(Clone, Copy, PartialEq)]
enum Other {
    Nothing,
    /// It waits for a result while the source is called for the second one.
    Sleeps,
    /// It takes the second result while the source is called for the third one.
    Takes,
}

/// How many results there are after a fill of which one call of the source outlasts a turn.
fn made(options: Options, other: Other, bulk: bool) -> u64 {
    let ((go_on, told), (say, has_begun)) = (mpsc::channel(), mpsc::channel());
    let long_call = if other == Other::Takes { 3 } else { 2 };
    let mut made = 0;
    let mut next = move || {
        made += 1;
        if made == long_call {
            say.send(()).unwrap();
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
        let batch = Batch::with_options(VALUES, source, SIZE, options).unwrap();
        fill(&batch, other, &has_begun, &go_on)
    } else {
        let source = move || Ok::<_, Infallible>(next());
        let batch = Batch::with_options(VALUES, source, SIZE, options).unwrap();
        fill(&batch, other, &has_begun, &go_on)
    }
}

fn fill<S: Source<Native<usize>, Error: std::fmt::Debug + PartialEq + Send>>(
    batch: &Batch<Native<usize>, S>,
    other: Other,
    long_call_has_begun: &mpsc::Receiver<()>,
    go_on: &mpsc::Sender<()>,
) -> u64 {
    std::thread::scope(|scope| {
        let filler = scope.spawn(|| batch.load());
        // Before that, a turn that was over would end the fill.
        long_call_has_begun.recv().unwrap();
        let loads = other != Other::Nothing;
        let second = loads.then(|| scope.spawn(|| batch.load()));
        match other {
            Other::Nothing => (),
            Other::Sleeps => until(|| batch.parking.sleepers() == 1),
            Other::Takes => until(|| batch.queue.taken() == 1),
        }
        go_on.send(()).unwrap();
        assert_eq!(filler.join().unwrap(), Ok(1));
        if let Some(second) = second {
            assert_eq!(second.join().unwrap(), Ok(2));
        }
    });
    batch.stats().produced
}

#[test]
fn a_fill_hands_the_role_on_after_its_turn_if_a_thread_sleeps() {
    for bulk in [false, true] {
        assert_eq!(made(Options::default(), Other::Sleeps, bulk), 2);
    }
}

#[test]
fn a_fill_hands_the_role_on_after_its_turn_if_another_thread_loads() {
    for bulk in [false, true] {
        assert_eq!(made(Options::default(), Other::Takes, bulk), 3);
    }
}

/// How many results a fill makes while one thread sleeps and another has been woken, for longer than
/// a turn lasts.
fn made_while_one_comes<H: Host<Object = usize>>(host: H) -> u64 {
    let source = || {
        outlast_a_turn();
        Ok::<_, Infallible>(1)
    };
    let mut batch = Batch::new(host, source, SIZE).unwrap();
    batch.parking = Parking::with_one_asleep_and_one_woken();
    assert!(batch.load().is_ok());
    assert_eq!(batch.parking.sleepers(), 1);
    batch.stats().produced
}

#[test]
fn a_fill_leaves_the_next_to_a_thread_that_comes_unless_that_waits_for_a_lock() {
    assert_eq!(made_while_one_comes(VALUES), SIZE as u64);
    assert_eq!(made_while_one_comes(&Locked::default()), 2);
}

#[test]
fn a_fill_goes_on_after_its_turn_if_no_other_thread_loads() {
    for bulk in [false, true] {
        assert_eq!(made(Options::default(), Other::Nothing, bulk), SIZE as u64);
    }
}

#[test]
fn a_budget_is_kept_to_however_long_it_takes() {
    for bulk in [false, true] {
        let options = Options { fill_budget: 5, ..Options::default() };
        for other in [Other::Sleeps, Other::Takes] {
            assert_eq!(made(options, other, bulk), 5);
        }
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
