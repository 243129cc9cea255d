"""Clients on other hosts: network namespaces, each with its own address, joined by a bridge."""

import contextlib
import os
import subprocess

import pytest

from conftest import address_of, ids_in
from stores import Store

BLOCK = 100


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


class Network:
    """Hosts 10.x.0.1, 10.x.0.2 and so on, as network namespaces on one bridge."""

    def __init__(self):
        # So that runs at the same time do not meet.
        self._mark = f"fl{os.getpid() % 1000000}"
        self._subnet = f"10.{os.getpid() % 200 + 20}.0"
        self._undo = contextlib.ExitStack()

    def __enter__(self):
        self._add(("netns", "add", f"{self._mark}s"), ("netns", "del", f"{self._mark}s"))
        self._inside = ("-n", f"{self._mark}s")
        ip(*self._inside, "link", "add", "bridge", "type", "bridge")
        ip(*self._inside, "link", "set", "bridge", "up")
        return self

    def __exit__(self, *error):
        self._undo.close()

    def _add(self, do, undo):
        ip(*do)
        self._undo.callback(ip, *undo)

    def host(self, number):
        """Adds a host: its address, and the words before a command that run it there."""
        name = f"{self._mark}h{number}"
        self._add(("netns", "add", name), ("netns", "del", name))
        port = f"port{number}"
        ip(
            *self._inside,
            "link",
            "add",
            port,
            "type",
            "veth",
            "peer",
            "name",
            "eth0",
            "netns",
            name,
        )
        ip(*self._inside, "link", "set", port, "master", "bridge", "up")
        address = f"{self._subnet}.{number}"
        ip("-n", name, "addr", "add", f"{address}/24", "dev", "eth0")
        ip("-n", name, "link", "set", "eth0", "up")
        ip("-n", name, "link", "set", "lo", "up")
        return address, ["ip", "netns", "exec", name]


@pytest.fixture
def network():
    try:
        with Network() as network:
            yield network
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        pytest.skip(f"needs ip(8) and the right to make network namespaces: {error}")


@pytest.mark.parametrize("kind", ["redis", "postgres"])
def test_hosts_share_a_counter(network, make_server, start_worker, kind):
    address, there = network.host(1)
    server = make_server(kind, host=address, prefix=there)
    store = Store(kind, address_of(server), "ids")
    if kind == "postgres":
        psql = [*there, "psql", "-q", server.conninfo]
        subprocess.run([*psql, "-c", f"CREATE SEQUENCE ids INCREMENT BY {BLOCK}"], check=True)
    workers = [
        start_worker(store, BLOCK, 4, 500, prefix=network.host(number)[1]) for number in (2, 3)
    ]
    used = [one for worker in workers for one in ids_in(worker.communicate()[0])]
    assert [worker.returncode for worker in workers] == [0, 0]
    assert len(used) == 2 * 4 * 500
    assert len(set(used)) == len(used)
