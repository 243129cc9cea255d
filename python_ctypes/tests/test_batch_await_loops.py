"""Loads in other loops than asyncio's own: uvloop, trio, and either of them under anyio."""

import itertools
import threading

import pytest
from ft_local import BatchExecutor, EndOfSource, ExecutorClosed

anyio = pytest.importorskip("anyio")

NOTHING = object()
LOOPS = {
    "asyncio": ("asyncio", {}),
    "uvloop": ("asyncio", {"use_uvloop": True}),
    "trio": ("trio", {}),
}


@pytest.fixture(params=LOOPS)
def run(request):
    """Runs `main(load)` in a loop; `load(executor)` is that of the loop."""
    backend, options = LOOPS[request.param]
    if request.param != "asyncio":
        pytest.importorskip(request.param)
    load = load_in_trio if backend == "trio" else BatchExecutor.aload
    return lambda main: anyio.run(main, load, backend=backend, backend_options=options)


async def load_in_trio(executor):
    """As docs/python.md says."""
    import trio  # noqa: PLC0415 - only where it is there

    token = trio.lowlevel.current_trio_token()
    while True:
        result = executor.load_now(NOTHING)
        if result is not NOTHING:
            return result
        called = trio.Event()
        forget = executor.notify(lambda called=called: token.run_sync_soon(called.set))
        try:
            await called.wait()
        except BaseException:
            forget()
            raise


class Held:
    """An executor of 0, 1, 2, ... whose source another thread is in until `let_go`."""

    def __init__(self, size):
        self._entered, self._go_on = threading.Event(), threading.Event()
        numbers = itertools.count()

        def source():
            self._entered.set()
            assert self._go_on.wait(60)
            return next(numbers)

        self.executor = BatchExecutor(source, size)
        self._thread = threading.Thread(target=self.executor.load)
        self._thread.start()
        assert self._entered.wait(60)

    def let_go(self):
        self._go_on.set()
        self._thread.join()


def test_tasks_wait_and_their_loop_goes_on(run):
    held, got = Held(4), []

    async def main(load):
        async def take():
            got.append(await load(held.executor))

        async with anyio.create_task_group() as tasks:
            for _ in range(6):
                tasks.start_soon(take)
            await anyio.wait_all_tasks_blocked()
            assert got == []
            held.let_go()

    run(main)
    assert sorted(got) == [1, 2, 3, 4, 5, 6]
    assert held.executor.stats().waits == 0


def test_a_cancelled_task_leaves_its_turn_to_the_next(run):
    held, got = Held(2), []

    async def main(load):
        async def take(scope):
            with scope:
                got.append(await load(held.executor))

        async with anyio.create_task_group() as tasks:
            scopes = [anyio.CancelScope() for _ in range(4)]
            for scope in scopes:
                tasks.start_soon(take, scope)
                await anyio.wait_all_tasks_blocked()
            scopes[0].cancel()
            await anyio.wait_all_tasks_blocked()
            held.let_go()
            # Two were called, one for a result and one for the source, and have not run yet.
            scopes[1].cancel()
            scopes[2].cancel()

    run(main)
    assert got == [1]


def test_the_end_and_a_close_reach_the_task(run):
    held = Held(2)

    async def main(load):
        ended = BatchExecutor(iter([7]).__next__, 2)
        assert await load(ended) == 7
        with pytest.raises(EndOfSource):
            await load(ended)

        async def take():
            with pytest.raises(ExecutorClosed):
                await load(held.executor)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(take)
            await anyio.wait_all_tasks_blocked()
            held.executor.close()

    run(main)
    held.let_go()


def test_tasks_and_threads_get_each_result_once(run):
    numbers, taken = itertools.count(), []
    executor = BatchExecutor(numbers.__next__, 4)

    async def main(load):
        async def take():
            taken.extend([await load(executor) for _ in range(10)])

        async with anyio.create_task_group() as tasks:
            for _ in range(50):
                tasks.start_soon(take)

    def work():
        taken.extend([executor.load() for _ in range(500)])

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    run(main)
    for thread in threads:
        thread.join()
    assert len(taken) == 1500
    taken.extend(executor.load_many(len(executor)))
    assert sorted(taken) == list(range(next(numbers)))
