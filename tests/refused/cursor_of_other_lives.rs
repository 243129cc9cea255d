//! A cursor gives results back when it is dropped, so it is as strict as its batch.

use ft_local::{Cursor, Native, Slots, Source};
use std::convert::Infallible;

type Texts<'a> = Native<Box<&'a str>>;

/// A source of texts that live as long as the batch wants them to.
struct Any;

impl<'a> Source<Texts<'a>> for Any {
    type Error = Infallible;

    fn fill(&mut self, _: &Texts<'a>, slots: &mut Slots<'_, Texts<'a>>) -> Result<(), Infallible> {
        slots.push(Box::new("of the program"));
        Ok(())
    }
}

fn shrink<'b, 'short>(cursor: Cursor<'b, Texts<'static>, Any>) -> Cursor<'b, Texts<'short>, Any> {
    cursor
}

fn main() {}
