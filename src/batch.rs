//! One thread at a time makes results, and many threads load them; each result goes to one thread.

mod abandon;
mod close;
mod cursor;
mod deadlock;
mod fill;
mod fill_state;
mod fillers;
mod fork;
mod future;
mod gate;
mod give_back;
mod heap;
mod load;
mod load_many;
#[cfg(all(test, loom))]
mod models;
mod node;
mod notices;
mod notify;
mod one_lock;
mod options;
mod own;
mod parking;
mod prefill;
mod registry;
mod returned;
mod ring;
mod role;
#[cfg(all(test, shuttle))]
mod schedules;
mod sharers;
mod stats;
#[cfg(feature = "stream")]
mod stream;
#[cfg(all(test, not(any(loom, shuttle))))]
mod tests;
mod wait;
mod whole;

use crate::error::NewError;
use crate::host::{Host, Word};
use crate::memory::{MAX_SIZE, try_boxed};
use crate::panic::{Panicked, border};
use crate::process;
use crate::source::Source;
use crate::sync::CachePadded;
use crate::sync::unordered::AtomicUsize;
pub use cursor::Cursor;
use fill_state::Workspace;
pub use fillers::MAX_FILLERS;
use fillers::{Permits, room_for};
pub use future::{LoadFuture, NextFuture};
use gate::Gate;
pub use load::Slow;
pub use node::{InUse, Node};
use notices::Notices;
pub use notices::{RawWake, Ticket};
use one_lock::OneLock;
pub use options::{ForkPolicy, Options};
use own::Own;
use parking::Parking;
use returned::Returned;
use ring::Ring;
use role::FillRole;
use sharers::Sharers;
use stats::Counters;
pub use stats::Stats;
use std::marker::PhantomData;
#[cfg(feature = "stream")]
pub use stream::{CursorStream, LoadStream};
pub use whole::Loads;

/// Runs a source, in one thread at a time, to fill a buffer of results, and hands each result to
/// exactly one of the threads that load.
///
/// Results come in the order in which the source made them: after `n` loads that returned a result,
/// the first `n` results have been handed out. There are two exceptions: if a fill fails, its first
/// result comes after those that other threads have taken since; and a [`Cursor`] claims several
/// results at once.
///
/// ```
/// use ft_local::{Batch, Native};
/// use std::convert::Infallible;
///
/// let mut last = 0;
/// let source = move || {
///     last += 1;
///     Ok::<_, Infallible>(Box::new(last))
/// };
/// let batch = Batch::new(Native::<Box<i32>>::new(), source, 16).expect("16 is a size");
/// std::thread::scope(|scope| {
///     for _ in 0..4 {
///         scope.spawn(|| assert!(*batch.load().expect("the source never fails") <= 4 + 15));
///     }
/// });
/// assert_eq!(batch.stats().loads, 4);
/// ```
///
/// After a `fork`, the child drops the results in the buffer, because the parent hands them out,
/// and asks the source for new ones, unless [`Options::on_fork`] says otherwise. If the parent was
/// filling at that moment, the child starts its own fill.
pub struct Batch<H: Host, S: Source<H>> {
    host: H,
    size: usize,
    options: Options,
    /// What every load checks first.
    front: CachePadded<Front>,
    queue: Ring,
    role: FillRole,
    /// The filler's own result. If the fill fails, it is handed out before all others.
    own: Own,
    /// Results that cursors and callers gave back. They come next, before those in the queue.
    returned: Returned,
    /// Where loads wait for a result, or for the role.
    parking: Parking,
    /// Waiters that are called instead of sleeping.
    notices: Notices,
    /// Where prefilling threads wait until there is room.
    low: Parking,
    /// Among how many cursors the results are shared.
    sharers: Sharers,
    /// What hosts with one lock have besides. In memory of its own: few hosts have one lock, and a
    /// batch is moved on the stack when it is made.
    one_lock: Box<OneLock>,
    counters: Counters,
    /// The source and the slots it writes to. Only the holder of `role` touches them.
    workspace: CachePadded<Workspace<S>>,
    /// The same for each of the other sources, if there are several.
    permits: Permits<S>,
    /// Objects go in, by `give_back`, as well as out. So the batch is invariant in its host: it
    /// does not convert to a batch of a host whose objects live shorter or longer.
    invariant: PhantomData<fn(H) -> H>,
}

struct Front {
    gate: Gate,
    /// A load that leaves fewer results than this must refill.
    low_mark: AtomicUsize,
}

/// For the child of a fork.
///
/// # Safety
/// No thread of this process may be using a list of all batches.
unsafe fn renew_lists() {
    // SAFETY: the caller's promise.
    unsafe {
        deadlock::renew();
        registry::renew();
    }
}

// SAFETY: `workspace` is touched only by the holder of the fill role, which is one thread at a
// time and hands over by release and acquire; a `Source` is `Send`. So are the workspaces in
// `permits`, each with a role of its own. The rest is made to be shared.
unsafe impl<H: Host, S: Source<H>> Sync for Batch<H, S> {}

impl<H: Host, S: Source<H>> Batch<H, S> {
    /// Creates a batch that asks `source` for up to `size` results whenever it has none.
    ///
    /// # Errors
    /// If `size` is 0 or above [`MAX_SIZE`], or there is not enough memory.
    ///
    /// # Example
    /// ```
    /// # use ft_local::{Batch, Iter, Native};
    /// let batch = Batch::new(Native::<usize>::new(), Iter(1..), 8)?;
    /// assert_eq!(batch.load()?, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(host: H, source: S, size: usize) -> Result<Self, NewError> {
        Self::with_options(host, source, size, Options::default())
    }

    /// Creates a batch with options.
    ///
    /// # Errors
    /// As for [`new`](Self::new), and if `options.low_mark` is above `size`.
    ///
    /// # Example
    /// ```
    /// # use ft_local::{Batch, ForkPolicy, Iter, Native, Options};
    /// let mut options = Options::default();
    /// options.on_fork = ForkPolicy::Error;
    /// let batch = Batch::with_options(Native::<usize>::new(), Iter(1..), 8, options)?;
    /// assert_eq!(batch.load()?, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_options(
        host: H,
        source: S,
        size: usize,
        options: Options,
    ) -> Result<Self, NewError> {
        Self::with_sources(host, source, Vec::new(), size, options)
    }

    // A batch is some kilobytes, which each call that is not inlined copies on the stack.
    #[inline(always)]
    fn with_sources(
        host: H,
        source: S,
        others: Vec<S>,
        size: usize,
        options: Options,
    ) -> Result<Self, NewError> {
        if !(1..=MAX_SIZE).contains(&size) {
            return Err(NewError::Size(size));
        }
        if options.low_mark > size {
            return Err(NewError::LowMark { low_mark: options.low_mark, size });
        }
        process::watch(renew_lists)?;
        let one_lock = host.has_one_lock();
        let (gate, low_mark) = (Gate::new(), AtomicUsize::new(options.low_mark));
        if options.wipe {
            gate.raise(gate::WIPES);
        }
        Ok(Self {
            host,
            size,
            options,
            front: CachePadded::new(Front { gate, low_mark }),
            queue: Ring::with_room(room_for(others.len() + 1, size)?)
                .ok_or(NewError::OutOfMemory)?,
            role: FillRole::new(),
            own: Own::new(),
            returned: Returned::new(),
            parking: Parking::new(),
            notices: Notices::new(),
            low: Parking::new(),
            sharers: Sharers::new(),
            one_lock: try_boxed(OneLock::new(one_lock))?,
            counters: Counters::new(),
            workspace: CachePadded::new(Workspace::new(source, size)?),
            permits: Permits::new(others, size)?,
            invariant: PhantomData,
        })
    }

    /// How many results are ready. The number may change at once.
    ///
    /// # Example
    /// ```
    /// # use ft_local::{Batch, Iter, Native};
    /// let batch = Batch::new(Native::<usize>::new(), Iter(1..), 8)?;
    /// batch.load()?; // makes 8
    /// assert_eq!(batch.len(), 7);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn len(&self) -> usize {
        let stale = self.front.gate.is_stale() && self.options.on_fork != ForkPolicy::Keep;
        if stale || self.front.gate.flags(gate::FORKED | gate::CLOSED) != 0 {
            return 0;
        }
        self.own_results_that_are_back() + self.returned.len() + self.queue.len()
    }

    /// Whether no result is ready.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The most results that one fill makes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The host of this batch.
    pub fn host(&self) -> &H {
        &self.host
    }

    /// The options it was made with.
    pub fn options(&self) -> Options {
        self.options
    }

    /// Calls `visit` for each result in the buffer, until one call returns `false`; `false` is then
    /// returned. For a garbage collector: it takes no lock and calls nothing else.
    ///
    /// It does not show results that the source is currently returning, which the host still knows,
    /// or those that a cursor holds. Nor does it show an object that a stopped thread was moving
    /// inside the library: a result between its claim and the return of the load, or an object that
    /// is being given back. Only that thread's registers and stack refer to it.
    ///
    /// # Safety
    /// No other thread may use the batch during the call, for instance because the world is
    /// stopped. Each thread may have been stopped at any point, even in the middle of a fill.
    pub unsafe fn visit(&self, mut visit: impl FnMut(Word) -> bool) -> bool {
        self.permits().all(|permit| permit.own.get().is_none_or(&mut visit))
            // SAFETY: the caller's promise.
            && unsafe { self.returned.visit(&mut visit) }
            && self.queue.visit(&mut visit)
    }

    /// Counts since the batch was made.
    ///
    /// # Example
    /// ```
    /// # use ft_local::{Batch, Iter, Native};
    /// let batch = Batch::new(Native::<usize>::new(), Iter(1..), 8)?;
    /// batch.load()?;
    /// assert_eq!(batch.stats().produced, 8);
    /// assert_eq!(batch.stats().loads, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stats(&self) -> Stats {
        let (filler, others) = (&self.counters.filler, &self.counters.others);
        let (claims, claimed) = self.queue.claims();
        let released = others.released.get();
        let taken = self.queue.taken() + filler.own.get() + others.taken_back.get();
        // Threads that are at work may have counted one thing and not yet the other.
        let loads = taken.saturating_sub(claimed + released + others.dropped_on_fork.get());
        let by_cursors = others.dropped_by_cursors.get();
        Stats {
            loads,
            claims,
            claimed,
            fills: filler.fills.get(),
            produced: self.queue.made() + filler.first_results.get(),
            waits: others.waits.get(),
            wait_time: std::time::Duration::from_nanos(others.waited_nanoseconds.get()),
            source_time: std::time::Duration::from_nanos(filler.nanoseconds.get()),
            errors: filler.errors.get(),
            given_back: others.given_back.get() + by_cursors,
            released,
            dropped_on_fork: others.dropped_on_fork.get()
                + others.dropped_in_hand.get()
                + by_cursors,
        }
    }

    pub(crate) fn keeps_on_fork(&self) -> bool {
        self.options.on_fork == ForkPolicy::Keep
    }

    /// How many results a fill makes at most.
    fn budget(&self) -> usize {
        if self.options.fill_budget == 0 { self.size } else { self.options.fill_budget }
    }

    /// Runs the library's own code behind the border. A panic there stops later fills, and damages
    /// no result that is already in the buffer.
    #[inline]
    fn guarded<R>(&self, own_code: impl FnOnce() -> R) -> Result<R, Panicked> {
        self.poisoned_by(border(own_code))
    }

    #[inline]
    fn poisoned_by<R>(&self, result: Result<R, Panicked>) -> Result<R, Panicked> {
        if result.is_err() {
            self.poison();
        }
        result
    }

    #[cold]
    fn poison(&self) {
        self.front.gate.raise(gate::PANICKED);
    }

    /// The library has counted wrongly: there is no room for a result, and it must not overwrite
    /// another. If there is one, it is not released, in case it is one of those in the buffer.
    #[cold]
    fn no_room(&self) -> Panicked {
        self.poison();
        Panicked
    }
}
