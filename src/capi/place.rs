//! The memory of a handle: aligned, and its lack is an error and not an abort.

use ft_local::raw::{keep, keeps_freed};
use std::alloc::{Layout, alloc, dealloc};

/// There is not enough memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutOfMemory;

/// What `malloc` aligns to, by itself and fast.
const EASY_ALIGNMENT: usize = 16;

/// The memory that holds a `T` aligned, wherever in it that is, and a word before it.
const fn room_for<T>() -> Layout {
    assert!(align_of::<T>() >= EASY_ALIGNMENT, "there must be room for a word before the value");
    match Layout::from_size_align(size_of::<T>() + align_of::<T>(), EASY_ALIGNMENT) {
        Ok(layout) => layout,
        Err(_) => panic!("a handle is small"),
    }
}

/// Makes a value in memory of its own, part by part, where to make it elsewhere and then move it
/// would be felt. `take_from` ends that.
///
/// Handles are aligned to cache lines, for which the allocator has a way that takes five times as
/// long as a plain allocation. So a little more is asked for, and the aligned part of it used; the
/// word before the value remembers where the memory begins.
#[inline]
pub(crate) fn try_make<T>(make: impl FnOnce() -> T) -> Result<*mut T, OutOfMemory> {
    // SAFETY: the layout's size is not zero.
    let memory = unsafe { alloc(room_for::<T>()) };
    if memory.is_null() {
        return Err(OutOfMemory);
    }
    let offset = align_of::<T>() - memory.addr() % align_of::<T>();
    // SAFETY: `offset` is between `EASY_ALIGNMENT` and the alignment of `T`, so that the value and
    // a word before it lie in the memory, both aligned.
    unsafe {
        let place = memory.add(offset).cast::<T>();
        place.cast::<*mut u8>().sub(1).write(memory);
        place.write(make());
        Ok(place)
    }
}

/// Moves a value out of its memory, which is freed.
///
/// # Safety
/// `place` must come from `try_make`, and nobody may use it from now on.
pub(crate) unsafe fn take_from<T>(place: *mut T) -> T {
    // SAFETY: `try_make` wrote the value.
    unsafe {
        let value = place.read();
        free_place(place);
        value
    }
}

/// Frees the memory of a value, of which nothing is left to be dropped, or keeps it for handles
/// that are checked.
///
/// # Safety
/// `place` must come from `try_make`, and nobody may use it from now on.
pub(crate) unsafe fn free_place<T>(place: *mut T) {
    // SAFETY: `try_make` wrote the word, and took memory of this layout.
    unsafe {
        let memory = place.cast::<*mut u8>().sub(1).read();
        if keeps_freed() {
            // Its mark still says that it was freed. The offset of the value leaves room for a word
            // at the beginning.
            keep(memory, memory.cast());
        } else {
            dealloc(memory, room_for::<T>());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    #[repr(align(64))]
    struct Line([u8; 40]);

    #[test]
    fn a_placed_value_has_lines_of_its_own_and_comes_back() {
        let places: Vec<_> = (0..100).map(|byte| try_make(|| Line([byte; 40])).unwrap()).collect();
        for (index, &place) in places.iter().enumerate() {
            assert!(place.is_aligned());
            assert!(!places[..index].contains(&place));
        }
        for (byte, place) in (0..100).zip(places) {
            // SAFETY: placed above, and taken once.
            assert_eq!(unsafe { take_from(place) }, Line([byte; 40]));
        }
    }
}
