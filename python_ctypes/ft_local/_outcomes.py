"""What a BatchExecutor, a Cursor and a LocalWrapper raise, in both backends.

Each function makes an exception, for its caller to raise.
"""


class EndOfSource(Exception):  # noqa: N818 - as StopIteration: a state more than an error
    """The source has ended, and everything that it made was handed out."""

    __module__ = "ft_local"


class ExecutorClosed(RuntimeError):  # noqa: N818
    """The executor, or the cursor, was closed."""

    __module__ = "ft_local"


class ForkedError(RuntimeError):
    """An executor of the parent process was used in its child, which its `on_fork` forbids."""

    __module__ = "ft_local"


# The library's statuses that a load may end with.
ERR_ARGUMENT = -1
ERR_NO_MEMORY = -2
ERR_RETAIN = -3
ERR_REENTRANT = -6
ERR_PANIC = -8
ERR_END = -10
ERR_CLOSED = -11
ERR_TIMED_OUT = -12
ERR_EMPTY = -13
ERR_FORKED = -14
ERR_WOULD_WAIT = -15

# Those that a Python program may cause.
_REENTRANT = (
    "no result is ready, and this thread is already running the source: the source itself loads, "
    "or another greenlet of this thread; keep results ready by prefill() in a thread of its own"
)
_CLOSED = "this BatchExecutor was closed"
_EXPECTED: dict[int, tuple[type[Exception], str]] = {
    ERR_REENTRANT: (RuntimeError, _REENTRANT),
    ERR_END: (EndOfSource, "the source has ended, and all that it made was handed out"),
    ERR_CLOSED: (ExecutorClosed, _CLOSED),
    ERR_TIMED_OUT: (TimeoutError, "no result within the timeout"),
    ERR_FORKED: (
        ForkedError,
        "this BatchExecutor is the parent's, as its on_fork is 'error': make another one here",
    ),
}


def failure(status: int, text: str, argument: str) -> Exception:
    """A status of the library, with the library's text for it and for a wrong argument."""
    if status in _EXPECTED:
        kind, words = _EXPECTED[status]
        return kind(words)
    message = f"libft_local: {argument if status == ERR_ARGUMENT else text}"
    if status == ERR_NO_MEMORY:
        return MemoryError(message)
    if status in (ERR_ARGUMENT, ERR_RETAIN, ERR_PANIC):
        # None of these can come from what a Python program does.
        return SystemError(message)
    return RuntimeError(message)


def source_is_gone() -> Exception:
    return RuntimeError("this BatchExecutor has no source any more: the garbage collector took it")


def settings_never_change() -> Exception:
    return TypeError(
        "a BatchExecutor never changes its source, its size or its options; a subclass that "
        "chooses them itself needs __new__"
    )


def wrapped_never_changes() -> Exception:
    return TypeError(
        "a LocalWrapper never changes what it wraps, which is the first argument of the "
        "constructor; a subclass that wraps something else needs __new__"
    )


def wrapped_is_gone() -> Exception:
    return ReferenceError("this LocalWrapper has no object any more: the garbage collector took it")


def no_results() -> Exception:
    return RuntimeError(
        "a bulk source returned an iterable without results; to say that there will be no more, "
        "it raises StopIteration"
    )


def not_iterable(returned: object) -> Exception:
    kind = type(returned).__name__
    return TypeError(f"a bulk source must return an iterable of results, got {kind!r}")


def no_integers() -> Exception:
    return RuntimeError(
        "a source of ranges returned an empty range, or none; to say that there will be no more, "
        "it raises StopIteration"
    )


def not_a_range(returned: object) -> Exception:
    kind = type(returned).__name__
    return TypeError(f"a source of ranges must return ranges, got {kind!r}")


def beyond_a_word(integers: object) -> Exception:
    return OverflowError(f"integers must fit into a signed machine word, got {integers!r}")


def executor_is_closed() -> Exception:
    return ExecutorClosed(_CLOSED)


def executor_cannot_be_copied(executor: object) -> Exception:
    return TypeError(
        f"cannot pickle or copy {type(executor).__name__!r} object: each of its results goes to "
        "one caller; make another from its source instead"
    )


def cursor_cannot_be_copied() -> Exception:
    return TypeError(
        "cannot pickle or copy 'Cursor' object: each of its results goes to one caller; ask its "
        "executor for another instead"
    )


def cursor_is_closed() -> Exception:
    return ExecutorClosed("this Cursor was closed: make another with executor.cursor()")


def cursor_of_another_thread() -> Exception:
    return RuntimeError(
        "this Cursor belongs to the thread that first used it: make another in this thread with "
        "executor.cursor()"
    )


def cursor_is_in_use() -> Exception:
    return RuntimeError(
        "this Cursor cannot be closed by the source that it runs, nor by the handler of a signal "
        "while it waits"
    )


def length_for_another_thread() -> Exception:
    return RuntimeError("only the thread that first used a Cursor can say what it has in hand")
