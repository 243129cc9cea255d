"""Builds the C extension of the Python package in other ways, and runs tests of the package on it.

    PYTHON tools/shims.py asan                    with AddressSanitizer
    PYTHON tools/shims.py public-names [TEST...]  without the functions that CPython exports but
                                                  does not promise to keep: if it drops one, the
                                                  package gets slower but still works
    tools/shims.py tsan PYTHON ROUNDS             with ThreadSanitizer, on a CPython that has it

PYTHON is an interpreter that has ft_local. A sanitizer that is off would also report nothing, so
each of them must also report the faults that tests/mutants.toml lists for it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from mutants import ROOT, mutants

CONFIGURATION = """import json, sysconfig
print(json.dumps([sysconfig.get_config_var("EXT_SUFFIX"), sysconfig.get_path("include")]))"""
SHIM = ROOT / "python_ctypes/shim"


class Site:
    """A folder with the package in it, the library, and an extension that is built here."""

    def __init__(self, name: str, python: str, library: Path, soname: str) -> None:
        self.python, self.path = python, ROOT / "build" / name
        shutil.rmtree(self.path, ignore_errors=True)
        self.package = self.path / "ft_local"
        shutil.copytree(ROOT / "python_ctypes/ft_local", self.package)
        self.library = Path(shutil.copy(library, self.package / soname))
        asked = [python, "-c", CONFIGURATION]
        self.suffix, self.include = json.loads(subprocess.check_output(asked, text=True))

    def build(self, compiler: str, *flags: str, sources: Path = SHIM) -> None:
        """Compiles the extension into the package."""
        usual = ["-g", "-std=gnu11", "-fPIC", "-shared", "-fvisibility=hidden"]
        headers = [f"-I{ROOT}/include", "-isystem", self.include]
        made = self.package / f"_shim{self.suffix}"
        where = [self.library, "-Wl,-rpath,$ORIGIN", "-o", made]
        command = [compiler, *usual, *flags, *headers, *sorted(sources.glob("*.c")), *where]
        subprocess.run(command, check=True)

    def test(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
        """Runs tests, whose process reports to standard error, which pytest must not keep."""
        always = {"FT_LOCAL_BACKEND": "c", "PYTHONDONTWRITEBYTECODE": "1"}
        path = {"PYTHONPATH": str(self.path), "FT_LOCAL_STRESS_LOADS": "30000"}
        command = [self.python, "-m", "pytest", "-p", "no:cacheprovider", "--capture=sys", "-q"]
        return subprocess.run(
            [*command, *arguments],
            cwd=ROOT,
            env=os.environ | always | path | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            errors="replace",
            check=False,
        )


def passed(run: subprocess.CompletedProcess) -> str:
    """The last line of tests that must have passed."""
    print(run.stdout)
    if run.returncode:
        sys.exit("the tests failed, or something was reported")
    return re.sub(" in .*", "", run.stdout.splitlines()[-1])


def reported(run: subprocess.CompletedProcess, words: str) -> bool:
    """Whether tests failed, as they must, by a report of a sanitizer."""
    if run.returncode and words not in run.stdout:
        sys.exit(f"{run.stdout[-4000:]}\nthe fault was found otherwise than by a report")
    return bool(run.returncode)


def of_installed(name: str) -> Site:
    """A site for this interpreter, with the library that is installed in it for ctypes."""
    os.environ["FT_LOCAL_BACKEND"] = "ctypes"
    import ft_local

    library = Path(ft_local.library_path())
    return Site(name, sys.executable, library, library.name)


def files(names: str) -> list[str]:
    """Files of tests."""
    return [f"python_ctypes/tests/test_{name}.py" for name in names.split()]


# Those that are about lifetimes, and about what nobody should do.
ASAN = """hostile_calls wrapper_arrays wrapper_cache wrapper_kinds wrapper_lifetime
    wrapper_attributes wrapper_threads wrapper_copying batch_arguments batch_load batch_many
    batch_garbage batch_give_back batch_bulk cursor_garbage cursor_object"""


def asan() -> None:
    """All of Python's memory comes from malloc, so that each use of a freed object is reported."""
    site = of_installed("asan-python")
    flags = ["-fsanitize=address", "-fno-omit-frame-pointer", "-O1"]
    preload = subprocess.check_output(["gcc", "-print-file-name=libasan.so"], text=True).strip()
    environment = {
        "LD_PRELOAD": preload,
        "PYTHONMALLOC": "malloc",
        # What the interpreter itself never frees is no leak of ours.
        "ASAN_OPTIONS": "detect_leaks=0 allocator_may_return_null=1 handle_segv=0",
    }
    site.build("gcc", *flags)
    without = ["-k", "not memory and not end_of_the_stack"]
    tests = passed(site.test(*files(ASAN), *without, **environment))
    for fault in mutants("shim"):
        sources = site.path / "mutant"
        shutil.copytree(SHIM, sources, dirs_exist_ok=True)
        (sources / Path(fault.file).name).write_text(fault.mutated())
        site.build("gcc", *flags, sources=sources)
        run = site.test(*files("hostile_calls"), "-k", fault.finder, **environment)
        if not reported(run, "==ABORTING"):
            sys.exit(f"not found: {fault.name}; is the sanitizer on?")
    print(f"note: {tests}, the injected fault found")


# What objects, constants and counts are made of in CPython's headers.
PUBLIC = re.compile(
    r"""_Py_( NoneStruct | TrueStruct | FalseStruct | NotImplementedStruct | EllipsisObject
      | Dealloc | NegativeRefcount | MergeZeroLocalRefcount | DecRefShared | DecRefSharedDebug
      | IncRefTotal | DecRefTotal | INCREF_IncRefTotal | DECREF_DecRefTotal | CheckRecursiveCall )
    | _PyTrash_[a-z_]+ | _PyWeakref_(Callable)?ProxyType | _Py[A-Za-z_]*_SizeT
    | _PyThreadState_UncheckedGet""",
    re.VERBOSE,
)
# Those of what looks names up.
LOOK_UPS = """hostile_calls wrapper_attributes wrapper_cache wrapper_kinds wrapper_lifetime
    wrapper_slots wrapper_threads"""


def public_names(*tests: str) -> None:
    """Of the private names, the installed extension requires only what public macros expand to."""
    site = of_installed("public-names")
    import ft_local

    installed = Path(ft_local.library_path()).with_name(f"_shim{site.suffix}")
    symbols = subprocess.check_output(["nm", "-D", "--undefined-only", installed], text=True)
    private = re.findall(r"^ *U (_Py\w+)", symbols, re.MULTILINE)
    if needed := [name for name in private if not PUBLIC.fullmatch(name)]:
        sys.exit(f"the shim requires {needed}: take it weakly, with a way without it")
    site.build("gcc", "-O2", "-DSHIM_ONLY_PUBLIC_NAMES", "-Wall", "-Wextra", "-Werror")
    print(f"note: {passed(site.test(*(tests or files(LOOK_UPS))))}")


# How often a race may hide from a round.
TRIES = 10


def tsan(python: str, rounds: int) -> None:
    """The thread tests, many times; the library is instrumented too."""
    from sanitizers import RACE, Build

    build = Build("tsan", "thread")
    soname = re.search(r"ABI_VERSION: u32 = (\d+)", (ROOT / "build.rs").read_text())[1]

    def library() -> Path:
        command = [
            "/usr/bin/cargo",
            "rustc",
            "-p",
            "ft_local_capi",
            *build.options,
            "--crate-type",
            "cdylib",
        ]
        subprocess.run(command, cwd=build.crate, check=True)
        return build.target / build.triple / "debug/libft_local.so"

    site = Site("tsan-python", python, library(), f"libft_local.so.{soname}")
    # None of what the tests need is compiled.
    wanted = (ROOT / "tools/requirements-python.txt").read_text().splitlines()
    needed = [line for line in wanted if line.startswith(("hypothesis", "pytest"))]
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--only-binary", ":all:"]
    subprocess.run([*install, "--target", site.path, *needed], check=True)
    site.build(build.clang, "-fsanitize=thread", "-O1")
    # Of CPython's own races: those that it knows, and that it asks whether a class is derived from
    # another while a thread changes the bases.
    known = Path(python).parents[1] / "suppressions_free_threading.txt"
    suppressions = site.path / "suppressions.txt"
    more = "race_top:PyType_IsSubtype\nrace_top:is_subtype_with_mro\n"
    suppressions.write_text(f"{known.read_text()}\n{more}")
    options = f"handle_segv=0 exitcode=66 suppressions={suppressions}"
    os.environ["TSAN_OPTIONS"] = f"{options} external_symbolizer_path={build.symbolizer}"
    # Left out: threads that replace an item of a list, which CPython's readers of lists look at
    # before they know whether it is still there. They are right to, and are not suppressed.
    tests = [*files("batch_threads wrapper_threads stress"), "-k", "not one_name_for_a_wrapper"]
    for _ in range(rounds):
        passed(site.test(*tests))
    faults = mutants("tsan")
    for fault in faults:
        build.inject(fault)
        shutil.copy(library(), site.library)
        tries = (site.test(*files("batch_threads")) for _ in range(TRIES))
        if not any(reported(run, RACE) for run in tries):
            sys.exit(f"not found in {TRIES} rounds: {fault.name}; is the sanitizer on?")
    print(f"note: {rounds} rounds silent, {len(faults)} injected faults found")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["asan"]:
            asan()
        case ["public-names", *names]:
            public_names(*names)
        case ["tsan", interpreter, number]:
            tsan(interpreter, int(number))
        case _:
            sys.exit(__doc__)
