#!/usr/bin/env python3
"""Simulates thousands of clients that lease blocks from one store.

    simulate.py            a table: block and crash rate against gaps, waits and load of the store
    simulate.py --check    compares the simulation with what arithmetic says of a simple case

A client uses ids at a rate of its own and leases a block ahead, with the rule for the size of
blocks that ft_local.lease uses. The store serves one request at a time. A client crashes at random,
loses what it has in hand, and begins again. Times are simulated, and the same seed gives the same
figures.
"""

import heapq
import random
import sys
from dataclasses import dataclass

from ft_local.lease._size import BlockSize

HOUR = 3600.0


@dataclass
class Setup:
    """What is simulated."""

    clients: int = 2000
    rate: float = 100.0  # ids per second and client; the clients' own rates vary around it
    block: int = 100  # the least that is in hand; half of it is leased at once
    most: int = 100  # the most, if blocks grow
    target: float = 1.0  # seconds that a block should last
    round_trip: float = 0.001  # seconds on the network
    service: float = 0.0005  # seconds of the store for a request, of which it does one at a time
    crashes: float = 1 / 24  # per client and hour
    hours: float = 0.1
    seed: int = 1


@dataclass
class Client:
    """One process with a lease."""

    rate: float
    size: BlockSize
    life: int = 0  # how often it has crashed
    left: int = 0  # of the block in use, when that began
    since: float = 0.0
    ahead: int = 0
    waiting: bool = True


@dataclass
class Result:
    """What came of it."""

    leased: int = 0
    lost: int = 0
    requests: int = 0
    busy: float = 0.0
    switches: int = 0
    waits: int = 0
    wait: float = 0.0
    longest_queue: float = 0.0
    gaps: float = 0.0


class Simulation:
    """Events in the order of their times: an answer of the store, the end of a block, a crash."""

    def __init__(self, setup: Setup):
        self.setup = setup
        self.random = random.Random(setup.seed)
        self.events: list[tuple[float, int, int, str, int, int]] = []
        self.number = 0
        self.free_at = 0.0  # when the store has served all requests so far
        self.result = Result()
        self.clients = [self._client() for _ in range(setup.clients)]

    def _client(self) -> Client:
        spread = self.random.lognormvariate(0, 0.5)
        return Client(self.setup.rate * spread, self._size())

    def _size(self) -> BlockSize:
        return BlockSize(
            max(1, self.setup.block // 2), max(1, self.setup.most // 2), self.setup.target
        )

    def _at(self, time: float, index: int, what: str, count: int = 0) -> None:
        self.number += 1
        life = self.clients[index].life
        heapq.heappush(self.events, (time, self.number, index, what, count, life))

    def _request(self, now: float, index: int) -> None:
        """Asks for a block; the answer comes after the requests that came before."""
        setup, result = self.setup, self.result
        arrives = now + setup.round_trip / 2
        begins = max(arrives, self.free_at)
        self.free_at = begins + setup.service
        result.longest_queue = max(result.longest_queue, begins - arrives)
        result.requests += 1
        result.busy += setup.service
        count = self.clients[index].size.value
        result.leased += count
        self._at(self.free_at + setup.round_trip / 2, index, "answer", count)

    def _use_next(self, now: float, index: int) -> None:
        client = self.clients[index]
        client.left, client.ahead, client.since = client.ahead, 0, now
        client.waiting = False
        self._at(now + client.left / client.rate, index, "used")
        self._request(now, index)

    def _answer(self, now: float, index: int, count: int) -> None:
        client = self.clients[index]
        client.ahead = count
        if client.waiting:
            self.result.wait += now - client.since
            self._use_next(now, index)

    def _used(self, now: float, index: int) -> None:
        client = self.clients[index]
        self.result.switches += 1
        client.size.lasted(now - client.since, waited=client.ahead == 0)
        client.left = 0
        if client.ahead:
            self._use_next(now, index)
        else:
            client.waiting, client.since = True, now
            self.result.waits += 1

    def _crash(self, now: float, index: int) -> None:
        """What is in hand is lost, and so is a block whose answer is under way."""
        client = self.clients[index]
        used = 0 if client.waiting else int((now - client.since) * client.rate)
        # One block is always ahead, or on its way.
        on_its_way = 0 if client.ahead else client.size.value
        self.result.lost += client.left - min(used, client.left) + client.ahead + on_its_way
        client.life += 1
        client.left = client.ahead = 0
        client.waiting, client.since = True, now
        client.size = self._size()
        self._begin(now, index)

    def _begin(self, now: float, index: int) -> None:
        self._request(now, index)
        if self.setup.crashes:
            self._at(now + self.random.expovariate(self.setup.crashes / HOUR), index, "crash")

    def run(self) -> Result:
        end = self.setup.hours * HOUR
        for index in range(self.setup.clients):
            # They do not all start at once.
            self._at(self.random.uniform(0, 10), index, "begin")
        act = {"answer": self._answer, "used": lambda now, index, _: self._used(now, index),
               "crash": lambda now, index, _: self._crash(now, index),
               "begin": lambda now, index, _: self._begin(now, index)}  # fmt: skip
        while self.events and self.events[0][0] < end:
            now, _, index, what, count, life = heapq.heappop(self.events)
            if self.clients[index].life == life:
                act[what](now, index, count)
        self.result.gaps = self.result.lost / self.result.leased
        return self.result


CASES = [
    ("block 10", {"block": 10, "most": 10}),
    ("block 100", {"block": 100, "most": 100}),
    ("block 1000", {"block": 1000, "most": 1000}),
    ("block 10,000", {"block": 10_000, "most": 10_000}),
    ("by itself, target 0.25 s", {"block": 10, "most": 10_000, "target": 0.25}),
    ("by itself, target 1 s", {"block": 10, "most": 10_000}),
    ("by itself, target 4 s", {"block": 10, "most": 10_000, "target": 4.0}),
]


def table():
    titles = "requests/s", "store busy", "ids lost", "blocks waited for", "longest queue"
    print("| blocks | crashes per client | " + " | ".join(titles) + " |")
    print("| --- | --- " + "| --: " * len(titles) + "|")
    for crashes, words in ((1 / 24, "one a day"), (1.0, "one an hour")):
        for name, sizes in CASES:
            setup = Setup(crashes=crashes, **sizes)
            done = Simulation(setup).run()
            seconds = setup.hours * HOUR
            queue = "grows" if done.busy >= seconds else f"{done.longest_queue * 1e3:.0f} ms"
            print(
                f"| {name} | {words} | {done.requests / seconds:,.0f} | "
                f"{min(done.busy / seconds, 1):.0%} | {done.gaps:.4%} | "
                f"{done.waits / max(done.switches, 1):.2%} | {queue} |"
            )


def check():
    """Blocks of one size and no queue: requests are ids over size, gaps what is in hand a crash."""
    sizes = {"block": 1000, "most": 1000}
    setup = Setup(**sizes, clients=200, crashes=10.0, service=0.0, round_trip=0.0, hours=1.0)
    simulation = Simulation(setup)
    done = simulation.run()
    rate = sum(client.rate for client in simulation.clients)
    requests = rate * HOUR / 500
    crashes = setup.clients * 10.0
    # On average half of the block in use, and all of the one ahead.
    lost = crashes * 750
    print(f"requests: {done.requests:,}, by arithmetic {requests + crashes:,.0f}")
    print(f"lost: {done.lost:,}, by arithmetic {lost:,.0f}")
    if abs(done.lost / lost - 1) > 0.02 or abs(done.requests / (requests + crashes) - 1) > 0.02:
        sys.exit("the simulation does not agree with arithmetic")


if __name__ == "__main__":
    check() if sys.argv[1:] == ["--check"] else table()
