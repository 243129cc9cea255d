//! Another project's library, which catches a panic of its own, with the standard library inside.

/// Twice the number, by way of a panic.
#[no_mangle]
pub extern "C" fn other_twice(number: u64) -> u64 {
    std::panic::set_hook(Box::new(|_| ()));
    let caught = std::panic::catch_unwind(|| std::panic::panic_any(number * 2));
    *caught.unwrap_err().downcast::<u64>().unwrap()
}
