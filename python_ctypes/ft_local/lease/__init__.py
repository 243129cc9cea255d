"""Ids, tickets or quota from a store that all processes share, leased in blocks.

`redis_block`, `postgres_block` and `file_block` are sources of blocks. `Lease` hands their ids out
to the threads of a process: one round trip to the store a block, fetched ahead.

    import redis
    from ft_local.lease import Lease, redis_block

    with redis.Redis(socket_timeout=1) as client, Lease(redis_block(client, "orders", 1000)) as ids:
        print(ids.load())

No id is handed out twice: not by threads, processes, hosts or forks, nor after a crash of a process
or of the server. `redis_block` needs `ft_local[redis]`, `postgres_block` `ft_local[postgres]`.
"""

from ._errors import CounterWentBack, StoreError, StoreUnavailable, UnsafeStore
from ._executor import Lease, LeaseStats
from ._file import FileBlock, file_block
from ._postgres import PostgresBlock, postgres_block
from ._ranges import RangeExecutor
from ._redis import RedisBlock, redis_block
from ._source import BlockSource

__all__ = [
    "BlockSource",
    "CounterWentBack",
    "FileBlock",
    "Lease",
    "LeaseStats",
    "PostgresBlock",
    "RangeExecutor",
    "RedisBlock",
    "StoreError",
    "StoreUnavailable",
    "UnsafeStore",
    "file_block",
    "postgres_block",
    "redis_block",
]
