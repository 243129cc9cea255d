//! cargo-c runs a build script of this name and no other.

#[path = "../../build.rs"]
mod root;

fn main() {
    root::main();
}
