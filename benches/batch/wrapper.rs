//! References to wrappers, and what they save: each thread has its own, where a reference count in
//! the object would be everybody's.

use crate::c_loops::{CLoop, Library};
use crate::candidates::{Candidate, FetchAdd};
use crate::harness::rounds::{Entry, compare};
use crate::harness::shot::{Shot, Tally};
use crate::report::{Limit, Report};
use crate::settings::Settings;
use Limit::{AtLeast, AtMost};
use crossbeam_utils::CachePadded;
use ft_local::Count;
use std::hint::black_box;
use std::sync::Arc;

const FETCH_ADD: &str = "fetch_add";
const OWN: &str = "reference to an own wrapper";
const SHARED: &str = "reference to the shared object";
const MADE: &str = "wrapper made and freed, from C";

/// The count of a wrapper that the thread has made.
struct Own;

impl Candidate for Own {
    fn shot(&self, _thread: usize, shot: &Shot<'_>) -> Tally {
        let count = CachePadded::new(Count::new());
        let tally = shot.run(|| {
            // SAFETY: the first reference is there; this thread takes and drops. The object is
            // used in between, so the two steps cannot become none.
            unsafe {
                black_box(&count).take();
                usize::from(black_box(&count).give_back())
            }
        });
        assert_eq!(tally.sum, 0, "a reference is left");
        tally
    }

    fn settle(&self, _left: &mut dyn FnMut(usize)) -> Option<u64> {
        None
    }
}

/// The count of an object that all threads share.
struct Shared(Arc<u64>);

impl Candidate for Shared {
    fn shot(&self, _thread: usize, shot: &Shot<'_>) -> Tally {
        shot.run(|| {
            drop(black_box(Arc::clone(&self.0)));
            0
        })
    }

    fn settle(&self, _left: &mut dyn FnMut(usize)) -> Option<u64> {
        assert_eq!(Arc::strong_count(&self.0), 1, "a reference is left");
        None
    }
}

pub(crate) fn measure(settings: &Settings, report: &mut Report) {
    for threads in [1, 2] {
        let library = match Library::compiled() {
            Ok(library) => library,
            Err(message) => return report.fault(format!("the loops in C: {message}"), false),
        };
        let mut field: Vec<(&'static str, Box<dyn Candidate + '_>)> = vec![
            (FETCH_ADD, Box::new(FetchAdd::new())),
            (OWN, Box::new(Own)),
            (SHARED, Box::new(Shared(Arc::new(0)))),
        ];
        if threads == 1 {
            let retained = CLoop::new(&library, c"c_loops_retain_free").uncounted();
            field.push(("wrapper retained and freed, from C", Box::new(retained)));
            field.push((MADE, Box::new(CLoop::new(&library, c"c_loops_new_free").uncounted())));
        }
        let entries: Vec<_> = field
            .iter()
            .map(|(name, candidate)| Entry { name, candidate: &**candidate, threads, work: 0 })
            .collect();
        let title = format!("references, {threads} threads");
        let found = compare("wrapper", title, &entries, settings.rounds, &report.progress);
        if threads == 1 {
            let own = found.ratio(OWN, FETCH_ADD);
            report.goal("wrapper reference, by its owner", AtMost(0.65), "x fetch_add", own);
            report.goal("wrapper made and freed", AtMost(30.0), "ns", found.ns(MADE));
        } else {
            let cheaper = found.ratio(SHARED, OWN);
            let what = "wrapper reference against a shared count, 2 threads";
            report.goal(what, AtLeast(15.0), "x cheaper", cheaper);
        }
        report.compared(found);
    }
}
