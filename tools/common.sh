# Sourced by the other shell scripts: paths, messages, and the Python that is used.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034 # Used by the scripts that source this file.
build=$root/build
script=$(basename "$0")

say() { echo "$script: $*" >&2; }
die() {
    say "$@"
    exit 1
}

# step TITLE LOG COMMAND...: runs a long command with its output in a log, and stops the script if it
# fails. A function fails at its first error. It runs in a subshell.
step() {
    local title=$1 log=$2 start=$SECONDS status
    shift 2
    say "$title ... (output in $log)"
    mkdir -p "$(dirname "$log")"
    # Not in a condition, in which the shell ignores `set -e`.
    set +e
    (set -e && "$@") >"$log" 2>&1 </dev/null
    status=$?
    set -e
    if [ $status -ne 0 ]; then
        tail -n 40 "$log" >&2
        die "$title: failed; the whole output is in $log"
    fi
    say "$title: done in $((SECONDS - start)) s"
}

# Prints the interpreter that is meant by "Python": $PYTHON, or the first of these that is new enough.
ordinary_python() {
    local name
    for name in ${PYTHON:-python3 python3.15 python3.14 python3.13 python3.12 python3.11}; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            # What is on the PATH may be a script that finds another.
            "$name" -c 'import os, sys; print(os.path.realpath(sys.executable))'
            return
        fi
    done
    return 1
}
