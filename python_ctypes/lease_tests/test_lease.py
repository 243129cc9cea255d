"""Lease: fetching ahead, closing, and what it leaves behind."""

import gc
import threading

import pytest
from ft_local import BatchExecutor, EndOfSource, ExecutorClosed
from ft_local.lease import Lease, StoreError, file_block


def until(condition):
    """Waits for another thread, for as long as a test may take."""
    while not condition():
        threading.Event().wait(0.001)


def test_a_lease_is_an_executor(store):
    with store.lease(10) as ids:
        assert isinstance(ids, BatchExecutor)
        assert ids.load() == 1
        assert ids.load_many(20) == list(range(2, 22))
        with ids.cursor() as cursor:
            assert next(cursor) == 22
        assert ids.prefill() >= 0
        assert ids.stats().produced >= 22


def test_the_next_block_is_leased_before_the_last_is_used(store):
    with store.lease(100) as ids:
        ids.load()
        for used in range(2, 500):
            until(ids._feed.is_ahead)
            assert ids.load() == used
        assert ids.lease_stats().waits == 1


def test_without_prefetch_each_block_is_waited_for(store):
    with store.lease(100, prefetch=False) as ids:
        ids.load_many(350)
        stats = ids.lease_stats()
        assert stats.round_trips >= 4 or store.kind == "postgres"
        assert stats.leased - 350 <= ids.block


def test_a_close_gives_back_what_was_not_used(store):
    ids = store.lease(100)
    ids.load_many(10)
    ids.close()
    with store.lease(100) as others:
        first = others.load()
    assert first == (11 if store.kind != "postgres" else first)
    assert first > 10


def test_a_close_gives_back_what_cursors_have_given_back(redis_store):
    ids = redis_store.lease(100)
    with ids.cursor() as cursor:
        used = [next(cursor) for _ in range(5)]
    ids.close()
    assert used == [1, 2, 3, 4, 5]
    with redis_store.lease(100) as others:
        assert others.load() == 6


def test_a_close_gives_nothing_back_if_another_has_leased_since(store):
    ids, other = store.lease(100), store.lease(100)
    ids.load()
    mine = {other.load()}
    ids.close()
    mine.update(other.load_many(300))
    assert 1 not in mine
    assert len(mine) == 301
    other.close()
    with store.lease(100) as later:
        assert not mine & set(later.load_many(300))


def test_without_give_back_the_rest_is_left(redis_store):
    with redis_store.lease(100, give_back=False) as ids:
        ids.load()
        leased = ids.lease_stats().leased
    assert redis_store.leased(100) >= leased


def test_a_closed_lease_loads_no_more(store):
    ids = store.lease(10)
    ids.load()
    ids.close()
    ids.close()
    with pytest.raises(ExecutorClosed):
        ids.load()


def test_a_close_ends_loads_that_wait_for_the_store(tmp_path, monkeypatch):
    """The thread that runs the source waits for the fetcher, the other one for that thread."""
    entered, go_on = threading.Event(), threading.Event()

    def slow(self, n):
        entered.set()
        go_on.wait()
        return real(self, n)

    source = file_block(tmp_path / "ids", 10)
    real = type(source)._lease
    monkeypatch.setattr(type(source), "_lease", slow)
    ids = Lease(source)
    errors = []

    def load():
        try:
            ids.load()
        except ExecutorClosed as error:
            errors.append(error)

    threads = [threading.Thread(target=load) for _ in range(2)]
    for thread in threads:
        thread.start()
    entered.wait()
    closing = threading.Thread(target=ids.close)
    closing.start()
    for thread in threads:
        thread.join()
    go_on.set()
    closing.join()
    assert len(errors) == 2
    # What the request under way had leased was given back.
    assert source.take(10) == [range(1, 11)]


def test_a_lease_that_is_dropped_ends_its_thread(tmp_path):
    ids = Lease(file_block(tmp_path / "ids", 10))
    ids.load()
    (thread,) = [one for one in threading.enumerate() if one.name.startswith("lease of file")]
    del ids
    gc.collect()
    thread.join(60)
    assert not thread.is_alive()


def test_an_error_of_another_kind_reaches_the_loads(tmp_path, monkeypatch):
    """And does not end the fetcher, for which they would wait without end."""
    source = file_block(tmp_path / "ids", 10)
    with monkeypatch.context() as patch:
        patch.setattr(type(source), "_lease", lambda self, n: 1 // 0)
        ids = Lease(source)
        with pytest.raises(StoreError, match="ZeroDivisionError") as caught:
            ids.load()
        assert isinstance(caught.value.__cause__, ZeroDivisionError)
    until(lambda: ids.lease_stats().leased)
    assert ids.load() == 1
    ids.close()


def test_a_lease_does_not_end(tmp_path):
    with Lease(file_block(tmp_path / "ids", 10)) as ids:
        ids.load_many(100)
        try:
            ids.load()
        except EndOfSource:
            pytest.fail("an id source has no end")
