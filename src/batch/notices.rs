//! Waiters that are called instead of sleeping: event loops, fibers, and whatever else must not
//! block its thread.
//!
//! A registration waits in the same place as the threads that sleep (`parking.rs`), by the same
//! protocol: it enters the list and marks the place, then checks whether it can stop waiting. A waker
//! stores what is checked, then looks at the place. So a place without registrations costs a waker
//! nothing more.
//!
//! *Owed and paid.* Wakers find out what to do behind the panic border, and a waiter's function is
//! host code, which runs in front of it. So a waker first owes wake-ups, one for each result, and
//! then pays them when it is out of the border. Each is paid to the oldest registration. If there is
//! none any more, a sleeping thread gets it.
//!
//! *No lock is held* while a waiter's function runs: a registration leaves the list, then it is
//! called. From then on no other thread knows of it, so it is called once.

use super::parking::Parking;
use crate::panic::Panicked;
use crate::process::with_signals_held;
use crate::sync::unordered;
use crate::sync::{CachePadded, Global, Ordering};
use std::collections::VecDeque;
use std::ffi::c_void;
use std::task::Waker;

/// A registration of a waiter, from [`Batch::notify`](crate::Batch::notify). It is a number, so
/// there is nothing to free. No two of a batch are the same.
///
/// ```
/// use ft_local::Ticket;
///
/// let ticket = Ticket::from_number(7);
/// assert_eq!(ticket.number(), 7);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket(u64);

impl Ticket {
    /// The ticket with a number that [`number`](Self::number) has returned.
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// A number that stands for the ticket. It is not 0.
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// A waiter of a binding: a function, and what it is called with.
#[derive(Debug, Clone, Copy)]
pub struct RawWake {
    /// Called once, in any thread. It must not block.
    pub function: unsafe extern "C-unwind" fn(arg: *mut c_void),
    /// Passed to the function.
    pub arg: *mut c_void,
}

/// How a waiter is called.
pub(super) enum Wake {
    Waker(Waker),
    Raw(RawWake),
}

// SAFETY: `notify_raw` has the promise that any thread may call a raw one.
unsafe impl Send for Wake {}

impl Wake {
    pub(super) fn call(self) {
        match self {
            Self::Waker(waker) => waker.wake(),
            // SAFETY: the promise that `notify_raw` asks for; a registration is called once.
            Self::Raw(RawWake { function, arg }) => unsafe { function(arg) },
        }
    }
}

/// The registrations of a batch.
pub(super) struct Notices(CachePadded<Registrations>);

struct Registrations {
    /// How many wake-ups are owed, [`ALL`] if all waiters are to be woken. Models do not look into it:
    /// it is asked after all over the place, and decides nothing but who calls.
    owed: unordered::AtomicUsize,
    /// The number of the next ticket.
    next: unordered::AtomicU64,
    /// Counts wake-ups, so that threads and registrations come first in turn.
    turn: unordered::AtomicUsize,
    list: Global<List>,
}

/// Wakes every waiter.
pub(super) const ALL: usize = usize::MAX;

/// The registrations in the order of their numbers, which is that of their age. One that was
/// forgotten leaves a hole.
struct List {
    entries: VecDeque<(u64, Option<Wake>)>,
    holes: usize,
}

/// There is no memory for a registration.
#[derive(Debug)]
pub(super) struct OutOfMemory;

impl List {
    const fn new() -> Self {
        Self { entries: VecDeque::new(), holes: 0 }
    }

    fn is_empty(&self) -> bool {
        self.entries.len() == self.holes
    }

    fn take_oldest(&mut self) -> Option<Wake> {
        loop {
            match self.entries.pop_front()? {
                (_, Some(wake)) => return Some(wake),
                (_, None) => self.holes -= 1,
            }
        }
    }

    fn take(&mut self, number: u64) -> Option<Wake> {
        let index = self.entries.binary_search_by_key(&number, |entry| entry.0).ok()?;
        let wake = self.entries[index].1.take()?;
        self.holes += 1;
        if self.holes > self.entries.len() / 2 {
            self.entries.retain(|entry| entry.1.is_some());
            self.holes = 0;
        }
        Some(wake)
    }
}

impl Notices {
    pub(super) fn new() -> Self {
        Self(CachePadded::new(Registrations {
            owed: unordered::AtomicUsize::new(0),
            next: unordered::AtomicU64::new(1),
            turn: unordered::AtomicUsize::new(0),
            list: Global::new(List::new()),
        }))
    }

    /// For the child of a fork: a thread of the parent may have been changing the list. What is in
    /// it is the parent's, and is forgotten here. The numbers go on.
    ///
    /// # Safety
    /// No thread of this process may be using the registrations.
    pub(super) unsafe fn renew(&self) {
        // SAFETY: the caller's promise.
        unsafe { self.0.list.renew(List::new()) };
        self.0.owed.store(0, Ordering::Relaxed);
    }

    /// Gives `f` the list. The place is marked as long as there are registrations.
    fn with<R>(&self, place: &Parking, f: impl FnOnce(&mut List) -> R) -> R {
        // A handler of signals may load too, and must not find the lock held by its own thread.
        with_signals_held(|| {
            self.0.list.with(|list| {
                let was_empty = list.is_empty();
                let result = f(list);
                if list.is_empty() && !was_empty {
                    place.unmark();
                }
                result
            })
        })
    }

    /// Registers a waiter. The caller must then check whether the waiter can stop waiting.
    pub(super) fn add(&self, place: &Parking, wake: Wake) -> Result<Ticket, (Wake, OutOfMemory)> {
        let (number, before) = self.with(place, |list| {
            if list.entries.try_reserve(1).is_err() {
                return Err((wake, OutOfMemory));
            }
            let number = self.0.next.fetch_add(1, Ordering::Relaxed);
            list.entries.push_back((number, Some(wake)));
            Ok((number, place.mark()))
        })?;
        place.see_what_wakers_stored(before);
        Ok(Ticket(number))
    }

    /// Takes a registration off the list. `None` if it was, or is being, called.
    pub(super) fn remove(&self, place: &Parking, ticket: Ticket) -> Option<Wake> {
        self.with(place, |list| list.take(ticket.0))
    }

    fn take_oldest(&self, place: &Parking) -> Option<Wake> {
        self.with(place, List::take_oldest)
    }

    /// Wakes waiters, after `count` results were stored, one for each: threads at once,
    /// registrations when the debt is paid.
    #[cold]
    pub(super) fn ring(&self, place: &Parking, count: usize) {
        // In turn, so that neither threads nor registrations wait forever while the others come
        // again and again.
        if place.is_marked() && self.0.turn.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
            return self.owe(count);
        }
        let left = place.ring(count);
        if left > 0 && place.is_marked() {
            self.owe(left);
        }
    }

    fn owe(&self, count: usize) {
        // Release: with the Acquire in `pay`, for what the waiter is called for.
        let more = |owed: usize| Some(owed.saturating_add(count));
        let _ = self.0.owed.fetch_update(Ordering::Release, Ordering::Relaxed, more);
    }

    /// Whether wake-ups are owed. A thread sees those that it owes itself.
    #[inline]
    pub(super) fn owes(&self) -> bool {
        self.0.owed.load(Ordering::Relaxed) != 0
    }

    /// Pays all that is owed, by calls of the waiters that `next` takes behind the border. No border
    /// may enclose this.
    pub(super) fn pay(
        &self,
        next: impl Fn(&mut Debt<'_>) -> Result<Option<Wake>, Panicked>,
    ) -> Result<(), Panicked> {
        // Again, because more may be owed by the time that the list is empty.
        loop {
            // Acquire: with the Release in `owe`.
            let mut debt = Debt { notices: self, left: self.0.owed.swap(0, Ordering::Acquire) };
            if debt.left == 0 {
                return Ok(());
            }
            while debt.left > 0 {
                if let Some(wake) = next(&mut debt)? {
                    wake.call();
                }
            }
        }
    }

    /// How many registrations there are.
    #[cfg(test)]
    pub(super) fn room(&self, place: &Parking) -> usize {
        self.with(place, |list| list.entries.len())
    }

    #[cfg(test)]
    pub(super) fn len(&self, place: &Parking) -> usize {
        self.with(place, |list| list.entries.len() - list.holes)
    }
}

/// Wake-ups that one thread is paying. If a waiter's function unwinds, they are owed again.
pub(super) struct Debt<'a> {
    notices: &'a Notices,
    left: usize,
}

impl Debt<'_> {
    /// Takes the next waiter that is to be called. If there is no registration left, threads are
    /// woken instead, and nothing is owed any more.
    pub(super) fn next(&mut self, place: &Parking) -> Option<Wake> {
        let wake = self.notices.take_oldest(place);
        if wake.is_none() {
            place.ring(std::mem::take(&mut self.left));
        } else if self.left != ALL {
            self.left -= 1;
        }
        wake
    }
}

impl Drop for Debt<'_> {
    fn drop(&mut self) {
        if self.left > 0 {
            self.notices.owe(self.left);
        }
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    /// As many registrations, numbered from 0 on.
    fn list(count: u64) -> List {
        let wake = || Some(Wake::Waker(Waker::noop().clone()));
        List { entries: (0..count).map(|number| (number, wake())).collect(), holes: 0 }
    }

    #[test]
    fn holes_are_closed_when_they_are_more_than_half() {
        let mut list = list(5);
        let after = [1, 2, 3].map(|number| {
            assert!(list.take(number).is_some());
            (list.entries.len(), list.holes)
        });
        assert_eq!(after, [(5, 1), (5, 2), (2, 0)]);
    }

    #[test]
    fn a_hole_that_has_become_the_oldest_is_passed_over() {
        let mut list = list(5);
        assert!(list.take(0).is_some());
        assert!(list.take_oldest().is_some());
        assert_eq!((list.entries.len(), list.holes), (3, 0));
    }

    #[test]
    fn the_place_is_marked_as_long_as_there_are_registrations() {
        let (notices, place) = (Notices::new(), Parking::new());
        let wake = || Wake::Waker(Waker::noop().clone());
        let add = || notices.add(&place, wake()).map_err(|(_, error)| error).unwrap();
        let (first, second) = (add(), add());
        assert!(notices.remove(&place, first).is_some() && place.is_marked());
        assert!(notices.remove(&place, second).is_some() && !place.is_marked());
    }

    #[test]
    fn nothing_is_owed_to_nobody() {
        let (notices, place) = (Notices::new(), Parking::new());
        notices.ring(&place, 1);
        assert!(!notices.owes());
    }
}
