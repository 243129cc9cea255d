//! What a source puts into the slots is handed out as what the batch holds.

use ft_local::{Made, Native, Slots};

type Texts<'a> = Native<Box<&'a str>>;

fn slots<'s, 'short>(slots: Slots<'s, Texts<'static>>) -> Slots<'s, Texts<'short>> {
    slots
}

fn made<'short>(made: Made<Texts<'short>>) -> Made<Texts<'static>> {
    made
}

fn main() {}
