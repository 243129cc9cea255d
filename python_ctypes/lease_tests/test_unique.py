"""No id is used twice: over threads, processes, forks, and processes killed at any moment."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ids_in, read

BLOCK = 100
THREADS = 4


def test_processes_of_threads(store, start_worker):
    store.prepare(BLOCK)
    workers = [start_worker(store, BLOCK, THREADS, 500) for _ in range(3)]
    used = [one for worker in workers for one in ids_in(worker.communicate()[0])]
    assert [worker.returncode for worker in workers] == [0, 0, 0]
    assert len(used) == 3 * THREADS * 500
    assert len(set(used)) == len(used)
    assert min(used) >= 1
    assert max(used) <= store.leased(BLOCK)


def test_a_process_that_forks_while_its_threads_use_ids(store, start_worker):
    store.prepare(BLOCK)
    worker = start_worker(store, BLOCK, THREADS, 500, "fork")
    used = ids_in(worker.communicate()[0])
    assert worker.returncode == 0
    assert len(used) == 3 * THREADS * 500
    assert len(set(used)) == len(used)


IMPORTED_BY_A_LEASE = """
import sys
from stores import make_lease

store, address, name, block = sys.argv[1:]
with make_lease(store, address, name, int(block)) as ids:
    before = set(sys.modules)
    ids.load()
print(*sorted(set(sys.modules) - before))
"""


def test_the_thread_that_leases_imports_nothing(store):
    """A fork during an import leaves the child with a lock that nobody will release."""
    store.prepare(BLOCK)
    run = subprocess.run(
        [sys.executable, "-c", IMPORTED_BY_A_LEASE, *store.words(), str(BLOCK)],
        cwd=Path(__file__).parent,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert run.stdout.split() == []


@pytest.mark.parametrize("moment", [8, 8 * 77, 8 * 1000])
def test_processes_killed_at_any_moment(store, start_worker, moment):
    """A killed process loses what its lease had in hand, and what its threads had just loaded."""
    with store.lease(BLOCK) as lease:
        in_hand = lease.block
    workers = [start_worker(store, BLOCK, THREADS, 0) for _ in range(3)]
    used = []
    for worker in workers:
        data = read(worker, moment)
        worker.send_signal(signal.SIGKILL)
        data += worker.communicate()[0]
        used += ids_in(data)
    assert len(used) >= 3 * (moment // 8)
    assert len(set(used)) == len(used)
    lost = store.leased(BLOCK) - len(used)
    assert 0 <= lost <= 3 * (in_hand + THREADS)
    with store.lease(BLOCK) as lease:
        assert lease.load() > max(used) - 3 * in_hand
        assert not set(lease.load_many(200)) & set(used)
