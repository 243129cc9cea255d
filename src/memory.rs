//! Memory whose lack is an error and not an abort.

use std::alloc::Layout;

/// The largest buffer. Its memory is allocated with the batch, 16 bytes per result.
///
/// ```
/// use ft_local::{Batch, Iter, MAX_SIZE, Native, NewError};
///
/// let refused = Batch::new(Native::<usize>::new(), Iter(0..9), MAX_SIZE + 1);
/// assert_eq!(refused.err(), Some(NewError::Size(MAX_SIZE + 1)));
/// ```
pub const MAX_SIZE: usize = 1 << 30;

/// There is not enough memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutOfMemory;

/// `count` zeroes, which the operating system need not back with memory before they are touched.
#[cfg(not(all(test, loom)))]
pub(crate) fn try_zeroed<T: Zero>(count: usize) -> Result<Box<[T]>, OutOfMemory> {
    let layout = Layout::array::<T>(count).map_err(|_| OutOfMemory)?;
    assert_ne!(layout.size(), 0, "an array that is asked for has a size");
    // SAFETY: the layout's size is not zero.
    let memory = unsafe { std::alloc::alloc_zeroed(layout) }.cast::<T>();
    if memory.is_null() {
        return Err(OutOfMemory);
    }
    let array = std::ptr::slice_from_raw_parts_mut(memory, count);
    // SAFETY: allocated with the layout of `[T; count]`; all its bytes are zero, which `Zero`
    // promises to be a value of `T`.
    Ok(unsafe { Box::from_raw(array) })
}

/// Under loom an atomic is more than its bytes.
#[cfg(all(test, loom))]
pub(crate) fn try_zeroed<T: Zero>(count: usize) -> Result<Box<[T]>, OutOfMemory> {
    Ok((0..count).map(|_| T::zero()).collect())
}

/// A value in memory of its own.
pub(crate) fn try_boxed<T>(value: T) -> Result<Box<T>, OutOfMemory> {
    const { assert!(size_of::<T>() > 0) };
    // SAFETY: the layout's size is not zero.
    let memory = unsafe { std::alloc::alloc(Layout::new::<T>()) }.cast::<T>();
    if memory.is_null() {
        return Err(OutOfMemory);
    }
    // SAFETY: just allocated, with the layout of `T`.
    Ok(unsafe {
        memory.write(value);
        Box::from_raw(memory)
    })
}

/// Overwrites memory with zeroes, which no compiler leaves out because nobody reads them.
///
/// # Safety
/// `size` bytes must be writable there, and nobody may read what was in them.
pub(crate) unsafe fn wipe(memory: *mut u8, size: usize) {
    for offset in 0..size {
        // SAFETY: the caller's promise.
        unsafe { memory.add(offset).write_volatile(0) };
    }
}

/// A word whose bytes may all be zero.
///
/// # Safety
/// All-zero bytes must be a value of the type.
pub(crate) unsafe trait Zero {
    #[cfg(all(test, loom))]
    fn zero() -> Self;
}

// SAFETY: zero is a `usize`.
unsafe impl Zero for usize {
    #[cfg(all(test, loom))]
    fn zero() -> Self {
        0
    }
}

// SAFETY: an atomic has the representation of the integer in it.
unsafe impl Zero for crate::sync::AtomicUsize {
    #[cfg(all(test, loom))]
    fn zero() -> Self {
        Self::new(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absurd_array_is_an_error() {
        assert!(try_zeroed::<usize>(usize::MAX / 2).is_err());
        assert!(try_zeroed::<usize>(usize::MAX / 32).is_err());
    }
}
