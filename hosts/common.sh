# Sourced by each hosts/<name>/test: where things are, how a test says that it cannot run, and the
# library as a user has it, installed. tools/nox -s host-<name> runs a test.
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

# Lets what is run afterwards find the library as its users have it, which the session has installed.
installed_library() {
    local pc
    pc=$(find "$build/prefix" -name ft_local.pc 2>/dev/null)
    [ -n "$pc" ] || die "the library is not in build/prefix; run tools/nox -s library"
    export PKG_CONFIG_PATH=${pc%/*}${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
    # shellcheck disable=SC2034 # Used by the tests.
    prefix=$build/prefix
    export LD_LIBRARY_PATH=${pc%/pkgconfig/*}${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
}

# readme_examples LANGUAGE: writes the programs in that language in the README of this host, in order,
# to $work/examples/1.LANGUAGE, 2.LANGUAGE and so on, for the test to run, and their number to
# `examples`. A block whose `skip` comment says that it is a fragment is none.
readme_examples() {
    rm -rf "$work/examples"
    mkdir "$work/examples"
    examples=$(awk -v language="$1" -v folder="$work/examples" '
        /^<!-- skip: next "a fragment/ { fragment = 1 }
        /^```$/ { inside = 0 }
        inside { print >file }
        /^```./ {
            inside = $0 == "```" language && !fragment
            fragment = 0
            if (inside) { file = folder "/" ++count "." language }
        }
        END { print count + 0 }' "$here/README.md")
    [ "$examples" -gt 0 ] || die "README.md has no example in $1"
}
