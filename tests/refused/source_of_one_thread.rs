//! Any thread may come to run the source, so it has to be one that can be sent.

use ft_local::{Batch, Native};
use std::convert::Infallible;
use std::rc::Rc;

fn main() {
    let of_this_thread = Rc::new(1);
    let source = move || Ok::<_, Infallible>(*of_this_thread);
    let _ = Batch::new(Native::<usize>::new(), source, 1);
}
