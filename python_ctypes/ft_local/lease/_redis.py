"""Blocks from a counter in Redis."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator
from typing import Any

from ._errors import StoreError, StoreUnavailable, UnsafeStore
from ._retry import NetworkSource
from ._source import no_client

# Only if nothing was leased since. Redis runs a script as one step.
_RETURN = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
    redis.call('DECRBY', KEYS[1], ARGV[2])
    return 1
end
return 0
"""

_INSIST = "pass insist=True if repeated ids do no harm"


def _persistence(config: dict[str, str]) -> str | None:
    """What about the server's persistence may lose an increment that it has confirmed."""
    wanted = {"appendonly": "yes", "appendfsync": "always", "no-appendfsync-on-rewrite": "no"}
    wrong = [
        f"{name} {config.get(name)}"
        for name, value in wanted.items()
        if config.get(name, value) != value
    ]
    if not wrong:
        return None
    asked = " and ".join(f"{name} {value}" for name, value in wanted.items())
    return (
        f"has {' and '.join(wrong)}, so a crash forgets blocks that were leased; it needs {asked}"
    )


def _eviction(memory: dict[str, str]) -> str | None:
    policy = memory.get("maxmemory-policy", "noeviction")
    if memory.get("maxmemory", "0") == "0" or not policy.startswith("allkeys"):
        return None
    return f"may evict the counter: it has maxmemory-policy {policy}"


def _replication(info: dict[str, Any]) -> str | None:
    """A replica lags behind: promoted, it leases again what its master had leased last."""
    if info.get("role") != "master":
        return "is a replica"
    if int(info.get("connected_slaves", 0)) > 0:
        return "has a replica, which, if it is promoted, does not know the last blocks"
    if set(str(info.get("master_replid2", "0"))) != {"0"}:
        return "was promoted from a replica, and may not know the last blocks of its master"
    return None


# Whose clients are renewed in the child of a fork.
_sources: weakref.WeakSet[RedisBlock] = weakref.WeakSet()
_LOCK, _RLOCK = type(threading.Lock()), type(threading.RLock())


def _parts(pool: Any) -> Iterator[Any]:
    """A connection pool, and what the client has made for it."""
    yield pool
    for part in vars(pool).values():
        if type(part).__module__.startswith("redis."):
            yield part


def _renew_locks(part: Any) -> None:
    for name, lock in list(getattr(part, "__dict__", {}).items()):
        if isinstance(lock, _LOCK):
            setattr(part, name, threading.Lock())
        elif isinstance(lock, _RLOCK) and not getattr(lock, "_is_owned")():  # noqa: B009 - untyped
            setattr(part, name, threading.RLock())


def _after_fork_in_child() -> None:
    """The client makes new connections in the child, but keeps the locks of its pool.

    If a thread of the parent was inside the pool, they are locked, and nobody unlocks them.
    """
    for source in list(_sources):
        for part in list(_parts(source._client.connection_pool)):  # noqa: SLF001
            _renew_locks(part)


os.register_at_fork(after_in_child=_after_fork_in_child)


class RedisBlock(NetworkSource):
    """A counter in Redis: INCRBY, once a block. Made by `redis_block`."""

    __slots__ = ("__weakref__", "_client", "_insist", "_key", "_redis")

    def __init__(self, client: Any, key: str, block: int, *, insist: bool, patience: float) -> None:
        """As of `redis_block`."""
        try:
            import redis  # type: ignore[import-not-found, unused-ignore]  # noqa: PLC0415
        except ImportError as error:
            raise no_client("redis", error) from error
        if not isinstance(client, redis.Redis):
            raise TypeError(f"client must be a redis.Redis, got {type(client).__name__!r}")
        at = client.connection_pool.connection_kwargs
        place = at.get("path") or f"{at.get('host', 'localhost')}:{at.get('port', 6379)}"
        super().__init__(
            f"Redis {place}, database {at.get('db', 0)}, key {key!r}",
            block, patience=patience, extra="redis",
        )  # fmt: skip
        self._redis: Any = redis
        self._client = client
        self._key = key
        self._insist = insist
        _sources.add(self)

    def _lease(self, n: int) -> list[range]:
        """One round trip: the increment, and how the server is configured at that moment.

        A server that comes back may have another configuration, so each block asks.
        """
        pipeline = self._client.pipeline(transaction=False)
        pipeline.incrby(self._key, n)
        if not self._insist:
            pipeline.pttl(self._key)
            pipeline.config_get("*append*")
            pipeline.config_get("maxmemory*")
            pipeline.info("replication")
        try:
            replies = pipeline.execute(raise_on_error=False)
        except self._redis.RedisError as error:
            raise self._failure(error) from error
        if isinstance(replies[0], Exception):
            raise self._failure(replies[0]) from replies[0]
        if not self._insist:
            self._check(*replies[1:])
        last = int(replies[0])
        return [range(last - n + 1, last + 1)]

    def _check(self, ttl: Any, *facts: Any) -> None:
        """UnsafeStore if the server may forget the increment that it has just confirmed."""
        for fact in (ttl, *facts):
            if isinstance(fact, Exception):
                why = f"does not say how it is configured ({fact}); {_INSIST}"
                raise UnsafeStore(self.store, why) from fact
        config, memory, info = facts
        reason = _persistence(config) or _eviction(memory) or _replication(info)
        if reason is None and ttl >= 0:
            reason = f"forgets the counter in {ttl} ms, as its key has a time to live"
        if reason is not None:
            raise UnsafeStore(self.store, f"{reason}; {_INSIST}")

    def _failure(self, error: Exception) -> StoreError:
        """A server that starts, or that has become a replica, may lease again later."""
        passing = (
            self._redis.ConnectionError,
            self._redis.TimeoutError,
            self._redis.BusyLoadingError,
            self._redis.ReadOnlyError,
        )
        kind = StoreUnavailable if isinstance(error, passing) else StoreError
        return kind(self.store, f"{type(error).__name__}: {error}")

    def _return(self, ids: range) -> bool:
        """By one send and one read on a connection: the client would repeat a lost command."""
        pool: Any = self._client.connection_pool
        try:
            connection: Any = pool.get_connection()
        except self._redis.RedisError as error:
            raise self._failure(error) from error
        try:
            connection.send_command("EVAL", _RETURN, 1, self._key, ids.stop - 1, len(ids))
            return bool(connection.read_response() == 1)
        except BaseException as error:
            connection.disconnect()
            if isinstance(error, self._redis.RedisError):
                raise self._failure(error) from error
            raise
        finally:
            pool.release(connection)


def redis_block(
    client: Any, key: str, block: int, *, insist: bool = False, patience: float = 5.0
) -> RedisBlock:
    """A source of ids from the counter `key` in Redis, one INCRBY for `block` of them.

    The ids continue those of a program that used INCR on the same key. `client` is a `redis.Redis`,
    borrowed: the caller closes it. Give it a `socket_timeout`, or a server that does not answer
    holds up the lease without limit.

    A server that may forget a confirmed increment is refused with `UnsafeStore`, unless `insist`:
    without `appendonly yes` and `appendfsync always`, with a replica that may be promoted, with an
    eviction policy or a time to live that can delete the counter.

    Threads: any thread, at once. Forks: usable in the child, as the client is. Blocks: for one
    round trip; while the server is away it tries again for `patience` seconds. Errors: StoreError.
    """
    return RedisBlock(client, key, block, insist=insist, patience=patience)
