//! Cursors: how much they claim, what they give back, how they end.

use super::*;
use std::mem::ManuallyDrop;
use std::sync::atomic::AtomicPtr;

type Values = Native<usize>;

/// A batch whose first load has left `ready` results.
fn ready(ready: usize) -> Batch<Values, impl Source<Values, Error = Infallible>> {
    let batch = Batch::new(VALUES, counter(), ready + 1).unwrap();
    batch.load().unwrap();
    batch
}

#[test]
fn a_cursor_claims_its_share_and_half_at_most() {
    let batch = ready(54);
    let mut first = batch.cursor().unwrap();
    assert_eq!((first.next(), first.len(), batch.len()), (Ok(2), 26, 27));
    let mut second = batch.cursor().unwrap();
    assert_eq!((second.next(), second.len(), batch.len()), (Ok(29), 12, 14));
    let mut third = batch.cursor().unwrap();
    assert_eq!((third.next(), third.len(), batch.len()), (Ok(42), 3, 10));
    drop(first);
    assert_eq!(batch.len(), 10 + 26);
}

#[test]
fn a_cursor_of_a_large_buffer_claims_at_least_sixteen() {
    let batch = ready(1024);
    let mut cursors: Vec<_> = (0..30).map(|_| batch.cursor().unwrap()).collect();
    cursors.iter_mut().for_each(|cursor| _ = cursor.next().unwrap());
    let claims: Vec<_> = cursors.iter().map(|cursor| cursor.len() + 1).collect();
    assert_eq!(claims.iter().min(), Some(&16));
}

#[test]
fn cursors_that_claim_nothing_have_no_share() {
    let batch = ready(32);
    let idle: Vec<_> = (0..10_000).map(|_| batch.cursor().unwrap()).collect();
    let mut cursor = batch.cursor().unwrap();
    assert_eq!((cursor.next(), cursor.len(), batch.len()), (Ok(2), 15, 16));
    drop(idle);
}

#[test]
fn a_cursor_that_stops_claiming_loses_its_share() {
    let batch = ready(32);
    let [mut stops, mut also_stops, mut goes_on] = [0; 3].map(|_| batch.cursor().unwrap());
    stops.next().unwrap();
    also_stops.next().unwrap();
    for (made, share) in [(33, 10), (66, 16)] {
        while batch.stats().produced == made {
            goes_on.next().unwrap();
        }
        assert_eq!((goes_on.next().is_ok(), goes_on.len() + 1), (true, share), "{made}");
    }
}

#[test]
fn a_cursor_claims_no_more_than_it_can_hold() {
    let batch = ready(1000);
    let mut cursor = batch.cursor().unwrap();
    assert_eq!((cursor.next(), cursor.len(), batch.len()), (Ok(2), 63, 936));
}

#[test]
fn a_cursor_claims_four_if_there_are_as_many() {
    for (there, in_hand) in [(5, 3), (4, 3), (3, 2), (1, 0)] {
        let batch = ready(there);
        let mut cursor = batch.cursor().unwrap();
        assert_eq!((cursor.next(), cursor.len()), (Ok(2), in_hand), "of {there}");
    }
}

/// What a cursor of `batch` hands out, and what it then has in hand, while a thread has nothing.
fn claim_beside_a_starving_thread<S: Source<Values, Error = Infallible>>(
    batch: &Batch<Values, S>,
) -> (usize, usize) {
    let done = AtomicBool::new(false);
    let claim = std::thread::scope(|scope| {
        scope.spawn(|| batch.parking.wait(None, || false, || done.load(Ordering::Relaxed)));
        until(|| batch.parking.somebody_starves());
        let mut cursor = batch.cursor().unwrap();
        let claim = (cursor.next().unwrap(), cursor.len());
        done.store(true, Ordering::Relaxed);
        batch.parking.wake_all();
        claim
    });
    assert!(!batch.parking.somebody_starves());
    claim
}

#[test]
fn a_cursor_leaves_one_for_a_thread_that_has_nothing() {
    for (there, in_hand) in [(33, 15), (9, 3), (5, 3), (4, 2), (3, 1), (2, 0), (1, 0)] {
        assert_eq!(claim_beside_a_starving_thread(&ready(there)), (2, in_hand), "of {there}");
    }
}

#[test]
fn a_cursor_that_fills_keeps_one_result_and_claims_others_later() {
    let batch = Batch::new(VALUES, counter(), 9).unwrap();
    let mut cursor = batch.cursor().unwrap();
    assert_eq!((cursor.next(), cursor.len(), batch.len()), (Ok(1), 0, 8));
    assert_eq!((cursor.next(), cursor.len(), batch.len()), (Ok(2), 3, 4));
}

#[test]
fn what_cursors_give_back_comes_oldest_first_and_before_anything_newer() {
    let batch = ready(15);
    let [mut early, mut late] = [0; 2].map(|_| batch.cursor().unwrap());
    assert_eq!([early.next(), late.next()], [Ok(2), Ok(9)]);
    drop(late);
    drop(early);
    let loaded: Vec<_> = (0..11).map(|_| batch.load().unwrap()).collect();
    assert_eq!(loaded, [3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14]);
}

#[test]
fn a_cursor_takes_what_came_back_one_at_a_time() {
    let batch = ready(15);
    let mut gone = batch.cursor().unwrap();
    assert_eq!(gone.next(), Ok(2));
    drop(gone);
    let mut cursor = batch.cursor().unwrap();
    assert_eq!(
        [(cursor.next(), cursor.len()), (cursor.next(), cursor.len())],
        [(Ok(3), 0), (Ok(4), 0)]
    );
}

#[test]
fn an_empty_cursor_gives_nothing_back() {
    let batch = ready(3);
    drop(batch.cursor().unwrap());
    assert_eq!((batch.load(), batch.stats().given_back), (Ok(2), 0));
}

#[test]
fn cursors_and_loads_of_many_threads_get_each_result_once() {
    const THREADS: usize = 6;
    for size in [1, 3, 64, 1000] {
        let batch = Batch::new(VALUES, failing(|call| call % 1009 == 0), size).unwrap();
        let start = Barrier::new(THREADS);
        let work = |number: usize| {
            start.wait();
            let mut loaded = Vec::new();
            for turn in 0..50 {
                let mut cursor = batch.cursor().unwrap();
                let takes = (0..100).map(|_| if number < 2 { batch.load() } else { cursor.next() });
                // Some cursors are dropped with nothing in hand, and most with something.
                loaded.extend(takes.take(80 + turn).filter_map(Result::ok));
            }
            loaded
        };
        let taken = std::thread::scope(|scope| {
            let work = &work;
            let workers: Vec<_> =
                (0..THREADS).map(|number| scope.spawn(move || work(number))).collect();
            workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect::<Vec<_>>()
        });
        assert_balanced(&batch);
        assert_exact([taken, rest(&batch)].concat());
    }
}

#[test]
fn each_cursors_own_results_come_in_order() {
    let batch = Batch::new(VALUES, counter(), 100).unwrap();
    let all_done = Barrier::new(3);
    let work = || {
        let mut cursor = batch.cursor().unwrap();
        let taken: Vec<_> = (0..5000).map(|_| cursor.next().unwrap()).collect();
        assert!(taken.is_sorted());
        // What a cursor gives back is older than what the others have.
        all_done.wait();
    };
    std::thread::scope(|scope| (0..3).for_each(|_| _ = scope.spawn(work)));
}

#[test]
fn a_cursor_hands_out_what_it_has_after_a_close_and_then_learns_of_it() {
    let batch = ready(32);
    let [mut used_up, mut dropped] = [0; 2].map(|_| batch.cursor().unwrap());
    assert_eq!([used_up.next(), dropped.next()], [Ok(2), Ok(18)]);
    batch.close().unwrap();
    let rest: Vec<_> = std::iter::from_fn(|| used_up.next().ok()).collect();
    assert_eq!(rest, (3..=17).collect::<Vec<_>>());
    assert_eq!(used_up.next(), Err(LoadError::Closed));
    let (in_hand, released) = (dropped.len() as u64, batch.stats().released);
    assert!(in_hand > 0);
    drop(dropped);
    assert_eq!((batch.stats().released, batch.len()), (released + in_hand, 0));
}

#[test]
fn a_cursor_hands_out_everything_before_it_learns_of_the_end() {
    let batch = Batch::new(VALUES, Iter(1..=10), 4).unwrap();
    let mut cursor = batch.cursor().unwrap();
    let all: Vec<_> = std::iter::from_fn(|| cursor.next().ok()).collect();
    assert_eq!(all, (1..=10).collect::<Vec<_>>());
    assert_eq!([cursor.next(), cursor.next()], [Err(LoadError::Ended); 2]);
}

#[test]
fn what_a_cursor_gives_back_after_the_end_is_still_handed_out() {
    let batch = Batch::new(VALUES, Iter(1..=5), 8).unwrap();
    let mut cursor = batch.cursor().unwrap();
    assert_eq!([cursor.next(), cursor.next()], [Ok(1), Ok(2)]);
    assert_eq!((cursor.len(), batch.load()), (3, Err(LoadError::Ended)));
    drop(cursor);
    assert_eq!(rest(&batch), [3, 4, 5]);
    assert_eq!(batch.load(), Err(LoadError::Ended));
}

#[test]
fn a_cursor_of_shared_objects_drops_each_once() {
    let shared = Arc::new(());
    let source = {
        let shared = Arc::clone(&shared);
        move || Ok::<_, Infallible>(Arc::clone(&shared))
    };
    let batch = Batch::new(Native::<Arc<()>>::new(), source, 9).unwrap();
    let own = Arc::strong_count(&shared);
    let mut cursor = batch.cursor().unwrap();
    let loaded = [cursor.next().unwrap(), cursor.next().unwrap()];
    assert_eq!((Arc::strong_count(&shared), cursor.len()), (own + 9, 3));
    drop(loaded);
    drop(cursor);
    assert_eq!((Arc::strong_count(&shared), batch.len()), (own + 7, 7));
    batch.clear().unwrap();
    assert_eq!(Arc::strong_count(&shared), own);
    let mut cursor = batch.cursor().unwrap();
    drop([cursor.next().unwrap(), cursor.next().unwrap()]);
    batch.close().unwrap();
    assert_eq!((Arc::strong_count(&shared), cursor.len()), (own + 3, 3));
    drop(cursor);
    assert_eq!(Arc::strong_count(&shared), own);
}

type Told = Box<dyn FnMut() -> Result<usize, mpsc::RecvError> + Send>;

/// A host that uses a cursor of the thread which is about to wait, as a handler of signals may.
struct Meddling {
    cursor: AtomicPtr<crate::batch::node::Node>,
    go_on: Mutex<mpsc::Sender<()>>,
    taken: AtomicUsize,
}

// SAFETY: the word is the object.
unsafe impl<'h> Host for &'h Meddling {
    words_are_objects!();

    fn block(&self, wait: &mut dyn FnMut()) {
        let node = self.cursor.swap(std::ptr::null_mut(), Ordering::Relaxed);
        if let Some(node) = std::ptr::NonNull::new(node) {
            // SAFETY: the node of the cursor that this thread is using, which outlives the call.
            let cursor = unsafe { Cursor::<&'h Meddling, Told>::from_node(node) };
            let mut cursor = ManuallyDrop::new(cursor);
            (0..16).for_each(|_| self.go_on.lock().unwrap().send(()).unwrap());
            until(|| cursor.batch().role.is_free());
            self.taken.store(cursor.next().unwrap(), Ordering::Relaxed);
        }
        wait();
    }
}

#[test]
fn a_cursor_that_is_used_in_the_middle_of_its_wait_loses_nothing() {
    let (go_on, source) = waits_from(1);
    let cursor = AtomicPtr::default();
    let host = Meddling { cursor, go_on: Mutex::new(go_on), taken: AtomicUsize::new(0) };
    let batch = Batch::new(&host, Box::new(source) as Told, 16).unwrap();
    let taken = std::thread::scope(|scope| {
        let filler = scope.spawn(|| batch.load());
        until(|| !batch.role.is_free());
        let node = batch.cursor().unwrap().into_node();
        host.cursor.store(node.as_ptr(), Ordering::Relaxed);
        // SAFETY: just given up for it.
        let mut cursor = unsafe { Cursor::<&Meddling, Told>::from_node(node) };
        let mut taken: Vec<_> = (0..3).map(|_| cursor.next().unwrap()).collect();
        taken.push(host.taken.load(Ordering::Relaxed));
        taken.push(filler.join().unwrap().unwrap());
        taken
    });
    assert_eq!(taken, [3, 4, 5, 2, 1]);
    assert_exact([taken, rest(&batch)].concat());
}

#[test]
fn a_cursor_takes_one_of_few_at_a_time_while_there_are_waiters_that_do_not_sleep() {
    let batch = Batch::new(VALUES, counter(), 128).unwrap();
    assert_eq!(batch.prefill(128, 128, None), Ok(128));
    batch.parking.mark();
    let mut cursor = batch.cursor().unwrap();
    let claimed = [128, 64, 32, 31].map(|there| {
        assert_eq!(batch.queue.len(), there);
        cursor.next().unwrap();
        let more = cursor.len();
        (0..more).for_each(|_| _ = cursor.next().unwrap());
        1 + more
    });
    batch.parking.unmark();
    assert_eq!(claimed, [64, 32, 1, 1]);
}
