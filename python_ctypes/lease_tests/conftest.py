"""Servers for the tests: two that all share, each test with a counter of its own, and more."""

import contextlib
import itertools
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import servers
from stores import Store

_numbers = itertools.count()


def pytest_configure(config):
    config.addinivalue_line("markers", "long: takes several seconds; not in continuous integration")


@pytest.fixture(scope="session")
def redis_server():
    with servers.Redis() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server():
    with servers.Postgres() as server:
        yield server


@pytest.fixture
def make_server():
    """Starts a server that only this test uses, and may kill."""
    with contextlib.ExitStack() as running:
        yield lambda kind, *options, **where: running.enter_context(
            {"redis": servers.Redis, "postgres": servers.Postgres}[kind](*options, **where)
        )


def address_of(server):
    return server.url if isinstance(server, servers.Redis) else server.conninfo


@pytest.fixture
def own_store(make_server):
    """A counter in a server of its own; the server is `store.server`."""

    def make(kind, *options, **where):
        server = make_server(kind, *options, **where)
        store = Store(kind, address_of(server), f"ids{next(_numbers)}")
        store.server = server
        return store

    return make


def _shared(kind, request, tmp_path):
    if kind == "file":
        return Store(kind, str(tmp_path / "ids"), "")
    server = request.getfixturevalue(f"{kind}_server")
    return Store(kind, address_of(server), f"ids{next(_numbers)}")


@pytest.fixture(params=["redis", "postgres", "file"])
def store(request, tmp_path):
    """A counter in each of the stores."""
    return _shared(request.param, request, tmp_path)


@pytest.fixture(params=["redis", "postgres"])
def served(request, tmp_path):
    """A counter in each of the servers."""
    return _shared(request.param, request, tmp_path)


@pytest.fixture
def redis_store(request, tmp_path):
    return _shared("redis", request, tmp_path)


@pytest.fixture
def postgres_store(request, tmp_path):
    return _shared("postgres", request, tmp_path)


@pytest.fixture
def start_worker():
    """Starts worker.py, whose output is the ids that it used."""
    running = []

    def start(store, block, threads, count, *more, prefix=()):
        words = [*store.words(), block, threads, count, *more]
        program = [*prefix, sys.executable, str(Path(__file__).parent / "worker.py")]
        # In a group of their own, since a worker may have forked.
        worker = subprocess.Popen(
            [*program, *map(str, words)],
            stdout=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
        running.append(worker)
        return worker

    yield start
    for worker in running:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        worker.stdout.close()


def read(process, size):
    """So many bytes of its output, through no buffer that would hide some from later reads."""
    data = b""
    while len(data) < size:
        more = process.stdout.read(size - len(data))
        assert more, "the process ended early"
        data += more
    return data


def status_of_child(function):
    """The exit status of a child of a fork: 0 if `function` returns something true there.

    A child that hangs is killed.
    """
    child = os.fork()
    if child == 0:
        failed = True
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(30)
            failed = not function()
        finally:
            os._exit(failed)
    return os.waitpid(child, 0)[1]


def ids_in(data):
    return [int.from_bytes(data[i : i + 8], "little") for i in range(0, len(data) // 8 * 8, 8)]
