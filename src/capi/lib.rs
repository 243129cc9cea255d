//! The C interface: checks arguments, calls the core, returns a status. Nothing else.
//!
//! It is a crate of its own and uses what the core shows to any Rust program, above all
//! [`ft_local::raw`]. No exported function is named here: a `pub` function of a module is one, and
//! the header is made of the modules.
//!
//! Every exported function is `unsafe`, as it relies on its caller to pass what the header asks for:
//! pointers that are NULL or point to what they should, for as long as the call takes. It passes that
//! promise on to the functions that use the pointers. This is said here once, for the modules that
//! allow `unsafe_op_in_unsafe_fn`; everything else that is unsafe says why it is right.

// The names are C's, and the header is made from them, in the order of the modules.
#![allow(non_camel_case_types)]
// The comments become the header's: what a caller promises stands there in its own words.
#![allow(clippy::missing_safety_doc)]

mod version;
mod status;
#[allow(unsafe_op_in_unsafe_fn)]
mod host;
#[allow(unsafe_op_in_unsafe_fn)]
mod source;
#[allow(unsafe_op_in_unsafe_fn)]
mod wrapper;
#[allow(unsafe_op_in_unsafe_fn)]
mod options;
#[allow(unsafe_op_in_unsafe_fn)]
mod batch;
#[allow(unsafe_op_in_unsafe_fn)]
mod load;
#[allow(unsafe_op_in_unsafe_fn)]
mod notify;
#[allow(unsafe_op_in_unsafe_fn)]
mod cursor;
#[allow(unsafe_op_in_unsafe_fn)]
mod stats;

mod argument;
mod call;
mod handle;
mod host_table;
mod object;
mod place;
// Models count no locks and fork no processes.
#[cfg(all(test, not(any(loom, shuttle))))]
mod tests;

pub use batch::*;
pub use cursor::*;
pub use host::*;
pub use load::*;
pub use notify::*;
pub use options::*;
pub use source::*;
pub use stats::*;
pub use status::*;
pub use version::*;
pub use wrapper::*;
