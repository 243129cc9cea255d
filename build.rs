//! Names the shared library, and on request writes the C header.

const ABI_VERSION: u32 = 0;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libft_local.so.{ABI_VERSION}");
    }
    println!("cargo:rustc-env=FT_LOCAL_ABI_VERSION={ABI_VERSION}");
    #[cfg(feature = "header")]
    header::write();
}

#[cfg(feature = "header")]
mod header {
    use std::env;
    use std::path::Path;

    /// Writes the header to `$FT_LOCAL_HEADER`, or to its place in the source tree.
    pub(super) fn write() {
        println!("cargo:rerun-if-changed=src/capi");
        println!("cargo:rerun-if-changed=cbindgen.toml");
        println!("cargo:rerun-if-env-changed=FT_LOCAL_HEADER");
        let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
        let root = Path::new(&root);
        let target = env::var_os("FT_LOCAL_HEADER")
            .map_or_else(|| root.join("include/ft_local.h"), Into::into);
        let mut config = cbindgen::Config::from_file(root.join("cbindgen.toml"))
            .expect("cbindgen.toml is a cbindgen configuration");
        let versions = config.after_includes.get_or_insert_default();
        for part in ["MAJOR", "MINOR", "PATCH"] {
            let value = env::var(format!("CARGO_PKG_VERSION_{part}")).expect("cargo sets it");
            versions.push_str(&format!("\n#define FT_LOCAL_VERSION_{part} {value}"));
        }
        versions.push_str(&format!("\n#define FT_LOCAL_ABI_VERSION {}\n", super::ABI_VERSION));
        cbindgen::Builder::new()
            .with_config(config)
            .with_src(root.join("src/capi/mod.rs"))
            .generate()
            .expect("the C interface can be written as a header")
            .write_to_file(target);
    }
}
