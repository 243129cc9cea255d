//! Any sequence of steps, against a model and against another queue.

mod busy;
mod real;
mod source;
mod steps;

use super::model::{Fault, Manner, Model, Outcome, Progress, Said, Script};
use super::*;
use busy::Busy;
use crossbeam_queue::ArrayQueue;
use proptest::prelude::*;
use real::{Real, step_of_model};
use source::Scripted;
use steps::{Step, options, options_of_several, steps, steps_of_several};

/// What a step brought, whatever the step.
type Brought = (Vec<usize>, Outcome<usize>);

/// What a step brought that may be given back later.
fn keep(loaded: &mut Vec<usize>, step: &Step, (many, outcome): &Brought) {
    loaded.extend(many);
    if let (Step::Load | Step::LoadWithin | Step::TryLoad | Step::Next(_), Ok(value @ 1..)) =
        (step, outcome)
    {
        loaded.push(*value);
    }
}

/// The counts, without what depends on the clock.
fn timeless(stats: Stats) -> Stats {
    Stats { wait_time: Duration::ZERO, source_time: Duration::ZERO, ..stats }
}

/// Does the steps with a batch and with the model.
fn follow(
    fillers: usize,
    size: usize,
    options: Options,
    steps: &[Step],
) -> Result<(), TestCaseError> {
    let script = Scripted::default();
    let sources = vec![script.clone(); fillers];
    let batch = Batch::with_fillers(VALUES, sources, size, options).unwrap();
    std::thread::scope(|scope| {
        let mut real = Real { batch: &batch, script: &script, cursors: Vec::new() };
        let mut model = Model::new(fillers, size, options);
        let (mut loaded, mut others) = (Vec::new(), Vec::new());
        for step in steps {
            match *step {
                Step::BeginLoad => {
                    if let Some(stint) = model.begin_load() {
                        let load = || batch.load_within(Duration::ZERO);
                        others.push(Busy::begin(scope, stint, load)?);
                    }
                }
                Step::BeginPrefill(low, max) => {
                    if let Some(stint) = model.begin_prefill(low, max) {
                        let batch = &batch;
                        let prefill = move || batch.prefill(low, max, Some(Duration::ZERO));
                        others.push(Busy::begin(scope, stint, prefill)?);
                    }
                }
                Step::EndCall(number) => loaded.extend(end_call(&mut others, number, &mut model)?),
                _ => {
                    let unwanted = match step {
                        Step::GiveBack(count) => {
                            loaded.split_off(loaded.len().saturating_sub(*count))
                        }
                        _ => Vec::new(),
                    };
                    let brought = real.step(step, unwanted.clone());
                    prop_assert_eq!(
                        &brought,
                        &step_of_model(&mut model, step, unwanted),
                        "{:?}",
                        step
                    );
                    keep(&mut loaded, step, &brought);
                }
            }
            compare(&real, &model, step)?;
        }
        while !others.is_empty() {
            end_call(&mut others, 0, &mut model)?;
            compare(&real, &model, &Step::EndCall(0))?;
        }
        assert_balanced(&batch);
        Ok(())
    })
}

/// Lets one of the others end its call. Returns the result that it has loaded, if its load is over.
fn end_call(
    others: &mut Vec<Busy>,
    number: usize,
    model: &mut Model,
) -> Result<Option<usize>, TestCaseError> {
    let at = number % others.len().max(1);
    let Some(busy) = others.get_mut(at) else { return Ok(None) };
    let (is_over, loaded) = busy.end_call(model)?;
    if is_over {
        others.remove(at);
    }
    Ok(loaded)
}

fn compare(real: &Real<'_>, model: &Model, step: &Step) -> Result<(), TestCaseError> {
    prop_assert_eq!(real.batch.len(), model.len(), "after {:?}", step);
    prop_assert_eq!(timeless(real.batch.stats()), model.stats, "after {:?}", step);
    for (cursor, in_hand) in real.cursors.iter().zip(&model.cursors) {
        prop_assert_eq!(cursor.len(), in_hand.len(), "after {:?}", step);
    }
    Ok(())
}

/// What is done with a ring.
#[derive(Debug, Clone)]
enum Use {
    Push(usize),
    PushAll(usize),
    Publish,
    Claim,
    ClaimMany(usize),
}

fn uses() -> impl Strategy<Value = Vec<Use>> {
    let one = prop_oneof![
        (1_usize..9).prop_map(Use::Push),
        (0_usize..9).prop_map(Use::PushAll),
        Just(Use::Publish),
        Just(Use::Claim),
        (1_usize..9).prop_map(Use::ClaimMany),
    ];
    prop::collection::vec(one, 0..200)
}

/// Adds up to `count` new items to `reference`, as many as it has room for, and returns them.
fn more(reference: &ArrayQueue<usize>, last: &mut usize, count: usize) -> Vec<usize> {
    let fits = count.min(reference.capacity() - reference.len());
    let items: Vec<_> = (*last + 1..=*last + fits).collect();
    *last += fits;
    items.iter().for_each(|&item| reference.push(item).unwrap());
    items
}

proptest! {
    #[test]
    fn a_batch_does_what_its_model_does((size, options) in options(), steps in steps()) {
        follow(1, size, options, &steps)?;
    }

    #[test]
    fn a_batch_of_several_fillers_does_what_its_model_does(
        fillers in 2_usize..=3,
        (size, options) in options_of_several(),
        steps in steps_of_several(),
    ) {
        follow(fillers, size, options, &steps)?;
    }

    #[test]
    fn the_ring_does_what_a_proven_queue_does(power in 0_u32..5, uses in uses()) {
        let capacity = 1_usize << power;
        let (ring, reference) = (Ring::with_room(capacity).unwrap(), ArrayQueue::new(capacity));
        let (mut last, mut taken) = (0, 0);
        for one in uses {
            match one {
                Use::Push(count) => {
                    more(&reference, &mut last, count).into_iter().for_each(|item| assert!(ring.push(item)));
                }
                Use::PushAll(count) => ring.push_all(&more(&reference, &mut last, count)),
                Use::Publish => ring.publish(),
                Use::Claim => {
                    let expected = reference.pop();
                    taken += u64::from(expected.is_some());
                    let (item, left) = ring.claim().unzip();
                    prop_assert_eq!(item, expected);
                    prop_assert!(left.is_none_or(|left| left <= reference.len()));
                }
                Use::ClaimMany(count) => {
                    let mut room = [0; 8];
                    let there = std::cell::Cell::new(0);
                    let claimed = ring.claim_many(&mut room, |ready| {
                        there.set(ready);
                        count
                    });
                    let (position, got) = claimed.map_or((taken, 0), |claimed| (claimed.position, claimed.count));
                    prop_assert_eq!(position, taken);
                    // It takes what it sees, and may not see what was not published.
                    prop_assert_eq!(got, count.min(there.get()));
                    prop_assert_eq!(got == 0, reference.is_empty());
                    let expected: Vec<_> = (0..got).map_while(|_| reference.pop()).collect();
                    prop_assert_eq!(&room[..got], &expected);
                    taken += got as u64;
                }
            }
            prop_assert_eq!(ring.len(), reference.len());
            prop_assert_eq!((ring.begin(), ring.made(), ring.taken()), (reference.len(), last as u64, taken));
            let mut shown = Vec::new();
            ring.visit(&mut |item| { shown.push(item); true });
            prop_assert_eq!(shown, (last - reference.len() + 1..=last).collect::<Vec<_>>());
        }
    }
}
