//! What a program that uses the crate gets along with it. cargo writes all of that into the
//! program's lock file, also what other systems need, and no more
//! than the features need that the program asks for.

use std::process::Command;

fn dependencies(features: &[&str]) -> Vec<String> {
    let mut tree = Command::new(env!("CARGO"));
    tree.args(["tree", "--package", "ft_local", "--edges", "no-dev", "--target", "all"])
        .args(["--prefix", "none", "--format", "{p}", "--locked", "--offline"])
        .args(features)
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = tree.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    let names = printed.lines().filter_map(|line| line.split_whitespace().next());
    let mut names: Vec<_> = names.map(String::from).collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[test]
fn a_program_that_uses_the_crate_has_two_more_in_its_lock_file() {
    assert_eq!(dependencies(&[]), ["crossbeam-utils", "ft_local", "libc"]);
}

#[test]
fn streams_bring_one_more() {
    let with_streams = ["crossbeam-utils", "ft_local", "futures-core", "libc"];
    assert_eq!(dependencies(&["--features", "stream"]), with_streams);
    assert_eq!(dependencies(&["--all-features"]), with_streams);
}
