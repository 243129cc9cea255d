# Sourced by tools/check: the commands of each stage, which runs in the root of the checkout and
# writes to a log. A stage fails if one of its commands fails. `note` adds a remark to the summary.
# `skip` says why a stage was skipped and how to enable it.
# shellcheck shell=bash
# shellcheck disable=SC2154 # tools/common.sh sets build.

note() { echo "note: $*"; }
skip() {
    note "$@"
    exit 77
}

tool() {
    local name=$1
    shift
    "$(dirname "$(tools/venv --tools)")/$name" "$@"
}

shared_library() {
    cargo build --quiet --release --lib --locked
    echo target/release/libft_local.so
}

# The interpreter with ft_local in it, for a line of tools/interpreters.
installed() { tools/install "$1"; }

stage_rust_format() { cargo fmt --check; }

stage_clippy() { cargo clippy --all-targets --locked -- -D warnings; }

stage_rustdoc() {
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items --locked
}

stage_c_format() {
    local files
    mapfile -t files < <(tools/format --files c)
    [ ${#files[@]} -gt 0 ] || die "no C file was found"
    tool clang-format --dry-run --Werror "${files[@]}"
    note "${#files[@]} files"
}

stage_python_lint() {
    local files
    mapfile -t files < <(tools/format --files python)
    tool ruff check "${files[@]}"
    tool ruff format --check "${files[@]}"
    note "${#files[@]} files"
}

stage_shell_lint() {
    local files
    mapfile -t files < <(tools/format --files shell)
    tool shellcheck "${files[@]}"
    note "${#files[@]} files"
}

# A filter that matches nothing passes too, so the tests are counted.
cargo_test() {
    local out passed
    out=$(mktemp "$build/logs/cargo.XXXXXX")
    cargo test --locked "$@" 2>&1 | tee "$out"
    passed=$(awk '/^test result:/ { passed += $4 } END { print passed + 0 }' "$out")
    rm "$out"
    [ "$passed" -gt 0 ] || die "no test was run"
    note "$passed passed"
}

stage_rust_tests() { cargo_test; }

# The benchmarks without their clocks: whether each candidate hands out each item once.
stage_bench() { cargo bench -p ft_local --quiet --locked --bench batch -- --check; }

# The models of the parts, small enough for every order in which their threads can meet.
complete_models=(models::parts models::queue models::returned one_place_is_used_again
    a_cursor_that_goes_while_the_batch_is_closed)

# loom PREEMPTIONS: every order in the models of the parts, and those with up to so many preemptions
# in all models. Prints how many executions each took. Other tests are not made to run under loom.
stage_loom() {
    local log=$build/loom-$1.log told=()
    export RUSTFLAGS="--cfg loom"
    models() {
        cargo_test --profile model --lib --target-dir target/loom -- --show-output "$@" | tee "$log"
        told+=("$(awk '/: [0-9]+ executions$/ { sum += $(NF - 1); models++ }
            END { print models, "models,", sum, "executions" }' "$log")")
    }
    unset LOOM_MAX_PREEMPTIONS
    models "${complete_models[@]}"
    LOOM_MAX_PREEMPTIONS=$1 models models
    note "no bound: ${told[0]}; $1 preemptions: ${told[1]}"
}

# schedules COUNT
stage_schedules() { FT_LOCAL_SCHEDULES=$1 tools/schedules; }

stage_header_current() { tools/header --check; }

stage_header_compiles() { tools/header-compiles; }

stage_header_cffi() { "$(tools/venv --tools)" tools/header-cffi "$(shared_library)"; }

stage_header_comments() { tools/header-facts comments; }

stage_exports() { tools/exports "$(shared_library)"; }

stage_gates() { tools/gates; }

ctest() {
    local out
    out=$(mktemp "$build/logs/ctest.XXXXXX")
    tools/cmake-build --test "$@" | tee "$out"
    note "$(grep -c ' Passed ' "$out") passed$(awk '/\*\*\*Skipped/ { names = names " " $4 }
        END { if (names) print ", skipped:" names }' "$out")"
    rm "$out"
}

stage_cmake() { ctest --label-exclude memcheck; }

# pytest INTERPRETER BACKEND ARGUMENT...
pytest() {
    local python out backend=$2
    python=$(installed "$1")
    shift 2
    out=$(mktemp "$build/logs/pytest.XXXXXX")
    FT_LOCAL_BACKEND=$backend PYTHONDONTWRITEBYTECODE=1 \
        "$python" -m pytest -p no:cacheprovider -q "$@" 2>&1 | tee "$out"
    note "$(tail -n 1 "$out" | sed 's/^=* //; s/ =*$//; s/ in .*//')"
    rm "$out"
}

stage_install() { installed "$1"; }

stage_pytest_one() { pytest "$@"; }

# both_backends INTERPRETER ARGUMENT...: at the same time, since a suite keeps one core busy.
both_backends() {
    local c ctypes other status=0
    installed "$1"
    c=$(mktemp "$build/logs/pytest-c.XXXXXX")
    ctypes=$(mktemp "$build/logs/pytest-ctypes.XXXXXX")
    # A shell lets what it runs in the background ignore Ctrl-C, which the tests send themselves.
    env --default-signal=INT tools/check --run pytest_one "$1" ctypes "${@:2}" >"$ctypes" 2>&1 &
    other=$!
    tools/check --run pytest_one "$1" c "${@:2}" 2>&1 | tee "$c" || status=1
    wait "$other" || status=1
    cat "$ctypes"
    note "c: $(sed -n 's/^note: //p' "$c"); ctypes: $(sed -n 's/^note: //p' "$ctypes")"
    rm "$c" "$ctypes"
    return "$status"
}

# pytest INTERPRETER
stage_pytest() { both_backends "$1" python_ctypes/tests; }

stage_versions() { "$(installed "$(tools/interpreters --ordinary)")" tools/versions "$(shared_library)"; }

stage_readme() { tools/readme-examples "$(installed "$(tools/interpreters --ordinary)")"; }

stage_free_threaded() {
    local python
    if python=$(tools/free-threaded-python --find); then
        note "$("$python" -c 'import platform; print(platform.python_version())')"
    else
        skip "there is none: make free-threaded builds it (5 to 15 minutes, once)"
    fi
}

# From here on: only in make test-all.

stage_build_free_threaded() { tools/free-threaded-python; }

stage_types() { tools/types "$(dirname "$(tools/venv --types)")/pyright"; }

# Also that a list with a line less would be noticed.
stage_rust_api() {
    tools/rust-api --check
    sed 1d docs/rust-api.txt >"$build/rust-api.txt"
    ! tools/rust-api --check "$build/rust-api.txt" >"$build/rust-api.log" 2>&1 ||
        die "a list without its first line is accepted"
    note "$(wc -l <docs/rust-api.txt) lines"
}

# Each of these breaks the batch in one place; a model, a scene or a test must find it.
stage_mutants() { tools/mutants; }

stage_tsan() { tools/tsan; }

stage_asan() { tools/asan; }

stage_fuzz() { tools/fuzz; }

stage_asan_python() { tools/asan-python "$(installed "$1")"; }

# The tests that give the shims most work on lives, and what nobody should do.
about_lives=(hostile_calls no_memory batch_{arguments,garbage,give_back,many} cursor_{garbage,object}
    wrapper_{arrays,cache,datetimes,kinds,lifetime})

# pytest_dev INTERPRETER BACKEND: Python's own checks of memory and of much else.
stage_pytest_dev() {
    local files
    mapfile -t files < <(printf 'python_ctypes/tests/test_%s.py\n' "${about_lives[@]}")
    PYTHONDEVMODE=1 PYTHONMALLOC=debug pytest "$1" "$2" "${files[@]}"
}

# The same with all tests: only in make soak.
stage_pytest_dev_whole() { PYTHONDEVMODE=1 PYTHONMALLOC=debug pytest "$1" "$2" python_ctypes/tests; }

# public_names INTERPRETER [TEST...]
stage_public_names() { tools/public-names "$(installed "$1")" "${@:2}"; }

# stress_rust LOADS
stage_stress_rust() { FT_LOCAL_STRESS_LOADS=$1 tools/stress; }

stage_memcheck() { ctest --label-regex memcheck; }

stage_instructions() { tools/instructions; }

# The oldest CMake that CMakeLists.txt allows, which is Debian 12's.
stage_oldest_cmake() {
    local oldest=$build/cmake-3.25.2
    [ -x "$oldest/bin/ctest" ] ||
        "$(tools/venv --tools)" -m pip --disable-pip-version-check install --only-binary :all: \
            --target "$oldest" cmake==3.25.2
    export PYTHONPATH=$oldest FT_LOCAL_CMAKE_BIN=$oldest/bin FT_LOCAL_CMAKE_DIR=$build/cmake-oldest
    ctest --label-exclude memcheck
}

# What a user gets: an sdist, and from it alone a wheel, in an environment that pip makes itself.
stage_package() {
    local work=$build/package
    rm -rf "$work"
    tool python -m build --outdir "$work" .
    "$1" -m venv "$work/venv"
    "$work/venv/bin/python" -m pip --disable-pip-version-check install --no-deps "$work"/*.whl
    # Not here, where python_ctypes/ is.
    (cd "$work" && venv/bin/python -m ft_local info)
    note "$(cd "$work" && echo *.whl)"
}

# host NAME: the test of hosts/NAME. Continuous integration has every runtime, so there a test that
# is skipped is a test that was lost.
stage_host() {
    local status=0
    "hosts/$1/test" || status=$?
    if [ "$status" -eq 77 ] && [ "${CI:-}" = true ]; then
        die "it was skipped, which is a failure where CI=true"
    fi
    return "$status"
}

# seed_tests INTERPRETER...: those that ft_utils exists for.
stage_seed_tests() {
    local interpreter backend pythons=()
    [ $# -gt 0 ] || skip "no CPython 3.13 was found, and ft_utils runs on no other: give one in PYTHONS"
    for interpreter in "$@"; do
        pythons+=("$(installed "$interpreter")")
    done
    for backend in c ctypes; do
        FT_LOCAL_BACKEND=$backend tools/seed-tests "${pythons[@]}"
    done
}

# stress INTERPRETER BACKEND LOADS
stage_stress() {
    export FT_LOCAL_STRESS_LOADS=$3
    pytest "$1" "$2" -s python_ctypes/tests/test_stress.py
}

# From here on: only in make soak.

# fuzz_long SEQUENCES
stage_fuzz_long() { FT_LOCAL_FUZZ_RUNS=$1 tools/fuzz; }

stage_tsan_python() { tools/tsan-python; }

# properties CASES
stage_properties() {
    export PROPTEST_CASES=$1
    cargo_test --release properties
    note "$PROPTEST_CASES cases of each property"
}

# forks TIMES
stage_forks() {
    ctest --tests-regex '^fork$' --repeat "until-fail:$1"
    note "$1 times"
}
