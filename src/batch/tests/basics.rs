//! What a batch is: order, sizes, ownership, layout.

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
        assert_eq!(Batch::new(VALUES, counter(), size).err(), Some(NewError::Size));
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
    let mut looks = 0;
    // SAFETY: as above.
    let to_the_end = unsafe {
        batch.visit(|_| {
            looks += 1;
            looks < 2
        })
    };
    assert_eq!((to_the_end, looks), (false, 2));
}

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
fn what_threads_write_lies_on_lines_of_its_own() {
    type Any = Batch<Native<usize>, fn() -> Result<usize, ()>>;
    let line = align_of::<crate::sync::CachePadded<u8>>();
    let offsets = [
        std::mem::offset_of!(Any, front) / line,
        std::mem::offset_of!(Any, queue) / line,
        std::mem::offset_of!(Any, first) / line,
        std::mem::offset_of!(Any, returned) / line,
        std::mem::offset_of!(Any, role) / line,
        std::mem::offset_of!(Any, parking) / line,
        std::mem::offset_of!(Any, low) / line,
        std::mem::offset_of!(Any, cursors) / line,
        std::mem::offset_of!(Any, counters) / line,
        std::mem::offset_of!(Any, workplace) / line,
    ];
    for (index, offset) in offsets.iter().enumerate() {
        assert!(!offsets[..index].contains(offset), "{offsets:?}");
    }
    assert_eq!(size_of::<Object>(), 32);
}
