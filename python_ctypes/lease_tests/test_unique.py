"""No id is used twice: over threads, processes, forks, and processes killed at any moment."""

import signal

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
