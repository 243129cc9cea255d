//! The source of the batch, which does what its script says.

use super::busy::end_call_when_told;
use super::*;
use crate::source::Source;

/// One of any number of sources of one script.
#[derive(Clone, Default)]
pub(super) struct Scripted(pub(super) Arc<Mutex<Script>>);

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
        end_call_when_told();
        // Another thread may have changed it since the fill began.
        let bulk = self.0.lock().unwrap().bulk.max(1);
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
        end_call_when_told();
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
