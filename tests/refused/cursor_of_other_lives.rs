//! A cursor gives results back when it is dropped, so it is as strict as its batch.

use ft_local::{Cursor, Filled, Filler, Native, Source};
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

fn shrink<'b, 'short>(cursor: Cursor<'b, Texts<'static>, Any>) -> Cursor<'b, Texts<'short>, Any> {
    cursor
}

fn main() {}
