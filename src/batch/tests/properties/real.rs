//! The batch itself, and the model of it, step by step.

use super::steps::change_script;
use super::*;

/// What `step` brings. If it unwinds, that is its error.
pub(super) fn caught<T>(step: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    let unwound = Err(LoadError::Source(Fault::Unwound));
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(step)).unwrap_or(unwound)
}

fn one(outcome: Outcome<usize>) -> Brought {
    (Vec::new(), outcome)
}

fn none(outcome: Outcome<()>) -> Brought {
    (Vec::new(), outcome.map(|()| 0))
}

/// A batch and its cursors.
pub(super) struct Real<'b> {
    pub(super) batch: &'b Batch<Native<usize>, Scripted>,
    pub(super) script: &'b Scripted,
    pub(super) cursors: Vec<Cursor<'b, Native<usize>, Scripted>>,
}

impl Real<'_> {
    pub(super) fn step(&mut self, step: &Step, mut unwanted: Vec<usize>) -> Brought {
        let (open, never_waits) = (self.cursors.len().max(1), self.batch.fillers() == 1);
        match *step {
            Step::Load if never_waits => one(caught(|| self.batch.load())),
            Step::Load | Step::LoadWithin => one(caught(|| self.batch.load_within(Duration::ZERO))),
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
                Some(cursor) if never_waits => one(caught(|| cursor.next())),
                Some(cursor) => one(caught(|| cursor.next_within(Duration::ZERO))),
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

/// What `Real::step` is to bring.
pub(super) fn step_of_model(model: &mut Model, step: &Step, unwanted: Vec<usize>) -> Brought {
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
