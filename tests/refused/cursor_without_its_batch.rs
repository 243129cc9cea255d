//! A cursor borrows its batch.

use ft_local::{Batch, Iter, Native};

fn main() {
    let batch = Batch::new(Native::<usize>::new(), Iter(0..9), 4).unwrap();
    let mut cursor = batch.cursor().unwrap();
    drop(batch);
    let _ = cursor.next();
}
