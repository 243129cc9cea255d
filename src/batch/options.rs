//! How a batch is to behave where there is a choice.

/// What the child of a fork does with the results that the parent had in the buffer.
///
/// ```
/// use ft_local::{ForkPolicy, Options};
///
/// let options = Options { on_fork: ForkPolicy::Error, ..Options::default() };
/// assert_eq!(ForkPolicy::default(), ForkPolicy::Discard);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ForkPolicy {
    /// Drops them: the parent hands them out.
    #[default]
    Discard,
    /// Hands them out, as the parent does: for results that may be there twice.
    Keep,
    /// Nothing: every use of the batch in the child is an error.
    Error,
}

/// Choices for a batch. The default is what suits most.
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
    /// After how many results a thread that runs the source hands the role on; 0 for as many as
    /// fit. A small number keeps the load that happens to fill from taking `size` times as long as
    /// the source.
    pub fill_budget: usize,
    /// A load that leaves fewer results than this runs the source, while other threads go on with
    /// what is left; 0 for never. At most the size.
    pub low_water: usize,
    /// What the child of a fork does.
    pub on_fork: ForkPolicy,
}
