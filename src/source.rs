//! Where the results come from.

use crate::host::{Host, Word};
use std::any::Any;
use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;

/// Produces the results that a [`Batch`](crate::Batch) hands out.
///
/// One thread at a time runs it, not always the same one. The library holds no lock meanwhile;
/// the source may use other batches, but loading from the batch it fills is an error.
///
/// A function that returns a `Result` is a source of one result at a time, and so is an iterator in
/// [`Iter`]. Implement the trait for sources that make many results at once.
///
/// ```
/// use ft_local::{Batch, Filled, Filler, Native, Source};
/// use std::convert::Infallible;
///
/// /// Numbers, as many at a time as there is room for.
/// struct Numbers(std::ops::RangeFrom<usize>);
///
/// impl Source<Native<usize>> for Numbers {
///     type Error = Infallible;
///
///     fn run(&mut self, filler: impl Filler<Native<usize>, Infallible>) -> Filled {
///         filler.many(|_, slots| {
///             slots.extend(&mut self.0);
///             Ok(())
///         })
///     }
/// }
///
/// let batch = Batch::new(Native::new(), Numbers(5..), 4).unwrap();
/// assert_eq!(batch.load(), Ok(5));
/// ```
pub trait Source<H: Host>: Send {
    /// What goes wrong.
    type Error;

    /// Fills the buffer once, in one of the two ways that `filler` offers.
    fn run(&mut self, filler: impl Filler<H, Self::Error>) -> Filled;
}

/// How a source fills the buffer. The library implements it.
pub trait Filler<H: Host, E>: Sized {
    /// Calls `next` until there are enough results. Each call produces one result, or `None` if the
    /// source has ended.
    ///
    /// An error goes to the caller of `load` in whose thread the source ran.
    fn one_by_one(self, next: impl FnMut(&H) -> Result<Option<Made<H>>, E>) -> Filled;

    /// Calls `fill` until there are enough results. Each call produces between 1 and
    /// `slots.capacity()` results, or [ends](Slots::end).
    ///
    /// What was put into the slots is kept whether the call succeeds or not. An error goes to the
    /// caller of `load` in whose thread the source ran.
    fn many(self, fill: impl FnMut(&H, &mut Slots<'_, H>) -> Result<(), E>) -> Filled;

    /// As [`many`](Self::many), and passes what the load that runs the source was
    /// [given](crate::Batch::load_with) for it, or `None`. The argument is that of the thread that
    /// runs the source. The results may go to other threads.
    ///
    /// ```
    /// use ft_local::{Batch, Filled, Filler, Native, Source};
    /// use std::convert::Infallible;
    ///
    /// /// Numbers that begin where the load says.
    /// struct From;
    ///
    /// impl Source<Native<usize>> for From {
    ///     type Error = Infallible;
    ///
    ///     fn run(&mut self, filler: impl Filler<Native<usize>, Infallible>) -> Filled {
    ///         filler.many_with(|_, slots, argument| {
    ///             let first = argument.and_then(|it| it.downcast_ref()).copied().unwrap_or(0);
    ///             slots.extend(first..);
    ///             Ok(())
    ///         })
    ///     }
    /// }
    ///
    /// let batch = Batch::new(Native::new(), From, 2).unwrap();
    /// assert_eq!(batch.load_with(&7_usize, None), Ok(7));
    /// assert_eq!(batch.load_with(&9_usize, None), Ok(8), "it was ready");
    /// assert_eq!(batch.load(), Ok(0));
    /// ```
    fn many_with(
        self,
        mut fill: impl FnMut(&H, &mut Slots<'_, H>, Option<&dyn Any>) -> Result<(), E>,
    ) -> Filled {
        self.many(|host, slots| fill(host, slots, None))
    }
}

/// That a source has used its [`Filler`].
#[derive(Debug)]
pub struct Filled(());

impl Filled {
    pub(crate) fn new() -> Self {
        Self(())
    }
}

/// A result of a source that makes one at a time, in the form in which the batch keeps it.
///
/// ```
/// use ft_local::{Batch, Filled, Filler, Made, Native, Source};
/// use std::convert::Infallible;
///
/// struct Halves(usize);
///
/// impl Source<Native<usize>> for Halves {
///     type Error = Infallible;
///
///     fn run(&mut self, filler: impl Filler<Native<usize>, Infallible>) -> Filled {
///         filler.one_by_one(|_| {
///             self.0 /= 2;
///             Ok((self.0 > 0).then(|| Made::new(self.0)))
///         })
///     }
/// }
///
/// let batch = Batch::new(Native::new(), Halves(8), 4).unwrap();
/// assert_eq!(batch.iter().collect::<Result<Vec<_>, _>>(), Ok(vec![4, 2, 1]));
/// ```
#[must_use = "the result is lost if the batch does not get it"]
pub struct Made<H: Host> {
    word: Word,
    host: PhantomData<fn(H::Object)>,
}

impl<H: Host> Made<H> {
    /// The result `object`.
    #[inline]
    pub fn new(object: H::Object) -> Self {
        Self { word: H::into_word(object), host: PhantomData }
    }

    /// The result that `word` stands for.
    ///
    /// # Safety
    /// The word must stand for one reference, which the caller gives up.
    #[inline]
    pub unsafe fn from_word(word: Word) -> Self {
        Self { word, host: PhantomData }
    }

    #[inline]
    pub(crate) fn into_word(self) -> Word {
        self.word
    }
}

impl<H: Host> fmt::Debug for Made<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Made").finish_non_exhaustive()
    }
}

/// A function that makes one result at a time.
impl<H, F, E> Source<H> for F
where
    H: Host,
    F: FnMut() -> Result<H::Object, E> + Send,
{
    type Error = E;

    #[inline]
    fn run(&mut self, filler: impl Filler<H, E>) -> Filled {
        filler.one_by_one(|_| self().map(|object| Some(Made::new(object))))
    }
}

/// An iterator as a source, which ends when the iterator does.
///
/// ```
/// use ft_local::{Batch, Iter, LoadError, Native};
///
/// let batch = Batch::new(Native::new(), Iter(["a", "b"].into_iter().map(Box::new)), 4).unwrap();
/// assert_eq!(batch.load().map(|text| *text), Ok("a"));
/// assert_eq!(batch.load().map(|text| *text), Ok("b"));
/// assert_eq!(batch.load(), Err(LoadError::Ended));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Iter<I>(pub I);

impl<H, I> Source<H> for Iter<I>
where
    H: Host,
    I: Iterator<Item = H::Object> + Send,
{
    type Error = Infallible;

    #[inline]
    fn run(&mut self, filler: impl Filler<H, Infallible>) -> Filled {
        filler.one_by_one(|_| Ok(self.0.next().map(Made::new)))
    }
}

/// Room for the results of one call of a source.
///
/// ```
/// use ft_local::{Native, Slots};
///
/// /// Puts squares into the slots, and says that there are no more when 100 is reached.
/// fn fill_with_squares(last: &mut usize, slots: &mut Slots<'_, Native<usize>>) {
///     while slots.capacity() > 0 && *last < 10 {
///         *last += 1;
///         slots.push(*last * *last);
///     }
///     if *last == 10 {
///         slots.end();
///     }
/// }
/// ```
pub struct Slots<'a, H: Host> {
    words: &'a mut [Word],
    produced: &'a mut usize,
    ended: &'a mut bool,
    host: PhantomData<fn(H::Object)>,
}

impl<H: Host> fmt::Debug for Slots<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slots")
            .field("capacity", &self.capacity())
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

impl<'a, H: Host> Slots<'a, H> {
    pub(crate) fn new(words: &'a mut [Word], produced: &'a mut usize, ended: &'a mut bool) -> Self {
        Self { words, produced, ended, host: PhantomData }
    }

    /// How many results there is still room for.
    pub fn capacity(&self) -> usize {
        self.words.len() - *self.produced
    }

    /// Adds a result.
    ///
    /// # Panics
    /// If there is no room.
    pub fn push(&mut self, object: H::Object) {
        assert!(self.capacity() > 0, "a source made more results than there was room for");
        self.words[*self.produced] = H::into_word(object);
        *self.produced += 1;
    }

    /// Adds results until `objects` ends or there is no more room. Faster than one by one.
    pub fn extend(&mut self, objects: impl IntoIterator<Item = H::Object>) {
        /// Tells how many slots are used, also when the iterator panics.
        struct Used<'a> {
            produced: &'a mut usize,
            used: usize,
        }

        impl Drop for Used<'_> {
            fn drop(&mut self) {
                *self.produced = self.used;
            }
        }

        let mut used = Used { used: *self.produced, produced: self.produced };
        let unfilled = &mut self.words[used.used..];
        for (slot, object) in unfilled.iter_mut().zip(objects) {
            *slot = H::into_word(object);
            used.used += 1;
        }
    }

    /// Says that there will be no more results after those in the slots: the source is not called
    /// again.
    pub fn end(&mut self) {
        *self.ended = true;
    }

    /// The empty slots, for a caller that writes words itself and then says how many with
    /// [`advance`](Self::advance).
    pub fn unfilled(&mut self) -> &mut [Word] {
        &mut self.words[*self.produced..]
    }

    /// Adds the words in the first `count` of the empty slots as results.
    ///
    /// # Safety
    /// Each must stand for one reference, which the caller gives up.
    pub unsafe fn advance(&mut self, count: usize) {
        *self.produced += count.min(self.capacity());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Native;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn slots_take_as_many_as_there_is_room_for() {
        let (mut words, mut produced, mut ended) = ([0; 5], 0, false);
        let mut slots = Slots::<Native<usize>>::new(&mut words, &mut produced, &mut ended);
        slots.push(7);
        assert_eq!(slots.unfilled(), [0; 4]);
        slots.extend([8, 9]);
        assert_eq!(slots.capacity(), 2);
        let fails = std::iter::once(10).chain(std::iter::from_fn(|| panic!("the iterator fails")));
        assert!(catch_unwind(AssertUnwindSafe(|| slots.extend(fails))).is_err());
        assert_eq!(slots.capacity(), 1, "what came before the panic is there");
        slots.extend(11..);
        assert_eq!(slots.capacity(), 0);
        assert_eq!((words, produced, ended), ([7, 8, 9, 10, 11], 5, false));
    }
}
