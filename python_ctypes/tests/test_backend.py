"""Which backend is in use, how it is chosen, and the error when the choice cannot be met."""

import modulefinder
import re
import shutil
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path

import ft_local
import pytest

# The shim has a library of its own inside.
LIBRARY = Path(ft_local.__file__).parent / "libft_local.so.0"
REPORT = "import ft_local; print(ft_local.backend)"


def test_public_names():
    assert ft_local.backend in ("c", "ctypes")
    assert sorted(ft_local.__all__) == [
        "BatchExecutor",
        "BatchStats",
        "ContendedObject",
        "ContentionReport",
        "Cursor",
        "EndOfSource",
        "ExecutorClosed",
        "ForkedError",
        "LocalWrapper",
        "Prefilling",
        "__version__",
        "abi_version",
        "backend",
        "contention",
        "get_include",
        "immortal",
        "intern",
        "library_path",
        "library_version",
        "localize",
        "share",
        "sharing",
    ]
    assert all(hasattr(ft_local, name) for name in ft_local.__all__)


def test_version():
    assert re.fullmatch(r"\d+\.\d+\.\d+", ft_local.__version__)
    assert ft_local.library_version() == ft_local.__version__
    assert ft_local.abi_version() == 0
    assert Path(ft_local.library_path()).is_absolute()
    assert Path(ft_local.library_path()).is_file()


def test_the_types_are_those_of_the_backend():
    module = "ft_local._shim" if ft_local.backend == "c" else "ft_local._ctypes"
    assert ft_local.LocalWrapper is sys.modules[module].LocalWrapper
    assert ft_local.BatchExecutor is sys.modules[module].BatchExecutor
    assert ft_local.Cursor is sys.modules[module].Cursor


def test_ctypes_can_be_chosen(run_python):
    process = run_python("-c", REPORT, FT_LOCAL_BACKEND="ctypes")
    assert (process.returncode, process.stdout) == (0, "ctypes\n"), process.stderr


def test_the_c_shim_is_the_default_if_installed(run_python):
    expected = "c" if find_spec("ft_local._shim") else "ctypes"
    process = run_python("-c", REPORT, FT_LOCAL_BACKEND="")
    assert (process.returncode, process.stdout) == (0, f"{expected}\n"), process.stderr


@pytest.mark.parametrize("value", ["C", "cython", "ctypes ", "0"])
def test_an_unknown_backend_is_an_import_error_that_says_what_to_do(value, run_python):
    process = run_python("-c", REPORT, FT_LOCAL_BACKEND=value)
    assert process.returncode == 1
    assert f"ImportError: FT_LOCAL_BACKEND is {value!r}" in process.stderr
    assert "set it to 'c' or 'ctypes'" in process.stderr


@pytest.fixture
def bare_package(tmp_path):
    """A copy of the package without the shim and the library; returns what to set for it."""
    source = Path(ft_local.__file__).parent
    patterns = ("*.so*", "*.dylib", "*.pyd", "__pycache__")
    shutil.copytree(source, tmp_path / "ft_local", ignore=shutil.ignore_patterns(*patterns))
    return {"PYTHONPATH": str(tmp_path), "PYTHONSAFEPATH": "1", "FT_LOCAL_LIBRARY": ""}


def test_a_backend_that_is_missing_is_an_import_error(run_python, bare_package):
    process = run_python("-c", REPORT, FT_LOCAL_BACKEND="c", **bare_package)
    assert process.returncode == 1
    assert "ImportError: FT_LOCAL_BACKEND is 'c', but that backend cannot be loaded" in (
        process.stderr
    )
    assert "unset FT_LOCAL_BACKEND" in process.stderr


def test_a_missing_library_is_an_import_error_that_names_the_places(run_python, bare_package):
    process = run_python("-c", REPORT, FT_LOCAL_BACKEND="ctypes", **bare_package)
    if process.returncode == 0:
        pytest.skip("the system has a libft_local of its own")
    assert "ImportError" in process.stderr
    assert bare_package["PYTHONPATH"] in process.stderr
    assert "set FT_LOCAL_LIBRARY to the path of the library" in process.stderr


def test_the_library_beside_the_package_is_found(run_python, bare_package):
    beside = Path(bare_package["PYTHONPATH"]) / "ft_local" / "libft_local.so.0"
    shutil.copy(LIBRARY, beside)
    program = "import ft_local; print(ft_local.backend, ft_local.library_path())"
    process = run_python("-c", program, FT_LOCAL_BACKEND="", **bare_package)
    assert process.stdout == f"ctypes {beside.resolve()}\n", process.stderr


def test_a_broken_shim_is_an_error_and_ctypes_does_not_replace_it(run_python, bare_package):
    package = Path(bare_package["PYTHONPATH"]) / "ft_local"
    shutil.copy(LIBRARY, package / "libft_local.so.0")
    (package / f"_shim{sysconfig.get_config_var('EXT_SUFFIX')}").write_text("not a library")
    process = run_python("-c", REPORT, FT_LOCAL_BACKEND="", **bare_package)
    assert process.returncode == 1
    assert "ImportError" in process.stderr
    assert "_shim" in process.stderr


def test_ft_local_library_overrides_the_library_beside_the_package(run_python, tmp_path):
    elsewhere = tmp_path / "elsewhere.so"
    shutil.copy(LIBRARY, elsewhere)
    program = "import ft_local; print(ft_local.library_path())"
    environment = {"FT_LOCAL_BACKEND": "ctypes", "FT_LOCAL_LIBRARY": str(elsewhere)}
    process = run_python("-c", program, **environment)
    assert process.stdout == f"{elsewhere.resolve()}\n", process.stderr


def test_a_file_that_is_not_a_library(run_python, tmp_path):
    wrong = tmp_path / "wrong.so"
    wrong.write_text("text")
    environment = {"FT_LOCAL_BACKEND": "ctypes", "FT_LOCAL_LIBRARY": str(wrong)}
    process = run_python("-c", REPORT, **environment)
    assert process.returncode == 1
    assert "ImportError" in process.stderr
    assert str(wrong) in process.stderr


def test_another_library(run_python):
    environment = {"FT_LOCAL_BACKEND": "ctypes", "FT_LOCAL_LIBRARY": "libc.so.6"}
    process = run_python("-c", REPORT, **environment)
    assert process.returncode == 1
    assert "libc.so.6 is not libft_local: it has no ft_local_abi_version" in process.stderr


@pytest.mark.skipif(
    not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this Python always has a GIL"
)
@pytest.mark.parametrize("choice", ["c", "ctypes"])
def test_importing_leaves_the_gil_off(choice, run_python):
    if choice == "c" and not find_spec("ft_local._shim"):
        pytest.skip("the C shim is not installed here")
    program = "import sys, ft_local; print(sys._is_gil_enabled())"
    process = run_python("-W", "error", "-c", program, FT_LOCAL_BACKEND=choice, PYTHON_GIL="")
    assert (process.returncode, process.stdout) == (0, "False\n"), process.stderr


def test_import_scanners_find_both_backends_and_what_is_imported_later():
    finder = modulefinder.ModuleFinder([str(Path(ft_local.__file__).parents[1])])
    finder.import_hook("ft_local")
    later = {"ft_local._ctypes.library", "ft_local._contention", "ft_local._stats"}
    assert later <= set(finder.modules)
    missing = finder.any_missing()
    assert ("ft_local._shim" in missing) == (find_spec("ft_local._shim") is None)
