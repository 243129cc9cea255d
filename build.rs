//! Names the shared library, and on request writes the C header.

const ABI_VERSION: u32 = 0;

pub(crate) fn main() {
    println!("cargo:rerun-if-changed=../../build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libft_local.so.{ABI_VERSION}");
        link_to_soname();
    }
    println!("cargo:rustc-env=FT_LOCAL_ABI_VERSION={ABI_VERSION}");
    #[cfg(feature = "header")]
    header::write();
}

/// A program that is linked to `target/release/libft_local.so` looks for it by the name above, so
/// beside the library cargo's folder has a link of that name.
fn link_to_soname() {
    use std::path::Path;

    // target/release/build/ft_local-*/out
    let out = std::env::var_os("OUT_DIR").expect("cargo sets it");
    if let Some(folder) = Path::new(&out).ancestors().nth(3) {
        let link = folder.join(format!("libft_local.so.{ABI_VERSION}"));
        // It is a convenience: where there can be no links, all else works.
        let _ = std::fs::remove_file(&link);
        #[cfg(unix)]
        let _ = std::os::unix::fs::symlink("libft_local.so", &link);
    }
}

#[cfg(feature = "header")]
mod header {
    use std::env;
    use std::fs;
    use std::path::{Path, PathBuf};

    /// The modules of `src/capi` in the order in which a reader needs them, and their titles.
    const SECTIONS: [(&str, &str); 11] = [
        ("version", "Version"),
        ("status", "Status"),
        ("host", "Host: what the library must know of your runtime"),
        ("source", "Source: what makes results"),
        ("wrapper", "Wrapper: one object for one thread"),
        ("options", "Batch: options"),
        ("batch", "Batch: results made by one thread at a time, each for exactly one load"),
        ("load", "Batch: load"),
        (
            "notify",
            "Waiting without blocking: loads that do not wait, and a call when to try again",
        ),
        ("cursor", "Cursor: one thread's way to take many results"),
        ("stats", "Batch: statistics"),
    ];

    /// Writes the header to `$FT_LOCAL_HEADER`, or to its place in the source tree.
    pub(super) fn write() {
        println!("cargo:rerun-if-changed=.");
        println!("cargo:rerun-if-changed=../../cbindgen.toml");
        println!("cargo:rerun-if-env-changed=FT_LOCAL_HEADER");
        let capi = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
        let root = capi.join("../..");
        let target = env::var_os("FT_LOCAL_HEADER")
            .map_or_else(|| root.join("include/ft_local.h"), Into::into);
        let config = cbindgen::Config::from_file(root.join("cbindgen.toml"))
            .expect("cbindgen.toml is a cbindgen configuration");
        let mut header = part(&capi, "begin");
        for (module, title) in SECTIONS {
            let rule = "-".repeat(96 - title.len());
            header.push_str(&format!("// {title} {rule}\n\n"));
            header.push_str(&part(&capi, module));
            header.push_str(&section(&config, &capi.join(module).with_extension("rs")));
            header.push('\n');
        }
        header.push_str(&part(&capi, "end"));
        fs::write(target, header.trim_end().to_owned() + "\n").expect("the header can be written");
    }

    /// What is written by hand for one section, if anything is.
    fn part(capi: &Path, name: &str) -> String {
        let text = fs::read_to_string(capi.join(format!("header/{name}.h"))).unwrap_or_default();
        let text = ["MAJOR", "MINOR", "PATCH"].iter().fold(text, |text, part| {
            let value = env::var(format!("CARGO_PKG_VERSION_{part}")).expect("cargo sets it");
            text.replace(&format!("@{part}@"), &value)
        });
        let text = text.replace("@ABI@", &super::ABI_VERSION.to_string());
        if text.is_empty() { text } else { text + "\n" }
    }

    /// What cbindgen makes of one module.
    fn section(config: &cbindgen::Config, module: &Path) -> String {
        let mut text = Vec::new();
        cbindgen::Builder::new()
            .with_config(config.clone())
            .with_src(module)
            .generate()
            .expect("the C interface can be written as a header")
            .write(&mut text);
        String::from_utf8(text).expect("a header is text")
    }
}
