//! What the compiler must refuse. Each file in `tests/refused/` breaks one promise of the types, and
//! stands beside the error that it must get.
//!
//! `TRYBUILD=overwrite cargo test --test refused` writes the errors anew.

#[test]
fn the_compiler_refuses_what_would_be_unsound() {
    trybuild::TestCases::new().compile_fail("tests/refused/*.rs");
}
