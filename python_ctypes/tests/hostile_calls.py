"""Calls every entry point with arguments that nobody should give, and prints what came of each.

A line for each call: its name, and the type of what it returned or raised. The program is run on
both backends, whose lines must be the same; a crash ends it early.
"""

import gc
import sys

from ft_local import BatchExecutor, Cursor, LocalWrapper


def source(n=1):
    return [1] * n


class Executor(BatchExecutor):
    pass


class Wrapper(LocalWrapper):
    declared = 1


class Taker(BatchExecutor):
    def __init__(self, *args, **kwargs):
        pass


class Index:
    def __init__(self, answer):
        self.answer = answer

    def __index__(self):
        return self.answer


class Fails:
    """Raises whatever it is asked."""

    def fail(self, *_):
        raise LookupError("asked")

    __index__ = __bool__ = __float__ = __hash__ = __eq__ = __len__ = __iter__ = __call__ = fail
    __getitem__ = __add__ = __radd__ = __contains__ = __format__ = __repr__ = __str__ = fail


class Clears:
    """Empties the keywords that it is found among, and all that only they had."""

    def clear(self):
        for found in gc.get_objects():
            if type(found) is dict and "hostile" in found:
                found.clear()
        gc.collect()
        return 1

    def __bool__(self):
        return bool(self.clear())

    __index__ = __int__ = clear

    def __float__(self):
        return float(self.clear())


class OddText(str):
    """Text with a hash of another kind."""

    __slots__ = ()

    def __hash__(self):
        raise LookupError("hashed")

    def __eq__(self, other):
        raise LookupError("compared")


class Other:
    def __init__(self):
        self.kind = "other"


class Changes:
    """Gives itself another class while it is asked."""

    @property
    def prop(self):
        self.__class__ = Other
        gc.collect()
        return 1

    def __index__(self):
        self.__class__ = Other
        return 2

    def __bool__(self):
        self.__class__ = Other
        return True

    def __call__(self, *_):
        self.__class__ = Other
        return [1]


class Dies:
    """Uses the library as it dies."""

    def __init__(self):
        self.executor = BatchExecutor(lambda: 1, 2)

    def __del__(self):
        self.executor.load()
        LocalWrapper(self).executor.stats()


VALUES = {
    "none": lambda: None,
    "number": lambda: 5,
    "negative": lambda: -1,
    "huge": lambda: 10**400,
    "longest": lambda: 10**5000,
    "minus longest": lambda: -(10**5000),
    "float": lambda: 1.5,
    "nan": lambda: float("nan"),
    "text": lambda: "text",
    "odd text": lambda: OddText("load"),
    "surrogate": lambda: "\udc80",
    "bytes": lambda: b"abc",
    "tuple": lambda: (1, 2),
    "list": lambda: [1, 2],
    "dict": lambda: {1: 2},
    "object": object,
    "class": lambda: Other,
    "huge index": lambda: Index(10**400),
    "negative index": lambda: Index(-1),
    "index of text": lambda: Index("1"),
    "fails": Fails,
    "clears": Clears,
    "changes": Changes,
    "dies": Dies,
    "wrapped number": lambda: LocalWrapper(2),
    "wrapped huge": lambda: LocalWrapper(10**400),
    "wrapped text": lambda: LocalWrapper("a"),
    "wrapped fails": lambda: LocalWrapper(Fails()),
    "executor": lambda: BatchExecutor(iter([1]).__next__, 1),
    "cursor": lambda: BatchExecutor(iter([1]).__next__, 1).cursor(),
}

# A call is made with an executor, a cursor of it, a wrapper, one of a subclass, and the value.
CONSTRUCTORS = {
    "source": lambda e, c, w, s, x: BatchExecutor(x, 2),
    "size": lambda e, c, w, s, x: BatchExecutor(source, x),
    "keywords": lambda e, c, w, s, x: BatchExecutor(source=source, size=x, bulk=x),
    "bulk": lambda e, c, w, s, x: BatchExecutor(source, 2, bulk=x),
    "fill_budget": lambda e, c, w, s, x: BatchExecutor(source, 2, fill_budget=x),
    "low_water": lambda e, c, w, s, x: BatchExecutor(source, 2, low_water=x),
    "on_fork": lambda e, c, w, s, x: BatchExecutor(source, 2, on_fork=x),
    "strange key": lambda e, c, w, s, x: BatchExecutor(source, 2, **{x: 1}),
    "strange key of a subclass": lambda e, c, w, s, x: Executor(source, 2, **{x: 1}),
    "strange key for others": lambda e, c, w, s, x: Taker(source, 2, **{x: 1}).load(),
    "cleared keywords": lambda e, c, w, s, x: Taker(
        hostile=1, source=source, size=x, bulk=x, low_water=x
    ).load(),
    "init": lambda e, c, w, s, x: e.__init__(x, x),
    "wrap": lambda e, c, w, s, x: LocalWrapper(x),
    "wrap in a subclass": lambda e, c, w, s, x: Wrapper(x),
    "wrap by keyword": lambda e, c, w, s, x: Wrapper(wrapped=x),
    "strange key for a wrapper": lambda e, c, w, s, x: LocalWrapper(1, **{x: 1}),
    "strange key for a subclass": lambda e, c, w, s, x: Wrapper(1, **{x: 1}),
    "wrapper's new": lambda e, c, w, s, x: LocalWrapper.__new__(x, 1),
    "wrapper's init": lambda e, c, w, s, x: LocalWrapper.__init__(s, x),
    "executor's new": lambda e, c, w, s, x: BatchExecutor.__new__(x, source, 1),
    "class item": lambda e, c, w, s, x: (BatchExecutor[x], LocalWrapper[x], Cursor[x]),
}

METHODS = {
    "load": lambda e, c, w, s, x: e.load(x),
    "load by keyword": lambda e, c, w, s, x: e.load(timeout=x),
    "load by another keyword": lambda e, c, w, s, x: e.load(**{x: 1}),
    "try_load": lambda e, c, w, s, x: type(e.try_load(x)) and None,
    "load_many": lambda e, c, w, s, x: e.load_many(x),
    "load_many in time": lambda e, c, w, s, x: e.load_many(2, x),
    "prefill": lambda e, c, w, s, x: e.prefill(x),
    "prefill at most": lambda e, c, w, s, x: e.prefill(1, x),
    "prefill in time": lambda e, c, w, s, x: e.prefill(timeout=x),
    "give_back": lambda e, c, w, s, x: e.give_back(x, x) or e.load_many(3),
    "exit": lambda e, c, w, s, x: e.__exit__(x, x, x),
    "cursor's load": lambda e, c, w, s, x: c.load(x),
    "cursor's load by keyword": lambda e, c, w, s, x: c.load(timeout=x),
    "cursor's exit": lambda e, c, w, s, x: c.__exit__(x, x, x),
    "reduce": lambda e, c, w, s, x: c.__reduce_ex__(x),
    "bulk result": lambda e, c, w, s, x: BatchExecutor(lambda n: x, 3, bulk=True).load(),
    "result": lambda e, c, w, s, x: BatchExecutor(lambda: x, 3).load() and None,
    "executor of another": lambda e, c, w, s, x: BatchExecutor.load(x),
    "cursor of another": lambda e, c, w, s, x: Cursor.load(x),
}

WRAPPERS = {
    "read": lambda e, c, w, s, x: LocalWrapper.__getattribute__(w, x),
    "read in a subclass": lambda e, c, w, s, x: LocalWrapper.__getattribute__(s, x),
    "write": lambda e, c, w, s, x: LocalWrapper.__setattr__(w, x, 1),
    "write in a subclass": lambda e, c, w, s, x: LocalWrapper.__setattr__(s, x, 1),
    "delete in a subclass": lambda e, c, w, s, x: LocalWrapper.__delattr__(s, x),
    "property": lambda e, c, w, s, x: LocalWrapper(x).prop,
    "property of a subclass": lambda e, c, w, s, x: Wrapper(x).prop,
    "call": lambda e, c, w, s, x: LocalWrapper(x)(x),
    "call with keywords": lambda e, c, w, s, x: LocalWrapper(source)(**{x: 1}),
    "item": lambda e, c, w, s, x: LocalWrapper([1])[x],
    "item of it": lambda e, c, w, s, x: LocalWrapper(x)[0],
    "in": lambda e, c, w, s, x: x in LocalWrapper([2]),
    "add": lambda e, c, w, s, x: LocalWrapper(1) + x,
    "add to it": lambda e, c, w, s, x: x + LocalWrapper(1),
    "equal": lambda e, c, w, s, x: LocalWrapper(x) == x,
    "hash": lambda e, c, w, s, x: hash(LocalWrapper(x)) and None,
    "repr": lambda e, c, w, s, x: repr(LocalWrapper(x)),
    "format": lambda e, c, w, s, x: LocalWrapper.__format__(w, x),
    "round": lambda e, c, w, s, x: round(LocalWrapper(1.5), x),
    "truth": lambda e, c, w, s, x: bool(LocalWrapper(x)),
    "length": lambda e, c, w, s, x: len(LocalWrapper(x)),
    "iterate": lambda e, c, w, s, x: list(LocalWrapper(x)),
    "isinstance": lambda e, c, w, s, x: isinstance(1, LocalWrapper(x)),
    "instance check": lambda e, c, w, s, x: LocalWrapper.__instancecheck__(w, x),
    "bases": lambda e, c, w, s, x: type(LocalWrapper.__mro_entries__(LocalWrapper(int), x)),
    "wrapper of another": lambda e, c, w, s, x: LocalWrapper.__add__(x, 1),
}

CALLS = {**CONSTRUCTORS, **METHODS, **WRAPPERS}


# Where Python itself answers otherwise than C does, so that only a crash is of interest.
NOT_COMPARED_CALLS = {"executor of another", "cursor of another", "wrapper of another", "reduce"}
# Every wrapper is callable under ctypes, and Python code compares names with the names it knows.
NOT_COMPARED = {
    *((call, f"wrapped {kind}") for call in ("source", "init") for kind in ("number", "huge")),
    ("source", "wrapped text"),
    ("on_fork", "odd text"),
    ("on_fork", "wrapped text"),
    *(
        (f"{call}{where}", kind)
        for call in ("read", "write", "delete")
        for where in ("", " in a subclass")
        for kind in ("odd text", "fails", "wrapped fails")
    ),
}


def outcome(call, value):
    executor = BatchExecutor(lambda: 1, 4)
    try:
        result = call(executor, executor.cursor(), LocalWrapper(3), Wrapper(3), value)
    except Exception as error:  # noqa: BLE001 - whichever it is
        return type(error).__name__
    return type(result).__name__


def main():
    for name, call in CALLS.items():
        for kind, make in VALUES.items():
            sys.stdout.write(f"{name} of {kind}: ")
            sys.stdout.flush()
            came = outcome(call, make())
            if name in NOT_COMPARED_CALLS or (name, kind) in NOT_COMPARED:
                came = "no crash"
            sys.stdout.write(f"{came}\n")
    gc.collect()


if __name__ == "__main__":
    main()
