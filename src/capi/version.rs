//! Which library this is.

use crate::call::ask;
use std::ffi::{CStr, c_char};

const fn number(text: &str) -> u32 {
    let digits = text.as_bytes();
    let (mut value, mut index) = (0, 0);
    while index < digits.len() {
        value = value * 10 + (digits[index] - b'0') as u32;
        index += 1;
    }
    value
}

const VERSION_NUMBER: u32 = number(env!("CARGO_PKG_VERSION_MAJOR")) * 1_000_000
    + number(env!("CARGO_PKG_VERSION_MINOR")) * 1_000
    + number(env!("CARGO_PKG_VERSION_PATCH"));

const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => panic!("a version has no NUL in it"),
    };

/// The version of the library that was loaded, as "major.minor.patch".
///
/// Ownership: the text is borrowed and valid for the life of the process.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn ft_local_version() -> *const c_char {
    ask(c"", || Ok(VERSION)).as_ptr()
}

/// The version of the library that was loaded, as an increasing number: major * 1000000 +
/// minor * 1000 + patch. Compare with `FT_LOCAL_VERSION_NUMBER`, the version of the header.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn ft_local_version_number() -> u32 {
    ask(0, || Ok(VERSION_NUMBER))
}

/// The version of the binary interface of the library that was loaded, which is also the number in
/// its SONAME. A program needs a library whose number is `FT_LOCAL_ABI_VERSION`.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn ft_local_abi_version() -> u32 {
    const ABI_VERSION: u32 = number(env!("FT_LOCAL_ABI_VERSION"));
    ask(0, || Ok(ABI_VERSION))
}
