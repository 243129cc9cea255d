//! A field that one thread writes must not share a cache line with one that other threads read.

use super::*;
use crate::sync::CachePadded;

const LINE: usize = align_of::<CachePadded<u8>>();

type Any = Batch<Native<usize>, fn() -> Result<usize, ()>>;

#[test]
fn what_threads_write_lies_on_lines_of_its_own() {
    let offsets = [
        std::mem::offset_of!(Any, front),
        std::mem::offset_of!(Any, queue),
        std::mem::offset_of!(Any, own),
        std::mem::offset_of!(Any, returned),
        std::mem::offset_of!(Any, role),
        std::mem::offset_of!(Any, parking),
        std::mem::offset_of!(Any, low),
        std::mem::offset_of!(Any, sharers),
        std::mem::offset_of!(Any, counters),
        std::mem::offset_of!(Any, workspace),
    ];
    let lines = offsets.map(|offset| offset / LINE);
    for (index, line) in lines.iter().enumerate() {
        assert!(!lines[..index].contains(line), "{lines:?}");
    }
}

#[test]
fn what_every_load_reads_shares_no_line_with_what_some_write() {
    let written = [
        std::mem::offset_of!(Any, returned),
        std::mem::offset_of!(Any, role),
        std::mem::offset_of!(Any, parking),
        std::mem::offset_of!(Any, low),
        std::mem::offset_of!(Any, sharers),
        std::mem::offset_of!(Any, counters),
        std::mem::offset_of!(Any, workspace),
    ];
    let read = [
        std::mem::offset_of!(Any, host),
        std::mem::offset_of!(Any, size),
        std::mem::offset_of!(Any, options),
    ];
    for offset in read {
        let shared = written.iter().any(|written| written / LINE == offset / LINE);
        assert!(!shared, "{offset} of {written:?}");
    }
}

#[test]
fn each_count_of_the_ring_has_a_line() {
    assert_eq!((align_of::<Ring>(), size_of::<Ring>()), (LINE, 3 * LINE));
}

#[test]
fn what_fillers_count_is_apart_from_what_others_do() {
    assert_eq!((align_of::<Counters>(), size_of::<Counters>()), (LINE, 2 * LINE));
}

#[test]
fn what_threads_share_has_a_line_of_its_own() {
    assert_eq!((align_of::<FillRole>(), size_of::<FillRole>()), (LINE, LINE));
    assert_eq!((align_of::<Parking>(), size_of::<Parking>()), (LINE, LINE));
    assert_eq!((align_of::<Returned>(), size_of::<Returned>()), (LINE, LINE));
}
