# Sourced by the other scripts: paths, messages, and signs of progress for long steps.
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

# follow TITLE LOG PID: shows that a running command is alive, until it ends. On a terminal that is
# one line that counts; elsewhere a line every half minute.
follow() {
    local title=$1 log=$2 pid=$3 start=$SECONDS spent width last
    width=$(tput cols 2>/dev/null || echo 80)
    while kill -0 "$pid" 2>/dev/null; do
        spent=$((SECONDS - start))
        if [ -t 2 ]; then
            last=$(tail -n 1 "$log" | tr -cd '[:print:]')
            last="  $title ... $spent s  $last"
            printf '\r\033[K%s' "${last:0:width-1}" >&2
        elif ((spent > 0 && spent % 30 == 0)); then
            echo "  $title ... $spent s, $(wc -l <"$log") lines of output" >&2
            sleep 0.8
        fi
        sleep 0.2
    done
    if [ -t 2 ]; then printf '\r\033[K' >&2; fi
}

# logged TITLE LOG COMMAND...: runs a command with its output in a log, and returns its status. The
# command gets a process group of its own, so that Ctrl-C ends all of it.
logged() {
    local title=$1 log=$2 pid status=0
    shift 2
    mkdir -p "$(dirname "$log")"
    : >"$log"
    set -m
    "$@" >"$log" 2>&1 </dev/null &
    pid=$!
    set +m
    # shellcheck disable=SC2064 # The process that is meant is the one of now.
    trap "kill -- -$pid 2>/dev/null; exit 130" INT TERM
    follow "$title" "$log" "$pid"
    wait "$pid" || status=$?
    trap - INT TERM
    return "$status"
}

# step TITLE LOG COMMAND...: as logged, and stops the script if the command fails.
step() {
    local start=$SECONDS
    logged "$@" || {
        tail -n 40 "$2" >&2
        die "$1: failed; the whole output is in $2"
    }
    say "$1: done in $((SECONDS - start)) s"
}
