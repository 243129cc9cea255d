//! A panic of the library itself, which is a bug, must affect only its batch.

use super::*;

#[test]
fn a_panic_of_the_library_stops_fills_and_spoils_no_result() {
    let batch = Batch::new(VALUES, counter(), 3).unwrap();
    assert_eq!(batch.load(), Ok(1));
    drill::arm();
    assert_eq!(batch.load(), Err(LoadError::Panicked));
    assert_eq!([batch.load(), batch.load()], [Ok(2), Ok(3)]);
    assert_eq!([batch.load(), batch.load()], [Err(LoadError::Panicked); 2]);
}

#[test]
fn a_panic_concerns_one_batch() {
    let [bad, good] = [0; 2].map(|_| Batch::new(VALUES, counter(), 2).unwrap());
    drill::arm();
    assert_eq!(bad.load(), Err(LoadError::Panicked));
    assert_eq!([good.load(), good.load(), good.load()], [Ok(1), Ok(2), Ok(3)]);
    assert_eq!(bad.load(), Err(LoadError::Panicked));
}

#[test]
fn every_way_to_a_result_reports_a_panic_when_nothing_is_left() {
    let batch = Batch::new(VALUES, counter(), 3).unwrap();
    let mut cursor = batch.cursor().unwrap();
    batch.poison();
    assert_eq!(batch.load(), Err(LoadError::Panicked));
    assert_eq!(batch.load_within(Duration::ZERO), Err(LoadError::Panicked));
    assert_eq!(batch.try_load(), Err(LoadError::Panicked));
    assert_eq!(batch.load_many(1, None, &mut Vec::new()), Err(LoadError::Panicked));
    assert_eq!(batch.prefill(3, 3, None), Err(LoadError::Panicked));
    assert_eq!(cursor.next(), Err(LoadError::Panicked));
    assert_eq!(batch.stats().produced, 0, "the source was not called");
}

#[test]
fn a_cursor_hands_out_what_it_has_after_a_panic() {
    let batch = Batch::new(VALUES, counter(), 9).unwrap();
    let mut cursor = batch.cursor().unwrap();
    assert_eq!([cursor.next(), cursor.next()], [Ok(1), Ok(2)]);
    let in_hand = cursor.len();
    assert!(in_hand > 0);
    batch.poison();
    let loaded: Vec<_> = std::iter::from_fn(|| cursor.next().ok()).collect();
    assert_eq!(loaded, (3..=9).collect::<Vec<_>>());
    assert_eq!(cursor.next(), Err(LoadError::Panicked));
}

#[test]
fn a_panic_in_a_fill_keeps_what_was_made() {
    let mut made = 0;
    let source = Bulk(move |slots: &mut Slots<'_, _>| {
        made += 1;
        slots.push(made);
        if made == 2 {
            // The next border is that of keeping what is in the slots.
            drill::arm();
        }
        Ok(())
    });
    let batch = Batch::new(VALUES, source, 8).unwrap();
    assert_eq!(batch.load(), Err(LoadError::Panicked));
    assert_eq!([batch.load(), batch.load()], [Ok(1), Ok(2)]);
    assert_eq!(batch.load(), Err(LoadError::Panicked));
}
