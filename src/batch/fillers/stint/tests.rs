use super::*;
use crate::batch::Options;
use crate::host::Native;
use crate::source::Iter;
use std::cell::Cell;

/// Whether a load that began to run its source then, and has made a result, calls it again.
fn goes_on(batch: &Batch<Native<usize>, Iter<std::ops::Range<usize>>>, began: Instant) -> bool {
    let (permit, vacancy) = batch.take_permit(0).unwrap();
    let mut stint = Stint::new(batch, permit, vacancy).unwrap();
    (stint.made, stint.limit, stint.started) = (1, 4, Some(began));
    stint.goes_on()
}

#[test]
fn a_load_without_a_budget_calls_only_a_quick_source_again_or_for_threads_that_wait() {
    const HOUR: Duration = Duration::from_secs(3600);
    let sources = vec![Iter(0..9); 2];
    let options = Options::default();
    let batch = Batch::with_fillers(Native::new(), sources, 4, options).unwrap();
    let now = Instant::now();
    // What began in the future has lasted for no time at all.
    let (quick, slow) = (now + HOUR, now.checked_sub(HOUR).unwrap());
    let both = || [quick, slow].map(|began| goes_on(&batch, began));
    assert_eq!(both(), [true, false]);
    let with_a_waiter = Cell::new(None);
    let look = || with_a_waiter.replace(Some((batch.parking.starving(), both()))).is_none();
    batch.parking.wait(None, || false, look);
    assert_eq!(with_a_waiter.get(), Some((1, [true, false])), "not for long");
}
