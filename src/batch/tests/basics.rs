//! What a batch is: order, sizes, ownership.

use super::*;

#[test]
fn results_come_in_the_order_of_the_source_across_refills() {
    for size in [1, 2, 3, 7, 8] {
        let batch = Batch::new(VALUES, counter(), size).unwrap();
        let loaded: Vec<_> = (0..20).map(|_| batch.load().unwrap()).collect();
        assert_eq!(loaded, (1..=20).collect::<Vec<_>>(), "size {size}");
    }
}

#[test]
fn a_fill_makes_as_many_results_as_the_size_says() {
    let batch = Batch::new(VALUES, counter(), 5).unwrap();
    assert_eq!((batch.len(), batch.size()), (0, 5));
    batch.load().unwrap();
    assert_eq!(batch.len(), 4);
}

#[test]
fn sizes_out_of_range_are_refused() {
    for size in [0, MAX_SIZE + 1, usize::MAX] {
        assert_eq!(Batch::new(VALUES, counter(), size).err(), Some(NewError::Size(size)));
    }
}

#[test]
fn ownership_moves_out_with_the_result_and_the_rest_is_dropped_with_the_batch() {
    let shared = Arc::new(());
    let source = {
        let shared = Arc::clone(&shared);
        move || Ok::<_, Infallible>(Arc::clone(&shared))
    };
    let batch = Batch::new(Native::<Arc<()>>::new(), source, 4).unwrap();
    let loaded = batch.load().unwrap();
    assert_eq!(Arc::strong_count(&shared), 2 + 1 + 3);
    drop(loaded);
    assert_eq!(Arc::strong_count(&shared), 2 + 3);
    batch.clear().unwrap();
    assert_eq!((Arc::strong_count(&shared), batch.len()), (2, 0));
    batch.load().unwrap();
    drop(batch);
    assert_eq!(Arc::strong_count(&shared), 1);
}

#[test]
fn a_visitor_sees_all_that_was_made_in_the_middle_of_a_fill() {
    type Visited = Batch<Native<usize>, Box<dyn FnMut() -> Result<usize, Infallible> + Send>>;
    let batch: Arc<OnceLock<Weak<Visited>>> = Arc::default();
    let (mut made, itself) = (0, Arc::clone(&batch));
    let (tell, told) = mpsc::channel();
    let source = move || {
        made += 1;
        if made == 4 {
            let batch = itself.get().unwrap().upgrade().unwrap();
            // SAFETY: no other thread knows the batch.
            unsafe { batch.visit(|word| tell.send(word).is_ok()) };
        }
        Ok(made)
    };
    let visited = Arc::new(Visited::new(VALUES, Box::new(source), 5).unwrap());
    assert!(batch.set(Arc::downgrade(&visited)).is_ok());
    assert_eq!(visited.load(), Ok(1));
    let mut seen: Vec<_> = told.try_iter().collect();
    seen.sort_unstable();
    assert_eq!(seen, [1, 2, 3]);
}

#[test]
fn a_visitor_sees_what_is_in_the_buffer_and_may_stop() {
    let batch = Batch::new(VALUES, failing(|call| call == 4), 8).unwrap();
    assert_eq!(batch.load(), Err(LoadError::Source(4)));
    let mut seen = Vec::new();
    // SAFETY: no other thread knows the batch.
    let to_the_end = unsafe {
        batch.visit(|word| {
            seen.push(word);
            true
        })
    };
    assert_eq!((to_the_end, seen), (true, vec![1, 2, 3]));
    // The filler's own, what came back, and the buffer.
    batch.give_back(&mut vec![7]).unwrap();
    for stop in 1..=5 {
        let mut looks = 0;
        // SAFETY: as above.
        let to_the_end = unsafe {
            batch.visit(|_| {
                looks += 1;
                looks < stop
            })
        };
        assert_eq!((to_the_end, looks), (stop > 4, stop.min(4)));
    }
}

#[test]
fn a_batch_and_a_cursor_are_empty_when_nothing_is_ready() {
    let batch = Batch::new(VALUES, counter(), 2).unwrap();
    let mut cursor = batch.cursor().unwrap();
    assert!(batch.is_empty() && cursor.is_empty());
    assert_eq!((batch.load(), batch.is_empty()), (Ok(1), false));
    batch.clear().unwrap();
    assert!(batch.is_empty());
    let batch = Batch::new(VALUES, counter(), 9).unwrap();
    let mut cursor_of_many = batch.cursor().unwrap();
    assert_eq!((cursor_of_many.next(), cursor_of_many.is_empty()), (Ok(1), true));
    assert_eq!((cursor_of_many.next(), cursor_of_many.is_empty()), (Ok(2), false));
    assert_eq!((cursor.next(), cursor.is_empty()), (Ok(3), true));
}

#[test]
fn a_cursor_is_an_iterator() {
    let batch = Batch::new(VALUES, Iter(1..=3), 2).unwrap();
    assert_eq!(batch.cursor().unwrap().collect::<Vec<_>>(), [Ok(1), Ok(2), Ok(3)]);
}

#[test]
fn a_batch_has_the_options_that_it_was_made_with() {
    let options = Options { low_mark: 3, fill_budget: 7, wipe: true, on_fork: ForkPolicy::Keep };
    let batch = Batch::with_options(VALUES, counter(), 8, options).unwrap();
    let same = batch.options();
    assert_eq!((same.low_mark, same.fill_budget, same.wipe), (3, 7, true));
    assert_eq!(same.on_fork, ForkPolicy::Keep);
}
