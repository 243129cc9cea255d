"""BatchExecutor and the garbage collector: cycles, finalizers, and in which order objects die."""

import gc
import itertools
import weakref

import pytest
from ft_local import BatchExecutor


class Thing:
    pass


class Source:
    executor = None

    def __call__(self):
        return "result"


@pytest.mark.parametrize("loads", [0, 1, 3])
def test_a_cycle_of_executor_and_source_is_collected(loads):
    source = Source()
    source.executor = BatchExecutor(source, 5)
    for _ in range(loads):
        source.executor.load()
    references = [weakref.ref(source), weakref.ref(source.executor)]
    del source
    gc.collect()
    assert [reference() for reference in references] == [None, None]


def test_a_cycle_through_the_closure_of_the_source_is_collected():
    def make():
        executor = BatchExecutor(lambda: len(executor), 3)
        executor.load()
        return weakref.ref(executor)

    reference = make()
    gc.collect()
    assert reference() is None


def test_a_cycle_through_a_wrapper_is_collected():
    source = Source()
    source.executor = BatchExecutor(source, 5).as_local()
    source.executor.load()
    reference = weakref.ref(source)
    del source
    gc.collect()
    assert reference() is None


@pytest.mark.c_backend(reason="ctypes cannot show the collector what the library holds")
def test_a_cycle_through_results_in_the_buffer_is_collected():
    made = []

    def make():
        def source():
            thing = Thing()
            thing.executor = executor
            made.append(weakref.ref(thing))
            return thing

        executor = BatchExecutor(source, 4)
        executor.load()
        return weakref.ref(executor)

    reference = make()
    gc.collect()
    assert reference() is None
    assert [thing() for thing in made] == [None] * 4


def test_results_in_the_buffer_are_not_collected_while_the_executor_lives():
    executor = BatchExecutor(Thing, 50)
    executor.load()
    gc.collect()
    assert all(type(executor.load()) is Thing for _ in range(49))


def test_the_executor_keeps_its_source_alive():
    class Owned:
        def __call__(self):
            return 1

    executor = BatchExecutor(Owned(), 2)
    reference = weakref.ref(executor.source)
    gc.collect()
    assert executor.load() == 1
    del executor
    gc.collect()
    assert reference() is None


def test_an_executor_outside_cycles_is_freed_at_once():
    executor = BatchExecutor(Thing, 5)
    executor.load()
    reference = weakref.ref(executor)
    del executor
    assert reference() is None


def test_a_source_may_drop_its_executor():
    holder = []
    calls = itertools.count()

    def source():
        holder.clear()
        gc.collect()
        return next(calls)

    holder.append(BatchExecutor(source, 3))
    reference = weakref.ref(holder[0])
    assert holder[0].load() == 0
    gc.collect()
    assert reference() is None


def test_results_may_drop_each_other_while_the_executor_is_freed():
    dead = []

    class Chained:
        def __init__(self, number):
            self.number = number

        def __del__(self):
            dead.append(self.number)
            gc.collect()

    calls = itertools.count()
    executor = BatchExecutor(lambda: Chained(next(calls)), 5)
    executor.load()
    del executor
    gc.collect()
    assert sorted(dead) == [0, 1, 2, 3, 4]


def test_a_finalizer_in_a_cycle_may_load():
    loaded = []

    class Finalized:
        def __init__(self):
            self.calls = itertools.count()

        def __call__(self):
            return next(self.calls)

        def __del__(self):
            loaded.extend(self.executor.load() for _ in range(4))

    source = Finalized()
    source.executor = BatchExecutor(source, 3)
    source.executor.load()
    del source
    gc.collect()
    assert loaded == [1, 2, 3, 4]


@pytest.mark.parametrize("held_by", [lambda link: link, iter], ids=["executor", "iterator"])
def test_a_long_chain_of_executors_in_results_is_freed(held_by):
    head, references = "end", []
    for _ in range(20_000):
        link = BatchExecutor(iter([head, head]).__next__, 2)
        link.load()
        references.append(weakref.ref(link))
        head = held_by(link)
    del link
    head = None
    gc.collect()
    assert not any(reference() for reference in references)


def test_many_executors_leave_nothing_behind(run_threads):
    def body(index):
        references = []

        def source():
            thing = Thing()
            references.append(weakref.ref(thing))
            return thing

        for _ in range(200):
            executor = BatchExecutor(source, 3)
            references.append(weakref.ref(executor))
            executor.load()
        return references

    references = [reference for some in run_threads(4, body) for reference in some]
    gc.collect()
    assert len(references) == 4 * 200 * 4
    assert not any(reference() for reference in references)


@pytest.mark.c_backend(reason="a class in Python has no tp_clear of its own")
def test_an_executor_that_the_collector_has_cleared_raises(clear):
    executor = BatchExecutor(Thing, 4)
    executor.load()
    iterator = iter(executor)
    clear(executor)
    for use in (
        executor.load,
        lambda: executor.load(timeout=1),
        executor.try_load,
        executor.load_now,
        lambda: executor.load_many(2),
        lambda: executor.give_back(1),
        executor.prefill,
        executor.stats,
        executor.cursor,
        executor.close,
        lambda: executor.notify(list),
        iterator.__next__,
    ):
        with pytest.raises(RuntimeError, match="the garbage collector took it"):
            use()
    assert executor.source is None
    assert repr(executor) == "<BatchExecutor: source=None, size=4, ready=0>"
    assert len(executor) == 0
    assert gc.get_referents(executor) == [BatchExecutor]
    clear(iterator)
    clear(iterator)
    assert list(iterator) == []


@pytest.mark.c_backend(reason="a class in Python has no tp_clear of its own")
def test_the_collector_sees_the_executor_of_an_iterator():
    executor = BatchExecutor(Thing, 4)
    assert any(one is executor for one in gc.get_referents(iter(executor)))
