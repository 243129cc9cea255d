//! The list of results that came back, alone.

use super::super::returned::Returned;
use super::{check, sorted};
use crate::batch::node::node_of;
use loom::sync::Arc;
use loom::thread;

/// Gives `words` back. Their place is that of the first.
fn push(returned: &Returned, words: &[usize]) {
    returned.push(node_of(words, words[0].cast_signed() as i64, std::ptr::null()).unwrap());
}

#[test]
fn results_returned_by_two_threads_are_taken_once() {
    check("push against push against pop", || {
        let returned = Arc::new(Returned::new());
        let giver = {
            let returned = returned.clone();
            thread::spawn(move || push(&returned, &[3, 4]))
        };
        push(&returned, &[1, 2]);
        let mut taken: Vec<_> = returned.pop().into_iter().collect();
        assert_eq!(taken, [1], "what came back before this thread looked");
        giver.join().unwrap();
        taken.extend(std::iter::from_fn(|| returned.pop()));
        assert_eq!(taken, [1, 2, 3, 4]);
        assert!(!returned.has_some());
    });
}

#[test]
fn an_empty_node_is_taken_out_while_another_comes_back_above_it() {
    check("push against pop of the last", || {
        let returned = Arc::new(Returned::new());
        push(&returned, &[1]);
        let giver = {
            let returned = returned.clone();
            thread::spawn(move || push(&returned, &[2]))
        };
        assert_eq!(returned.pop(), Some(1));
        giver.join().unwrap();
        assert_eq!([returned.pop(), returned.pop()], [Some(2), None]);
        assert_eq!(returned.len(), 0);
    });
}

#[test]
fn returned_results_are_seen_while_another_thread_inspects_them() {
    check("pop against pop", || {
        let returned = Arc::new(Returned::new());
        push(&returned, &[1, 2]);
        let other = {
            let returned = returned.clone();
            thread::spawn(move || returned.pop())
        };
        let taken = [returned.pop(), other.join().unwrap()];
        assert_eq!(sorted(taken.into_iter().flatten().collect()), [1, 2]);
    });
}
