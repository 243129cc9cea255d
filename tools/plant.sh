# Sourced, after common.sh and in the root of the checkout, by the scripts that show that they can
# find a fault.
# shellcheck shell=bash

# plant CRATE FILE SCRIPT: copies the crate to CRATE, with the fault that the sed script injects
# into that file.
plant() {
    local crate=$1 file=$2 script=$3 name
    rm -rf "$crate"
    mkdir -p "$crate"
    for name in src include tests benches Cargo.toml Cargo.lock build.rs; do
        if [ -e "$name" ]; then cp -r "$name" "$crate/"; fi
    done
    sed -i -E "$script" "$crate/$file"
    if cmp -s "$file" "$crate/$file"; then die "the fault '$script' changes nothing in $file"; fi
}

# anew CRATE: has cargo build the crate anew. It takes the checkout and a copy for one crate: in a
# target folder that they share, what was built last is what it finds, with the fault or without.
anew() { touch "$1/src/lib.rs" "$1/src/capi/lib.rs"; }
