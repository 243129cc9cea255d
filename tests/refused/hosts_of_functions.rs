//! A host known by its functions is the C interface's: here it could be made with any address.

fn host(_: ft_local::HostTable) {}

fn main() {}
