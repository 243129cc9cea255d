"""Loads that do not block their thread: load_now, notify, aload and async for, in tasks."""

import asyncio
import gc
import random
import sys
import threading
import weakref
from functools import partial

import pytest
from ft_local import BatchExecutor, EndOfSource, ExecutorClosed


class Counter:
    """A source of 1, 2, 3, ...; it says in which threads it ran."""

    def __init__(self):
        self.made = 0
        self.threads = set()

    def __call__(self):
        self.threads.add(threading.get_ident())
        self.made += 1
        return self.made


class Held:
    """A source of 1, 2, 3, ... that another thread is in, until it is let go."""

    def __init__(self, size=1):
        self.made = 0
        self._entered, self._go_on = threading.Event(), threading.Event()
        self.executor = BatchExecutor(self._make, size)
        self._thread = threading.Thread(target=self.executor.load)
        self._thread.start()
        self._entered.wait()

    def _make(self):
        self._entered.set()
        self._go_on.wait()
        self.made += 1
        return self.made

    def let_go(self):
        self._go_on.set()
        self._thread.join()


@pytest.fixture
def held():
    held = Held()
    yield held
    held.let_go()


def test_load_now_takes_what_is_ready_and_runs_the_source():
    executor = BatchExecutor(Counter(), 2)
    assert [executor.load_now() for _ in range(3)] == [1, 2, 3]
    cursor = executor.cursor()
    assert [cursor.load_now() for _ in range(3)] == [4, 5, 6]


def test_load_now_returns_its_default_instead_of_waiting(held):
    assert held.executor.load_now() is None
    assert held.executor.load_now("later") == "later"
    assert held.executor.cursor().load_now("later") == "later"
    for loads in (held.executor, held.executor.cursor()):
        with pytest.raises(TypeError, match="load_now"):
            loads.load_now(1, 2)
    with pytest.raises(TypeError, match="positional"):
        held.executor.aload(1)


def test_load_now_raises_as_load_does():
    executor = BatchExecutor(iter([1]).__next__, 2)
    assert executor.load_now() == 1
    with pytest.raises(EndOfSource):
        executor.load_now()
    executor.close()
    with pytest.raises(ExecutorClosed):
        executor.load_now()
    failing = BatchExecutor(lambda: 1 / 0, 2)
    with pytest.raises(ZeroDivisionError):
        failing.load_now()


def test_a_waiter_is_called_once_or_forgotten(held):
    calls = []
    first = held.executor.notify(lambda: calls.append(1))
    second = held.executor.notify(lambda: calls.append(2))
    assert first() is True
    held.let_go()
    assert calls == [2]
    assert second() is False


def test_a_waiter_that_need_not_wait_is_called_at_once():
    calls = []
    executor = BatchExecutor(Counter(), 2)
    forget = executor.notify(lambda: calls.append(1))
    assert calls == [1]
    assert forget() is False
    with pytest.raises(TypeError, match="callable"):
        executor.notify(None)


def test_a_waiter_that_was_called_and_forgets_passes_it_on(held):
    calls = []
    forget = held.executor.notify(lambda: calls.append(1))
    held.executor.notify(lambda: calls.append(2))
    held.let_go()
    assert calls == [1]
    assert forget() is False
    assert calls == [1, 2]


def test_close_and_the_end_of_the_executor_call_all_waiters():
    for end in (BatchExecutor.close, lambda executor: None):
        held, calls = Held(), []
        for number in range(3):
            held.executor.notify(partial(calls.append, number))
        held.let_go()
        assert calls == [0]
        end(held.executor)
        del held
        gc.collect()
        assert calls == [0, 1, 2]


def test_a_waiter_keeps_the_exception_of_the_source_and_reports_its_own(held, monkeypatch):
    reported = []
    monkeypatch.setattr(sys, "unraisablehook", lambda args: reported.append(args.exc_type))
    gate, entered = threading.Event(), threading.Event()

    def fail():
        entered.set()
        gate.wait()
        raise LookupError("of the source")

    executor = BatchExecutor(fail, 2)
    caught = []

    def load():
        try:
            executor.load()
        except LookupError as error:
            caught.append(str(error))

    thread = threading.Thread(target=load)
    thread.start()
    entered.wait()
    executor.notify(lambda: 1 / 0)
    gate.set()
    thread.join()
    assert (caught, reported) == (["of the source"], [ZeroDivisionError])


def test_waiters_are_freed(held):
    class Waiter:
        def __call__(self):
            pass

    forgotten, called = Waiter(), Waiter()
    gone = [weakref.ref(forgotten), weakref.ref(called)]
    assert held.executor.notify(forgotten)()
    held.executor.notify(called)
    del forgotten, called
    held.let_go()
    gc.collect()
    assert [waiter() for waiter in gone] == [None, None]


def test_tasks_await_results_in_the_thread_of_the_loop():
    async def main():
        tasks = [asyncio.create_task(executor.aload()) for _ in range(10_000)]
        return await asyncio.gather(*tasks)

    source = Counter()
    executor = BatchExecutor(source, 64)
    assert sorted(asyncio.run(main())) == list(range(1, 10_001))
    assert source.threads == {threading.get_ident()}
    assert executor.stats().loads == 10_000


def test_tasks_may_have_the_source_run_in_another_thread():
    async def main():
        tasks = [asyncio.create_task(executor.aload(in_thread=True)) for _ in range(200)]
        return await asyncio.gather(*tasks)

    source = Counter()
    executor = BatchExecutor(source, 8)
    assert sorted(asyncio.run(main())) == list(range(1, 201))
    assert threading.get_ident() not in source.threads


def test_async_for_ends_with_the_source():
    async def main():
        executor = BatchExecutor(iter(range(100)).__next__, 7)
        first = [result async for result in executor]
        executor = BatchExecutor(iter(range(100)).__next__, 7)
        second = [result async for result in executor.cursor()]
        with pytest.raises(EndOfSource):
            await executor.aload()
        return first, second

    assert asyncio.run(main()) == (list(range(100)), list(range(100)))


def test_an_error_of_the_source_goes_to_the_task_that_ran_it():
    async def main():
        executor = BatchExecutor(lambda: 1 / 0, 2)
        with pytest.raises(ZeroDivisionError):
            await executor.aload()
        with pytest.raises(ZeroDivisionError):
            await executor.aload(in_thread=True)

    asyncio.run(main())


def test_a_cancelled_task_leaves_its_turn_to_the_next(held):
    async def main():
        tasks = [asyncio.create_task(held.executor.aload()) for _ in range(3)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        held.let_go()
        # It was called before the loop could tell it so.
        tasks[1].cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    first, second, third = asyncio.run(main())
    assert isinstance(first, asyncio.CancelledError)
    assert isinstance(second, asyncio.CancelledError)
    assert third == 2


def test_a_closed_loop_leaves_its_turn_to_another_waiter(held):
    calls = []
    loop = asyncio.new_event_loop()
    task = loop.create_task(held.executor.aload())
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    held.executor.notify(lambda: calls.append(1))
    held.let_go()
    assert calls == [1]
    # That no loop will go on with it is what this test is about.
    task._log_destroy_pending = False


def test_a_cancelled_task_gives_back_what_its_thread_loads():
    entered, gate = threading.Event(), threading.Event()

    def source():
        entered.set()
        gate.wait()
        return next(numbers)

    async def main():
        task = asyncio.create_task(executor.aload(in_thread=True))
        await asyncio.get_running_loop().run_in_executor(None, entered.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gate.set()
        return await executor.aload(in_thread=True)

    numbers = iter(range(10))
    executor = BatchExecutor(source, 1)
    # The thread that loads for nobody gives 0 back; the next task may have asked before that.
    taken = asyncio.run(main())
    assert sorted([taken, executor.load()]) == [0, 1]


async def _take_share(executor, share, luck, taken):
    """Loads until `share` tasks have succeeded, and cancels some."""
    while share > 0:
        tasks = [asyncio.create_task(executor.aload()) for _ in range(min(share, 20))]
        await asyncio.sleep(0)
        for task in tasks:
            if luck.random() < 0.3:
                task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        results = [result for result in done if not isinstance(result, asyncio.CancelledError)]
        taken.extend(results)
        share -= len(results)


def test_loops_and_threads_together_get_each_result_once(run_threads):
    share, loops, threads = 2000, 2, 2
    executor = BatchExecutor(Counter(), 4)

    def work(index):
        taken = []
        if index < loops:
            asyncio.run(_take_share(executor, share, random.Random(index), taken))  # noqa: S311
        else:
            taken.extend(executor.load() for _ in range(share))
        return taken

    taken = [result for part in run_threads(loops + threads, work) for result in part]
    taken.extend(executor.load_many(len(executor)))
    assert sorted(taken) == list(range(1, len(taken) + 1))
    assert len(taken) >= share * (loops + threads)
