//! Whether the header tells the truth: every export is called in every state, on a host that notes
//! which of its functions it is called through, and on watched locks and memory. What was seen over
//! all states must be what the fields `Blocks` and `Calls host` say, no more and no less.

mod calls;
mod states;
mod watch;
mod world;

use super::facts::{Fact, facts};
use calls::CALLS;
use states::{STATES, State};
use watch::{HOST, LOCK, MEMORY, Seen, names};
use world::{Kind, World};

/// What was seen of one function, and where.
struct Report {
    name: &'static str,
    seen: Seen,
    /// For each of the bits of `seen`, the first state in which it was.
    first: Vec<(Seen, String)>,
}

fn report(fact: &Fact) -> Report {
    let (_, call) = CALLS
        .iter()
        .find(|(name, _)| *name == fact.name)
        .unwrap_or_else(|| panic!("{} is not called here: add it to CALLS", fact.name));
    let mut report = Report { name: fact.name, seen: 0, first: Vec::new() };
    for state in STATES {
        if fact.alone && state.is_shared && fact.name.starts_with("ft_local_batch") {
            continue;
        }
        for kind in [Kind::Fill, Kind::Next] {
            let seen = seen_in(state, kind, *call);
            let place = format!("{}, {kind:?}", state.name);
            report.first.extend(bits(seen & !report.seen).map(|bit| (bit, place.clone())));
            report.seen |= seen;
        }
    }
    report
}

fn seen_in(state: &State, kind: Kind, call: fn(&mut World)) -> Seen {
    let mut world = World::new(kind, (state.options)());
    (state.prepare)(&mut world);
    if state.is_child {
        watch::in_child(|| watch::during(|| call(&mut world)))
    } else if state.has_no_memory {
        watch::during(|| watch::without_memory(|| call(&mut world)))
    } else {
        watch::during(|| call(&mut world))
    }
}

fn bits(seen: Seen) -> impl Iterator<Item = Seen> {
    (0..Seen::BITS).map(|bit| 1 << bit).filter(move |bit| seen & bit != 0)
}

/// Calls that need two threads which meet between two instructions.
const RARE: [(&str, &str); 2] =
    [("ft_local_batch_try_load", "wake"), ("ft_local_batch_clear", "wake")];

/// What is not as the header says.
fn complaints(fact: &Fact, report: &Report) -> Vec<String> {
    let mut wrong = Vec::new();
    let place = |bit| report.first.iter().find(|(first, _)| *first == bit).unwrap().1.as_str();
    for bit in bits(report.seen & HOST) {
        if !fact.calls.contains(&names(bit)) {
            wrong.push(format!("{}: calls {} ({})", report.name, names(bit), place(bit)));
        }
    }
    for &word in &fact.calls {
        let rare = RARE.contains(&(report.name, word));
        if !rare && !bits(report.seen & HOST).any(|bit| names(bit) == word) {
            wrong.push(format!("{}: was never seen to call {word:?}", report.name));
        }
    }
    let blocked = bits(report.seen).find(|bit| names(*bit) == "block");
    let held = bits(report.seen & (LOCK | MEMORY)).next();
    let (seen, why) = match (blocked, held) {
        (Some(bit), _) => ("yes", place(bit)),
        (None, Some(bit)) => ("briefly", place(bit)),
        (None, None) => ("no", "any"),
    };
    if fact.blocks != seen {
        let said = fact.blocks;
        wrong.push(format!("{}: says Blocks: {said}, but it is {seen} ({why})", report.name));
    }
    wrong
}

#[test]
fn the_header_says_what_each_function_calls_and_whether_it_blocks() {
    let facts = facts();
    let wrong: Vec<_> = facts.iter().flat_map(|fact| complaints(fact, &report(fact))).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    let unknown: Vec<_> =
        CALLS.iter().filter(|(name, _)| facts.iter().all(|fact| fact.name != *name)).collect();
    assert!(unknown.is_empty(), "{:?}", unknown.iter().map(|(name, _)| name).collect::<Vec<_>>());
    println!("{} functions in {} states each", facts.len(), 2 * STATES.len());
}
