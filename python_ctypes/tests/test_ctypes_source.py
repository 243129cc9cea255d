"""The ctypes backend's bulk sources, and signals that arrive wherever Python looks for them."""

import contextlib
import importlib
import itertools
import signal
import threading

import pytest

pytest.importorskip("ft_local._ctypes")
source = importlib.import_module("ft_local._ctypes.source")
shared = importlib.import_module("ft_local._ctypes.source_shared")


class InterruptionError(Exception):
    pass


@pytest.fixture
def interrupts():
    """Raises from the handler of a signal, again and again, in the code under test only."""

    def handler(number, frame):
        if frame is not None and frame.f_code.co_filename in (source.__file__, shared.__file__):
            nonlocal count
            count += 1
            raise InterruptionError

    count = 0
    before = signal.signal(signal.SIGALRM, handler)
    yield lambda: count
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("make", [list, iter, lambda items: (item for item in items)])
@pytest.mark.parametrize(("size", "extra"), [(1, 0), (3, 0), (2, 5)])
def test_a_signal_at_any_point_keeps_results_exactly_once(make, size, extra, interrupts):
    numbers = itertools.count()
    load = source.one_at_a_time(
        # All in C, where no signal is looked for: it would be the source's own.
        lambda n: make(list(itertools.islice(numbers, n + extra))),
        size,
        keeps_after_fork=False,
    )
    seen = []
    signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)
    while interrupts() < 300:
        with contextlib.suppress(InterruptionError):
            # As the library calls it, from C, to which a result is safe.
            seen.extend(iter(load, None))
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert seen == list(range(len(seen)))


class Numbers:
    """A bulk source of 0, 1, 2, ... for several threads, which ends when `is_over`."""

    def __init__(self, is_over, make, extra):
        self._lock = threading.Lock()
        self._is_over = is_over
        self._make = make
        self._extra = extra
        self.made = 0

    def __call__(self, n):
        with self._lock:
            if self._is_over():
                raise StopIteration
            first = self.made
            self.made += n + self._extra
            return self._make(range(first, self.made))


def take_all(load, into):
    """As the library does. The end of the source is that of the iterator."""
    while True:
        with contextlib.suppress(InterruptionError):
            into.extend(iter(load, None))
            return


@pytest.mark.parametrize(
    ("make", "size", "extra"),
    [(list, 1, 0), (iter, 3, 0), (lambda items: (item for item in items), 2, 5)],
)
def test_a_signal_keeps_what_threads_share_exactly_once(make, size, extra, interrupts):
    # Several times, since each has an end.
    for rounds in range(1, 4):
        numbers = Numbers(lambda wanted=20 * rounds: interrupts() >= wanted, make, extra)
        load = shared.shared_one_at_a_time(numbers, size, keeps_after_fork=False)
        parts = [], [], []
        threads = [threading.Thread(target=take_all, args=(load, part)) for part in parts[1:]]
        for thread in threads:
            thread.start()
        # This is the main thread, in which handlers run.
        signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)
        take_all(load, parts[0])
        signal.setitimer(signal.ITIMER_REAL, 0)
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive(), "it waits for an end that is not reported"
        assert sorted(itertools.chain(*parts)) == list(range(numbers.made))
