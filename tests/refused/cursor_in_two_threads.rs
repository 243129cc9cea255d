//! One thread at a time uses a cursor.

use ft_local::{Batch, Iter, Native};

fn main() {
    let batch = Batch::new(Native::<usize>::new(), Iter(0..9), 4).unwrap();
    let cursor = batch.cursor().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| cursor.len());
    });
}
