# Sourced, after common.sh and in the root of the checkout, by the scripts that use a sanitizer. It
# builds the crate, its tests and the C tests with one.
#
# Everything uses one LLVM, that of Debian's second Rust toolchain (packages rustc-web, cargo-web).
# The source of its standard library is available too (rust-web-src): ThreadSanitizer needs that
# library instrumented, or its locks look like races.
# shellcheck shell=bash
# shellcheck disable=SC2154 # common.sh sets root and build.

# shellcheck source=tools/plant.sh
source "$(dirname "${BASH_SOURCE[0]}")/plant.sh"

# sanitize KIND CLANG-KIND RUST-FLAG...: sets what the functions below build with. KIND is `thread`
# or `address`, as rustc calls it.
sanitize() {
    sanitizer=$1 clang_sanitizer=$2
    shift 2
    export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1
    local library llvm
    library=$("$RUSTC" --print sysroot 2>/dev/null)/lib/rustlib/src/rust/library
    [ -d "$library" ] || die "the standard library's source is missing; run: tools/setup --all"
    llvm=$("$RUSTC" -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
    clang=clang-$llvm
    # shellcheck disable=SC2034 # Used by the scripts that source this file.
    symbolizer=$(command -v "llvm-symbolizer-$llvm") ||
        die "llvm-symbolizer-$llvm is missing; run: tools/setup --all"
    command -v "$clang" >/dev/null || die "$clang is missing; run: tools/setup --all"
    # Without a target of its own, build scripts would be instrumented too.
    triple=$("$RUSTC" -vV | sed -n 's/^host: //p')
    export RUSTFLAGS="-Zsanitizer=$sanitizer -Zexternal-clangrt -Clinker=$clang $*"
    RUSTFLAGS+=" -Clink-arg=-fsanitize=$sanitizer"
    target=$root/target/$sanitizer-sanitizer
    work=$build/$sanitizer-sanitizer
    cargo_options=(--target "$triple" --target-dir "$target" --locked)
    mkdir -p "$work"
    "$RUSTC" -V
}

# Faults that ThreadSanitizer must find: two threads in the source at a time, and results that are
# used with nothing between the thread that made them and the one that got them.

# plant_race CRATE
plant_race() { plant "$1" src/batch/role.rs 's/if !holder\.is_gone\(\) \{/if false {/'; }

# plant_weak_ordering CRATE
plant_weak_ordering() {
    plant "$1" src/batch/ring.rs '/\.store\(/s/Ordering::Release/Ordering::Relaxed/'
}

sanitize_threads() {
    sanitize thread thread
    cargo_options+=("-Zbuild-std=std,panic_abort,panic_unwind,proc_macro,test")
}

# The static library of the crate in CRATE, as OUT.
build_library() {
    local crate=$1 out=$2
    anew "$crate"
    (cd "$crate" && /usr/bin/cargo rustc -p ft_local_capi "${cargo_options[@]}" --lib \
        --crate-type staticlib)
    cp "$target/$triple/debug/libft_local.a" "$out"
}

# build_tests CRATE ARGUMENT...: prints the test programs that cargo makes of the crate in CRATE.
build_tests() {
    local crate=$1
    anew "$crate"
    shift
    (cd "$crate" && /usr/bin/cargo test "${cargo_options[@]}" "$@" --no-run --message-format=json) |
        python3 -c 'import json, sys
for line in sys.stdin:
    if program := json.loads(line).get("executable"):
        print(program)'
}

# build_c_test SOURCE LIBRARY OUT: a program of c_tests, or a changed copy of one.
build_c_test() {
    local source=$1 library=$2 out=$3 compiler=$clang standard=gnu11 object
    local flags=(-fsanitize="$clang_sanitizer" -fno-sanitize-recover=undefined -O1 -g
        -Iinclude -Ic_tests/support "-DFT_LOCAL_CARGO_VERSION=\"$(cargo_version)\"")
    if [ ! -f "$work/support/done" ]; then
        rm -rf "$work/support"
        mkdir "$work/support"
        for object in c_tests/support/*.c; do
            "$clang" "${flags[@]}" -std=gnu11 -c "$object" \
                -o "$work/support/$(basename "$object" .c).o"
        done
        touch "$work/support/done"
    fi
    case $source in *.cpp) compiler=${clang/clang/clang++} standard=c++17 ;; esac
    "$compiler" "${flags[@]}" -std="$standard" "$source" "$work"/support/*.o "$library" \
        -lgcc_s -lpthread -ldl -lm -o "$out"
}

cargo_version() { sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1; }

# finds WORDS LOG COMMAND...: the command must fail with a report that holds these words.
finds() {
    local words=$1 log=$2
    shift 2
    if "$@" >"$log" 2>&1; then
        die "'$words' was not found by $1: is the sanitizer on?"
    fi
    grep -q "$words" "$log" || {
        tail -n 40 "$log"
        die "$1 failed otherwise than by '$words'"
    }
    echo "found by $(basename "$1"): $words"
}

# finds_race FAULT ROUNDS COMMAND...: one of the rounds must end with the report of a race.
finds_race() {
    local fault=$1 rounds=$2 round
    shift 2
    for round in $(seq "$rounds"); do
        if ! "$@" >"$work/seeded.log" 2>&1; then
            grep -q "WARNING: ThreadSanitizer: data race" "$work/seeded.log" || {
                tail -n 40 "$work/seeded.log"
                die "$fault: $1 failed otherwise than by a race"
            }
            echo "found by $(basename "$1"), round $round: $fault"
            return
        fi
    done
    die "$fault: not found in $rounds rounds; is the sanitizer on?"
}
