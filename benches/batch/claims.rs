//! Taking items: one at a time by all threads, and several at a time by cursors.

use crate::candidates::bare::Bare;
use crate::candidates::ft_utils::FtUtils;
use crate::candidates::ours::{Cursors, Load, bulk, single};
use crate::candidates::peers::{Deque, LockedDeque, Refilled};
use crate::candidates::{Candidate, FetchAdd};
use crate::harness::rounds::{Comparison, Entry, compare};
use crate::harness::{crew, machine};
use crate::report::{Limit, Report};
use crate::settings::Settings;
use Limit::{AtLeast, AtMost};

const GROUP: &str = "claims";
const UNIT: &str = "x fetch_add";
const FASTER: &str = "x faster";

const FETCH_ADD: &str = "fetch_add";
const LOAD: &str = "load";
const BULK_LOAD: &str = "load, bulk source";
const CURSOR: &str = "cursor";
const BULK_CURSOR: &str = "cursor, bulk source";
const BARE: &str = "bare ring";
const BARE_IN_HAND: &str = "bare ring, several at once";
const LOCKED: &str = "Mutex<VecDeque>";
const ARRAY_QUEUE: &str = "ArrayQueue";
const STEAL_BATCH: &str = "deque steal_batch";
const FT_UTILS: &str = "ft_utils (racy)";

type Field = Vec<(&'static str, Box<dyn Candidate>)>;

fn field() -> Field {
    vec![
        (FETCH_ADD, Box::new(FetchAdd::new())),
        (LOAD, Box::new(Load(single()))),
        (BULK_LOAD, Box::new(Load(bulk()))),
        (CURSOR, Box::new(Cursors(single()))),
        (BULK_CURSOR, Box::new(Cursors(bulk()))),
        (BARE, Box::new(Bare::new(false))),
        (BARE_IN_HAND, Box::new(Bare::new(true))),
        (LOCKED, Box::new(LockedDeque::new())),
        (ARRAY_QUEUE, Box::new(Refilled::array_queue())),
        ("SegQueue", Box::new(Refilled::seg_queue())),
        ("deque steal", Box::new(Deque::new(false))),
        (STEAL_BATCH, Box::new(Deque::new(true))),
        (FT_UTILS, Box::new(FtUtils::new())),
    ]
}

/// Few items, each looked at: whether every candidate hands out each once.
pub(crate) fn check(report: &mut Report) {
    for threads in [1, 2, 4] {
        for (name, candidate) in field() {
            let faults = crew::faults(&*candidate, threads, 200_000);
            if faults > 0 {
                let text = format!("{name}, {threads} threads: {faults} items not taken once");
                report.fault(text, candidate.is_racy());
            }
        }
    }
}

fn side_by_side(settings: &Settings, report: &Report, threads: usize, work: u32) -> Comparison {
    let field = field();
    let entries: Vec<_> = field
        .iter()
        .map(|(name, candidate)| Entry { name, candidate: &**candidate, threads, work })
        .collect();
    let title = format!(
        "{threads} thread{}, W{}",
        if threads == 1 { "" } else { "s" },
        if work == 0 { "0" } else { "40" }
    );
    compare(GROUP, title, &entries, settings.rounds, &report.progress)
}

/// All candidates with 1, 2 and 4 threads.
pub(crate) fn measure(settings: &Settings, report: &mut Report) {
    let one = side_by_side(settings, report, 1, 0);
    report.goal("load, 1 thread", AtMost(2.1), UNIT, one.ratio(LOAD, FETCH_ADD));
    let faster = one.ratio(ARRAY_QUEUE, LOAD);
    report.goal("load against ArrayQueue, 1 thread", AtLeast(1.5), FASTER, faster);
    let faster = one.ratio(LOCKED, LOAD);
    report.goal("load against Mutex<VecDeque>, 1 thread", AtLeast(1.25), FASTER, faster);
    let bulk = one.ratio(BULK_LOAD, FETCH_ADD);
    report.goal("load, bulk source, 1 thread", AtMost(1.6), UNIT, bulk);
    report.goal("cursor, 1 thread", AtMost(1.15), UNIT, one.ratio(CURSOR, FETCH_ADD));
    let bulk = one.ratio(BULK_CURSOR, FETCH_ADD);
    report.goal("cursor, bulk source, 1 thread", AtMost(0.7), UNIT, bulk);
    report.compared(one);
    // Without work, a refilling thread takes all from its own cache: a stress figure, no goal.
    let stress = side_by_side(settings, report, 2, 0);
    report.compared(stress);
    for threads in [2, 4] {
        let many = side_by_side(settings, report, threads, settings.work);
        let load = many.ratio(LOAD, FETCH_ADD);
        report.goal(format!("load, {threads} threads, W40"), AtMost(1.3), UNIT, load);
        let limit = AtMost(if many.is_near() { 0.6 } else { 0.42 });
        let cursor = many.ratio(CURSOR, FETCH_ADD);
        report.goal(format!("cursor, {threads} threads, W40"), limit, UNIT, cursor);
        if threads == 2 {
            for (peer, times) in [(FT_UTILS, 1.8), (ARRAY_QUEUE, 2.0), (STEAL_BATCH, 1.0)] {
                let what = format!("cursor against {peer}, 2 threads, W40");
                report.goal(what, AtLeast(times), FASTER, many.ratio(peer, CURSOR));
            }
        }
        report.compared(many);
    }
}

/// How many times as many items per second cursors give with more threads, each on a core of its
/// own.
pub(crate) fn measure_scaling(settings: &Settings, report: &mut Report) {
    const ONE: &str = "cursor, 1 thread";
    const TWO: &str = "cursor, 2 threads";
    const SIXTEEN: &str = "cursor, 16 threads";
    let cores = machine::cores().len();
    let crews =
        [(ONE, 1), (TWO, 2), ("cursor, 4 threads", 4), ("cursor, 8 threads", 8), (SIXTEEN, 16)];
    let field: Vec<_> = crews
        .iter()
        .filter(|&&(_, threads)| threads <= cores)
        .map(|&(name, threads)| (name, threads, Cursors(single())))
        .collect();
    let work = settings.work;
    let entries: Vec<_> = field
        .iter()
        .map(|&(name, threads, ref candidate)| Entry { name, candidate, threads, work })
        .collect();
    let title = "scaling, W40".to_owned();
    let scaling = compare("scaling", title, &entries, settings.rounds, &report.progress);
    let limit = if scaling.is_near() { 1.7 } else { 1.5 };
    let times = "x the throughput of 1 thread";
    report.goal("cursor, 2 threads, W40", AtLeast(limit), times, scaling.ratio(ONE, TWO));
    report.goal("cursor, 16 threads, W40", AtLeast(10.0), times, scaling.ratio(ONE, SIXTEEN));
    report.compared(scaling);
}

/// What an item costs with more threads than cores, beside what it costs with two.
pub(crate) fn measure_crowds(settings: &Settings, report: &mut Report) {
    const CURSORS: [(&str, usize); 4] = [
        ("cursor, 2 threads", 2),
        ("cursor, 4 threads", 4),
        ("cursor, 8 threads", 8),
        ("cursor, 16 threads", 16),
    ];
    const BULK_CURSORS: [(&str, usize); 4] = [
        ("cursor, bulk source, 2 threads", 2),
        ("cursor, bulk source, 4 threads", 4),
        ("cursor, bulk source, 8 threads", 8),
        ("cursor, bulk source, 16 threads", 16),
    ];
    const LOADS: [(&str, usize); 2] = [("load, 2 threads", 2), ("load, 16 threads", 16)];
    let mut field: Vec<(&str, usize, Box<dyn Candidate>)> = Vec::new();
    for (name, threads) in CURSORS {
        field.push((name, threads, Box::new(Cursors(single()))));
    }
    for (name, threads) in BULK_CURSORS {
        field.push((name, threads, Box::new(Cursors(bulk()))));
    }
    for (name, threads) in LOADS {
        field.push((name, threads, Box::new(Load(single()))));
    }
    let work = settings.work;
    let entries: Vec<_> = field
        .iter()
        .map(|&(name, threads, ref candidate)| Entry {
            name,
            candidate: &**candidate,
            threads,
            work,
        })
        .collect();
    let title = format!("crowds, W40, {} cores", machine::cores().len());
    let crowds = compare("crowds", title, &entries, settings.rounds, &report.progress);
    for [(two, _), more @ ..] in [CURSORS, BULK_CURSORS] {
        for (name, _) in more {
            let times = "x the time with 2 threads";
            report.goal(format!("{name}, W40"), AtMost(1.2), times, crowds.ratio(name, two));
        }
    }
    report.compared(crowds);
}
