"""The ctypes backend's own workings, whichever backend the other tests run on."""

import ctypes
import gc
import importlib
import itertools
import re
import subprocess
import sys
from pathlib import Path

import ft_local
import pytest

# The library beside the package, or that of FT_LOCAL_LIBRARY: the backend in use has found it too.
binding = pytest.importorskip("ft_local._ctypes")
batch = importlib.import_module("ft_local._ctypes.batch")
library = importlib.import_module("ft_local._ctypes.library")
outcomes = importlib.import_module("ft_local._outcomes")
settings = importlib.import_module("ft_local._settings")

HEADER = Path(__file__).parents[2] / "include" / "ft_local.h"


STRUCTS = {
    "host": library.Host,
    "source": library.Source,
    "batch_options": library.BatchOptions,
    "stats": library.Stats,
}


def test_the_library_accepts_the_structs():
    for name, struct in STRUCTS.items():
        init = getattr(library._library, f"ft_local_{name}_init")
        made = struct()
        assert init(ctypes.byref(made), ctypes.c_size_t(ctypes.sizeof(struct))) == 0
        assert made.struct_size == ctypes.sizeof(struct)


@pytest.mark.skipif(not HEADER.exists(), reason="the header is not here")
def test_constants_and_struct_fields_match_the_header():
    header = HEADER.read_text()
    for name, value in re.findall(r"FT_LOCAL_(ERR_\w+) = (-?\d+),", header):
        assert getattr(outcomes, name, int(value)) == int(value)
    found = re.search(r"#define FT_LOCAL_ABI_VERSION (\d+)", header)
    assert int(found[1]) == library.ABI_VERSION
    found = re.search(r"#define FT_LOCAL_BATCH_MAX_SIZE (\d+)", header)
    assert int(found[1]) == settings.MAX_SIZE
    for struct, kind in STRUCTS.items():
        body = re.search(
            rf"typedef struct ft_local_{struct} {{(.*?)}} ft_local_{struct};", header, re.DOTALL
        )
        code = re.sub(r"//.*", "", body[1])
        fields = re.findall(r"\(\*(\w+)\)|(\w+);", code)
        assert [a or b for a, b in fields] == [name for name, *_ in kind._fields_]


def test_a_library_of_another_abi_is_refused(monkeypatch):
    found = library.ABI_VERSION
    monkeypatch.setattr(library, "ABI_VERSION", found + 1)
    with pytest.raises(ImportError, match=rf"has ABI version {found}, .* needs {found + 1}; inst"):
        library._checked(library._library)


def test_the_collector_does_not_track_handles():
    executor = binding.BatchExecutor(int, 2)
    assert not gc.is_tracked(executor._handle)
    assert gc.get_referents(executor._handle) in ([], [type(executor._handle)])


def test_an_executor_needs_no_callback_into_python():
    thunks = [type(thing).__name__ for thing in gc.get_objects()].count("CFunctionType")
    executors = [binding.BatchExecutor(int, 2) for _ in range(100)]
    again = [type(thing).__name__ for thing in gc.get_objects()].count("CFunctionType")
    assert again == thunks
    assert len(executors) == 100


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (outcomes.ERR_ARGUMENT, SystemError),
        (outcomes.ERR_NO_MEMORY, MemoryError),
        (outcomes.ERR_PANIC, SystemError),
        (-7, RuntimeError),
        (-9, RuntimeError),
        (-1000, RuntimeError),
    ],
)
def test_statuses_of_the_library_become_exceptions(status, kind, monkeypatch):
    executor = binding.BatchExecutor(int, 2)
    monkeypatch.setattr(library, "batch_load", lambda handle, out: status)
    with pytest.raises(kind, match=r"^libft_local: "):
        executor.load()


@pytest.mark.parametrize(
    ("name", "load"),
    [
        ("batch_load", lambda executor: executor.load()),
        ("batch_load_many", lambda executor: executor.load_many(2)),
    ],
)
def test_results_that_arrive_with_an_exception_are_given_back(name, load, monkeypatch):
    executor = binding.BatchExecutor(itertools.count().__next__, 4)
    function = getattr(library, name)

    def interrupted(*arguments):
        assert function(*arguments) == 0
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(library, name, interrupted)
        with pytest.raises(KeyboardInterrupt):
            load(executor)
    assert [executor.load() for _ in range(4)] == [0, 1, 2, 3]


# The public stub is what counts. It is one for both backends, which differ in how instances are
# laid out and memory views released, and a constructor shows the arguments that it wants. Of
# some methods the C backend has none in the class, but in wrappers of objects that have them.
STUB_MAY_DIFFER = (
    r"ft_local\._ctypes\..*",
    r"ft_local\.(BatchExecutor|Cursor|LocalWrapper)",
    r"ft_local\.(BatchExecutor|Cursor|LocalWrapper)\.__(new|init_subclass)__",
    r"ft_local\.lease\._ranges\._Base\.__new__",
    r"ft_local\.LocalWrapper\.__release_buffer__",
    r"ft_local\.LocalWrapper\.__(a?enter|a?exit|round|trunc|floor|ceil|complex|bytes|fspath)__",
    r"ft_local\.LocalWrapper\.__array_(ufunc|function)__",
)


def test_the_stubs_match_the_modules(tmp_path):
    pytest.importorskip("mypy")
    allowed = tmp_path / "allowed"
    allowed.write_text("\n".join(STUB_MAY_DIFFER))
    command = [sys.executable, "-m", "mypy.stubtest", "ft_local", "--allowlist", allowed]
    command += ["--ignore-unused-allowlist"]
    process = subprocess.run(  # noqa: S603 - our own program
        command, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stdout + process.stderr


def test_mypy_rejects_names_that_do_not_exist(tmp_path):
    pytest.importorskip("mypy")
    program = tmp_path / "program.py"
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path / "cache", program]

    def check(text):
        program.write_text(text)
        return subprocess.run(  # noqa: S603 - our own program
            command, cwd=tmp_path, capture_output=True, text=True, check=False
        )

    good = check(
        "from ft_local import BatchExecutor, LocalWrapper\n"
        "wrapper = LocalWrapper([1])\n"
        "values: list[int] = wrapper.wrapped\n"
        "wrapper.append(2)\n"
        "local: LocalWrapper[BatchExecutor[int]] = BatchExecutor(int, 4).as_local()\n"
        "number: int = local.wrapped.load()\n"
    )
    assert good.returncode == 0, good.stdout
    wrong = (
        "import ft_local\n"
        "ft_local.get_local_wrapper\n"
        "ft_local.LocalWrapper.get_wrapped\n"
        "ft_local.LocalWrapper.__concat__\n"
        "ft_local.LocalWrapper([1]).wrapped = [2]\n"
        "ft_local.LocalWrapper(1, 2)\n"
        "ft_local.LocalWrapper([1]).wrapped.missing\n"
    )
    bad = check(wrong)
    lines = {line.split(":")[1] for line in bad.stdout.splitlines() if ": error:" in line}
    assert lines == {str(number) for number in range(2, 8)}, bad.stdout


def test_both_backends_have_the_same_public_names():
    if ft_local.backend != "c":
        pytest.skip("there is only one backend here")
    shim = importlib.import_module("ft_local._shim")
    for kind in ("BatchExecutor", "Cursor", "LocalWrapper"):
        in_c = {name for name in dir(getattr(shim, kind)) if not name.startswith("_")}
        in_python = {name for name in dir(getattr(binding, kind)) if not name.startswith("_")}
        assert in_c == in_python
    assert {name for name in dir(shim) if not name.startswith("_")} == set(binding.__all__)
