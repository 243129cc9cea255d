//! Other threads, which are in the middle of a call of the source while a step is done.

use super::super::model::Stint;
use super::real::caught;
use super::*;
use std::cell::RefCell;
use std::thread::Scope;

/// How the thread that does the steps and another one speak to each other.
struct Leash {
    say: mpsc::Sender<Progress<usize>>,
    /// Fails when a step has failed. The thread then goes on as it likes.
    told: mpsc::Receiver<()>,
}

thread_local! {
    static LEASH: RefCell<Option<Leash>> = const { RefCell::new(None) };
}

/// For the source, as a call begins. The thread that does the steps is never held.
pub(super) fn end_call_when_told() {
    LEASH.with_borrow(|leash| {
        if let Some(Leash { say, told }) = leash {
            let _ = say.send(Progress::AnotherCall);
            let _ = told.recv();
        }
    });
}

/// A thread in a call of the source.
pub(super) struct Busy {
    stint: Stint,
    said: mpsc::Receiver<Progress<usize>>,
    go_on: mpsc::Sender<()>,
}

impl Busy {
    /// Begins with `fill`, which is to come to a call of the source.
    pub(super) fn begin<'s>(
        scope: &'s Scope<'s, '_>,
        stint: Stint,
        fill: impl FnOnce() -> Outcome<usize> + Send + 's,
    ) -> Result<Self, TestCaseError> {
        let (say, said) = mpsc::channel();
        let (go_on, told) = mpsc::channel();
        scope.spawn(move || {
            let over = say.clone();
            LEASH.set(Some(Leash { say, told }));
            let _ = over.send(Progress::Over(caught(fill)));
        });
        let busy = Self { stint, said, go_on };
        prop_assert_eq!(busy.hear(), Progress::AnotherCall);
        Ok(busy)
    }

    fn hear(&self) -> Progress<usize> {
        self.said.recv_timeout(LONG).expect("it waits for nothing but this thread")
    }

    /// Lets it end its call, and compares what comes of that. Returns whether it is over, and a
    /// result if it has loaded one.
    pub(super) fn end_call(
        &mut self,
        model: &mut Model,
    ) -> Result<(bool, Option<usize>), TestCaseError> {
        let expected = model.go_on(&mut self.stint);
        self.go_on.send(()).expect("it is in a call");
        let progress = self.hear();
        prop_assert_eq!(&progress, &expected, "{:?}", &self.stint);
        Ok(match progress {
            Progress::AnotherCall => (false, None),
            Progress::Over(outcome) => (true, outcome.ok().filter(|_| !self.stint.is_ahead)),
        })
    }
}
