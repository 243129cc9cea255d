"""The store goes away and comes back."""

import signal
import threading

import pytest
from ft_local.lease import Lease, StoreUnavailable

from conftest import ids_in, read
from stores import make_source

BLOCK = 100


def load_until_away(ids):
    used = []
    while True:
        try:
            used.append(ids.load())
        except StoreUnavailable as error:
            return used, error


def load_again(ids):
    """The first id after the store has come back; the lease notices by itself."""
    while True:
        try:
            return ids.load()
        except StoreUnavailable:
            continue


@pytest.mark.parametrize("prefetch", [True, False])
@pytest.mark.parametrize("kind", ["redis", "postgres"])
def test_ids_in_hand_are_served_then_an_error_then_all_is_well_again(own_store, kind, prefetch):
    store = own_store(kind)
    with Lease(store.source(BLOCK, patience=0.2), max_block=BLOCK, prefetch=prefetch) as ids:
        used = [ids.load()]
        while prefetch and not ids._feed.is_ahead():
            pass
        store.server.kill()
        more, error = load_until_away(ids)
        used += more
        assert BLOCK * 3 // 4 < len(used) <= ids.block
        assert len(used) == ids.lease_stats().leased
        assert f"{store.server.host}:{store.server.port}" in str(error)
        assert store.name in str(error)
        assert type(error.__cause__).__module__.startswith(("redis", "psycopg"))
        store.server.start()
        used.append(load_again(ids))
        used += ids.load_many(3 * BLOCK)
    assert len(set(used)) == len(used)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["redis", "postgres"])
def test_only_the_first_load_waits_for_a_store_that_is_away(own_store, kind, monkeypatch):
    """The others would otherwise wait one after the other."""
    store = own_store(kind)
    source = store.source(BLOCK, patience=0.2)
    patiences = []
    real = type(source).take
    monkeypatch.setattr(
        type(source),
        "take",
        lambda self, n, *, patience=None, cancel=None: (
            patiences.append(patience) or real(self, n, patience=patience, cancel=cancel)
        ),
    )
    store.server.kill()
    ids = Lease(source)
    errors = []

    def load():
        try:
            ids.load()
        except StoreUnavailable as error:
            errors.append(error)

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while len(patiences) < 3:  # the fetcher tries again
        pass
    ids.close()
    assert len({id(error) for error in errors}) == 8
    assert patiences[0] is None
    assert set(patiences[1:]) <= {0.0}


def test_a_server_that_does_not_answer(own_store):
    store = own_store("redis")
    source = store.source(BLOCK, patience=0)
    with Lease(source, max_block=BLOCK) as ids:
        used = [ids.load()]
        store.server.signal(signal.SIGSTOP)
        used += load_until_away(ids)[0]
        store.server.signal(signal.SIGCONT)
        used.append(load_again(ids))
    assert len(set(used)) == len(used)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["redis", "postgres"])
def test_a_server_that_restarts_is_not_noticed_within_the_patience(own_store, kind):
    store = own_store(kind)
    source = store.source(BLOCK, patience=60)
    with source:
        source.take(BLOCK)
        store.server.stop()
        taken = []
        thread = threading.Thread(target=lambda: taken.append(source.take(BLOCK)))
        thread.start()
        store.server.start()
        thread.join()
        assert taken[0][0].start > BLOCK


@pytest.mark.parametrize("kind", ["redis", "postgres"])
def test_a_server_that_crashes_under_load_repeats_nothing(own_store, start_worker, kind):
    store = own_store(kind)
    store.prepare(BLOCK)
    workers = [start_worker(store, BLOCK, 4, 0) for _ in range(2)]
    data = [read(worker, 8 * 500) for worker in workers]
    for _ in range(2):
        store.server.kill()
        store.server.start()
        data = [one + read(worker, 8 * 5000) for one, worker in zip(data, workers, strict=True)]
    for worker in workers:
        worker.kill()
    data = [one + worker.communicate()[0] for one, worker in zip(data, workers, strict=True)]
    used = [one for many in data for one in ids_in(many)]
    assert len(used) >= 2 * 10_500
    assert len(set(used)) == len(used)


def test_a_source_by_itself_says_that_the_store_is_away(served):
    source = make_source(*served.words(), BLOCK, patience=0)
    if served.kind == "postgres":
        source = make_source("postgres", "host=127.0.0.1 port=1", "ids", BLOCK, patience=0)
    else:
        source = make_source("redis", "redis://127.0.0.1:1/0", "ids", BLOCK, patience=0)
    with pytest.raises(StoreUnavailable) as caught:
        source.take(BLOCK)
    assert caught.value.__cause__ is not None
