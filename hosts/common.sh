# Sourced by each hosts/<name>/test: where things are, how a test says that it cannot run, and the
# library as a user has it, installed.
#
# A test takes no argument, builds into $work only, and ends with 0 if it passed, 77 if it was
# skipped, anything else if it failed. Its last line of output is a note with its figures.
# shellcheck shell=bash

# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../tools/common.sh"

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck disable=SC2154 # tools/common.sh sets build.
work=$build/hosts/$(basename "$here")
# What `say` and `die` begin with.
# shellcheck disable=SC2034
script=hosts/$(basename "$here")/test
mkdir -p "$work"

note() { echo "note: $*"; }
skip() {
    note "$@"
    exit 77
}

# need COMMAND PACKAGE: skips the test unless there is such a command.
need() {
    command -v "$1" >/dev/null || skip "$1 is missing: install $2, or run make hosts"
}

# Installs the library, with its header and what pkg-config says about it, under
# build/hosts/prefix, unless that is what is there already. What is run afterwards finds it.
installed_library() {
    prefix=$build/hosts/prefix
    mkdir -p "$prefix"
    # Two tests at a time must not build in one folder.
    exec 9>"$prefix.lock"
    flock 9
    if ! { "$root/tools/cmake-build" --library && "$root/tools/cmake-build" --install "$prefix"; } \
        >"$prefix.log" 2>&1; then
        tail -n 40 "$prefix.log" >&2
        die "the library was not built; the whole output is in $prefix.log"
    fi
    exec 9>&-
    local pc
    pc=$(find "$prefix" -name ft_local.pc)
    export PKG_CONFIG_PATH=${pc%/*}${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
    export LD_LIBRARY_PATH=${pc%/pkgconfig/*}${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
}
