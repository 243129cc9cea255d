"""What all tests share: the backend they run on, threads that report, and programs of their own.

Every test runs on each backend, in one process: its module is imported once for each, as
`test_name[c]` and `test_name[ctypes]`. FT_LOCAL_BACKEND restricts a run to one.
"""

import contextlib
import ctypes
import importlib
import os
import platform
import subprocess
import sys
import sysconfig
import threading
from importlib.machinery import PathFinder
from importlib.util import find_spec

import pytest

FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


def gil_is_on():
    return not FREE_THREADED or sys._is_gil_enabled()


def _installed_backends():
    places = find_spec("ft_local").submodule_search_locations
    return ["c", "ctypes"] if PathFinder.find_spec("_shim", places) else ["ctypes"]


def _is_imported_for_each(name):
    return name.partition(".")[0] == "ft_local" or name.rpartition(".")[2].startswith("test_")


class Backends:
    """The backends of this run, each with modules of its own: those of ft_local, and the tests."""

    def __init__(self):
        forced = os.environ.get("FT_LOCAL_BACKEND")
        self.names = [forced] if forced else _installed_backends()
        self.in_use = None
        self._modules = {name: {} for name in self.names}

    def use(self, name):
        """Gives tests, and the programs that they start, this backend. Returns its ft_local."""
        if name != self.in_use:
            self._put_aside()
            sys.modules.update(self._modules[name])
            os.environ["FT_LOCAL_BACKEND"] = self.in_use = name
        ft_local = importlib.import_module("ft_local")
        if ft_local.backend != name:
            raise pytest.UsageError(f"this is backend {ft_local.backend!r} instead of {name!r}")
        return ft_local

    def _put_aside(self):
        names = [name for name in sys.modules if _is_imported_for_each(name)]
        modules = {name: sys.modules.pop(name) for name in names}
        if self.in_use:
            self._modules[self.in_use] = modules


backends = Backends()


class BackendModule(pytest.Module):
    """A test module, imported for one backend."""

    backend = None

    def _getobj(self):
        backends.use(self.backend)
        return super()._getobj()


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(parent):
    found = yield
    modules = []
    for module in found:
        for name in backends.names:
            modules.append(BackendModule.from_parent(parent, path=module.path))
            modules[-1].backend = name
    return modules


@pytest.fixture(autouse=True)
def backend(request):
    """The name of the backend that the test runs on."""
    return request.param


def pytest_generate_tests(metafunc):
    module = metafunc.definition.getparent(BackendModule)
    metafunc.parametrize("backend", [module.backend], indirect=True)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    backends.use(item.getparent(BackendModule).backend)


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "c_backend(reason): what only the C backend can do, and why ctypes cannot"
    )
    for name in backends.names:
        backends.use(name)
    if FREE_THREADED and gil_is_on() and os.environ.get("PYTHON_GIL") != "1":
        raise pytest.UsageError("the GIL is on: importing ft_local or a plugin has switched it on")


def pytest_report_header(config):
    version = backends.use(backends.in_use).__version__
    python = f"{platform.python_implementation()} {platform.python_version()}"
    names = " and ".join(backends.names)
    return f"ft_local {version}: backend {names}, {python}, GIL {'on' if gil_is_on() else 'off'}"


def pytest_collection_modifyitems(items):
    for item in items:
        marker = item.get_closest_marker("c_backend")
        if marker and item.getparent(BackendModule).backend != "c":
            why = marker.kwargs.get("reason") or (marker.args[0] if marker.args else "")
            item.add_marker(pytest.mark.skip(reason=f"C backend only: {why}".rstrip(": ")))


@pytest.fixture
def run_threads():
    """Runs `function(index)` in so many threads at once; returns what they returned, in order.

    What a thread raised is raised here.
    """

    def run(count, function):
        results = [None] * count
        errors = []
        barrier = threading.Barrier(count)

        def body(index):
            try:
                barrier.wait(30)
                results[index] = function(index)
            except BaseException as error:  # noqa: BLE001 - raised again below
                errors.append(error)

        threads = [threading.Thread(target=body, args=(i,), daemon=True) for i in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(600)
            assert not thread.is_alive(), "a thread hangs"
        if errors:
            raise errors[0]
        return results

    return run


@pytest.fixture
def clear():
    """Does to an object what the garbage collector does to garbage.

    No program reaches the object after that, but code in C that ends with the garbage may.
    """
    slot_of = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_int)(
        ("PyType_GetSlot", ctypes.pythonapi)
    )
    tp_clear = 51

    def clear(one):
        function = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(slot_of(type(one), tp_clear))
        assert function(id(one)) == 0

    return clear


@pytest.fixture
def run_python():
    """Runs a program in a Python of its own, with the same ft_local; returns the finished process.

    What it prints is text; a program that hangs is killed and fails the test.
    """

    def run(*arguments, timeout=60, **environment):
        return subprocess.run(  # noqa: S603 - our own programs
            [sys.executable, *arguments],
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env={**os.environ, **environment},
        )

    return run


@pytest.fixture
def run_python_with_daemons(run_python):
    """As `run_python`, for a program that ends while daemon threads run."""

    def run(*arguments, timeout=30, **environment):
        # A free-threaded 3.13 then hangs in its own code once in about 140 times: see
        # docs/reliability.md. Twice in a row is no coincidence.
        if FREE_THREADED and sys.version_info[:2] == (3, 13):
            with contextlib.suppress(subprocess.TimeoutExpired):
                return run_python(*arguments, timeout=timeout, **environment)
        return run_python(*arguments, timeout=timeout, **environment)

    return run
