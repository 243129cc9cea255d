//! A batch hands objects out, so it cannot pass for one of objects that live longer.

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

fn stretch<'b, 'short>(batch: &'b Batch<Texts<'short>, Any>) -> &'b Batch<Texts<'static>, Any> {
    batch
}

fn main() {}
