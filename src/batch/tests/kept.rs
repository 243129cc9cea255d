//! Cursors where freed handles are kept.

use super::forks::passes_in_child;
use super::*;
use crate::batch::node::node_of;
use crate::freed::keeps_freed;
use std::process::Command;
use std::ptr;

/// Runs `test`, which has this name, in a process that keeps freed handles.
fn where_handles_are_kept(name: &str, test: impl FnOnce()) {
    const VARIABLE: &str = "FT_LOCAL_CHECK_HANDLES";
    if std::env::var_os(VARIABLE).is_some_and(|value| value == "1") {
        assert!(keeps_freed());
        return test();
    }
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("batch::tests::kept::{name}")])
        .env(VARIABLE, "1")
        .status();
    assert!(status.unwrap().success());
}

fn all(node: &Node) -> Vec<Word> {
    std::iter::from_fn(|| node.pop()).collect()
}

#[test]
fn what_a_cursor_had_in_hand_leaves_its_memory() {
    where_handles_are_kept("what_a_cursor_had_in_hand_leaves_its_memory", || {
        let node = node_of(&[1, 2, 3], 10, ptr::null()).unwrap();
        // SAFETY: made above. The result is another one, and the memory of this one is not used.
        let other = unsafe {
            assert_eq!(node.as_ref().pop(), Some(1));
            let other = Node::leave(node);
            assert_ne!(other, node);
            other.as_ref()
        };
        assert_eq!((other.place(), all(other)), (11, vec![2, 3]));
        let empty = ptr::NonNull::from(other);
        assert_eq!(Node::leave(empty), empty, "there is nothing to be moved");
        // SAFETY: nobody uses it from now on.
        unsafe { Node::free(empty) };
    });
}

#[test]
fn one_thread_at_a_time_is_inside_a_call_with_a_cursor() {
    where_handles_are_kept("one_thread_at_a_time_is_inside_a_call_with_a_cursor", || {
        let made = Node::new(4, ptr::null(), true, false).unwrap();
        // SAFETY: made above, and freed at the end.
        let node = &Shared(unsafe { &*made.as_ptr().cast_const() });
        let another_enters =
            || std::thread::scope(|scope| scope.spawn(|| node.enter().is_some()).join().unwrap());
        assert!(another_enters() && another_enters(), "each has left");
        let inside = node.enter();
        assert!(inside.is_some() && !another_enters());
        drop(node.enter().expect("a call inside a call of the same thread"));
        assert!(!another_enters(), "the outer call goes on");
        drop(inside);
        assert!(another_enters());
        // SAFETY: nobody uses it from now on.
        unsafe { Node::free(made) };
    });
}

#[test]
fn a_thread_that_a_fork_has_not_copied_is_inside_no_more() {
    where_handles_are_kept("a_thread_that_a_fork_has_not_copied_is_inside_no_more", || {
        let node = Node::new(4, ptr::null(), true, false).unwrap();
        // SAFETY: made above, and freed at the end.
        let shared = Shared(unsafe { &*node.as_ptr().cast_const() });
        let (entered, go_on) = (Barrier::new(2), Barrier::new(2));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let inside = shared.enter();
                entered.wait();
                go_on.wait();
                drop(inside);
            });
            entered.wait();
            assert!(shared.enter().is_none());
            let entered_in_child = passes_in_child(|| assert!(shared.enter().is_some()));
            go_on.wait();
            assert!(entered_in_child);
        });
        // SAFETY: nobody uses it from now on.
        unsafe { Node::free(node) };
    });
}

struct Shared(&'static Node);

// SAFETY: all that the threads do with it is to enter, which any thread may do.
unsafe impl Sync for Shared {}

impl Shared {
    fn enter(&self) -> Option<crate::batch::InUse<'_>> {
        self.0.enter()
    }
}
