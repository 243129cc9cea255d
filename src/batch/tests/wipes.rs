//! Results that are wiped: what is in the batch's memory.

use super::forks::passes_in_child;
use super::*;

const SIZE: usize = 8;

fn wiping() -> Options {
    Options { wipe: true, ..Options::default() }
}

/// All words in the memory of a batch that are not 0, in order. Nobody uses the batch meanwhile.
fn memory<S: Source<Native<usize>>>(batch: &Batch<Native<usize>, S>) -> Vec<Word> {
    let mut words: Vec<_> = batch.queue.memory().collect();
    for permit in batch.permits() {
        words.push(permit.own.memory());
        // SAFETY: nothing fills.
        unsafe { permit.workspace.with_state(|state| words.extend_from_slice(&state.scratch)) };
    }
    // SAFETY: nobody uses it.
    unsafe {
        batch.returned.visit(&mut |word| {
            words.push(word);
            true
        });
    }
    words.retain(|&word| word != 0);
    words.sort_unstable();
    words
}

fn batch_of<S: Source<Native<usize>>>(source: S) -> Batch<Native<usize>, S> {
    Batch::with_options(VALUES, source, SIZE, wiping()).unwrap()
}

#[test]
fn what_was_handed_out_one_by_one_is_nowhere() {
    let batch = batch_of(counter());
    for round in 0..4 {
        let first = round * SIZE + 1;
        let mut cursor = batch.cursor().unwrap();
        assert_eq!(batch.load(), Ok(first));
        assert_eq!(memory(&batch), (first + 1..first + SIZE).collect::<Vec<_>>());
        assert_eq!(batch.try_load(), Ok(Some(first + 1)));
        assert_eq!(batch.load_within(LONG), Ok(first + 2));
        assert_eq!((cursor.next(), cursor.len()), (Ok(first + 3), 0));
        let mut many = Vec::new();
        batch.load_many(SIZE - 4, None, &mut many).unwrap();
        assert_eq!(many, (first + 4..first + SIZE).collect::<Vec<_>>());
        assert_eq!(memory(&batch), []);
    }
    assert_balanced(&batch);
}

#[test]
fn what_a_source_of_many_has_written_is_nowhere() {
    let mut made = 0;
    let batch = batch_of(Bulk(move |slots: &mut Slots<'_, Native<usize>>| {
        for _ in 0..2 {
            made += 1;
            slots.push(made);
        }
        Ok(())
    }));
    let all: Vec<_> = (0..2 * SIZE).map(|_| batch.load().unwrap()).collect();
    assert_eq!(all, (1..=2 * SIZE).collect::<Vec<_>>());
    assert_eq!(memory(&batch), (2 * SIZE + 1..=2 * SIZE + batch.len()).collect::<Vec<_>>());
    batch.clear().unwrap();
    assert_eq!(memory(&batch), []);
}

#[test]
fn what_a_source_of_many_has_written_and_not_counted_is_nowhere() {
    let source = |first| {
        let mut made = first;
        Bulk(move |slots: &mut Slots<'_, Native<usize>>| {
            slots.unfilled().fill(77);
            slots.push(made);
            made += 1;
            Ok(())
        })
    };
    for others in [vec![], vec![100]] {
        let sources = [1].into_iter().chain(others).map(source).collect();
        let batch = Batch::with_fillers(VALUES, sources, SIZE, wiping()).unwrap();
        assert_eq!(batch.load(), Ok(1));
        assert_eq!(memory(&batch), (2..=1 + batch.len()).collect::<Vec<_>>());
    }
}

#[test]
fn what_came_back_and_was_handed_out_again_is_nowhere() {
    let batch = batch_of(failing(|call| call == 3));
    // The first result of a fill that fails.
    assert_eq!(batch.load(), Err(LoadError::Source(3)));
    assert_eq!(memory(&batch), [1, 2]);
    let mut back = vec![batch.load().unwrap()];
    assert_eq!((&back[..], memory(&batch)), (&[1][..], vec![2]));
    batch.give_back(&mut back).unwrap();
    assert_eq!(memory(&batch), [1, 2]);
    assert_eq!((batch.load(), memory(&batch)), (Ok(1), vec![2]));
    assert_eq!((batch.load(), memory(&batch)), (Ok(2), vec![]));
}

#[test]
fn what_is_dropped_is_nowhere() {
    let batch = batch_of(counter());
    assert_eq!(batch.load(), Ok(1));
    batch.clear().unwrap();
    assert_eq!(memory(&batch), []);
    assert_eq!(batch.load(), Ok(SIZE + 1));
    batch.give_back(&mut vec![SIZE + 1]).unwrap();
    batch.close().unwrap();
    assert_eq!(memory(&batch), []);
}

#[test]
fn a_child_has_nothing_of_the_parents_when_it_has_used_the_batch() {
    let batch = batch_of(failing(|call| call == 4));
    assert_eq!(batch.load(), Err(LoadError::Source(4)));
    batch.give_back(&mut vec![100, 101]).unwrap();
    assert_eq!(memory(&batch), [1, 2, 3, 100, 101]);
    assert!(passes_in_child(|| {
        assert_eq!(batch.try_load(), Ok(None));
        assert_eq!(memory(&batch), []);
        assert_eq!(batch.load(), Ok(4));
        assert_eq!(memory(&batch), (5..4 + SIZE).collect::<Vec<_>>());
    }));
    assert_eq!(memory(&batch), [1, 2, 3, 100, 101]);
}

#[test]
fn zero_is_a_result_like_any_other() {
    let mut made = 0;
    let batch = batch_of(move || {
        made += 1;
        Ok::<_, Infallible>(made % 3)
    });
    let all: Vec<_> = batch.iter().take(100).map(Result::unwrap).collect();
    assert_eq!(all, (1..=100).map(|n| n % 3).collect::<Vec<_>>());
}

#[test]
fn the_low_mark_works() {
    let options = Options { low_mark: 4, ..wiping() };
    let batch = Batch::with_options(VALUES, counter(), SIZE, options).unwrap();
    for expected in 1..100 {
        assert_eq!(batch.load(), Ok(expected));
        assert!(batch.len() >= 4, "{} after {expected}", batch.len());
    }
}

#[test]
fn a_fill_makes_no_more_than_there_is_room_for() {
    let batch = Batch::with_options(VALUES, counter(), 5, wiping()).unwrap();
    assert_eq!((batch.load(), batch.len()), (Ok(1), 4));
    assert_eq!((batch.prefill(5, 100, None), batch.len()), (Ok(1), 5));
}

#[test]
fn threads_lose_nothing() {
    const EACH: usize = 20_000;
    let batch = batch_of(counter());
    let take = |way: usize| {
        let mut cursor = batch.cursor().unwrap();
        let mut taken = Vec::new();
        while taken.len() < EACH {
            match way {
                0 => taken.push(batch.load().unwrap()),
                1 => taken.push(cursor.next().unwrap()),
                _ => batch.load_many(5, None, &mut taken).unwrap(),
            }
        }
        taken
    };
    let mut all = std::thread::scope(|scope| {
        let takers = [0, 1, 2, 0].map(|way| scope.spawn(move || take(way)));
        takers.into_iter().flat_map(|taker| taker.join().unwrap()).collect::<Vec<_>>()
    });
    all.extend(memory(&batch));
    all.sort_unstable();
    assert_eq!(all, (1..=all.len()).collect::<Vec<_>>());
    assert_balanced(&batch);
}
