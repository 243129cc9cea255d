"""The ctypes backend's bulk sources, and signals that arrive wherever Python looks for them."""

import contextlib
import importlib
import itertools
import signal

import pytest

pytest.importorskip("ft_local._ctypes")
source = importlib.import_module("ft_local._ctypes.source")


class InterruptionError(Exception):
    pass


@pytest.fixture
def interrupts():
    """Raises from the handler of a signal, again and again, in the code under test only."""

    def handler(number, frame):
        if frame is not None and frame.f_code.co_filename == source.__file__:
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
