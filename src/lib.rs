//! Many threads, shared objects, no fighting over reference counts.
//!
//! Two things, both for objects that some host runtime owns:
//!
//! * [`Wrapper`] holds one object, retained once. A thread works through its own wrapper, so the
//!   object's reference count, for which every core would contend, is touched when the wrapper is
//!   made and when it dies, and not in between.
//! * [`Batch`] runs a source in one thread at a time and hands each of its results to exactly one
//!   of the threads that [`load`](Batch::load) them.
//!
//! [`Host`] says what the library must know of the runtime: how a reference is kept as one machine
//! word, and how a thread waits. [`Native`] is Rust itself as the host, for `Box`, `Arc` and plain
//! words. A host known by function pointers is what the C interface in `include/ft_local.h` is for;
//! [`raw`] is what such an interface is made of.
//!
//! ```
//! use ft_local::{Batch, Native};
//! use std::convert::Infallible;
//!
//! let mut id = 0;
//! let source = move || {
//!     id += 1;
//!     Ok::<_, Infallible>(Box::new(id))
//! };
//! let batch = Batch::new(Native::<Box<u64>>::new(), source, 64).expect("64 is a size");
//! let loaded = std::thread::scope(|s| {
//!     let loader = s.spawn(|| *batch.load().expect("this source never fails"));
//!     *batch.load().expect("this source never fails") + loader.join().expect("the loader returns")
//! });
//! assert_eq!(loaded, 1 + 2);
//! ```

mod batch;
mod error;
mod freed;
mod host;
mod memory;
mod panic;
mod process;
pub mod raw;
mod source;
mod sync;
#[cfg(feature = "test-hooks")]
pub mod test_hooks;
mod wrapper;

pub use batch::{
    Batch, Cursor, ForkPolicy, LoadFuture, Loads, MAX_FILLERS, NextFuture, Options, Stats, Ticket,
};
#[cfg(feature = "stream")]
pub use batch::{CursorStream, LoadStream};
pub use error::{BoxError, LoadError, NewError};
pub use host::{Host, Native, Pointer, Word};
pub use memory::MAX_SIZE;
pub use source::{Filled, Filler, Iter, Made, Slots, Source};
pub use wrapper::Wrapper;
