"""PostgreSQL: what the sequence must be like, transactions, and what a crash costs."""

import os

import psycopg
import pytest
from ft_local.lease import Lease, StoreError, UnsafeStore, postgres_block
from psycopg_pool import ConnectionPool

# So that nothing but a commit writes the log to the disk.
NO_HELP = ("-c", "wal_writer_delay=10s", "-c", "autovacuum=off")


@pytest.fixture
def pool(postgres_store):
    with ConnectionPool(postgres_store.address, min_size=1, max_size=2, open=True) as pool:
        yield pool


def test_a_pool_serves_and_commits(postgres_store, pool):
    postgres_store.prepare(10)
    source = postgres_block(pool, postgres_store.name, 10)
    assert source.take(10) == [range(1, 11)]
    with Lease(source, max_block=100) as ids:
        assert ids.load_many(20) == list(range(11, 31))


def test_a_lease_is_never_part_of_a_transaction_of_the_caller(postgres_store, pool):
    postgres_store.prepare(10)
    source = postgres_block(pool, postgres_store.name, 10)
    with pool.connection() as mine:
        mine.execute("CREATE TABLE IF NOT EXISTS something (x int)")
        first = source.take(10)
        mine.rollback()
    assert first == [range(1, 11)]
    assert source.take(10) == [range(11, 21)]


def test_a_connection_of_the_caller_is_refused(postgres_store):
    with psycopg.connect(postgres_store.address) as mine:
        with pytest.raises(TypeError, match="may be in a transaction"):
            postgres_block(mine, postgres_store.name, 10)
        mine.execute("SELECT 1")
        with pytest.raises(StoreError, match="the connection is in a transaction"):
            postgres_block(lambda: mine, postgres_store.name, 10).take(10)


@pytest.mark.parametrize(
    ("clause", "error", "why"),
    [
        ("INCREMENT BY 10 CYCLE", UnsafeStore, "starts again after its last value"),
        ("INCREMENT BY 7", StoreError, "has INCREMENT BY 7, and the block is 10"),
    ],
)
def test_a_sequence_that_does_not_fit_is_refused(postgres_store, clause, error, why):
    postgres_store.sql(f"CREATE SEQUENCE {postgres_store.name} {clause}")
    with postgres_store.source(10) as source, pytest.raises(error, match=why):
        source.take(10)


def test_an_unlogged_sequence_is_refused(postgres_store):
    postgres_store.sql(f"CREATE UNLOGGED SEQUENCE {postgres_store.name} INCREMENT BY 10")
    with postgres_store.source(10) as source, pytest.raises(UnsafeStore, match="is unlogged"):
        source.take(10)


def test_a_server_without_fsync_is_refused(own_store):
    store = own_store("postgres", "-c", "fsync=off")
    with store.source(10) as source, pytest.raises(UnsafeStore, match="with fsync off"):
        source.take(10)
    with store.source(10, insist=True) as source:
        assert source.take(10)


def test_a_sequence_that_is_missing_is_an_error_at_once(postgres_store):
    source = postgres_block(lambda: psycopg.connect(postgres_store.address), "missing", 10)
    with pytest.raises(StoreError, match=r"'missing'.*UndefinedTable") as caught:
        source.take(10)
    assert isinstance(caught.value.__cause__, psycopg.errors.UndefinedTable)


def test_a_sequence_that_is_used_up(postgres_store):
    postgres_store.sql(f"CREATE SEQUENCE {postgres_store.name} INCREMENT BY 10 MAXVALUE 25")
    with postgres_store.source(10) as source:
        assert source.take(20) == [range(1, 21)]
        assert source.take(10) == [range(21, 26)]
        with pytest.raises(StoreError, match="SequenceGeneratorLimitExceeded"):
            source.take(10)


def test_a_pool_of_the_parent_is_refused_in_the_child(postgres_store, pool):
    postgres_store.prepare(10)
    source = postgres_block(pool, postgres_store.name, 10)
    source.take(10)
    child = os.fork()
    if child == 0:
        try:
            source.take(10)
        except StoreError as error:
            os._exit(0 if "is the parent's" in str(error) else 2)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    assert source.take(10) == [range(11, 21)]


def test_a_crash_costs_the_32_values_that_are_logged_ahead(own_store):
    store = own_store("postgres")
    with store.source(10) as source:
        assert source.take(10) == [range(1, 11)]
        store.server.kill()
        store.server.start()
        assert source.take(10) == [range(33 * 10 + 1, 34 * 10 + 1)]


@pytest.mark.long
def test_a_clean_restart_costs_nothing(own_store):
    store = own_store("postgres")
    with store.source(10) as source:
        source.take(10)
        store.server.stop()
        store.server.start()
        assert source.take(10) == [range(11, 21)]


def test_a_lease_waits_for_the_disk_if_commits_do_not(own_store):
    store = own_store("postgres", "-c", "synchronous_commit=off", *NO_HELP)
    with store.source(10) as source:
        first = source.take(10)
        store.server.kill()
        store.server.start()
        assert source.take(10)[0].start > first[-1].stop - 1


def test_a_lease_waits_for_the_log_of_another_transaction(own_store):
    """That one wrote the log 32 values ahead, and has not committed: the log is not on the disk."""
    store = own_store("postgres", *NO_HELP)
    store.prepare(10)
    with psycopg.connect(store.address) as other:
        other.execute("SELECT nextval(%s)", [store.name])
        with store.source(10) as source:
            first = source.take(10)
            store.server.kill()
            store.server.start()
            assert source.take(10)[0].start > first[-1].stop - 1
        other.close()
