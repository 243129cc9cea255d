//! What the child of a fork does with the parent's results: in the buffer, given back, and in
//! cursors.

use super::forks::passes_in_child;
use super::*;

/// The next result is 12; 9 is the first of a failed fill, 6 and 7 were given back, 10 and 11 are in
/// the ring, and the cursor has 3 to 5 in hand.
fn full_of_everything(
    on_fork: ForkPolicy,
    test: impl Fn(&Counted, &mut Cursor<'_, Native<usize>, Failing>),
) {
    let source: Failing = Box::new(failing(|call| call == 10));
    let options = Options { on_fork, ..Options::default() };
    let batch = Batch::with_options(VALUES, source, 8, options).unwrap();
    assert_eq!(batch.load(), Ok(1));
    let mut cursor = batch.cursor().unwrap();
    assert_eq!((cursor.next(), cursor.len()), (Ok(2), 3));
    let mut loaded: Vec<_> = (0..3).map(|_| batch.load().unwrap()).collect();
    assert_eq!(loaded.pop(), Some(8));
    assert_eq!(batch.load(), Err(LoadError::Source(10)));
    batch.give_back(&mut loaded).unwrap();
    assert_eq!(batch.prefill(8, 2, None), Ok(2));
    assert!(passes_in_child(|| test(&batch, &mut cursor)));
    // The parent has lost nothing.
    assert_eq!((rest(&batch), cursor.len()), (vec![9, 6, 7, 10, 11], 3));
    assert_eq!([cursor.next(), cursor.next(), cursor.next()], [Ok(3), Ok(4), Ok(5)]);
}

type Failing = Box<dyn FnMut() -> Result<usize, usize> + Send>;
type Counted = Batch<Native<usize>, Failing>;

#[test]
fn a_child_that_discards_hands_out_nothing_of_the_parents() {
    full_of_everything(ForkPolicy::Discard, |batch, cursor| {
        assert_eq!((batch.len(), cursor.len()), (0, 0));
        assert_eq!((batch.load(), batch.stats().dropped_on_fork), (Ok(12), 5));
        assert_eq!((cursor.next(), batch.stats().dropped_on_fork), (Ok(13), 5 + 3));
        assert_balanced(batch);
    });
}

#[test]
fn a_child_that_discards_may_begin_with_the_cursor() {
    full_of_everything(ForkPolicy::Discard, |batch, cursor| {
        assert_eq!((cursor.next(), batch.stats().dropped_on_fork), (Ok(12), 5 + 3));
        assert_balanced(batch);
    });
}

#[test]
fn a_child_that_keeps_hands_out_all_that_the_parent_does() {
    full_of_everything(ForkPolicy::Keep, |batch, cursor| {
        assert_eq!((batch.len(), cursor.len()), (5, 3));
        assert_eq!(rest(batch), [9, 6, 7, 10, 11]);
        let loaded = [(); 4].map(|()| cursor.next());
        assert_eq!(loaded, [Ok(3), Ok(4), Ok(5), Ok(12)]);
        assert_eq!(batch.stats().dropped_on_fork, 0);
        assert_balanced(batch);
    });
}

#[test]
fn a_child_that_must_not_use_the_batch_gets_an_error_each_time() {
    full_of_everything(ForkPolicy::Error, |batch, cursor| {
        for _ in 0..2 {
            assert_eq!(batch.load(), Err(LoadError::Forked));
            assert_eq!(batch.try_load(), Err(LoadError::Forked));
            assert_eq!(batch.load_within(LONG), Err(LoadError::Forked));
            assert_eq!(batch.load_many(1, None, &mut Vec::new()), Err(LoadError::Forked));
            assert_eq!(batch.prefill(8, 8, None), Err(LoadError::Forked));
            assert_eq!(cursor.next(), Err(LoadError::Forked));
            assert_eq!(batch.clear(), Err(LoadError::Forked));
            assert_eq!(batch.close(), Err(LoadError::Forked));
            let mut mine = vec![1];
            assert_eq!((batch.give_back(&mut mine), mine), (Err(LoadError::Forked), vec![1]));
        }
        assert_eq!((batch.len(), batch.is_closed()), (0, false));
        // A child of the child is no better.
        assert!(passes_in_child(|| assert_eq!(batch.load(), Err(LoadError::Forked))));
    });
}

#[test]
fn a_child_of_a_child_discards_what_was_made_in_between() {
    full_of_everything(ForkPolicy::Discard, |batch, cursor| {
        assert_eq!([batch.load(), cursor.next()], [Ok(12), Ok(13)]);
        assert!(passes_in_child(|| {
            assert_eq!((batch.len(), cursor.len()), (0, 0));
            assert_eq!([cursor.next(), batch.load()], [Ok(20), Ok(21)]);
            assert_balanced(batch);
        }));
        assert_eq!([batch.load(), cursor.next()], [Ok(17), Ok(14)]);
    });
}
