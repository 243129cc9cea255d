//! How things are timed: see `rounds`.

pub(crate) mod crew;
pub(crate) mod machine;
pub(crate) mod rounds;
pub(crate) mod shot;
