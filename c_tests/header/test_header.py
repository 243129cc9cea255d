"""The header agrees with the sources, the library and itself; and each check can fail."""

import ctypes
import functools
import os
import re
import subprocess
import tempfile
import tomllib
from pathlib import Path

import cffi
import mutants
import pytest

import header_facts

ROOT = mutants.ROOT
HEADER = (ROOT / "include/ft_local.h").read_text()
LIBRARY = ROOT / "target/release/libft_local.so"


def output(*command, **options):
    """What a command prints, which must succeed."""
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, **options).stdout


@functools.cache
def generated():
    """The header that the sources give."""
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
        subprocess.run([ROOT / "tools/header", f"{folder}/ft_local.h"], check=True)
        return Path(folder, "ft_local.h").read_text()


def current(header):
    """include/ft_local.h is what the sources give; `make header` writes it."""
    assert header == generated()


def comments(header):
    """The comment of each function has its fields in order, with the fixed phrases."""
    latest = header_facts.version(header)[0][:2]
    functions = header_facts.functions(header)
    wrong = {name: list(header_facts.complaints(text, latest)) for name, text in functions.items()}
    assert functions
    assert not {name: texts for name, texts in wrong.items() if texts}


def exports(header):
    """The library exports exactly the functions of the header, and has its ABI version."""
    symbols = output("nm", "-D", "--defined-only", LIBRARY).splitlines()
    assert {line.split()[-1] for line in symbols} == header_facts.functions(header).keys()
    soname = re.search(r"SONAME +(\S+)", output("objdump", "-p", LIBRARY))
    assert soname[1] == f"libft_local.so.{header_facts.version(header)[1]}"


def declarations(header):
    """The header for cffi, which knows the standard types, and plain numbers as macros."""
    text = "".join(
        line for line in header.splitlines(keepends=True) if not line.startswith("#include")
    )
    plain = ["-U__GNUC__", "-DFT_LOCAL_NO_INLINE"]
    return output("gcc", "-E", "-P", *plain, "-x", "c", "-", input=text)


def cffi_reads_it(header):
    """cffi reads the header, and calls the library by it."""
    ffi = cffi.FFI()
    ffi.cdef(declarations(header))
    lib = ffi.dlopen(str(LIBRARY))
    host = ffi.new("ft_local_host *")
    assert lib.ft_local_host_init(host, ffi.sizeof("ft_local_host")) == lib.FT_LOCAL_OK
    wrapper = ffi.new("ft_local_wrapper **")
    value = ffi.cast("void *", 42)
    assert lib.ft_local_wrapper_new(host, value, wrapper) == lib.FT_LOCAL_OK
    assert lib.ft_local_wrapper_get(wrapper[0]) == value
    lib.ft_local_wrapper_free(wrapper[0])


def compiles(header):
    """The tests of CTest that compile the header in each language and standard pass."""
    folder = ROOT / "build/cmake-header"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ft_local.h").write_text(header)
    output(
        "cmake", "-S", ROOT, "-B", folder, "-G", "Ninja", f"-DFT_LOCAL_HEADER={folder}/ft_local.h"
    )
    output("ctest", "--test-dir", folder, "--tests-regex", "^header[.]", "--no-tests=error")


CHECKS = {
    "cffi": cffi_reads_it,
    "comments": comments,
    "compiles": compiles,
    "current": current,
    "exports": exports,
}


@pytest.mark.parametrize("check", CHECKS)
def test_the_header(check):
    CHECKS[check](HEADER)


@pytest.mark.parametrize("fault", mutants.mutants("header"), ids=lambda fault: fault.name)
def test_a_fault_is_refused(fault):
    with pytest.raises((AssertionError, subprocess.CalledProcessError, cffi.CDefError)):
        CHECKS[fault.finder](fault.mutated())


def test_each_function_has_a_test_of_its_arguments():
    files = ("errors", "handles", "notify", "support/refusals")
    tests = "".join((ROOT / f"c_tests/{name}.c").read_text() for name in files)
    assert not [name for name in header_facts.functions(HEADER) if f"{name}(" not in tests]


def test_each_initializer_is_compiled():
    compiled = Path(__file__).with_name("initializers.h").read_text()
    macros = re.findall(r"^#define (FT_LOCAL_\w+_INIT)\b", HEADER, re.MULTILINE)
    assert macros
    assert not [macro for macro in macros if f"{macro};" not in compiled]


def test_all_parts_have_one_version():
    library = ctypes.CDLL(str(LIBRARY))
    library.ft_local_version.restype = ctypes.c_char_p
    number = library.ft_local_version_number()
    script = """import importlib.metadata, ft_local
print(importlib.metadata.version("ft_local"), ft_local.__version__)"""
    installed = output(os.environ["FT_LOCAL_PYTHON"], "-c", script, cwd=ROOT / "build").split()
    assert {
        tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"],
        "{}.{}.{}".format(*header_facts.version(HEADER)[0]),
        library.ft_local_version().decode(),
        f"{number // 1000000}.{number // 1000 % 1000}.{number % 1000}",
        *installed,
    } == {installed[0]}
