//! Results are made in one thread and loaded in another.

use ft_local::{Batch, Native};
use std::cell::Cell;
use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;

fn main() {
    let _ = Batch::new(Native::new(), || Ok::<_, Infallible>(Box::new(Rc::new(1))), 1);
    let _ = Batch::new(Native::new(), || Ok::<_, Infallible>(Arc::new(Cell::new(1))), 1);
}
