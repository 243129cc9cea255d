//! What a wrapper saves: a thread reaches the object through its own, where a reference would be
//! counted in the object, which all threads share.

use crate::c_loops::{CLoop, Library};
use crate::candidates::{Candidate, FetchAdd};
use crate::harness::rounds::{Entry, compare};
use crate::harness::shot::{Shot, Tally};
use crate::report::{Limit, Report};
use crate::settings::Settings;
use Limit::{AtLeast, AtMost};
use ft_local::Wrapper;
use std::hint::black_box;
use std::sync::Arc;

const FETCH_ADD: &str = "fetch_add";
const OWN: &str = "object of an own wrapper";
const SHARED: &str = "reference to the shared object";
const MADE: &str = "wrapper made and freed, from C";

/// The object, reached through a wrapper that the thread has made.
struct Own(Arc<u64>);

impl Candidate for Own {
    fn shot(&self, _thread: usize, shot: &Shot<'_>) -> Tally {
        let wrapper = Wrapper::new(Arc::clone(&self.0));
        shot.run(|| {
            black_box(black_box(&wrapper).get());
            0
        })
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
            (OWN, Box::new(Own(Arc::new(0)))),
            (SHARED, Box::new(Shared(Arc::new(0)))),
        ];
        if threads == 1 {
            field.push((MADE, Box::new(CLoop::new(&library, c"c_loops_new_free").uncounted())));
        }
        let entries: Vec<_> = field
            .iter()
            .map(|(name, candidate)| Entry { name, candidate: &**candidate, threads, work: 0 })
            .collect();
        let title = format!("references, {threads} threads");
        let found = compare("wrapper", title, &entries, settings.rounds, &report.progress);
        if threads == 1 {
            report.goal("wrapper made and freed", AtMost(30.0), "ns", found.ns(MADE));
        } else {
            let cheaper = found.ratio(SHARED, OWN);
            let what = "an own wrapper against a shared count, 2 threads";
            report.goal(what, AtLeast(15.0), "x cheaper", cheaper);
        }
        report.compared(found);
    }
}
