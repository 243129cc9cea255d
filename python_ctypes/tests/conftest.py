"""What all tests share: the backend they run on, threads that report, and programs of their own."""

import os
import platform
import subprocess
import sys
import sysconfig
import threading

import ft_local
import pytest

FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


def gil_is_on():
    return not FREE_THREADED or sys._is_gil_enabled()


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "c_backend(reason): what only the C backend can do, and why ctypes cannot"
    )
    forced = os.environ.get("FT_LOCAL_BACKEND")
    if forced and ft_local.backend != forced:
        raise pytest.UsageError(
            f"FT_LOCAL_BACKEND is {forced!r}, but the backend in use is {ft_local.backend!r}"
        )
    if FREE_THREADED and gil_is_on() and os.environ.get("PYTHON_GIL") != "1":
        raise pytest.UsageError("the GIL is on: importing ft_local or a plugin has switched it on")


def pytest_report_header(config):
    gil = "on" if gil_is_on() else "off"
    return (
        f"ft_local {ft_local.__version__}: backend {ft_local.backend}, "
        f"{platform.python_implementation()} {platform.python_version()}, GIL {gil}"
    )


def pytest_collection_modifyitems(items):
    for item in items:
        marker = item.get_closest_marker("c_backend")
        if marker and ft_local.backend != "c":
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
