//! Any sequence of steps, against a model and against another queue.

use super::model::{Fault, Manner, Model, Outcome, Said, Script};
use super::*;
use crossbeam_queue::ArrayQueue;
use proptest::prelude::*;

/// What a user may do with a batch in one thread.
#[derive(Debug, Clone)]
enum Step {
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
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
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
    ];
    // Rare, since little is left to do after them.
    let manners = [Manner::Quietly, Manner::Failing, Manner::Unwinding];
    let end = (0_usize..30, prop::sample::select(manners.to_vec()))
        .prop_map(|(after, manner)| Step::EndAfter(after, manner));
    let ends = prop_oneof![1 => Just(Step::Close), 2 => end];
    prop::collection::vec(prop_oneof![100 => step, 1 => ends], 0..200)
}

/// Small buffers mostly, and some in which a cursor takes as many as it can hold.
fn sizes() -> impl Strategy<Value = usize> {
    prop_oneof![8 => 1_usize..12, 1 => 100_usize..300]
}

fn options() -> impl Strategy<Value = (usize, Options)> {
    sizes().prop_flat_map(|size| {
        let low_mark = prop_oneof![2 => Just(0), 1 => 0..=size];
        let fill_budget = prop_oneof![2 => Just(0), 1 => 0..=size + 1];
        (Just(size), fill_budget, low_mark).prop_map(|(size, fill_budget, low_mark)| {
            (size, Options { fill_budget, low_mark, ..Options::default() })
        })
    })
}

#[derive(Clone, Default)]
struct Scripted(Arc<Mutex<Script>>);

impl Source<Native<usize>> for Scripted {
    type Error = Fault;

    fn run(&mut self, filler: impl Filler<Native<usize>, Fault>) -> Filled {
        if self.0.lock().unwrap().bulk == 0 {
            filler.one_by_one(|_| self.next())
        } else {
            filler.many(|_, slots| self.fill(slots))
        }
    }
}

impl Scripted {
    fn fill(&mut self, slots: &mut Slots<'_, Native<usize>>) -> Result<(), Fault> {
        let bulk = self.0.lock().unwrap().bulk;
        for _ in 0..bulk.min(slots.capacity()) {
            let said = self.0.lock().unwrap().make();
            match said {
                Said::Result(result) => slots.push(result),
                Said::Ends => {
                    slots.end();
                    let manner = self.0.lock().unwrap().manner;
                    return match manner {
                        Manner::Quietly => Ok(()),
                        Manner::Failing => Err(Fault::Failed),
                        Manner::Unwinding => unwind(),
                    };
                }
                Said::Fails => return Err(Fault::Failed),
                Said::Unwinds => unwind(),
            }
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Option<Made<Native<usize>>>, Fault> {
        let said = self.0.lock().unwrap().make();
        match said {
            Said::Result(result) => Ok(Some(Made::new(result))),
            Said::Ends => Ok(None),
            Said::Fails => Err(Fault::Failed),
            Said::Unwinds => unwind(),
        }
    }
}

fn unwind() -> ! {
    std::panic::resume_unwind(Box::new(()))
}

/// What `step` brings. If it unwinds, that is its error.
fn caught<T>(step: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    let unwound = Err(LoadError::Source(Fault::Unwound));
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(step)).unwrap_or(unwound)
}

/// What a step brought, whatever the step.
type Brought = (Vec<usize>, Outcome<usize>);

fn one(outcome: Outcome<usize>) -> Brought {
    (Vec::new(), outcome)
}

fn none(outcome: Outcome<()>) -> Brought {
    (Vec::new(), outcome.map(|()| 0))
}

/// A batch and its cursors.
struct Real<'b> {
    batch: &'b Batch<Native<usize>, Scripted>,
    script: &'b Scripted,
    cursors: Vec<Cursor<'b, Native<usize>, Scripted>>,
}

impl Real<'_> {
    fn step(&mut self, step: &Step, mut unwanted: Vec<usize>) -> Brought {
        let open = self.cursors.len().max(1);
        match *step {
            Step::Load => one(caught(|| self.batch.load())),
            Step::LoadWithin => one(caught(|| self.batch.load_within(Duration::ZERO))),
            Step::TryLoad => one(self.batch.try_load().map(Option::unwrap_or_default)),
            Step::LoadMany(count) => {
                let mut results = Vec::new();
                let outcome =
                    caught(|| self.batch.load_many(count, Some(Duration::ZERO), &mut results));
                (results, outcome.map(|()| 0))
            }
            Step::Prefill(low, max) => {
                one(caught(|| self.batch.prefill(low, max, Some(Duration::ZERO))))
            }
            Step::OpenCursor => {
                self.cursors.extend(self.batch.cursor());
                none(Ok(()))
            }
            Step::Next(number) => match self.cursors.get_mut(number % open) {
                Some(cursor) => one(caught(|| cursor.next())),
                None => none(Ok(())),
            },
            Step::DropCursor(number) => {
                if !self.cursors.is_empty() {
                    self.cursors.remove(number % open);
                }
                none(Ok(()))
            }
            Step::GiveBack(_) => {
                let outcome = self.batch.give_back(&mut unwanted);
                (unwanted, outcome.map(|()| 0))
            }
            Step::Clear => none(self.batch.clear()),
            Step::Close => none(self.batch.close()),
            ref change => {
                change_script(&mut self.script.0.lock().unwrap(), change);
                none(Ok(()))
            }
        }
    }
}

fn change_script(script: &mut Script, step: &Step) {
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

fn step_of_model(model: &mut Model, step: &Step, unwanted: Vec<usize>) -> Brought {
    let open = model.cursors.len().max(1);
    match *step {
        Step::Load | Step::LoadWithin => one(model.load()),
        Step::TryLoad => one(model.try_load().map(Option::unwrap_or_default)),
        Step::LoadMany(count) => {
            let (results, outcome) = model.load_many(count);
            (results, outcome.map(|()| 0))
        }
        Step::Prefill(low, max) => one(model.prefill(low, max)),
        Step::OpenCursor => {
            model.open_cursor();
            none(Ok(()))
        }
        Step::Next(_) | Step::DropCursor(_) if model.cursors.is_empty() => none(Ok(())),
        Step::Next(number) => one(model.next(number % open)),
        Step::DropCursor(number) => {
            model.drop_cursor(number % open);
            none(Ok(()))
        }
        Step::GiveBack(_) => {
            model.give_back(unwanted);
            none(Ok(()))
        }
        Step::Clear => {
            model.clear();
            none(Ok(()))
        }
        Step::Close => {
            model.close();
            none(Ok(()))
        }
        ref change => {
            change_script(&mut model.source, change);
            none(Ok(()))
        }
    }
}

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
fn follow(size: usize, options: Options, steps: &[Step]) -> Result<(), TestCaseError> {
    let script = Scripted::default();
    let batch = Batch::with_options(VALUES, script.clone(), size, options).unwrap();
    let mut real = Real { batch: &batch, script: &script, cursors: Vec::new() };
    let mut model = Model::new(size, options);
    let mut loaded = Vec::new();
    for step in steps {
        let unwanted = match step {
            Step::GiveBack(count) => loaded.split_off(loaded.len().saturating_sub(*count)),
            _ => Vec::new(),
        };
        let brought = real.step(step, unwanted.clone());
        prop_assert_eq!(&brought, &step_of_model(&mut model, step, unwanted), "{:?}", step);
        prop_assert_eq!(batch.len(), model.len(), "after {:?}", step);
        prop_assert_eq!(timeless(batch.stats()), model.stats, "after {:?}", step);
        for (cursor, in_hand) in real.cursors.iter().zip(&model.cursors) {
            prop_assert_eq!(cursor.len(), in_hand.len(), "after {:?}", step);
        }
        keep(&mut loaded, step, &brought);
    }
    assert_balanced(&batch);
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
        follow(size, options, &steps)?;
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
