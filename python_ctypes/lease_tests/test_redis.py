"""Redis: what it must be like, what it forgets otherwise, and lost replies."""

import threading

import pytest
import redis
from ft_local.lease import StoreUnavailable, UnsafeStore, redis_block

from conftest import status_of_child
from proxy import Proxy
from stores import redis_client


def test_ids_continue_those_of_incr(redis_store):
    with redis_client(redis_store.address) as client:
        used = [client.incr(redis_store.name) for _ in range(3)]
        with redis_store.source(10) as source:
            assert used == [1, 2, 3]
            assert source.take(10) == [range(4, 14)]
        assert client.incr(redis_store.name) == 14


def test_a_server_that_writes_each_command_forgets_nothing(own_store):
    store = own_store("redis")
    assert store.source(10).take(10) == [range(1, 11)]
    store.server.kill()
    store.server.start()
    assert store.source(10).take(10) == [range(11, 21)]


def test_a_server_that_does_not_is_refused_because_it_repeats(own_store):
    store = own_store("redis", "--appendonly", "no")
    with pytest.raises(
        UnsafeStore, match=r"appendonly no.*it needs appendonly yes and appendfsync"
    ):
        store.source(10).take(10)
    first = store.source(10, insist=True).take(10)
    store.server.kill()
    store.server.start()
    assert store.source(10, insist=True).take(10)[0].start <= first[0].start


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ({"appendonly": "no"}, "appendonly no"),
        ({"appendfsync": "everysec"}, "appendfsync everysec"),
        ({"no-appendfsync-on-rewrite": "yes"}, "no-appendfsync-on-rewrite yes"),
        ({"maxmemory": "100mb", "maxmemory-policy": "allkeys-lru"}, "may evict the counter"),
    ],
)
def test_a_setting_that_may_lose_the_counter_is_refused_at_the_next_block(own_store, setting, why):
    store = own_store("redis")
    source = store.source(10)
    source.take(10)
    with redis_client(store.address) as client:
        for name, value in setting.items():
            client.config_set(name, value)
    with pytest.raises(UnsafeStore, match=f"key '{store.name}': .*{why}.*insist=True"):
        source.take(10)
    assert store.source(10, insist=True).take(10)


def test_a_counter_with_a_time_to_live_is_refused(redis_store):
    source = redis_store.source(10)
    source.take(10)
    with redis_client(redis_store.address) as client:
        client.expire(redis_store.name, 1000)
    with pytest.raises(UnsafeStore, match="forgets the counter in"):
        source.take(10)


def test_a_server_that_does_not_say_is_refused(own_store):
    store = own_store("redis")
    with redis_client(store.address) as client:
        client.execute_command("ACL", "SETUSER", "some", "on", "nopass", "~*", "+@all", "-config")
    url = store.address.replace("redis://", "redis://some:x@")
    with redis_client(url) as client:
        with pytest.raises(UnsafeStore, match="does not say how it is configured") as caught:
            redis_block(client, store.name, 10).take(10)
        assert isinstance(caught.value.__cause__, redis.exceptions.NoPermissionError)
        assert redis_block(client, store.name, 10, insist=True).take(10)


def until_replicated(client):
    while client.info("replication").get("slave0", {}).get("state") != "online":
        pass


def test_replicas_are_refused_and_so_is_one_that_was_promoted(own_store, make_server):
    store = own_store("redis")
    store.source(10).take(10)
    at = ("--replicaof", store.server.host, str(store.server.port))
    replica = make_server("redis", "--appendonly", "yes", "--appendfsync", "always", *at)
    with redis_client(store.address) as client, redis_client(replica.url) as other:
        until_replicated(client)
        with pytest.raises(UnsafeStore, match="has a replica, which, if it is promoted"):
            store.source(10).take(10)
        with pytest.raises(StoreUnavailable, match="ReadOnlyError"):
            redis_block(other, store.name, 10, patience=0).take(10)
        other.replicaof("NO", "ONE")
        with pytest.raises(UnsafeStore, match="was promoted from a replica"):
            redis_block(other, store.name, 10).take(10)


def calls(client, command):
    return client.info("commandstats")[f"cmdstat_{command}"]["calls"]


def test_a_lost_reply_to_a_lease_leaves_a_gap_and_repeats_nothing(own_store):
    store = own_store("redis")
    with Proxy(store.server.host, store.server.port, b"INCRBY") as proxy:
        client = redis_client(f"redis://127.0.0.1:{proxy.port}/0")
        with client:
            assert redis_block(client, store.name, 10).take(10) == [range(11, 21)]
        assert proxy.lost == 1


def test_what_is_given_back_is_given_back_at_most_once(own_store):
    """A second try could take back what another process has leased since, and uses."""
    store = own_store("redis")
    with Proxy(store.server.host, store.server.port, b"EVAL") as proxy:
        # As a client is by default: it sends a command again if the reply is lost.
        client = redis.Redis(port=proxy.port)
        source = redis_block(client, store.name, 10)
        source.take(10)
        with pytest.raises(StoreUnavailable):
            source.give_back(range(5, 11))
        client.close()
    with redis_client(store.address) as client:
        assert calls(client, "eval") == 1


def test_a_fork_while_another_thread_is_in_the_clients_pool(redis_store):
    """The client keeps the locks of its pool in the child, where nobody would unlock them."""
    with redis_client(redis_store.address) as client:
        source = redis_block(client, redis_store.name, 10)
        assert source.take(10) == [range(1, 11)]
        pool = client.connection_pool
        inside, done = threading.Event(), threading.Event()

        def stay_inside():
            with pool._lock, pool._event_dispatcher._lock:
                inside.set()
                done.wait()

        thread = threading.Thread(target=stay_inside)
        thread.start()
        inside.wait()
        status = status_of_child(lambda: source.take(10) == [range(11, 21)])
        done.set()
        thread.join()
        assert status == 0
        assert source.take(10) == [range(21, 31)]


def test_an_error_does_not_show_a_password(redis_server):
    client = redis.Redis(port=1, password="secret", retry=None)
    with pytest.raises(StoreUnavailable) as caught:
        redis_block(client, "ids", 10, patience=0).take(10)
    assert "secret" not in str(caught.value)
