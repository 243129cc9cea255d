use super::*;

#[test]
fn a_thread_leaves_the_sleepers_unless_all_have_been_woken() {
    let parking = Parking::with_one_asleep_and_one_woken();
    let word = || parking.0.waiting.load(Ordering::Relaxed);
    assert_eq!([parking.leave(), parking.leave()], [true, false]);
    assert_eq!((parking.sleepers(), word() & WOKEN), (0, ONE_WOKEN));
    parking.mark();
    assert!(!parking.leave() && parking.is_marked());
}
