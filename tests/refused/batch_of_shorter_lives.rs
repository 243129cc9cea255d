//! A batch takes objects in, so it cannot pass for one of objects that live shorter.

use ft_local::{Batch, Filled, Filler, Native, Source};
use std::convert::Infallible;

type Texts<'a> = Native<Box<&'a str>>;

/// A source of texts that live as long as the batch wants them to.
struct Any;

impl<'a> Source<Texts<'a>> for Any {
    type Error = Infallible;

    fn run(&mut self, filler: impl Filler<Texts<'a>, Infallible>) -> Filled {
        filler.many(|_, slots| {
            slots.push(Box::new("of the program"));
            Ok(())
        })
    }
}

fn shrink<'b, 'short>(batch: &'b Batch<Texts<'static>, Any>) -> &'b Batch<Texts<'short>, Any> {
    batch
}

fn main() {}
