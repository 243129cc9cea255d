//! The C interface: checks arguments, calls the core, returns a status. Nothing else.
//!
//! No exported function is named here: a `pub` function of a module is one, and the header is made of
//! the modules.

// The names are C's, and the header is made from them, in the order of the modules.
#![allow(non_camel_case_types)]
// The comments become the header's: what a caller promises stands there in its own words.
#![allow(clippy::missing_safety_doc)]

mod version;
mod status;
mod host;
mod source;
mod wrapper;
mod options;
mod batch;
mod load;
mod cursor;
mod stats;

mod argument;
mod handle;
#[cfg(test)]
mod tests;

pub use batch::*;
pub use cursor::*;
pub use host::*;
pub use load::*;
pub use options::*;
pub use source::*;
pub use stats::*;
pub use status::*;
pub use version::*;
pub use wrapper::*;
