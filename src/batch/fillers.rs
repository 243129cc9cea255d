//! Several fillers: sources that run in several threads at the same time.
//!
//! A batch has as many permits as it was given sources. A thread that finds nothing takes a permit,
//! runs the source of that permit, keeps the first result and adds the others to the queue. A permit
//! is a fill role with a source of its own, so each source runs in one thread at a time, and what
//! holds of the role (that it names a thread, that the child of a fork takes it from a thread that is
//! gone) holds of each permit. A batch of one source has one permit, its fill role, and uses nothing
//! of this.
//!
//! *The queue has one producer at a time*: the thread that holds [`Permits::publisher`], for the few
//! steps that adding results takes, and never while host code runs.
//!
//! *There is room in the queue for whatever is being made*, so that no result waits for room. A call
//! of a source makes at most `size` results, and begins only after its thread, with the permit in
//! hand, has seen fewer than `size` in the queue. The results that are ready and those that all
//! running calls may still make are then fewer than `size`, plus `size` for each permit, and nothing
//! but the beginning of a call adds to their number.
//!
//! *The end* is announced by the last thread that gives up its permit after a source has ended. Each
//! thread gives up its permit, then passes the gate by a read-modify-write operation, and then looks
//! at all permits. Of two threads, the one that passes later sees the permit of the other free.
//!
//! *No permit is idle while a thread sleeps.* A thread that gives up a permit wakes one thread, but
//! none if a thread is on its way already. So a thread that has taken a permit looks whether another
//! is free, and wakes the next.

mod begin;
pub(super) mod stint;

use super::fill_state::Workspace;
use super::node::node_of;
use super::own::Own;
use super::role::{FillRole, NO_FIBER, Runner, Taken, Vacancy};
use super::{Batch, Options, gate};
use crate::error::NewError;
use crate::host::{Host, Word};
use crate::memory::OutOfMemory;
use crate::source::Source;
use crate::sync::{AtomicUsize, Backoff, CachePadded, Ordering};

/// The most sources of a batch, each of which may run at the same time as the others.
///
/// ```
/// use ft_local::{Batch, Iter, MAX_FILLERS, Native, NewError, Options};
///
/// let sources = vec![Iter(0..9); MAX_FILLERS + 1];
/// let refused = Batch::with_fillers(Native::<usize>::new(), sources, 4, Options::default());
/// assert_eq!(refused.err(), Some(NewError::Fillers(MAX_FILLERS + 1)));
/// ```
pub const MAX_FILLERS: usize = 256;

/// What several fillers share. Empty if there is one.
pub(super) struct Permits<S> {
    /// The permits beside the batch's own role.
    others: Box<[Seat<S>]>,
    /// The right to add results to the queue.
    publisher: FillRole,
    /// Not 0 when a source has ended. None is called any more.
    ended: CachePadded<AtomicUsize>,
}

/// What comes with a permit.
struct Seat<S> {
    role: FillRole,
    own: Own,
    workspace: CachePadded<Workspace<S>>,
}

/// The right to run one of the sources.
pub(super) struct Permit<'a, S> {
    pub(super) role: &'a FillRole,
    pub(super) own: &'a Own,
    pub(super) workspace: &'a Workspace<S>,
}

impl<S> Clone for Permit<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Permit<'_, S> {}

impl<H: Host, S: Source<H>> Batch<H, S> {
    /// Creates a batch with as many fillers as there are `sources`: so many threads may run one of
    /// them at the same time, each source in one thread at a time. For sources that wait, as for a
    /// server: one connection each, say, or clones of one closure.
    ///
    /// A thread that finds no result runs the next source that is free, and waits only if none is.
    /// Results then come in the order in which they are completed. As many results may be ready as
    /// the sources make in one fill each. When one source ends, none is called any more; what calls
    /// that run still bring is handed out before the end is reported.
    ///
    /// # Errors
    /// As for [`with_options`](Self::with_options), and if there is no source or there are more than
    /// [`MAX_FILLERS`].
    ///
    /// # Example
    /// ```
    /// # use ft_local::{Batch, Native, Options};
    /// # use std::convert::Infallible;
    /// # use std::sync::{Barrier, Arc};
    /// // A server that answers two requests when both are there. A load makes one.
    /// let server = Arc::new(Barrier::new(2));
    /// let request = move || Ok::<_, Infallible>(usize::from(server.wait().is_leader()));
    /// let sources = vec![request; 2];
    /// let options = Options { fill_budget: 1, ..Options::default() };
    /// let batch = Batch::with_fillers(Native::<usize>::new(), sources, 8, options)?;
    /// std::thread::scope(|scope| {
    ///     let other = scope.spawn(|| batch.load());
    ///     let both = [batch.load(), other.join().unwrap()];
    ///     assert!(both.contains(&Ok(0)) && both.contains(&Ok(1)));
    /// });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_fillers(
        host: H,
        sources: Vec<S>,
        size: usize,
        options: Options,
    ) -> Result<Self, NewError> {
        if !(1..=MAX_FILLERS).contains(&sources.len()) {
            return Err(NewError::Fillers(sources.len()));
        }
        let mut others = sources;
        let first = others.remove(0);
        Self::with_sources(host, first, others, size, options)
    }
}

impl<S> Permits<S> {
    /// Permits for `sources` beside the first.
    pub(super) fn new(sources: Vec<S>, size: usize) -> Result<Self, OutOfMemory> {
        let mut others = Vec::new();
        others.try_reserve_exact(sources.len()).map_err(|_| OutOfMemory)?;
        for source in sources {
            others.push(Seat {
                role: FillRole::new(),
                own: Own::new(),
                workspace: CachePadded::new(Workspace::new(source, size)?),
            });
        }
        Ok(Self {
            others: others.into_boxed_slice(),
            publisher: FillRole::new(),
            ended: CachePadded::new(AtomicUsize::new(0)),
        })
    }

    fn have_ended(&self) -> bool {
        // Acquire: with the Release in `end`.
        self.ended.load(Ordering::Acquire) != 0
    }

    pub(super) fn end(&self) {
        self.ended.store(1, Ordering::Release);
    }

    /// Makes this thread the producer. It waits for another thread only for as long as that takes
    /// to add results, if that is not stopped meanwhile.
    fn publisher(&self) -> Publisher<'_> {
        let backoff = Backoff::new();
        while self.publisher.take_as(NO_FIBER).is_err() {
            backoff.snooze();
        }
        Publisher(&self.publisher)
    }
}

/// The right to add results, which ends also after a panic.
struct Publisher<'a>(&'a FillRole);

impl Drop for Publisher<'_> {
    fn drop(&mut self) {
        self.0.give_up();
    }
}

/// How many results there is room for, if so many sources may each make `size` at the same time.
pub(super) fn room_for(sources: usize, size: usize) -> Result<usize, OutOfMemory> {
    if sources == 1 { Ok(size) } else { size.checked_mul(sources + 1).ok_or(OutOfMemory) }
}

impl<H: Host, S: Source<H>> Batch<H, S> {
    /// How many threads may run the source at the same time.
    ///
    /// # Example
    /// ```
    /// # use ft_local::{Batch, Iter, Native};
    /// let batch = Batch::new(Native::<usize>::new(), Iter(1..), 8)?;
    /// assert_eq!(batch.fillers(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fillers(&self) -> usize {
        self.permits.others.len() + 1
    }

    #[inline]
    pub(super) fn has_several_fillers(&self) -> bool {
        !self.permits.others.is_empty()
    }

    /// Everything that a thread may fill with.
    pub(super) fn permits(&self) -> impl Iterator<Item = Permit<'_, S>> {
        let first = Permit { role: &self.role, own: &self.own, workspace: &self.workspace };
        let others = self.permits.others.iter().map(|seat| Permit {
            role: &seat.role,
            own: &seat.own,
            workspace: &seat.workspace,
        });
        std::iter::once(first).chain(others)
    }

    /// Whether a thread that has nothing need not wait to run the source, or to learn of its end.
    pub(super) fn may_fill(&self) -> bool {
        if self.has_several_fillers() && self.permits.have_ended() {
            return self.nobody_fills();
        }
        self.permits().any(|permit| permit.role.is_free())
    }

    fn nobody_fills(&self) -> bool {
        self.permits().all(|permit| permit.role.is_free())
    }

    /// Whether this thread, in which the host runs `fiber`, is filling the batch.
    pub(super) fn is_filled_by(&self, fiber: u64) -> bool {
        let me = Runner::current(fiber);
        self.permits().any(|permit| permit.role.is_held_by(me))
    }

    /// Whether all fillers are in this thread, so that none goes on while `fiber` waits for them.
    /// Once a source has ended, a thread waits for those that still run, and not for free permits.
    pub(super) fn is_stopped_by_a_wait_of(&self, fiber: u64) -> bool {
        let is_here = |permit: &Permit<'_, S>| permit.role.is_in_thread_of(fiber);
        let ended = self.has_several_fillers() && self.permits.have_ended();
        self.permits().any(|permit| is_here(&permit))
            && self.permits().all(|permit| is_here(&permit) || (ended && permit.role.is_free()))
    }

    /// The threads that fill.
    pub(super) fn each_filler(&self, each: &mut dyn FnMut(Runner)) {
        self.permits().filter_map(|permit| permit.role.holder()).for_each(each);
    }

    /// How many fills that failed have left their first result to any thread.
    pub(super) fn own_results_that_are_back(&self) -> usize {
        self.permits().filter(|permit| permit.own.is_back()).count()
    }

    /// Takes a permit for `fiber`, if there is a call to be made with one.
    pub(super) fn take_permit(&self, fiber: u64) -> Result<(Permit<'_, S>, Vacancy), Taken> {
        if self.is_filled_by(fiber) {
            return Err(Taken::ByThisThread);
        }
        if self.may_fill() {
            let mut permits = self.permits();
            let taken = permits.find_map(|permit| Some((permit, permit.role.take_as(fiber).ok()?)));
            if let Some(taken) = taken {
                return Ok(taken);
            }
        }
        let stops_all = self.is_stopped_by_a_wait_of(fiber);
        Err(if stops_all { Taken::InThisThread } else { Taken::ByAnother })
    }

    /// For a thread that holds a permit: adds results behind all others, and wakes threads for them.
    pub(super) fn publish(&self, words: &[Word]) {
        let publisher = self.permits.publisher();
        if self.options.wipe {
            self.queue.begin_with_wiped();
        } else {
            self.queue.begin();
        }
        self.sharers.begin_fill(self.queue.made(), self.size);
        let queued = words.iter().take_while(|&&word| self.queue.push(word)).count();
        self.queue.publish();
        let place = self.queue.made().cast_signed();
        drop(publisher);
        let rest = &words[queued..];
        if !rest.is_empty() {
            self.publish_beside_the_queue(rest, place);
        }
        self.wake_waiters(queued);
    }

    /// For results whose slots in the queue are not wiped yet, because a thread that has taken what
    /// was there is about to do so.
    #[cold]
    fn publish_beside_the_queue(&self, words: &[Word], place: i64) {
        let Some(node) = node_of(words, place, std::ptr::from_ref(self).cast()) else {
            // They are lost to the program. It is not known that nobody has them.
            return self.poison();
        };
        self.counters.filler.first_results.add(words.len() as u64);
        self.returned.push(node);
        self.announce_returned(words.len());
    }

    /// For a thread that has given up its permit and passed the gate: announces the end if no call
    /// that may bring a result is running. Returns the flag that it has raised.
    pub(super) fn end_if_last(&self) -> u64 {
        if self.permits.have_ended() && self.nobody_fills() {
            self.front.gate.raise(gate::ENDED);
            return gate::ENDED;
        }
        0
    }

    /// For a thread that has just taken a permit: wakes another thread for the next one.
    fn wake_for_another_permit(&self) {
        if self.may_fill() {
            self.wake_waiters(1);
            self.low.wake(1);
        }
    }

    /// In the child of a fork, while it adopts the batch: hands out the results of fillers that are
    /// gone. A single filler's is handed out by the next one; of several, not each may have a next.
    pub(super) fn keep_what_fillers_left(&self) {
        if self.has_several_fillers() {
            let gone = self.permits().filter(|permit| permit.role.is_free());
            gone.for_each(|permit| self.give_back_own(permit.own));
        }
    }
}
