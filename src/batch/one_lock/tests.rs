use super::*;
use crate::host::Native;
use crate::source::Iter;

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn a_turn_begins_when_a_thread_is_let_in() {
    let mut one_lock = OneLock::new(true);
    one_lock.times.turn = HOUR;
    assert!(!one_lock.turn_is_over(), "the batch has just been made");
    one_lock.made = one_lock.made.checked_sub(2 * HOUR).unwrap();
    assert!(one_lock.turn_is_over());
    one_lock.begin_turn();
    assert!(!one_lock.turn_is_over());
}

/// Each of these waits has no end but the one that is there already.
#[test]
fn a_thread_waits_outside_until_it_is_let_in_or_has_no_reason_to() {
    let one_lock = OneLock::new(true);
    assert!(!one_lock.somebody_lets_in());
    one_lock.wait_outside(None, || true);
    one_lock.wait_at_the_door(None, || {
        one_lock.wait_outside(None, || false);
        one_lock.somebody_lets_in()
    });
    assert!(!one_lock.somebody_lets_in());
}

#[test]
fn threads_of_a_host_without_wishes_do_not_linger() {
    let batch = Batch::new(Native::<usize>::new(), Iter(1..), 4).unwrap();
    assert!(!batch.threads_linger() && !batch.waits_for_whole_fills());
}

#[test]
fn results_count_whether_they_were_taken_or_not() {
    let batch = Batch::new(Native::<usize>::new(), Iter(1..), 8).unwrap();
    let counts = [(); 4].map(|()| {
        batch.load().unwrap();
        batch.results_ever_made()
    });
    assert_eq!(counts, [7; 4]);
}
