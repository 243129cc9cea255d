"""Lets the n-th allocation fail, for each n, in the life of each type, and counts what is left.

A line for each life in which something is wrong; nothing if all is well.
"""

import _testcapi
import gc
import sys
import weakref

from ft_local import BatchExecutor, LocalWrapper


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


item, slots, thing, items = object(), Slots(), Thing(), [1]
shared = [item, slots, thing, items]


def source():
    return item


def bulk(n):
    return [item] * n


kept = BatchExecutor(source, 8)
kept_bulk = BatchExecutor(bulk, 8, bulk=True)
cursor = kept.cursor()
wrapper = LocalWrapper(items)


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
    # CPython 3.12 and 3.13 crash when Python code makes a function without memory for it, as the
    # copying of subclasses does.
    if sys.version_info[:2] not in ((3, 12), (3, 13)):
        w.__reduce__()


def by_keyword():
    LocalWrapper(wrapped=thing)


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


def shared_executor():
    kept.load()
    kept.load(timeout=1)
    kept.give_back(*kept.load_many(5))
    kept_bulk.load_many(5)
    cursor.load()
    with kept.cursor() as c:
        next(c)


LIVES = [
    wrapped_slots,
    wrapped_thing,
    wrapped_by_subclass,
    by_keyword,
    operators,
    executor,
    bulk_executor,
    shared_executor,
]


def counts():
    gc.collect()
    held = len(kept) + len(kept_bulk) + len(cursor)
    return [sys.getrefcount(item) - held, *(sys.getrefcount(one) for one in shared[1:])]


def books():
    stats = kept.stats()
    return stats.produced + stats.given_back - stats.loads - stats.claimed - len(kept)


def failures(life):
    """How often `life` failed, and what it raised that it should not."""
    failed, wrong = 0, set()
    for n in range(1, 300):
        _testcapi.set_nomemory(n, n + 1)
        try:
            life()
        except MemoryError:
            failed += 1
        except BaseException as error:  # noqa: BLE001 - whichever it is
            _testcapi.remove_mem_hooks()
            wrong.add(f"{type(error).__name__}: {error}")
        finally:
            _testcapi.remove_mem_hooks()
    return failed, wrong


def main():
    for life in LIVES:
        life()
        before = counts()
        failed, wrong = failures(life)
        life()
        after = counts()
        if before != after or books() or wrong or not failed:
            print(life.__name__, failed, before, after, books(), wrong)


if __name__ == "__main__":
    main()
