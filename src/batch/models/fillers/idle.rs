//! No permit is idle while a thread sleeps that has nothing.

use super::super::super::fillers::Permit;
use super::super::super::fillers::stint::Stint;
use super::super::super::parking::Parking;
use super::*;
use loom::sync::{Condvar, Mutex};

/// A source whose calls come to an end when two are made at the same time.
#[derive(Clone)]
struct Meeting(Arc<(Mutex<usize>, Condvar)>);

impl Source<Values> for Meeting {
    type Error = ();

    fn run(&mut self, filler: impl Filler<Values, ()>) -> Filled {
        let (inside, changed) = &*self.0;
        filler.one_by_one(|_| {
            let mut inside = inside.lock().unwrap();
            *inside += 1;
            let number = *inside;
            changed.notify_all();
            while *inside < 2 {
                inside = changed.wait(inside).unwrap();
            }
            Ok(Some(Made::new(number)))
        })
    }
}

fn with<S: Source<Values>>(sources: Vec<S>) -> Batch<Values, S> {
    Batch::with_fillers(Values::new(), sources, 1, Options::default()).unwrap()
}

#[test]
fn no_permit_is_idle_while_a_thread_sleeps() {
    // Two permits were given up. The first has woken one thread, and the second none, since one was
    // on its way. If the other sleeps on, the first does not come back from its call, and loom sees
    // that no thread can go on.
    check("two permits given up, and two that need one each", || {
        let meeting = Meeting(Arc::new((Mutex::new(0), Condvar::new())));
        let mut batch = with(vec![meeting; 2]);
        batch.parking = Parking::with_one_asleep_and_one_woken();
        let batch = Arc::new(batch);
        let wake_up_and_load = |batch: &Batch<Values, Meeting>| {
            batch.parking.wake_up();
            batch.load().unwrap()
        };
        let shared = batch.clone();
        let other = thread::spawn(move || wake_up_and_load(&shared));
        let mine = wake_up_and_load(&batch);
        assert_eq!(sorted(vec![mine, other.join().unwrap()]), [1, 2]);
    });
}

#[test]
fn a_thread_that_found_no_permit_is_woken_when_one_is_given_up() {
    check_parking("load against two fillers", || {
        let batch = Arc::new(with(vec![One::until(usize::MAX); 2]));
        let take = |permit: Permit<'_, One>| permit.role.take().unwrap();
        let [first, second] = [0, 1].map(|at| {
            let permit = batch.permits().nth(at).unwrap();
            Stint::new(&batch, permit, take(permit)).unwrap()
        });
        let other = spawn(&batch, |batch| batch.load().unwrap());
        let mine = first.run(None).unwrap().unwrap();
        let theirs = other.join().unwrap();
        drop(second);
        assert_eq!(sorted(vec![mine, theirs]), [1, 2]);
    });
}
