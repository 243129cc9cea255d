//! Only an `unsafe` promise makes a word an object.

use ft_local::{Host, Native, Pointer};

struct Dangling;

impl Pointer for Dangling {
    fn into_word(self) -> usize {
        1
    }

    unsafe fn from_word(_: usize) -> Self {
        Self
    }
}

fn main() {
    let _ = Native::<Box<u8>>::new().adopt_word(1);
}
