//! Results that borrow must not outlive what they borrow, in the buffer either.

use ft_local::{Batch, Native};
use std::convert::Infallible;

fn main() {
    let batch;
    {
        let text = String::from("of this block");
        let source = || Ok::<_, Infallible>(Box::new(text.as_str()));
        batch = Batch::new(Native::<Box<&str>>::new(), source, 4).unwrap();
    }
    let _ = batch.load();
}
