//! A thread's own handle on a shared object.

use std::ops::Deref;

/// Holds one reference for the thread that made it, which then reaches the object without
/// touching anything that other threads write.
///
/// ```
/// use ft_local::Wrapper;
/// use std::sync::Arc;
///
/// let shared = Arc::new(vec![1, 2, 3]);
/// let mine = Wrapper::new(Arc::clone(&shared));
/// assert_eq!((mine.len(), Arc::strong_count(&shared)), (3, 2));
/// let reference = mine.into_inner();
/// assert!(Arc::ptr_eq(&reference, &shared));
/// ```
///
/// A wrapper fills cache lines of its own: two wrappers that two threads use never contend.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Wrapper<R> {
    reference: R,
}

impl<R> Wrapper<R> {
    /// Takes over `reference`, which is dropped with the wrapper.
    pub const fn new(reference: R) -> Self {
        Self { reference }
    }

    /// The reference.
    pub const fn get(&self) -> &R {
        &self.reference
    }

    /// Gives the reference back.
    pub fn into_inner(self) -> R {
        self.reference
    }
}

impl<R: Deref> Deref for Wrapper<R> {
    type Target = R::Target;

    fn deref(&self) -> &R::Target {
        &self.reference
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn the_shared_count_moves_only_when_a_wrapper_is_made_and_when_it_dies() {
        let shared = Arc::new(String::from("shared"));
        let wrapper = Wrapper::new(Arc::clone(&shared));
        assert_eq!(Arc::strong_count(&shared), 2);
        assert_eq!(wrapper.len(), 6);
        assert_eq!(wrapper.get().as_str(), "shared");
        assert_eq!(Arc::strong_count(&shared), 2);
        drop(wrapper);
        assert_eq!(Arc::strong_count(&shared), 1);
    }

    #[test]
    fn a_wrapper_fills_one_cache_line() {
        assert_eq!(size_of::<Wrapper<[usize; 4]>>(), 64);
        assert_eq!(align_of::<Wrapper<[usize; 4]>>(), 64);
    }
}
