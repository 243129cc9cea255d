//! What is done with a batch.

use super::super::model::{Manner, Script};
use super::*;

/// What a user may do with a batch in one thread.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Load,
    LoadWithin,
    TryLoad,
    LoadMany(usize),
    Prefill(usize, usize),
    OpenCursor,
    /// Of the cursors that are open, the one of that number, counted round and round.
    Next(usize),
    DropCursor(usize),
    /// Some of what was loaded last, in the order in which it was loaded.
    GiveBack(usize),
    Clear,
    Close,
    FailAfter(usize),
    UnwindAfter(usize),
    EndAfter(usize, Manner),
    MakeAtOnce(usize),
    /// Another thread begins a load, or makes results ahead of loads, and comes to the source.
    BeginLoad,
    BeginPrefill(usize, usize),
    /// Of the other threads that are in the source, counted as the cursors are, one ends its call.
    EndCall(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        16 => Just(Step::Load),
        2 => Just(Step::LoadWithin),
        4 => Just(Step::TryLoad),
        3 => (0_usize..100).prop_map(Step::LoadMany),
        4 => (0_usize..15, 0_usize..15).prop_map(|(low, max)| Step::Prefill(low, max)),
        3 => Just(Step::OpenCursor),
        16 => any::<usize>().prop_map(Step::Next),
        2 => any::<usize>().prop_map(Step::DropCursor),
        4 => (0_usize..6).prop_map(Step::GiveBack),
        1 => Just(Step::Clear),
        3 => (0_usize..30).prop_map(Step::FailAfter),
        2 => (0_usize..30).prop_map(Step::UnwindAfter),
        2 => (0_usize..4).prop_map(Step::MakeAtOnce),
    ]
}

/// Rare, since little is left to do after them.
fn end() -> impl Strategy<Value = Step> {
    let manners = [Manner::Quietly, Manner::Failing, Manner::Unwinding];
    let end = (0_usize..30, prop::sample::select(manners.to_vec()))
        .prop_map(|(after, manner)| Step::EndAfter(after, manner));
    prop_oneof![1 => Just(Step::Close), 2 => end]
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(prop_oneof![100 => step(), 1 => end()], 0..200)
}

/// Steps of other threads too. Those are in a call of the source between two steps.
pub(super) fn steps_of_several() -> impl Strategy<Value = Vec<Step>> {
    let prefill = (0_usize..15, 0_usize..15).prop_map(|(low, max)| Step::BeginPrefill(low, max));
    let step = prop_oneof![
        50 => step(),
        20 => Just(Step::BeginLoad),
        10 => prefill,
        20 => any::<usize>().prop_map(Step::EndCall),
        // What one call comes to while others run.
        2 => Just(Step::FailAfter(0)),
        2 => Just(Step::UnwindAfter(0)),
        1 => end(),
    ];
    prop::collection::vec(step, 0..100)
}

/// Small buffers mostly, and some in which a cursor takes as many as it can hold.
fn sizes() -> impl Strategy<Value = usize> {
    prop_oneof![8 => 1_usize..12, 1 => 100_usize..300]
}

pub(super) fn options() -> impl Strategy<Value = (usize, Options)> {
    sizes().prop_flat_map(|size| {
        let low_mark = prop_oneof![2 => Just(0), 1 => 0..=size];
        let fill_budget = prop_oneof![2 => Just(0), 1 => 0..=size + 1];
        (Just(size), fill_budget, low_mark).prop_map(|(size, fill_budget, low_mark)| {
            (size, Options { fill_budget, low_mark, ..Options::default() })
        })
    })
}

/// As `options`, with a budget: without one, several fillers go by the clock.
pub(super) fn options_of_several() -> impl Strategy<Value = (usize, Options)> {
    (options(), prop_oneof![2 => Just(1), 1 => 1_usize..12])
        .prop_map(|((size, options), fill_budget)| (size, Options { fill_budget, ..options }))
}

pub(super) fn change_script(script: &mut Script, step: &Step) {
    match *step {
        Step::FailAfter(results) => script.fails_after = Some(results),
        Step::UnwindAfter(results) => script.unwinds_after = Some(results),
        Step::EndAfter(results, manner) => {
            (script.ends_after, script.manner) = (Some(results), manner);
        }
        Step::MakeAtOnce(results) => script.bulk = results,
        _ => unreachable!("{step:?} is not for the source"),
    }
}
