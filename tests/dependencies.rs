//! What a program that uses the crate gets along with it. cargo writes all of that into the
//! program's lock file, also what other systems and options need.

use std::process::Command;

#[test]
fn a_program_that_uses_the_crate_has_two_more_in_its_lock_file() {
    let mut tree = Command::new(env!("CARGO"));
    tree.args(["tree", "--package", "ft_local", "--edges", "no-dev", "--target", "all"])
        .args(["--all-features", "--prefix", "none", "--format", "{p}", "--locked", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = tree.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    let mut names: Vec<_> =
        printed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names, ["crossbeam-utils", "ft_local", "libc"]);
}
