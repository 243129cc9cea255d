#!/usr/bin/env python3
"""A service that gives each request an id of its own, from Redis or PostgreSQL.

    service.py redis redis://127.0.0.1:6379/0 orders --port 8000
    service.py postgres "host=127.0.0.1 user=postgres" orders --port 8000 --each

GET / answers with the next id. With --each, each request makes a round trip to the store; without,
the ids come from a lease. GET /seen says how many were given, and how many of them were different.
The HTTP server is waitress, whose threads share the lease.
"""

import argparse
import json
import logging
import sys
import threading
from collections.abc import Callable

import psycopg_pool
import redis
import waitress
from ft_local.lease import Lease, StoreError, postgres_block, redis_block

BLOCK = 1000


class Redis:
    """Ids from a counter."""

    def __init__(self, url, name, threads):
        self.name = name
        # One connection for each thread that may use one at the same time.
        pool = redis.BlockingConnectionPool.from_url(
            url, max_connections=threads, socket_timeout=2, socket_connect_timeout=2
        )
        self.client = redis.Redis(connection_pool=pool)

    def each(self):
        return self.client.incr(self.name)

    def lease(self):
        return Lease(redis_block(self.client, self.name, BLOCK))


class Postgres:
    """Ids from a sequence."""

    def __init__(self, conninfo, name, threads):
        self.conninfo = conninfo
        self.name = name
        self.pool = psycopg_pool.ConnectionPool(
            conninfo, min_size=1, max_size=threads, kwargs={"autocommit": True}, open=True
        )

    def each(self):
        with self.pool.connection() as connection:
            return connection.execute("SELECT nextval(%s::regclass)", [self.name]).fetchone()[0]

    def lease(self):
        # Once, when a service that used single values is changed to a lease.
        with self.pool.connection() as connection:
            connection.execute(f"ALTER SEQUENCE {self.name} INCREMENT BY {BLOCK}")
        return Lease(postgres_block(self.pool, self.name, BLOCK))


class Service:
    """The WSGI application, and a record of what it gave."""

    def __init__(self, next_id: Callable[[], int]):
        self._next_id = next_id
        self._given = threading.local()
        self._lists = []

    def _record(self, number):
        if not hasattr(self._given, "ids"):
            self._given.ids = []
            self._lists.append(self._given.ids)
        self._given.ids.append(number)

    def __call__(self, environ, start_response):
        status = "200 OK"
        if environ["PATH_INFO"] == "/seen":
            ids = [one for ids in self._lists for one in ids]
            body = {"given": len(ids), "different": len(set(ids))}
        else:
            try:
                body = {"id": self._next_id()}
                self._record(body["id"])
            except StoreError as error:
                status, body = "503 Service Unavailable", {"error": str(error)}
        data = json.dumps(body).encode()
        start_response(
            status, [("Content-Type", "application/json"), ("Content-Length", str(len(data)))]
        )
        return [data]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("store", choices=["redis", "postgres"])
    parser.add_argument("address")
    parser.add_argument("name")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--each", action="store_true", help="a round trip for each request")
    options = parser.parse_args()
    # A request that waits for a thread is no news here.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    kind = {"redis": Redis, "postgres": Postgres}[options.store]
    store = kind(options.address, options.name, options.threads)
    ids = None if options.each else store.lease()
    service = Service(store.each if ids is None else ids.load)
    try:
        waitress.serve(service, host="127.0.0.1", port=options.port, threads=options.threads)
    finally:
        if ids is not None:
            ids.close()


if __name__ == "__main__":
    sys.exit(main())
