//! The runtime that owns the objects, as the library sees it.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

/// One reference, as the batch keeps and moves it.
///
/// ```
/// use ft_local::{Pointer, Word};
///
/// let word: Word = Box::new(7).into_word();
/// // SAFETY: the word of that box, taken back once.
/// assert_eq!(*unsafe { Box::<i32>::from_word(word) }, 7);
/// ```
pub type Word = usize;

/// What the library must know of the runtime that owns the objects.
///
/// The library holds no lock of its own while it calls any of these.
///
/// ```
/// use ft_local::{Batch, Host, Iter, Word};
///
/// /// Slots of a table that is somewhere else.
/// struct Table;
///
/// struct Slot(usize);
///
/// // SAFETY: a slot is its number, for every `Table` and in every thread.
/// unsafe impl Host for Table {
///     type Object = Slot;
///
///     fn into_word(slot: Slot) -> Word {
///         slot.0
///     }
///
///     unsafe fn adopt_word(&self, word: Word) -> Slot {
///         Slot(word)
///     }
/// }
///
/// let batch = Batch::new(Table, Iter((0..9).map(Slot)), 4).unwrap();
/// assert_eq!(batch.load().unwrap().0, 0);
/// ```
///
/// # Safety
/// `into_word` and `adopt_word` must be inverse for any two hosts of the type, since objects of one
/// may be given to a batch of another; and the word must stay good when it is moved to another
/// thread, as `Object: Send` says.
pub unsafe trait Host: Send + Sync {
    /// One owned reference. Dropping it releases it.
    type Object: Send;

    /// Gives up the reference for the word that stands for it.
    fn into_word(object: Self::Object) -> Word;

    /// Takes the reference back.
    ///
    /// # Safety
    /// `word` must come from [`into_word`](Self::into_word), or from a source of this host's objects,
    /// and must be taken back once only.
    unsafe fn adopt_word(&self, word: Word) -> Self::Object;

    /// Calls `wait`, which blocks, once, outside the runtime: with an interpreter's lock given up,
    /// or whatever else a thread of this runtime does before it sleeps. Called only to wait. It may
    /// return without the call, for a thread that must not sleep now: the load then ends with
    /// [`LoadError::Interrupted`](crate::LoadError::Interrupted).
    fn block(&self, wait: &mut dyn FnMut()) {
        wait();
    }

    /// Whether one thread of the runtime runs at a time, because of a lock that
    /// [`block`](Self::block) gives up and takes again, such as CPython's. Waiting threads are then
    /// woken for many results of a quick source at once, since each wake-up takes the lock away from
    /// the thread that makes them; and that thread blocks for a moment when it has made them, so that
    /// others get some.
    fn has_one_lock(&self) -> bool {
        false
    }

    /// Whether a thread that waits for a quick source had better wait until the fill ends than take each
    /// result as soon as it is made. It waits for some 300 microseconds at most. For runtimes whose
    /// threads count references to the same objects, such as CPython without its GIL: the thread that
    /// takes a result and the source would slow each other down. With one lock, it makes no difference.
    fn prefers_whole_fills(&self) -> bool {
        false
    }

    /// How long a thread may wait before [`interrupted`](Self::interrupted) is asked; for ever if
    /// `None`.
    fn interrupt_period(&self) -> Option<Duration> {
        None
    }

    /// Whether the calling thread must stop, because of a signal for example. Asked while it waits,
    /// and now and then while it fills.
    fn interrupted(&self) -> bool {
        false
    }

    /// Which fiber, greenlet or virtual thread the calling thread runs: a number that no other of
    /// them has while it lives, neither 0 nor `u64::MAX`; 0 for the thread itself. Asked before a
    /// thread runs the source, and before it waits, so that a fiber that loads from the batch it fills
    /// is not taken for one that shares its thread.
    fn fiber(&self) -> u64 {
        0
    }

    /// Whether the calling thread can be interrupted at all. A thread that cannot be is not asked
    /// while it waits, and sleeps until it is woken.
    fn interruptible(&self) -> bool {
        true
    }
}

/// Rust as the host: objects are `Box<T>`, `Arc<T>` or plain words.
///
/// ```
/// use ft_local::{Batch, Iter, Native};
/// use std::sync::Arc;
///
/// let texts = ["a", "b"].into_iter().map(Arc::from).map(Arc::<Arc<str>>::new);
/// let batch = Batch::new(Native::new(), Iter(texts), 2).unwrap();
/// assert_eq!(**batch.load().unwrap(), *"a");
/// ```
pub struct Native<P>(PhantomData<fn() -> P>);

impl<P> Native<P> {
    /// The host of objects of type `P`.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<P> Clone for Native<P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for Native<P> {}

impl<P> std::fmt::Debug for Native<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Native")
    }
}

impl<P> Default for Native<P> {
    fn default() -> Self {
        Self::new()
    }
}

// SAFETY: `Pointer` makes the same promise.
unsafe impl<P: Pointer> Host for Native<P> {
    type Object = P;

    fn into_word(object: P) -> Word {
        object.into_word()
    }

    unsafe fn adopt_word(&self, word: Word) -> P {
        // SAFETY: the caller's promise is the one `Pointer` asks for.
        unsafe { P::from_word(word) }
    }
}

/// An owned value that fits into one word.
///
/// ```
/// use ft_local::{Batch, Iter, Native, Pointer, Word};
///
/// struct Ticket(u16);
///
/// // SAFETY: a ticket is its number.
/// unsafe impl Pointer for Ticket {
///     fn into_word(self) -> Word {
///         self.0.into()
///     }
///
///     unsafe fn from_word(word: Word) -> Self {
///         Self(word as u16)
///     }
/// }
///
/// let batch = Batch::new(Native::new(), Iter((1..9).map(Ticket)), 4).unwrap();
/// assert_eq!(batch.load().unwrap().0, 1);
/// ```
///
/// # Safety
/// `from_word(into_word(value))` must be `value`, in whatever thread it happens.
pub unsafe trait Pointer: Send {
    /// Gives up the value for the word that stands for it.
    fn into_word(self) -> Word;

    /// Takes the value back.
    ///
    /// # Safety
    /// `word` must come from [`into_word`](Self::into_word) and be taken back once only.
    unsafe fn from_word(word: Word) -> Self;
}

// SAFETY: a box is its address.
unsafe impl<T: Send> Pointer for Box<T> {
    fn into_word(self) -> Word {
        Box::into_raw(self).expose_provenance()
    }

    unsafe fn from_word(word: Word) -> Self {
        // SAFETY: the word is the address of a box that was given up for it.
        unsafe { Box::from_raw(std::ptr::with_exposed_provenance_mut(word)) }
    }
}

// SAFETY: an `Arc` is the address of what it shares.
unsafe impl<T: Send + Sync> Pointer for Arc<T> {
    fn into_word(self) -> Word {
        Arc::into_raw(self).expose_provenance()
    }

    unsafe fn from_word(word: Word) -> Self {
        // SAFETY: the word is the address of an `Arc` that was given up for it.
        unsafe { Arc::from_raw(std::ptr::with_exposed_provenance(word)) }
    }
}

// SAFETY: a word is itself.
unsafe impl Pointer for usize {
    fn into_word(self) -> Word {
        self
    }

    unsafe fn from_word(word: Word) -> Self {
        word
    }
}
