"""BatchExecutor as an object: attributes, truth, length, repr, references, subclasses, copies."""

import copy
import gc
import itertools
import pickle
import types
import typing
import weakref

import ft_local
import pytest
from ft_local import BatchExecutor, LocalWrapper


def test_the_type_describes_itself():
    assert BatchExecutor.__module__ == "ft_local"
    assert BatchExecutor.__name__ == BatchExecutor.__qualname__ == "BatchExecutor"
    assert ft_local.BatchExecutor is BatchExecutor
    assert BatchExecutor.__doc__
    assert BatchExecutor.load.__doc__
    assert BatchExecutor.as_local.__doc__
    assert type(BatchExecutor(int, 1)) is BatchExecutor


def test_size_and_source_are_read_only():
    executor = BatchExecutor(int, 3)
    for name in ("size", "source"):
        with pytest.raises(AttributeError):
            setattr(executor, name, 5)
        with pytest.raises(AttributeError):
            delattr(executor, name)
    assert (executor.source, executor.size) == (int, 3)
    with pytest.raises(AttributeError):
        executor.other = 5


def test_len_counts_ready_results_and_an_executor_is_always_true():
    executor = BatchExecutor(itertools.count().__next__, 3)
    lengths = []
    for _ in range(7):
        assert bool(executor) is True
        lengths.append(len(executor))
        executor.load()
    assert lengths == [0, 2, 1, 0, 2, 1, 0]


def test_repr():
    def source():
        return 1

    executor = BatchExecutor(source, 10)
    assert repr(executor) == f"<BatchExecutor: source={source!r}, size=10, ready=0>"
    executor.load()
    assert repr(executor) == str(executor)
    assert repr(executor) == f"<BatchExecutor: source={source!r}, size=10, ready=9>"


def test_repr_of_a_source_that_refers_to_its_executor():
    class Source(list):
        def __call__(self):
            return 1

    source = Source()
    executor = BatchExecutor(source, 2)
    source.append(executor)
    expected = "<BatchExecutor: source=[<BatchExecutor: ...>], size=2, ready=0>"
    assert repr(executor) == expected


def test_an_error_in_the_repr_of_the_source_is_passed_on():
    class Source:
        def __call__(self):
            return 1

        def __repr__(self):
            raise ZeroDivisionError

    executor = BatchExecutor(Source(), 2)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            repr(executor)


def test_as_local():
    executor = BatchExecutor(itertools.count().__next__, 2)
    wrapper = executor.as_local()
    assert type(wrapper) is type(LocalWrapper(executor))
    assert wrapper.wrapped is executor
    assert executor.as_local() is not wrapper
    assert [wrapper.load(), executor.load(), wrapper.load()] == [0, 1, 2]
    assert (wrapper.size, len(wrapper)) == (2, 1)


def test_weak_references():
    executor = BatchExecutor(int, 2)
    reference = weakref.ref(executor)
    assert reference() is executor
    assert weakref.proxy(executor).load() == 0
    del executor
    gc.collect()
    assert reference() is None


def test_generic_alias():
    alias = BatchExecutor[int]
    assert isinstance(alias, types.GenericAlias)
    assert (typing.get_origin(alias), typing.get_args(alias)) == (BatchExecutor, (int,))
    assert alias(int, 2).load() == 0


def test_a_subclass_adds_methods_and_attributes():
    class Numbers(BatchExecutor):
        kind = "numbers"

        def several(self, count):
            return [self.load() for _ in range(count)]

    executor = Numbers(itertools.count().__next__, 2)
    executor.note = "kept"
    assert executor.several(3) == [0, 1, 2]
    assert (executor.kind, executor.note, executor.size) == ("numbers", "kept", 2)
    assert isinstance(executor, BatchExecutor)
    assert executor.as_local().several(2) == [3, 4]


def test_a_subclass_may_have_a_constructor_of_its_own():
    class Tagged(BatchExecutor):
        def __init__(self, source, size, tag):
            super().__init__(source, size)
            self.tag = tag

    class Bulk(BatchExecutor):
        def __init__(self, source, size, *, bulk, tag):
            super().__init__(source, size, bulk=bulk)
            self.tag = tag

    class Counter(BatchExecutor):
        def __new__(cls, start):
            return super().__new__(cls, itertools.count(start).__next__, 4)

    assert Tagged(int, 2, "a").tag == Tagged(source=int, size=2, tag="a").tag == "a"
    assert Bulk(lambda n: [n], 2, bulk=True, tag="b").load() == 2
    assert Counter(5).load() == 5
    with pytest.raises(TypeError):
        Tagged(int, 2)


def test_a_source_is_never_replaced():
    executor = BatchExecutor(itertools.count().__next__, 2)
    executor.load()
    for args, kwargs in (
        ((str, 2), {}),
        ((executor.source, 3), {}),
        ((executor.source, 2), {"bulk": True}),
        ((executor.source, 2), {"on_fork": "keep"}),
    ):
        with pytest.raises(TypeError, match="never changes its source, its size or its options"):
            executor.__init__(*args, **kwargs)
    executor.__init__(executor.source, 2)
    assert executor.load() == 1


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_executor_cannot_be_pickled(protocol):
    with pytest.raises(TypeError, match=r"cannot pickle.*BatchExecutor"):
        pickle.dumps(BatchExecutor(int, 2), protocol)


@pytest.mark.parametrize("function", [copy.copy, copy.deepcopy])
def test_an_executor_cannot_be_copied(function):
    with pytest.raises(TypeError, match="BatchExecutor"):
        function(BatchExecutor(int, 2))


def test_the_class_can_be_pickled():
    assert pickle.loads(pickle.dumps(BatchExecutor)) is BatchExecutor  # noqa: S301


def test_executors_are_neither_iterators_nor_callable():
    executor = BatchExecutor(int, 2)
    assert not callable(executor)
    with pytest.raises(TypeError):
        next(executor)


def test_iteration_loads():
    executor = BatchExecutor(itertools.count().__next__, 3)
    iterator = iter(executor)
    assert iter(iterator) is iterator
    assert iterator is not iter(executor)
    assert [next(iterator), executor.load(), next(iterator)] == [0, 1, 2]
    assert list(itertools.islice(executor, 4)) == [3, 4, 5, 6]


def test_an_iterator_stays_usable_after_a_source_error():
    source = iter([1, 0, 2])
    iterator = iter(BatchExecutor(lambda: 6 // next(source), 1))
    assert next(iterator) == 6
    with pytest.raises(ZeroDivisionError):
        next(iterator)
    assert list(iterator) == [3]


def test_an_iterator_keeps_its_executor():
    iterator = iter(BatchExecutor(itertools.count().__next__, 3))
    gc.collect()
    assert list(itertools.islice(iterator, 4)) == [0, 1, 2, 3]


def test_executors_compare_and_hash_by_identity():
    first, second = BatchExecutor(int, 2), BatchExecutor(int, 2)
    assert first == first  # noqa: PLR0124
    assert first != second
    assert len({first, second, first}) == 2
