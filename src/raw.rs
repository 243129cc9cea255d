//! For bindings to other languages: results as words, the memory of cursors, and panics as values.
//!
//! A binding keeps a result as a [`Word`](crate::Word) until its caller has it. The methods that
//! deal in words are those of the types they belong to:
//!
//! * [`Batch::try_claim_fast`](crate::Batch::try_claim_fast) and
//!   [`Batch::load_slow`](crate::Batch::load_slow) are a load in two steps, the second of which is
//!   rare;
//! * [`Batch::load_slow_with`](crate::Batch::load_slow_with) is that step of a load with an argument for
//!   the source;
//! * [`Batch::load_slow_now`](crate::Batch::load_slow_now) is the second step of a load that does not
//!   wait, [`Batch::notify_raw`](crate::Batch::notify_raw) registers a function, and
//!   [`Batch::wake_everybody`](crate::Batch::wake_everybody) is for a handle that goes before its batch;
//! * [`Batch::load_words`](crate::Batch::load_words) and
//!   [`Batch::give_words_back`](crate::Batch::give_words_back) take and return many;
//! * [`Cursor::into_node`](crate::Cursor::into_node) makes a cursor the address of its memory,
//!   [`Cursor::from_node`](crate::Cursor::from_node) makes that a cursor again, and
//!   [`Cursor::next_word`](crate::Cursor::next_word) is its load,
//!   [`Cursor::next_word_with`](crate::Cursor::next_word_with) that with an argument;
//! * [`CursorNode::enter`] notes which thread is inside a call with a cursor, and [`keeps_freed`]
//!   says whether the memory of freed handles is to be kept, by [`keep`];
//! * [`Made::from_word`](crate::Made::from_word), [`Slots::unfilled`](crate::Slots::unfilled) and
//!   [`Slots::advance`](crate::Slots::advance) are how a source returns words.

pub use crate::batch::{InUse, Node as CursorNode, RawWake, Slow};
pub use crate::freed::{keep, keeps_freed};
pub use crate::panic::{Panicked, border};
