"""LocalWrapper: calls, contexts and the asynchronous protocols."""

import asyncio
import contextlib
import functools
import sys
import threading
import types

import pytest
from ft_local import LocalWrapper


def everything(*args, **kwargs):
    return args, kwargs


@pytest.mark.parametrize(
    "call",
    [
        lambda f: f(),
        lambda f: f(1),
        lambda f: f(1, 2, 3),
        lambda f: f(1, a=2, b=3),
        lambda f: f(*range(20), **{str(i): i for i in range(20)}),
        lambda f: f(self=1, args=2),
    ],
)
@pytest.mark.parametrize(
    "function",
    [everything, functools.partial(everything, 0, z=1), types.MethodType(everything, "self")],
    ids=["function", "partial", "method"],
)
def test_calls_with_all_kinds_of_arguments(function, call):
    assert call(LocalWrapper(function)) == call(function)


def test_calls_of_builtins_classes_and_instances():
    class Callable:
        def __call__(self, a, *, b=2):
            return a, b

    assert LocalWrapper(len)([1, 2]) == 2
    assert LocalWrapper([].append)(1) is None
    assert LocalWrapper(dict)(a=1) == {"a": 1}
    assert LocalWrapper(Callable())(1, b=3) == (1, 3)
    assert LocalWrapper.__call__(LocalWrapper(max), 1, 2) == 2


def test_calls_of_methods_of_all_kinds():
    class Thing:
        def method(self, *args, **kwargs):
            return self, args, kwargs

        def length(self, *_):
            return len(two)

        @classmethod
        def of_class(cls, *args):
            return cls, args

    thing = Thing()
    method = LocalWrapper(thing.method)
    assert method(1, a=2) == (thing, (1,), {"a": 2})
    # These callers have no place to lend before the arguments, where the size of a tuple may be.
    two, named = (1, 2), {"a": 3}
    assert LocalWrapper(thing.length)(*two) == 2
    assert method(*two, **named) == (thing, two, named)
    assert LocalWrapper.__call__(method, 1, a=2) == (thing, (1,), {"a": 2})
    assert list(map(method, [1])) == [(thing, (1,), {})]
    assert functools.partial(method, 1)(2) == (thing, (1, 2), {})
    assert LocalWrapper(Thing.of_class)(1) == (Thing, (1,))
    assert LocalWrapper(types.MethodType(max, 1))(2) == 2
    assert LocalWrapper(types.MethodType(LocalWrapper(max), 1))(2) == 2
    assert types.MethodType(method, 1)(2) == (thing, (1, 2), {})


def test_errors_of_calls_are_passed_on():
    def fails():
        raise ValueError("called")

    with pytest.raises(ValueError, match="called"):
        LocalWrapper(fails)()
    with pytest.raises(TypeError, match=r"'(int|ft_local\.LocalWrapper)' object is not callable"):
        LocalWrapper(5)()
    with pytest.raises(TypeError, match=r"fails\(\) takes 0 positional arguments but 1 was given"):
        LocalWrapper(fails)(1)


def test_a_wrapper_of_a_function_is_accepted_as_a_function():
    assert list(map(LocalWrapper(str), [1, 2])) == ["1", "2"]
    assert sorted([-2, 1], key=LocalWrapper(abs)) == [1, -2]
    assert functools.reduce(LocalWrapper(lambda a, b: a + b), [1, 2, 3]) == 6


class Manager:
    def __init__(self, *, suppress=False):
        self.log = []
        self.suppress = suppress

    def __enter__(self):
        self.log.append("enter")
        return "value"

    def __exit__(self, kind, error, traceback):
        self.log.append(kind)
        return self.suppress


def test_a_context_is_entered_and_left():
    manager = Manager()
    with LocalWrapper(manager) as value:
        assert value == "value"
        assert manager.log == ["enter"]
    assert manager.log == ["enter", None]
    with pytest.raises(ValueError, match="inside"), LocalWrapper(manager):
        raise ValueError("inside")
    assert manager.log[2:] == ["enter", ValueError]
    with LocalWrapper(Manager(suppress=True)):
        raise ValueError("swallowed")


def test_locks_and_exit_stacks():
    lock = threading.Lock()
    with LocalWrapper(lock):
        assert lock.locked()
    assert not lock.locked()
    manager = Manager()
    with contextlib.ExitStack() as stack:
        assert stack.enter_context(LocalWrapper(manager)) == "value"
    assert manager.log == ["enter", None]


def test_an_incomplete_context_manager_raises_as_if_bare():
    class OnlyEnter:
        entered = False

        def __enter__(self):
            self.entered = True

    class OnlyExit:
        def __exit__(self, *args):
            raise AssertionError

    half = OnlyEnter()
    with pytest.raises(AttributeError, match="__exit__"), LocalWrapper(half):
        pass
    assert half.entered
    with pytest.raises(AttributeError, match="__enter__"), LocalWrapper(OnlyExit()):
        pass
    with (
        pytest.raises(
            TypeError, match=r"'(int|.*LocalWrapper)' object does not support the context"
        ),
        LocalWrapper(5),
    ):
        pass
    with pytest.raises(AttributeError, match="'int' object has no attribute '__enter__'"):
        LocalWrapper(5).__enter__()


def test_errors_of_contexts_are_passed_on():
    class FailsToEnter(Manager):
        def __enter__(self):
            raise ValueError("entering")

    class FailsToExit(Manager):
        def __exit__(self, *args):
            raise ValueError("leaving")

    manager = FailsToEnter()
    with pytest.raises(ValueError, match="entering"), LocalWrapper(manager):
        pass
    assert manager.log == []
    with pytest.raises(ValueError, match="leaving"), LocalWrapper(FailsToExit()):
        pass


class AsyncManager:
    def __init__(self):
        self.log = []

    async def __aenter__(self):
        await asyncio.sleep(0)
        self.log.append("enter")
        return "value"

    async def __aexit__(self, kind, error, traceback):
        await asyncio.sleep(0)
        self.log.append(kind)


async def numbers():
    for number in range(3):
        await asyncio.sleep(0)
        yield number


async def coroutine(value):
    await asyncio.sleep(0)
    if value is None:
        raise ValueError("awaited")
    return value


class Awaitable:
    def __await__(self):
        yield from asyncio.sleep(0).__await__()
        return "awaited"


@types.coroutine
def by_generator():
    yield from asyncio.sleep(0).__await__()
    return "generated"


def test_awaiting():
    async def main():
        future = asyncio.get_running_loop().create_future()
        future.set_result("future")
        results = [
            await LocalWrapper(coroutine("bare")),
            await LocalWrapper(coroutine)("called"),
            await LocalWrapper(Awaitable()),
            await LocalWrapper(by_generator()),
            await LocalWrapper(future),
            await LocalWrapper(LocalWrapper(coroutine("nested"))),
        ]
        assert results == ["bare", "called", "awaited", "generated", "future", "nested"]
        with pytest.raises(ValueError, match="awaited"):
            await LocalWrapper(coroutine(None))
        with pytest.raises(TypeError, match="int"):
            await LocalWrapper(5)

    asyncio.run(main())


def test_tasks_of_wrapped_coroutines():
    async def main():
        task = asyncio.ensure_future(LocalWrapper(coroutine("task")))
        assert await task == "task"
        assert await asyncio.gather(*(LocalWrapper(coroutine(i)) for i in range(3))) == [0, 1, 2]
        assert await asyncio.wait_for(LocalWrapper(coroutine("timed")), 10) == "timed"
        waits = LocalWrapper(coroutine("never"))
        waits.close()

    asyncio.run(main())


def test_a_waiting_coroutine_can_be_cancelled_through_its_wrapper():
    async def main():
        started = asyncio.Event()
        log = []

        async def waits():
            started.set()
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                log.append("cancelled")
                raise

        async def outer():
            await LocalWrapper(waits())

        task = asyncio.create_task(outer())
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert log == ["cancelled"]

    asyncio.run(main())


@pytest.mark.c_backend(reason="a class in Python has `__anext__` for all that it wraps")
def test_anext_with_a_default_of_what_is_no_asynchronous_iterator_is_an_error():
    # CPython before 3.12.8 and 3.13.1 crashes if there is a slot and it raises.
    for bare in (1, [], iter(())):
        with pytest.raises(TypeError, match="is not an async iterator"):
            anext(LocalWrapper(bare), None)


def test_asynchronous_iteration():
    async def main():
        assert [number async for number in LocalWrapper(numbers())] == [0, 1, 2]
        iterator = LocalWrapper(numbers())
        assert aiter(iterator) is iterator.wrapped
        assert await anext(iterator) == 0
        assert [number async for number in iterator] == [1, 2]
        assert await anext(iterator, "default") == "default"
        with pytest.raises(StopAsyncIteration):
            await anext(iterator)
        with pytest.raises(TypeError, match="'int' object is not an async itera"):
            aiter(LocalWrapper(5))
        # Where CPython would crash with a default, the wrapper has no slot that could say "list".
        crashes = sys.version_info < (3, 12, 8) or (3, 13) <= sys.version_info < (3, 13, 1)
        name = r"(list|.*LocalWrapper)" if crashes else "list"
        with pytest.raises(TypeError, match=f"'{name}' object is not an async iterator"):
            anext(LocalWrapper([]))

    asyncio.run(main())


def test_asynchronous_contexts():
    async def main():
        manager = AsyncManager()
        async with LocalWrapper(manager) as value:
            assert value == "value"
        assert manager.log == ["enter", None]
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(LocalWrapper(manager))
        with pytest.raises(TypeError, match="asynchronous context manager protocol"):
            async with LocalWrapper(5):
                pass
        async with LocalWrapper(asyncio.Lock()) as nothing:
            assert nothing is None

    asyncio.run(main())
