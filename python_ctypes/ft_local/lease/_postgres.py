"""Blocks from a sequence in PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from ._errors import StoreError, StoreUnavailable, UnsafeStore
from ._retry import NetworkSource
from ._source import merged, no_client

# One statement, and so one transaction. A sequence writes to the log 32 values ahead, and only the
# transaction that wrote waits for the disk, at its end. Another one that is given such a value
# before that end does not wait, and a crash would repeat the value. So this one writes a message
# to the log, for which its commit waits, and for all that was written before.
_LEASE = """
SELECT ARRAY(SELECT nextval(%(sequence)s::regclass) FROM generate_series(1, %(blocks)s)),
       s.seqincrement, s.seqmax, s.seqcycle, c.relpersistence::text, current_setting('fsync'),
       set_config('synchronous_commit', CASE current_setting('synchronous_commit')
                  WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, true),
       pg_logical_emit_message(true, 'ft_local.lease', '')
  FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid
 WHERE s.seqrelid = %(sequence)s::regclass
"""

_INSIST = "pass insist=True if repeated ids do no harm"


def _unsafe(cycle: bool, persistence: str, fsync: str) -> str | None:  # noqa: FBT001
    """What lets the sequence hand out a value a second time."""
    if cycle:
        return "starts again after its last value: ALTER SEQUENCE ... NO CYCLE"
    if persistence != "p":
        return "is unlogged, so a crash resets it: ALTER SEQUENCE ... SET LOGGED"
    if fsync != "on":
        return f"is on a server with fsync {fsync}, which forgets blocks in a crash"
    return None


class PostgresBlock(NetworkSource):
    """A sequence in PostgreSQL: nextval, committed, once a block. Made by `postgres_block`."""

    __slots__ = ("_idle", "_insist", "_pid", "_pool", "_psycopg", "_sequence", "_start")

    def __init__(
        self, pool_or_factory: Any, sequence: str, block: int, *, insist: bool, patience: float
    ) -> None:
        """As of `postgres_block`."""
        try:
            import psycopg  # type: ignore[import-not-found, unused-ignore]  # noqa: PLC0415
        except ImportError as error:
            raise no_client("postgres", error) from error
        is_pool = hasattr(pool_or_factory, "connection") and hasattr(pool_or_factory, "conninfo")
        if isinstance(pool_or_factory, psycopg.Connection) or not (
            is_pool or callable(pool_or_factory)
        ):
            raise TypeError(
                "pool_or_factory must be a psycopg_pool.ConnectionPool or a function that makes a "
                f"connection, got {type(pool_or_factory).__name__!r}; a connection of the caller "
                "may be in a transaction, which must not contain a lease"
            )
        super().__init__(
            f"PostgreSQL sequence {sequence!r}", block, patience=patience, extra="postgres"
        )
        self.quantum = self.block
        self._psycopg = psycopg
        self._pool: Any = pool_or_factory if is_pool else None
        self._start: Callable[[], Any] | None = None if is_pool else pool_or_factory
        self._sequence = sequence
        self._insist = insist
        # Connections that this source made, with the process that did.
        self._idle: list[tuple[int, Any]] = []
        self._pid = os.getpid()

    def _lease(self, n: int) -> list[range]:
        blocks = max(1, n // self.quantum)
        try:
            with self._connection() as connection:
                self._name(connection)
                row = connection.execute(
                    _LEASE, {"sequence": self._sequence, "blocks": blocks}
                ).fetchone()
        except self._psycopg.Error as error:
            raise self._failure(error) from error
        if row is None:
            raise StoreError(self.store, "is not a sequence")
        values, increment, most, cycle, persistence, fsync, _, _ = row
        why = None if self._insist else _unsafe(cycle, persistence, fsync)
        if why is not None:
            raise UnsafeStore(self.store, f"{why}; {_INSIST}")
        if increment != self.quantum:
            raise StoreError(
                self.store,
                f"has INCREMENT BY {increment}, and the block is {self.quantum}: they must be "
                f"equal, as after ALTER SEQUENCE {self._sequence} INCREMENT BY {self.quantum}",
            )
        return merged(range(first, min(first + increment, most + 1)) for first in values)

    def _name(self, connection: Any) -> None:
        info = connection.info
        self.store = (
            f"PostgreSQL {info.host}:{info.port}, database {info.dbname!r}, "
            f"sequence {self._sequence!r}"
        )

    @contextmanager
    def _connection(self) -> Generator[Any]:
        """A connection that is in no transaction; what ran on it is committed at the end."""
        if self._pool is not None:
            if self._pid != os.getpid():
                raise StoreError(
                    self.store,
                    "its connection pool is the parent's: make one in this process, or give a "
                    "function that makes connections, which also works after a fork",
                )
            with self._pool.connection(timeout=max(self.patience, 0.1)) as connection:
                self._check_idle(connection)
                yield connection
            return
        connection = self._own()
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        self._idle.append((os.getpid(), connection))

    def _own(self) -> Any:
        """A connection that was used before, or a new one."""
        process = os.getpid()
        while self._idle:
            try:
                owner, connection = self._idle.pop()
            except IndexError:
                # Another thread took the last one.
                break
            # Those of the parent are only dropped: to close one would end the parent's session.
            if owner == process and not connection.closed:
                return connection
        assert self._start is not None  # noqa: S101 - there is no pool
        connection = self._start()
        self._check_idle(connection)
        connection.autocommit = True
        return connection

    def _check_idle(self, connection: Any) -> None:
        idle = self._psycopg.pq.TransactionStatus.IDLE
        if connection.info.transaction_status != idle:
            raise StoreError(
                self.store,
                "the connection is in a transaction: a rollback would lease its ids again; give a "
                "pool or a function that makes new connections",
            )

    def _failure(self, error: Exception) -> StoreError:
        """A server that restarts, or that has become a standby, may lease again later."""
        passing = (
            self._psycopg.OperationalError,
            self._psycopg.InterfaceError,
            self._psycopg.errors.ReadOnlySqlTransaction,
        )
        kind = StoreUnavailable if isinstance(error, passing) else StoreError
        return kind(self.store, f"{type(error).__name__}: {str(error).strip()}")

    def close(self) -> None:
        """Closes the connections that this source made. A pool is left alone."""
        while self._idle:
            owner, connection = self._idle.pop()
            if owner == os.getpid():
                connection.close()


def postgres_block(
    pool_or_factory: Any,
    sequence: str,
    block: int,
    *,
    insist: bool = False,
    patience: float = 5.0,
) -> PostgresBlock:
    """A source of ids from a PostgreSQL sequence with `INCREMENT BY block`.

    One nextval leases `block` ids, from its value on: `CREATE SEQUENCE orders INCREMENT BY 100`
    and `postgres_block(pool, "orders", 100)` begin at 1. Each lease is one committed statement on
    a connection of its own, never in a transaction of the caller: a rollback or a crash before the
    commit would lease the same ids again.

    `pool_or_factory` is a `psycopg_pool.ConnectionPool`, borrowed, or a function that makes a
    connection, as `lambda: psycopg.connect(...)`, which the source then owns; `close` closes it. A
    pool cannot be used in the child of a fork; a function can.

    A sequence that may repeat values is refused with `UnsafeStore`, unless `insist`: CYCLE,
    UNLOGGED, or a server with `fsync` off. With `synchronous_commit` off, a lease waits for the
    disk all the same.

    Threads: any thread, at once. Blocks: for one round trip; while the server is away it tries
    again for `patience` seconds. Errors: StoreError. A sequence takes nothing back.
    """
    return PostgresBlock(pool_or_factory, sequence, block, insist=insist, patience=patience)
