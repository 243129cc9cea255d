//! The C interface: checks arguments, calls the core, returns a status. Nothing else.
//!
//! Every exported function is named here.

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

pub use version::{ft_local_abi_version, ft_local_version, ft_local_version_number};

pub use status::{ft_local_last_error, ft_local_status_text};

pub use host::ft_local_host_init;

pub use source::ft_local_source_init;

pub use wrapper::{
    ft_local_wrapper_free, ft_local_wrapper_get, ft_local_wrapper_new, ft_local_wrapper_visit,
};

pub use options::ft_local_batch_options_init;

pub use batch::{
    ft_local_batch_clear, ft_local_batch_close, ft_local_batch_free, ft_local_batch_is_closed,
    ft_local_batch_len, ft_local_batch_new, ft_local_batch_new_with, ft_local_batch_size,
    ft_local_batch_visit,
};

pub use load::{
    ft_local_batch_give_back, ft_local_batch_load, ft_local_batch_load_for,
    ft_local_batch_load_many, ft_local_batch_prefill, ft_local_batch_try_load,
};

pub use cursor::{
    ft_local_cursor_frame, ft_local_cursor_free, ft_local_cursor_len, ft_local_cursor_new,
    ft_local_cursor_next, ft_local_cursor_next_for, ft_local_cursor_visit,
};

pub use stats::{ft_local_batch_stats, ft_local_stats_init};
