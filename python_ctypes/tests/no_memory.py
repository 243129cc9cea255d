"""Lets the n-th allocation fail, for each n, in the life of each type, and counts what is left.

A line for each life in which something is wrong; nothing if all is well.
"""

import _testcapi
import copy
import datetime as dt
import gc
import importlib.util
import sys
import threading
import types
import weakref

from ft_local import BatchExecutor, LocalWrapper
from ft_local.lease import RangeExecutor

# CPython 3.12 and 3.13 crash when Python code makes a function without memory for it.
FUNCTIONS = sys.version_info[:2] not in ((3, 12), (3, 13))


class Slots:
    __slots__ = ("__weakref__", "a")

    def __init__(self):
        self.a = 1

    def method(self):
        return 1


class Thing:
    def method(self):
        return 1


class Sub(LocalWrapper):
    extra = 1


class Described:
    def __get__(self, instance, owner=None):
        return 1

    def __set__(self, instance, value):
        pass

    def __set_name__(self, owner, name):
        pass


def waiter():
    pass


@types.coroutine
def awaited():
    yield


item, slots, thing, items, described = object(), Slots(), Thing(), [1], Described()
shared = [item, slots, thing, items, described, waiter]


def source():
    return item


def bulk(n):
    return [item] * n


kept = BatchExecutor(source, 8)
kept_bulk = BatchExecutor(bulk, 8, bulk=True)
cursor = kept.cursor()
wrapper = LocalWrapper(items)
sub = Sub(thing)
extension = importlib.util.find_spec("ft_local._shim")
generator = awaited()
inside, go_on = threading.Event(), threading.Event()


def blocks():
    inside.set()
    go_on.wait()


held = BatchExecutor(blocks, 1)
static_attributes = LocalWrapper.__dict__["__dict__"].__get__


def wrapped_slots():
    w = LocalWrapper(slots)
    w.method()
    w.method()
    str(w.a)
    weakref.ref(w)
    repr(w)


def wrapped_thing():
    w = LocalWrapper(thing)
    w.method()
    w.method()


def wrapped_by_subclass():
    w = Sub(slots)
    w.method()
    str(w.extra)
    if FUNCTIONS:
        w.__reduce__()


def by_keyword():
    LocalWrapper(wrapped=thing)


def looks():
    dir(wrapper)
    dir(sub)
    static_attributes(LocalWrapper(Thing))
    static_attributes(LocalWrapper(thing))
    w = LocalWrapper(Thing)
    w.__mro_entries__((w,))
    w = LocalWrapper(described)
    type(w).__set_name__(w, Thing, "name")
    if FUNCTIONS:
        type(w).__array_ufunc__(w, max, "__call__", 1, 2)
    LocalWrapper.__await__(LocalWrapper(generator))
    str(LocalWrapper(gc).collect)
    LocalWrapper(dt.datetime.fromtimestamp(0, dt.UTC))


def copies():
    copy.copy(wrapper)
    copy.deepcopy(wrapper)


def subclass():
    more = type("More", (LocalWrapper,), {"extra": 1})
    str(more(thing).extra)


def operators():
    w = LocalWrapper(10)
    w += 1
    x = LocalWrapper([1])
    x += [2]
    wrapper == LocalWrapper(items)
    wrapper + wrapper
    wrapper[0]
    wrapper[0:1]
    round(LocalWrapper(1.5))


def executor():
    e = BatchExecutor(source, 4, fill_budget=2, low_water=1)
    e.load()
    e.give_back(*e.load_many(3))
    e.prefill()
    c = e.cursor()
    c.load()
    next(c)
    c.close()
    e.stats()
    e.as_local()
    iter(e)
    repr(e)
    e.close()


def bulk_executor():
    e = BatchExecutor(bulk, 4, bulk=True)
    e.load()
    e.load_many(7)
    e.try_load()
    # A number that is not kept ready.
    BatchExecutor(bulk, 1000, bulk=True).load()


def shared_executor():
    kept.load()
    kept.load(timeout=1)
    kept.give_back(*kept.load_many(5))
    kept_bulk.load_many(5)
    cursor.load()
    with kept.cursor() as c:
        next(c)
        repr(c)


def bulk_executor_with_fillers():
    e = BatchExecutor(bulk, 4, bulk=True, fillers=2)
    e.load()
    e.load_many(7)
    e.give_back(*e.load_many(2))
    e.load_many(9)


# More than fits into integers that always exist.
FIRST = 1 << 40


def a_range(n):
    return range(FIRST, FIRST + 6)


def some_ranges(n):
    return [range(FIRST, FIRST + 3), range(3)]


def ranges():
    e = RangeExecutor(a_range, 4)
    e.load()
    e.load_many(5)
    e.try_load()
    e.give_back(FIRST, FIRST + 1)
    next(iter(e))
    with e.cursor() as c:
        c.load()
    e.load_many(20)
    e._drain()


def ranges_ahead():
    e = RangeExecutor(some_ranges, 2)
    e.load()
    for take_back in (e._withdraw, e._drain):
        e._offer([range(FIRST, FIRST + 5), range(10)])
        take_back()


def waiting():
    for e in (kept, held):
        forget = e.notify(waiter)
        forget()
    kept.aload().close()
    aiter(kept)


def module():
    made = importlib.util.module_from_spec(extension)
    extension.loader.exec_module(made)
    # Its first wrappers make types.
    made.LocalWrapper(items)
    made.LocalWrapper(described)


LIVES = [
    wrapped_slots,
    wrapped_thing,
    wrapped_by_subclass,
    by_keyword,
    looks,
    copies,
    operators,
    executor,
    bulk_executor,
    shared_executor,
    bulk_executor_with_fillers,
    ranges,
    ranges_ahead,
    waiting,
    # CPython 3.13.0 crashes when a dictionary grows in the middle of a new type. 3.12 and later
    # ones were not tried.
    *([subclass, module] if sys.version_info < (3, 12) else []),
]


def counts():
    gc.collect()
    held = len(kept) + len(kept_bulk) + len(cursor)
    return [sys.getrefcount(item) - held, *(sys.getrefcount(one) for one in shared[1:])]


def books():
    stats = kept.stats()
    return stats.produced + stats.given_back - stats.loads - stats.claimed - len(kept)


def failures(life):
    """How often `life` failed, and what it raised that it should not.

    Ends when so many in a row did not fail that all allocations must have been reached.
    """
    n, failed, wrong, in_a_row = -1, 0, set(), 0
    while in_a_row < 50:
        n += 1
        in_a_row += 1
        _testcapi.set_nomemory(n, n + 1)
        try:
            life()
        except MemoryError:
            failed += 1
            in_a_row = 0
        except BaseException as error:  # noqa: BLE001 - whichever it is
            _testcapi.remove_mem_hooks()
            wrong.add(f"{type(error).__name__}: {error}")
        finally:
            _testcapi.remove_mem_hooks()
    return failed, wrong


def main():
    thread = threading.Thread(target=held.load_many, args=(1,))
    thread.start()
    inside.wait()
    for life in LIVES:
        life()
        before = counts()
        failed, wrong = failures(life)
        life()
        after = counts()
        if before != after or books() or wrong or not failed:
            print(life.__name__, failed, before, after, books(), wrong)
    go_on.set()
    thread.join()


if __name__ == "__main__":
    main()
