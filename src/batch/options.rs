//! The options of a batch.

/// What the child of a fork does with the results that were in the buffer.
///
/// ```
/// use ft_local::{ForkPolicy, Options};
///
/// let options = Options { on_fork: ForkPolicy::Error, ..Options::default() };
/// assert_eq!(ForkPolicy::default(), ForkPolicy::Discard);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ForkPolicy {
    /// Drops them, because the parent hands them out.
    #[default]
    Discard,
    /// Hands them out, as the parent does. For results that may exist twice.
    Keep,
    /// Refuses the batch: every use in the child is an error.
    Error,
}

/// Options of a batch. The defaults suit most programs.
///
/// ```
/// use ft_local::{Batch, Iter, Native, Options};
///
/// let options = Options { fill_budget: 2, ..Options::default() };
/// let batch = Batch::with_options(Native::<usize>::new(), Iter(0..9), 8, options).unwrap();
/// assert_eq!(batch.load(), Ok(0));
/// assert_eq!(batch.len(), 1, "one result for this load, and one more");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// The number of results after which the thread that runs the source hands the role on. With a
    /// small number, the load that fills does not take `size` times as long as the source. With 0,
    /// it makes as many as fit, but hands the role on after about a millisecond if other threads
    /// load meanwhile.
    pub fill_budget: usize,
    /// A load that leaves fewer results than this runs the source, while other threads take those
    /// that are left; 0 for never. At most the size. Then few loads find nothing and wait, but the
    /// one that runs the source takes as long as that. [`Batch::prefill`](crate::Batch::prefill) in a
    /// thread of the host's own spares all loads.
    pub low_mark: usize,
    /// What the child of a fork does.
    pub on_fork: ForkPolicy,
    /// Overwrites each result in the batch's own memory as soon as it is handed out or dropped, so
    /// that a later leak of that memory shows no word that was a key or a token. Loads take longer,
    /// and a cursor claims one result at a time.
    ///
    /// Only words are wiped: what a word points to, registers, stacks and the caller's copies are
    /// not. The child of a fork wipes what it drops when it first uses the batch.
    pub wipe: bool,
}
