"""What the sessions of noxfile.py are made of: interpreters, logs, and how commands are run."""

import contextlib
import functools
import hashlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import nox

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
LOGS = BUILD / "logs"
SOAK = "FT_LOCAL_SOAK" in os.environ

# Some tests send themselves Ctrl-C, which a shell lets its background jobs ignore.
signal.signal(signal.SIGINT, signal.default_int_handler)
# nox stops the sessions that run beside each other if it is interrupted, so that is what ends it.
signal.signal(signal.SIGTERM, signal.default_int_handler)


def count(variable, usual, soak=None):
    """How many rounds, loads, cases: what the variable says, or what is usual in this mode."""
    return os.environ.get(variable) or str(soak if SOAK and soak else usual)


class Interpreter(NamedTuple):
    """A Python for which ft_local is built and tested."""

    path: str
    tag: str  # cp311, cp313t, cp311d

    @property
    def installed(self):
        """The interpreter of the environment that its `install` session makes."""
        return str(BUILD / f"envs/install-{self.tag}/bin/python")


@functools.cache
def interpreter(name):
    """The interpreter of that name, path or shim; None unless it is a Python 3.11 or later."""
    ask = """import os, sys, sysconfig
sys.version_info >= (3, 11) or sys.exit(1)
kind = {"cpython": "cp"}.get(sys.implementation.name, sys.implementation.name)
threads = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
debug = "d" if sysconfig.get_config_var("Py_DEBUG") else ""
print(os.path.realpath(sys.executable))
print(f"{kind}{sys.version_info[0]}{sys.version_info[1]}{threads}{debug}")"""
    with contextlib.suppress(OSError):
        run = subprocess.run([name, "-c", ask], capture_output=True, text=True, check=False)
        if run.returncode == 0:
            return Interpreter(*run.stdout.split("\n")[:2])
    return None


def free_threaded():
    """The free-threaded interpreter, if there is one."""
    find = [ROOT / "tools/free-threaded-python", "--find"]
    path = subprocess.run(find, capture_output=True, text=True, check=False).stdout.strip()
    return interpreter(path) if path else None


def interpreters():
    """The ordinary one, a 3.13 with the GIL, where ft_utils runs, and a free-threaded one.

    $PYTHONS, a list of names or paths, replaces them.
    """
    named = os.environ.get("PYTHONS", "").split()
    for name in named:
        if not interpreter(name):
            sys.exit(f"{name}, from PYTHONS, is not a Python 3.11 or later")
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    names_3_13 = ["python3.13", *sorted(map(str, pyenv.glob("versions/3.13.*/bin/python3.13")))]
    found = [interpreter(name) for name in names_3_13]
    usual = [ORDINARY, *[one for one in found if one and one.tag == "cp313"][:1], FREE_THREADED]
    by_tag = {one.tag: one for one in (map(interpreter, named) if named else usual) if one}
    return list(by_tag.values())


ORDINARY = interpreter(os.environ.get("PYTHON") or sys._base_executable)
FREE_THREADED = free_threaded()
# A debug build, as Debian has it.
DEBUG = interpreter(os.environ.get("PYTHON_DEBUG", "python3-dbg"))
INTERPRETERS = interpreters()


@contextlib.contextmanager
def kept_log(session):
    """Keeps what the session prints in build/logs, and kills it when its time is over.

    Among others (`-j`) a session shows only its notes, or the end of a failure.
    """
    log = LOGS / f"{session.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    limit = int(count("FT_LOCAL_LIMIT", 1500, soak=40000))
    shown = os.dup(1), os.dup(2)

    def over(*_):
        os.write(shown[0], f"{session.name}: ended after {limit} s; see {log}\n".encode())
        os.killpg(0, signal.SIGKILL)

    signal.signal(signal.SIGALRM, over)
    signal.alarm(limit)
    command = ["tee", "-i", log]
    tee = None if session.parallel else subprocess.Popen(command, stdin=subprocess.PIPE)
    with log.open("wb") if session.parallel else tee.stdin as sink:
        os.dup2(sink.fileno(), 1)
        os.dup2(sink.fileno(), 2)
    failed = True
    try:
        yield
        failed = False
    except nox.sessions._SessionSkip:
        failed = False
        raise
    finally:
        signal.alarm(0)
        for number, file in enumerate(shown, 1):
            os.dup2(file, number)
            os.close(file)
        lines = log.read_text(errors="replace").splitlines() if session.parallel else []
        print("\n".join(lines[-40:] if failed else [x for x in lines if x.startswith("note: ")]))
        if tee:
            tee.wait()


def session(*tags, name=None, alone=False, venv=None, requires=(), **arguments):
    """A session, with tags that say in which runs it takes part; with a venv if given a Python."""

    def register(function):
        @functools.wraps(function)
        def logged(session):
            with kept_log(session):
                function(session, **arguments)

        return nox.session(
            logged,
            name=name or function.__name__.replace("_", "-"),
            tags=tags,
            python=venv and venv.path,
            venv_backend=None if venv else "none",
            allow_parallel=not alone,
            requires=requires,
        )

    return register


def note(text):
    """A remark that is shown even if nobody looks into the log."""
    print(f"note: {text}", flush=True)


def run(session, *command, **environment):
    """Runs a command, shows what it prints, and returns it."""
    session.log(" ".join(map(str, command))[:200])
    print(end="", flush=True)
    lines = []
    with subprocess.Popen(
        list(map(str, command)),
        env=os.environ | {name: str(value) for name, value in environment.items()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    if process.returncode == 77:
        reason = lines[-1].removeprefix("note: ").strip() if lines else "skipped"
        # Continuous integration has every runtime: a test skipped there is a test that was lost.
        if os.environ.get("CI") == "true":
            session.error(f"skipped, which is a failure if CI=true: {reason}")
        session.skip(reason)
    if process.returncode:
        session.error(f"{command[0]} ended with {process.returncode}")
    return "".join(lines)


def cargo_test(session, *arguments, **environment):
    """Counts the tests, since a filter that matches none passes too."""
    printed = run(session, "cargo", "test", "--locked", *arguments, **environment)
    passed = sum(map(int, re.findall(r"^test result:.* (\d+) passed", printed, re.MULTILINE)))
    if not passed:
        session.error("no test was run")
    note(f"{passed} passed")
    return printed


def pytest(session, python, *arguments, **environment):
    """Runs tests of the Python package in an environment."""
    always = {"PYTHONDONTWRITEBYTECODE": 1}
    command = [python.installed, "-m", "pytest", "-p", "no:cacheprovider", "-q"]
    printed = run(session, *command, *arguments, **(always | environment))
    note(re.sub(r"^=* | in .*", "", printed.splitlines()[-1]))


def files(*kinds):
    """The files of these kinds that git knows or would add; scripts have their kind in line one."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split("\n")
    found = []
    for path in (Path(name) for name in names if name and not f"{name}\n".startswith(GENERATED)):
        kind = path.suffix
        if not kind and path.is_file() and (first := path.read_bytes()[:40]).startswith(b"#!"):
            first = first.split(b"\n")[0]
            kind = ".py" if b"python" in first else ".sh" if b"sh" in first else ""
        if kind in kinds and path.is_file():
            found.append(str(path))
    if not found:
        sys.exit(f"there are no files of {kinds}")
    note(f"{len(found)} files of {', '.join(kinds)}")
    return found


# What cbindgen writes and reads, and what an older version wrote.
GENERATED = ("include/ft_local.h\n", "src/capi/header/", "abi/first/")
C, PYTHON, SHELL = (".c", ".h", ".cpp", ".hpp"), (".py", ".pyi"), (".sh",)


def cmake(session, *targets, bin="", folder="build/cmake"):  # noqa: A002
    """Configures the CMake project and builds it, while no other session does."""
    options = ["-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DFT_LOCAL_WERROR=ON"]
    locked = ["flock", f"{folder}.lock", f"{bin}cmake"]
    run(session, *locked, "-S", ".", "-B", folder, "-G", "Ninja", *options)
    run(session, *locked, "--build", folder, *targets)


def ctest(session, *arguments, timeout=300, bin="", folder="build/cmake"):  # noqa: A002
    """Builds everything that is C with CMake, and runs its tests."""
    cmake(session, bin=bin, folder=folder)
    test = [f"{bin}ctest", "--test-dir", folder, "--output-on-failure", "--no-tests=error"]
    # Most of them sleep for most of their time.
    test += ["--parallel", 2, "--timeout", timeout]
    printed = run(session, *test, *arguments)
    skipped = re.findall(r" (\S+) \.+\*\*\*Skipped", printed)
    note(f"{printed.count(' Passed ')} passed; skipped: {', '.join(skipped) or 'none'}")


SOURCES = """Cargo.toml Cargo.lock build.rs cbindgen.toml CMakeLists.txt pyproject.toml README.md
    LICENSE-MIT LICENSE-APACHE abi packaging cmake include src python_ctypes/ft_local
    python_ctypes/shim
    tools/requirements-python.txt"""


def fingerprint():
    """Names, contents and compilers: whatever the installed files depend on."""
    paths = (
        p for name in SOURCES.split() for p in sorted([ROOT / name, *(ROOT / name).rglob("*")])
    )
    known = hashlib.sha256()
    for path in paths:
        if path.is_file() and path.suffix != ".pyc" and "tests" not in path.parts:
            known.update(str(path).encode() + path.read_bytes())
    for tool in (["rustc", "-V"], ["gcc", "--version"]):
        known.update(subprocess.run(tool, stdout=subprocess.PIPE, check=True).stdout)
    return f"{known.hexdigest()} {os.environ.get('CFLAGS')} {os.environ.get('RUSTFLAGS')}\n"
