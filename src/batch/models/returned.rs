//! The stack of what came back, by itself.

use super::super::returned::Returned;
use super::{check, sorted};
use crate::cursor::node_of;
use loom::sync::Arc;
use loom::thread;

#[test]
fn what_comes_back_in_two_threads_is_taken_whole_and_once() {
    check("push against push against pop", || {
        let returned = Arc::new(Returned::new());
        let givers: Vec<_> = [[1, 2], [3, 4]]
            .into_iter()
            .map(|words| {
                let returned = returned.clone();
                thread::spawn(move || returned.push(node_of(&words, std::ptr::null()).unwrap()))
            })
            .collect();
        let mut pop = || returned.pop().map(|(word, _)| word);
        let mut taken: Vec<_> = pop().into_iter().collect();
        givers.into_iter().for_each(|giver| giver.join().unwrap());
        taken.extend(std::iter::from_fn(&mut pop));
        assert_eq!(sorted(taken), [1, 2, 3, 4]);
    });
}
