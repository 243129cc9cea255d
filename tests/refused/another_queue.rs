//! What a batch keeps its results in is no choice of its user.

use ft_local::{Batch, Iter, Native};

struct Evil;

impl ft_local::Queue for Evil {}

fn main() {
    let _: Batch<Native<usize>, Iter<std::ops::Range<usize>>, Evil>;
}
