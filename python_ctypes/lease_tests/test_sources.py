"""The sources: what they lease, to whom, and what they refuse."""

import sys
from pathlib import Path

import pytest
from ft_local import BatchExecutor
from ft_local.lease import CounterWentBack, Lease, file_block, redis_block

from stores import redis_client


def test_blocks_follow_one_another(store):
    with store.source(10) as source:
        assert source.take(10) == [range(1, 11)]
        assert source.take(10) == [range(11, 21)]


def test_two_sources_share_the_counter(store):
    with store.source(10) as one, store.source(10) as other:
        blocks = [source.take(10) for source in (one, other, other, one)]
    assert blocks == [[range(i, i + 10)] for i in (1, 11, 21, 31)]


def test_several_blocks_in_one_round_trip(store):
    with store.source(10) as source:
        assert source.take(50) == [range(1, 51)]


def test_a_source_is_a_bulk_source(store):
    with store.source(10) as source:
        ids = BatchExecutor(source, 4, bulk=True)
        assert ids.load_many(25) == list(range(1, 26))


def test_a_block_takes_no_memory(store):
    with store.source(10**9) as source:
        (ids,) = source.take(10**9)
        assert sys.getsizeof(ids) < 100
        assert len(ids) == 10**9


def test_the_end_of_the_last_block_is_given_back_where_the_store_can_take_it(store):
    with store.source(10) as source:
        source.take(10)
        taken = source.give_back(range(7, 11))
        assert taken == (store.kind != "postgres")
        assert source.take(10)[0].start == (7 if taken else 11)


def test_what_another_has_leased_after_is_not_given_back(store):
    with store.source(10) as source:
        source.take(10)
        source.take(10)
        assert not source.give_back(range(7, 11))
        assert source.take(10) == [range(21, 31)]


@pytest.mark.parametrize("block", [0, -1])
def test_a_block_is_at_least_one(tmp_path, block):
    with pytest.raises(ValueError, match="block must be at least 1"):
        file_block(tmp_path / "ids", block)


def test_a_client_of_another_kind_is_refused():
    with pytest.raises(TypeError, match=r"client must be a redis\.Redis, got 'object'"):
        redis_block(object(), "ids", 10)


def test_a_lease_of_something_else_is_refused():
    with pytest.raises(TypeError, match="source must come from redis_block"):
        Lease(range)


def reset(store):
    if store.kind == "redis":
        redis_client(store.address).set(store.name, 5)
    elif store.kind == "postgres":
        store.sql(f"ALTER SEQUENCE {store.name} RESTART")
    else:
        Path(store.address).unlink()


def test_a_counter_that_went_back_is_noticed(store):
    with store.source(10) as source:
        source.take(20)
        reset(store)
        with pytest.raises(CounterWentBack, match=r"leased .* after 20: its counter was reset"):
            source.take(10)
