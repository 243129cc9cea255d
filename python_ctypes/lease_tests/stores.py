"""The three stores, as the tests address them: by words that another process understands."""

from pathlib import Path

import psycopg
import redis
from ft_local.lease import Lease, file_block, postgres_block, redis_block


def redis_client(url, **options):
    """A client that fails soon: the lease tries again."""
    return redis.Redis.from_url(
        url, socket_timeout=2, socket_connect_timeout=2, retry=None, **options
    )


def make_source(store, address, name, block, **options):
    if store == "redis":
        return redis_block(redis_client(address), name, block, **options)
    if store == "postgres":
        return postgres_block(lambda: psycopg.connect(address), name, block, **options)
    return file_block(address, block)


def make_lease(store, address, name, block, **options):
    """A lease whose blocks stay as they are."""
    source = make_source(store, address, name, block)
    return Lease(source, **{"max_block": block, **options})


class Store:
    """A counter of its own in one of the stores."""

    def __init__(self, kind, address, name):
        self.kind, self.address, self.name = kind, address, name

    def words(self):
        return [self.kind, self.address, self.name]

    def source(self, block, **options):
        self.prepare(block)
        return make_source(*self.words(), block, **options)

    def lease(self, block, **options):
        return Lease(self.source(block), **{"max_block": block, **options})

    def prepare(self, block):
        if self.kind == "postgres":
            self.sql(f"CREATE SEQUENCE IF NOT EXISTS {self.name} INCREMENT BY {block}")

    def sql(self, text):
        with psycopg.connect(self.address, autocommit=True) as connection:
            cursor = connection.execute(text)
            return cursor.fetchall() if cursor.description else None

    def leased(self, block):
        """The last id that was leased."""
        if self.kind == "redis":
            with redis_client(self.address) as client:
                return int(client.get(self.name) or 0)
        if self.kind == "postgres":
            ((last, called),) = self.sql(f"SELECT last_value, is_called FROM {self.name}")
            return last + block - 1 if called else 0
        return int(Path(self.address).read_bytes()[:20])
