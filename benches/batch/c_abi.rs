//! What the way through the C interface costs: loops compiled from C that call the shared library,
//! beside the same in Rust.

use crate::c_loops::{CLoop, Library};
use crate::candidates::ours::{Load, Ours, Values, single};
use crate::candidates::{Candidate, FetchAdd};
use crate::harness::rounds::{Entry, compare};
use crate::harness::shot::{Shot, Tally};
use crate::report::{Limit, Report};
use crate::settings::Settings;
use Limit::{AtLeast, AtMost};
use ft_local::{Batch, Source};
use std::convert::Infallible;
use std::ffi::c_void;

const RUST: &str = "load, inlined in Rust";
const LOAD: &str = "load";
const BY_ADDRESS: &str = "load, by its address";
const UNCHECKED: &str = "load without checks, by its address";
const NEXT: &str = "cursor next";
const INLINE: &str = "cursor next, inline";

/// A load as the C interface would have it if it trusted its callers.
unsafe extern "C" fn unchecked_load<S: Source<Values, Error = Infallible>>(
    batch: *const c_void,
    out: *mut *mut c_void,
) -> i32 {
    // SAFETY: the callers below give the batch that this was made for, and room for a word.
    unsafe {
        match (*batch.cast::<Batch<Values, S>>()).load() {
            Ok(number) => {
                *out = std::ptr::without_provenance_mut(number);
                0
            }
            Err(_) => -1,
        }
    }
}

/// The C loop round a function of Rust.
struct Unchecked<'l, S: Source<Values>> {
    library: &'l Library,
    ours: Ours<S>,
}

impl<S: Source<Values, Error = Infallible>> Candidate for Unchecked<'_, S> {
    fn shot(&self, _thread: usize, shot: &Shot<'_>) -> Tally {
        let batch = std::ptr::from_ref(self.ours.batch()).cast();
        shot.run_blocks(|times| self.library.load_by(unchecked_load::<S>, batch, times))
    }

    fn settle(&self, left: &mut dyn FnMut(usize)) -> Option<u64> {
        Some(self.ours.left(left))
    }
}

pub(crate) fn measure(settings: &Settings, report: &mut Report) {
    let library = match Library::compiled() {
        Ok(library) => library,
        Err(message) => {
            report.fault(format!("the loops in C: {message}"), false);
            return;
        }
    };
    let c_loop = |of| CLoop::new(&library, of);
    let field: Vec<(&'static str, Box<dyn Candidate + '_>)> = vec![
        ("fetch_add", Box::new(FetchAdd::new())),
        ("a call that does nothing", Box::new(c_loop(c"c_loops_noop").uncounted())),
        (RUST, Box::new(Load(single()))),
        (LOAD, Box::new(c_loop(c"c_loops_load"))),
        (BY_ADDRESS, Box::new(c_loop(c"c_loops_load").by_address())),
        (UNCHECKED, Box::new(Unchecked { library: &library, ours: single() })),
        (NEXT, Box::new(c_loop(c"c_loops_next"))),
        (INLINE, Box::new(c_loop(c"c_loops_next_inline"))),
    ];
    let entries: Vec<_> = field
        .iter()
        .map(|(name, candidate)| Entry { name, candidate: &**candidate, threads: 1, work: 0 })
        .collect();
    let title = "from C, 1 thread, W0".to_owned();
    let c = compare("c", title, &entries, settings.rounds, &report.progress);
    let checks = c.difference(BY_ADDRESS, UNCHECKED);
    report.goal("checks of the C interface", AtMost(0.6), "ns", checks);
    let more = c.difference(LOAD, RUST);
    report.goal("load from C, over inlined Rust", AtMost(4.0), "ns", more);
    let faster = c.ratio(NEXT, INLINE);
    report.goal("inline cursor next against the call", AtLeast(1.5), "x faster", faster);
    report.compared(c);
}
