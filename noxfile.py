"""Checks and tests everything: `make test` and its relatives run the sessions of this file.

    tools/nox --list                  the names of all sessions
    tools/nox -s rust-lint loom       these sessions
    tools/nox -k host                 those whose names contain a word
    tools/nox -s ctest -- -R threads  what follows `--` goes to the tool that the session runs

What a session prints is kept in build/logs. A session that takes longer than FT_LOCAL_LIMIT seconds
(1500, 40000 in a soak) is killed. Sessions whose result depends on how fast or how much at once the
machine runs are marked `alone`; any two others may run at the same time (`-j 2`).
"""

import difflib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nox

sys.path.insert(0, str(Path(__file__).parent / "tools"))

from sessions import (
    BUILD,
    DEBUG,
    FREE_THREADED,
    INTERPRETERS,
    ORDINARY,
    PYTHON,
    SHELL,
    SOAK,
    C,
    cargo_test,
    cmake,
    count,
    ctest,
    files,
    fingerprint,
    note,
    pytest,
    run,
    session,
)

nox.needs_version = ">=2026.10.20"
nox.options.envdir = "build/envs"
nox.options.reuse_venv = "yes"
nox.options.default_venv_backend = "virtualenv"
nox.options.sessions = []
# Each session would say that there is no uv, which none needs.
nox.logger.logger.addFilter(lambda record: record.msg != "uv binary not found.")


# ------------------------------------------------------------------------------------ make test


@session("test")
def rust_lint(session):
    """rustfmt, clippy and rustdoc, without a warning."""
    run(session, "cargo", "fmt", "--all", "--check")
    all_of_it = ["--workspace", "--locked", "--features", "ft_local/stream"]
    run(session, "cargo", "clippy", *all_of_it, "--all-targets", "--", "-Dwarnings")
    doc = ["cargo", "doc", *all_of_it, "--no-deps", "--document-private-items"]
    run(session, *doc, RUSTDOCFLAGS="-D warnings")
    # Each unsafe block says why it is sound.
    run(session, "tools/unsafe")


@session("test")
def lint(session):
    """clang-format, ruff and shellcheck."""
    check_c = ["clang-format", "--dry-run", "--Werror"]
    bad = BUILD / "badly_formatted.c"
    bad.write_text("int main( void ){return 0;}\n")
    if subprocess.run([*check_c, bad], capture_output=True, check=False).returncode == 0:
        session.error("clang-format accepts a file that is not formatted")
    run(session, *check_c, *files(*C))
    run(session, "ruff", "check", *files(*PYTHON))
    run(session, "ruff", "format", "--check", *files(*PYTHON))
    run(session, "shellcheck", *files(*SHELL))


@session()
def format(session):  # noqa: A001
    """Formats Rust, C, C++ and Python, and applies the fixes that ruff can make."""
    run(session, "cargo", "fmt", "--all")
    run(session, "clang-format", "-i", *files(*C))
    run(session, "ruff", "check", "--fix", "--quiet", *files(*PYTHON))
    run(session, "ruff", "format", *files(*PYTHON))


@session("test")
def rust_tests(session):
    """All tests of the crates, and the examples in their documentation."""
    cargo_test(session, "--workspace", "--features", "ft_local/stream", *session.posargs)


@session("test")
def bench_check(session):
    """The benchmarks without their clocks: each candidate hands out each item once."""
    bench = ["bench", "--package", "ft_local", "--quiet", "--locked", "--bench", "batch"]
    run(session, "cargo", *bench, "--", "--check")
    simulation = ["--override-ini=pythonpath=benches", "benches/test_simulation.py"]
    run(session, "pytest", "-q", "-p", "no:cacheprovider", *simulation)


# The models of the parts, small enough for every order in which their threads can meet.
COMPLETE = [
    "models::parts",
    "models::notices",
    "models::queue",
    "models::returned",
    "a_cursor_that_goes_while_the_batch_is_closed",
]


# By far the largest model: one preemption less.
LARGEST = "two_fills_that_wait_for_each_other_both_end"


@session("test", "soak")
def loom(session):
    """Every order of steps in the models of the parts, and in all models with few preemptions."""
    preemptions = int(count("FT_LOCAL_PREEMPTIONS", 3, soak=4))
    build = ["--profile", "model", "--lib", "--target-dir", "target/loom", "--", "--show-output"]
    runs = (
        (COMPLETE, {}),
        (["models", "--skip", LARGEST], {"LOOM_MAX_PREEMPTIONS": preemptions}),
        ([LARGEST], {"LOOM_MAX_PREEMPTIONS": preemptions - 1}),
    )
    for filters, bound in runs:
        printed = cargo_test(session, *build, *filters, RUSTFLAGS="--cfg loom", **bound)
        took = [int(n) for n in re.findall(r": (\d+) executions$", printed, re.MULTILINE)]
        note(f"{len(took)} models, {sum(took)} executions, {bound or 'no bound'}")


@session("test", "soak")
def shuttle(session):
    """The larger scenes in many random schedules."""
    build = ["--profile", "model", "--lib", "--target-dir", "target/shuttle"]
    schedules = count("FT_LOCAL_SCHEDULES", 200_000, soak=10_000_000)
    environment = {"RUSTFLAGS": "--cfg shuttle", "FT_LOCAL_SCHEDULES": schedules}
    printed = cargo_test(session, *build, "--", "--show-output", "schedules", **environment)
    played = [int(n) for n in re.findall(r": (\d+) schedules$", printed, re.MULTILINE)]
    if not played:
        session.error("no scene says what it played")
    note(f"{sum(played)} schedules of {len(played)} scenes")


@session("test", name="ctest")
def c_tests(session):
    """The tests in C and C++; those of crowds for most of a minute."""
    os.environ["FT_LOCAL_TEST_CROWD_LOADS"] = count("FT_LOCAL_TEST_CROWD_LOADS", 500_000)
    ctest(session, *(session.posargs or ["--label-exclude", "memcheck"]))


@session()
def library(session):
    """The library as its users have it, installed under build/prefix."""
    cmake(session, "--target", "ft_local_cargo")
    run(session, "cmake", "--install", "build/cmake", "--prefix", "build/prefix")


def install(session, python):
    """Builds ft_local and installs it, unless the installed package is up to date."""
    stamp = Path(session.virtualenv.location) / "installed-from"
    wanted = fingerprint()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    stamp.unlink(missing_ok=True)
    session.install("--only-binary", ":all:", "-r", "tools/requirements-python.txt")
    # The build folder is kept, so that a change costs only what it touches.
    settings = [f"build-dir=build/python-{python.tag}", "cmake.define.FT_LOCAL_WERROR=ON"]
    options = [word for setting in settings for word in ("--config-settings", setting)]
    fresh = ["--no-deps", "--no-build-isolation", "--force-reinstall", "--no-cache-dir"]
    session.install("-v", *fresh, *options, ".")
    stamp.write_text(wanted)


def python_tests(session, python):
    """The Python package, with both bindings."""
    pytest(session, python, *(session.posargs or ["python_ctypes/tests"]))


# The ordinary one and the one without the GIL, once if there is only one.
BOTH = list(dict.fromkeys([ORDINARY, FREE_THREADED or ORDINARY]))

# Without the GIL the tests take twice as long. They come first, so that no core is idle at the end.
for _python in dict.fromkeys([*reversed(INTERPRETERS), *BOTH]):
    _install = f"install-{_python.tag}"
    session("install", name=_install, venv=_python, python=_python)(install)
    if _python in INTERPRETERS:
        name = f"pytest-{_python.tag}"
        session("test", name=name, requires=[_install], python=_python)(python_tests)


@session("test", requires=[f"install-{ORDINARY.tag}"])
def header(session):
    """The generated header is current, and agrees with the library, its comments and versions."""
    run(session, "cargo", "build", "--release", "--lib", "--locked")
    # No limit: cbindgen is compiled, for a minute.
    tests = [
        "pytest",
        "-q",
        "--timeout=0",
        "--override-ini=pythonpath=tools c_tests/header",
        "c_tests/header",
    ]
    run(session, *tests, *session.posargs, FT_LOCAL_PYTHON=ORDINARY.installed)


@session("test", venv=ORDINARY, requires=[f"install-{ORDINARY.tag}"])
def docs(session):
    """The site and the man pages, without a warning; every block of code in the documentation."""
    session.install("-r", "docs/requirements.txt")
    ask = "import sysconfig; print(sysconfig.get_path('platlib'))"
    mine, theirs = (
        Path(subprocess.check_output([python, "-c", ask], text=True).strip(), "ft_local")
        for python in (f"{session.bin}/python", ORDINARY.installed)
    )
    mine.unlink(missing_ok=True)
    mine.symlink_to(theirs)
    run(session, "docs/build-site")
    run(session, "docs/check-examples", *session.posargs)


@session("test")
def free_threaded_python(session):
    """Is there a Python without the GIL? If not, half of what is to be tested is not."""
    if not FREE_THREADED:
        session.skip("there is none: make free-threaded builds it (5 to 15 minutes, once)")
    note(FREE_THREADED.path)


# ------------------------------------------------------------------------------- make test-long


@session("long", venv=ORDINARY)
def types(session):
    """pyright, in its strictest mode, accepts correct uses of the package and no others."""
    session.install("-r", "python_ctypes/types/requirements.txt")
    run(session, f"{session.bin}/pyright", "--project", "python_ctypes/types")


@session("long", alone=True)
def mutants(session):
    """Each fault injected into the library must be found by a model, a scene or a test."""
    run(session, sys.executable, "tools/mutants.py", *session.posargs)


@session("long", alone=True)
def tsan(session):
    """The Rust tests and the C tests with threads, under ThreadSanitizer."""
    run(session, sys.executable, "tools/sanitizers.py", "tsan", count("FT_LOCAL_TSAN_ROUNDS", 3))


@session("long")
def asan(session):
    """All Rust tests and C tests, under AddressSanitizer and UndefinedBehaviorSanitizer."""
    run(session, sys.executable, "tools/sanitizers.py", "asan")


@session("long", "soak")
def fuzz(session):
    """A fuzzer chooses sequences of calls of the C interface, under AddressSanitizer."""
    limit = f"-max_total_time={count('FT_LOCAL_FUZZ_SECONDS', 60)}"
    if runs := count("FT_LOCAL_FUZZ_RUNS", "", soak=50_000_000):
        limit = f"-runs={runs}"
    run(session, sys.executable, "tools/sanitizers.py", "fuzz", limit)


def shim_session(*tags, name=None):
    """A session that compiles the C extension in its own way, for an installed package."""
    return session(*tags, name=name, requires=[f"install-{ORDINARY.tag}"])


@shim_session("long")
def asan_python(session):
    """The Python tests that stress memory, on a C extension with AddressSanitizer."""
    run(session, ORDINARY.installed, "tools/shims.py", "asan")


@shim_session("long", "soak")
def public_names(session):
    """The C extension without the functions that CPython does not promise to keep."""
    tests = sorted(map(str, Path("python_ctypes/tests").glob("test_wrapper_*.py"))) if SOAK else []
    run(session, ORDINARY.installed, "tools/shims.py", "public-names", *tests)


@session("long", "soak")
def free_threaded_python_tsan(session):
    """A free-threaded Python with ThreadSanitizer: found, or built into the cache."""
    run(session, "tools/free-threaded-python", "--thread-sanitizer")


@session("long", "soak", alone=True)
def tsan_python(session):
    """The thread tests of the Python package, on a CPython with ThreadSanitizer, built once."""
    python = run(session, "tools/free-threaded-python", "--thread-sanitizer").splitlines()[-1]
    rounds = count("FT_LOCAL_TSAN_ROUNDS", 1, soak=10)
    run(session, sys.executable, "tools/shims.py", "tsan", python, rounds)


# The tests that do most to the lifetimes of objects, and what nobody should do.
LIFETIMES = """hostile_calls no_memory batch_arguments batch_garbage batch_give_back batch_many
    cursor_garbage cursor_object wrapper_arrays wrapper_cache wrapper_datetimes wrapper_kinds
    wrapper_lifetime"""


@shim_session("long", "soak")
def pytest_dev(session):
    """With Python's own checks of memory and much else; in a soak, all tests."""
    names = [f"python_ctypes/tests/test_{name}.py" for name in LIFETIMES.split()]
    tests = ["python_ctypes/tests"] if SOAK else names
    pytest(session, ORDINARY, *tests, PYTHONDEVMODE=1, PYTHONMALLOC="debug")


if DEBUG:
    session(name=f"install-{DEBUG.tag}", venv=DEBUG, python=DEBUG)(install)


@session("soak", requires=[f"install-{DEBUG.tag}"] if DEBUG else [])
def pytest_debug(session):
    """The Python tests on a debug build of CPython, whose assertions look at every object."""
    if not DEBUG:
        session.skip("there is none: apt-get install python3-dbg")
    pytest(session, DEBUG, *(session.posargs or ["python_ctypes/tests"]))


@session("long")
def memcheck(session):
    """The tests in C and C++ under valgrind."""
    ctest(session, "--label-regex", "memcheck")


@session("long")
def instructions(session):
    """No hot path has become longer."""
    run(session, sys.executable, "benches/instructions.py", *session.posargs)


@session("long", venv=ORDINARY)
def ctest_oldest(session):
    """The tests in C and C++ with the oldest CMake that CMakeLists.txt allows, Debian 12's."""
    session.install("cmake==3.25.2")
    options = {"bin": f"{session.bin}/", "folder": "build/cmake-oldest"}
    ctest(session, "--label-exclude", "memcheck|reliability", **options)


@session("long", venv=ORDINARY)
def package(session):
    """What a user gets: an sdist, from it alone a wheel, and a program that imports that."""
    work = BUILD / "package"
    shutil.rmtree(work, ignore_errors=True)
    run(session, sys.executable, "-m", "build", "--outdir", work, ".")
    wheel = next(work.glob("*.whl"))
    session.install("--no-deps", "--force-reinstall", wheel)
    # Not here, where python_ctypes/ is.
    with session.chdir(work):
        session.run("python", "-m", "ft_local", "info")
    note(wheel.name)


@session("long", requires=[f"install-{ORDINARY.tag}"])
def lease(session):
    """Leases on real Redis and PostgreSQL servers, which the tests start; quick ones if CI=true."""
    tests = session.posargs or (["--ci"] if os.environ.get("CI") == "true" else [])
    run(session, "python_ctypes/lease_tests/run", *tests, FT_LOCAL_PYTHON=ORDINARY.installed)


@session("long", requires=[f"install-{p.tag}" for p in INTERPRETERS if p.tag.startswith("cp313")])
def ft_utils(session):
    """The tests that ft_utils ships for its `local` module, which run on CPython 3.13 only."""
    pythons = [p.installed for p in INTERPRETERS if p.tag.startswith("cp313")]
    if not pythons:
        session.skip("no CPython 3.13 was found: give one in PYTHONS")
    for python in pythons:
        for backend in ("c", "ctypes"):
            # -P: the installed ft_local, and not the one beside this file.
            run(session, python, "-P", "python_ctypes/ft_utils_tests.py", FT_LOCAL_BACKEND=backend)


@session("long", "soak", alone=True)
def stress_rust(session):
    """Many loads, and every object counted."""
    loads = count("FT_LOCAL_RUST_STRESS_LOADS", 50_000_000, soak=1_000_000_000)
    test = ["--package", "ft_local", "--release", "--test", "stress", "--", "--nocapture"]
    cargo_test(session, *test, FT_LOCAL_STRESS_LOADS=loads)
    note(f"{loads} loads, counters exact")


def stress_python(session, backend, loads):
    """Many loads from Python without the GIL, and every object counted."""
    environment = {"FT_LOCAL_BACKEND": backend, "FT_LOCAL_STRESS_LOADS": loads}
    pytest(session, FREE_THREADED, "-s", "python_ctypes/tests/test_stress.py", **environment)


# A load through ctypes takes five times as long.
for _backend, _loads in (("c", 30_000_000), ("ctypes", 6_000_000)) if FREE_THREADED else ():
    how = {"alone": True, "requires": [f"install-{FREE_THREADED.tag}"], "backend": _backend}
    loads = count("FT_LOCAL_STRESS_LOADS", _loads)
    session("long", name=f"stress-{_backend}", **how, loads=loads)(stress_python)


def host(session, test):
    """A host's own test."""
    pythons = " ".join(python.path for python in INTERPRETERS)
    printed = run(session, test, PYTHON=ORDINARY.path, PYTHONS=pythons)
    note(printed.splitlines()[-1].removeprefix("note: "))


for _test in sorted(Path("hosts").glob("*/test")):
    name = f"host-{_test.parent.name}"
    session("long", "hosts", name=name, requires=["library"], test=_test)(host)


# ------------------------------------------------------------------------------------ make soak


@session("soak")
def forks(session):
    """The test of forks, many times."""
    times = count("FT_LOCAL_FORKS", 1000)
    ctest(session, "--tests-regex", "^fork$", "--repeat", f"until-fail:{times}")


@session("soak")
def reliability(session):
    """Hostile use: faults, crowds, limits, and processes that fork and end."""
    os.environ |= {
        "FT_LOCAL_TEST_FAULTS": "4",
        "FT_LOCAL_TEST_CHILDREN": "1000",
        "FT_LOCAL_TEST_ROUNDS": "1000",
        "FT_LOCAL_TEST_RELOADS": "30000",
        "FT_LOCAL_TEST_LOADS": "100000000",
        # Ten minutes.
        "FT_LOCAL_TEST_CROWD_LOADS": "7000000",
    }
    ctest(session, "--label-regex", "reliability", timeout=7200)


@shim_session("soak")
def pytest_reliability(session):
    """The same from Python."""
    os.environ |= {
        "FT_LOCAL_TEST_EXAMPLES": "2000",
        "FT_LOCAL_TEST_CALLS": "1000000",
        "FT_LOCAL_TEST_INTERPRETERS": "100",
        "FT_LOCAL_TEST_ROUNDS": "100",
    }
    pytest(session, ORDINARY, "python_ctypes/tests", "-k", "reliability", "--timeout", "7200")


@session("soak")
def bare_root(session):
    """What README.md and docs/install.md describe, by the commands they print, in bare roots."""
    if os.geteuid() != 0 or not shutil.which("mmdebstrap"):
        session.skip("it makes roots, for which it must be root and have mmdebstrap")
    run(session, "packaging/bare-root", *session.posargs)


@session("soak", requires=[f"install-{FREE_THREADED.tag}"] if FREE_THREADED else [])
def pytest_threads(session):
    """Random sequences of calls and expressions, in four threads at once, without the GIL."""
    if not FREE_THREADED:
        session.skip("there is no free-threaded Python: make free-threaded builds it")
    names = ("reliability_states", "wrapper_expressions")
    tests = [f"python_ctypes/tests/test_{name}.py" for name in names]
    arguments = ["--parallel-threads", 4, "--timeout", 7200]
    pytest(session, FREE_THREADED, *tests, *arguments, FT_LOCAL_TEST_EXAMPLES=2000)


@session("soak")
def litmus(session):
    """The orderings of hand-overs between threads, by herd7, if there is one in the PATH."""
    run(session, "tools/litmus", *session.posargs)


@session("soak", requires=[f"install-{python.tag}" for python in BOTH])
def coverage(session):
    """Which lines and branches of the library and of the C extension the tests reach."""
    run(session, "tools/coverage", "crate")
    run(session, "tools/coverage", "shim", *[python.installed for python in BOTH])


@session("soak")
def properties(session):
    """Many cases of each property."""
    cases = count("FT_LOCAL_PROPERTY_CASES", 100_000)
    cargo_test(session, "--release", "properties", PROPTEST_CASES=cases)


def cargo_tool(session, name, version):
    """Compiles a tool of cargo into the build folder, once, and returns the program."""
    root = BUILD / name
    install = ["install", name, "--locked", "--version", version, "--root", root]
    run(session, "cargo", *install, CARGO_TARGET_DIR=f"target/{name}")
    return root / "bin" / name


@session("soak")
def mutations(session):
    """The faults that cargo-mutants makes in the core, for an hour; `-- ring` for one file."""
    tool = cargo_tool(session, "cargo-mutants", "27.1.0")
    run(session, sys.executable, "tools/mutations.py", tool, *session.posargs)


@session("soak")
def deny(session):
    """Licences, sources and versions of all crates; not advisories, which are on the network."""
    tool = cargo_tool(session, "cargo-deny", "0.20.2")
    run(session, tool, "--workspace", "check", "licenses", "bans", "sources")


@session("soak")
def rust_api(session):
    """The public API of the Rust crates is what docs/rust-api.txt lists; `-- --update` writes that.

    Not in every run, since it compiles cargo-public-api, for minutes; before a release too.
    """
    tool = cargo_tool(session, "cargo-public-api", "0.52.0")
    # rustdoc describes a crate in JSON for nightly compilers only, unless it takes itself for one.
    command = [tool, "public-api", "-s", "--color", "never", "--features", "stream"]
    environment = os.environ | {"RUSTC_BOOTSTRAP": "1", "CARGO_TARGET_DIR": "target/rust-api"}
    listed = subprocess.check_output(command, env=environment, text=True)
    known = Path("docs/rust-api.txt")
    if "--update" in session.posargs:
        known.write_text(listed)
    wrong = list(difflib.unified_diff(known.read_text().splitlines(), listed.splitlines()))
    if wrong:
        print("\n".join(wrong))
        session.error(f"the public API is not what {known} says: rust-api -- --update")


# ------------------------------------------------------------------------------- other targets


@session(requires=[f"install-{python.tag}" for python in BOTH])
def demo(session):
    """Real GUIDs for many threads, on the ordinary Python and on a free-threaded one."""
    for python in BOTH:
        session.run(python.installed, "-m", "ft_local", "demo", *session.posargs)
    if not FREE_THREADED:
        print("Here one thread of Python runs at a time. To see many run at once, which is what")
        print("ft_local is for: make free-threaded (5 to 15 minutes, once), then make demo.")


@session(venv=ORDINARY)
def bench(session):
    """The library against its goals in docs/performance.md, and the figure."""
    session.install("-r", "benches/requirements.txt")
    results, figure = BUILD / "bench/batch.json", BUILD / "bench/batch.svg"
    results.parent.mkdir(parents=True, exist_ok=True)
    measure = ["cargo", "bench", "-p", "ft_local", "--quiet", "--locked", "--bench", "batch", "--"]
    session.run(*measure, "--json", str(results), *session.posargs, external=True)
    session.run("python", "benches/figure.py", str(results), str(figure))


@session(venv=INTERPRETERS[0], requires=[f"install-{one.tag}" for one in INTERPRETERS])
def bench_python(session):
    """Programs that share objects and sources, on each Python, written into docs/performance.md."""
    session.install("-r", "benches/requirements.txt")
    pythons = [python.installed for python in INTERPRETERS]
    command = ["python", "benches/python.py", "--pythons", *pythons, "--", *session.posargs]
    session.run(*command)


@session(requires=[f"install-{p.tag}" for p in INTERPRETERS if p.tag.startswith("cp313")])
def benchmarks(session):
    """LocalWrapper, the bare object and other proxies, on CPython 3.13."""
    for python in [p for p in INTERPRETERS if p.tag.startswith("cp313")]:
        peers = BUILD / f"peers-{python.tag}"
        pip = [python.installed, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade"]
        wanted = "python_ctypes/benchmarks/requirements.txt"
        run(session, *pip, "--target", peers, "-r", wanted)
        # Some of them would switch the GIL on.
        gil = {"PYTHON_GIL": "0"} if python.tag.endswith("t") else {}
        script = [python.installed, "python_ctypes/benchmarks/wrapper.py", *session.posargs]
        run(session, *script, PYTHONPATH=peers, **gil)
