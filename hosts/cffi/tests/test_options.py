"""Options: bulk sources, budgets, low marks, forks, fillers; and bad arguments."""

import copy
import fractions
import itertools
import os
import pickle
import signal
import threading
import unittest
import warnings

from ft_local_cffi import BatchExecutor, EndOfSource, ExecutorClosed, ForkedError

# Python warns of forks in a process with threads; here the threads are in no lock.
warnings.simplefilter("ignore", DeprecationWarning)


def counting(extra=0):
    numbers = itertools.count()
    return lambda n: [next(numbers) for _ in range(n + extra)]


def in_threads(count, function):
    threads = [threading.Thread(target=function, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def in_child(function):
    """Whether the function returned True in the child of a fork."""
    child = os.fork()
    if child == 0:
        passed = False
        try:
            passed = function() is True
        finally:
            os._exit(not passed)
    return os.waitpid(child, 0)[1] == 0


class BulkTest(unittest.TestCase):
    def test_any_iterable_keeps_its_order_and_what_is_left_comes_next(self):
        class Sequence:
            def __init__(self, items):
                self.items = items

            def __getitem__(self, index):
                return self.items[index]

        for make in (list, tuple, iter, dict.fromkeys, Sequence):
            for extra in (0, 1, 9):
                source = counting(extra)
                executor = BatchExecutor(lambda n: make(source(n)), 4, bulk=True)  # noqa: B023
                self.assertEqual([executor.load() for _ in range(30)], list(range(30)))
        calls = []
        executor = BatchExecutor(lambda n: calls.append(n) or itertools.count(), 4, bulk=True)
        self.assertEqual((executor.load_many(100), calls), (list(range(100)), [4]))
        self.assertTrue(executor.bulk)

    def test_it_is_asked_for_no_more_than_fits_or_than_the_budget(self):
        asked = []

        def source(n):
            asked.append(n)
            return [None] * n

        executor = BatchExecutor(source, 10, bulk=True, fill_budget=3)
        executor.load_many(25)
        self.assertEqual(executor.fill_budget, 3)
        self.assertTrue(all(1 <= n <= 3 for n in asked), asked)

    def test_an_exception_keeps_what_came_before_it_and_ends_the_iterable(self):
        answers = iter([map(int, ["2", "x", "5"]), [7, 8]])
        executor = BatchExecutor(lambda _: next(answers), 4, bulk=True)
        with self.assertRaisesRegex(ValueError, "'x'"):
            executor.load()
        self.assertEqual(executor.load_many(3), [2, 7, 8])
        with self.assertRaises(EndOfSource):
            executor.load()

    def test_what_it_may_not_return_is_named(self):
        answers = iter([None, [], [1]])
        executor = BatchExecutor(lambda _: next(answers), 4, bulk=True)
        text = "^a bulk source must return an iterable of results, got 'NoneType'$"
        with self.assertRaisesRegex(TypeError, text):
            executor.load()
        with self.assertRaisesRegex(RuntimeError, "without results; .* raises StopIteration"):
            executor.load()
        self.assertEqual(executor.load(), 1)

    def test_threads_get_each_result_once(self):
        executor = BatchExecutor(counting(extra=3), 16, bulk=True)
        taken = []
        in_threads(4, lambda _: taken.extend(executor.load_many(700)))
        taken.extend(executor.load_many(len(executor)))
        self.assertEqual(sorted(taken), list(range(len(taken))))


class Inside:
    """A source of 0 to `last` - 1, which `wanted` threads are in at once before it goes on."""

    def __init__(self, wanted, last):
        self._lock = threading.Condition()
        self._wanted, self._last = wanted, last
        self._inside = self._made = self.most = 0

    def many(self, n):
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
            self._lock.notify_all()
            assert self._lock.wait_for(lambda: self.most >= self._wanted, 60)
            self._inside -= 1
            first = self._made
            self._made = end = min(first + n, self._last)
        if end == first:
            raise StopIteration
        return range(first, end)

    def one(self):
        return self.many(1)[0]


class OptionsTest(unittest.TestCase):
    def test_so_many_threads_run_the_source_and_each_result_goes_to_one(self):
        for bulk in (False, True):
            source = Inside(3, 2000)
            call = source.many if bulk else source.one
            executor = BatchExecutor(call, 8, bulk=bulk, fillers=3)
            taken = []
            in_threads(6, lambda _: taken.extend(executor))  # noqa: B023
            self.assertEqual((sorted(taken), source.most), (list(range(2000)), 3))
            self.assertEqual(executor.fillers, 3)

    def test_the_end_comes_after_what_another_call_still_brings(self):
        inside, ended = threading.Event(), threading.Event()
        calls = itertools.count()

        def source(_):
            if next(calls) == 0:
                inside.set()
                assert ended.wait(60)
                return ["late", "later", "last"]
            ended.set()
            raise StopIteration

        executor = BatchExecutor(source, 1, bulk=True, fillers=2)
        taken = []

        def load(index):
            if index:
                assert inside.wait(60)
            taken.extend(executor)

        in_threads(2, load)
        self.assertEqual(sorted(taken), ["last", "late", "later"])

    def test_a_load_below_the_low_mark_makes_more(self):
        made = itertools.count()
        executor = BatchExecutor(made.__next__, 8, low_water=4)
        executor.load()
        self.assertEqual((len(executor), executor.low_water), (7, 4))
        executor.load_many(3)
        executor.load()
        self.assertGreaterEqual(len(executor), 4)

    def test_a_budget_bounds_a_fill(self):
        executor = BatchExecutor(itertools.count().__next__, 8, fill_budget=2)
        executor.load()
        self.assertEqual((executor.stats().produced, executor.fill_budget), (2, 2))
        self.assertEqual(BatchExecutor(int, 8).fill_budget, 8)

    def test_the_child_of_a_fork_drops_keeps_or_refuses(self):
        for bulk in (False, True):
            for on_fork, expected in (("discard", [13 if bulk else 10]), ("keep", [1])):
                source = counting(extra=3) if bulk else itertools.count().__next__
                executor = BatchExecutor(source, 10, bulk=bulk, on_fork=on_fork)
                executor.load()
                self.assertTrue(in_child(lambda: executor.load_many(1) == expected))  # noqa: B023
                self.assertEqual(executor.load_many(13), list(range(1, 14)))
                self.assertEqual(executor.on_fork, on_fork)
        executor = BatchExecutor(itertools.count().__next__, 10, on_fork="error")
        cursor = executor.cursor()
        executor.load()

        def refused():
            for way in (executor.load, executor.try_load, executor.close, cursor.load):
                with self.assertRaisesRegex(ForkedError, "make another one here"):
                    way()
            return True

        self.assertTrue(in_child(refused))
        self.assertEqual(executor.load(), 1)

    def test_a_bulk_source_is_asked_anew_in_a_child_whose_parent_is_in_it(self):
        parent, inside, go_on = os.getpid(), threading.Barrier(2), threading.Event()

        def source(n):
            if os.getpid() == parent:
                inside.wait(60)
                assert go_on.wait(60)
            return [os.getpid()] * n

        executor = BatchExecutor(source, 4, bulk=True, fillers=2)
        thread = threading.Thread(target=executor.load)
        thread.start()
        inside.wait(60)
        self.assertTrue(in_child(lambda: executor.load_many(5) == [os.getpid()] * 5))
        go_on.set()
        thread.join()

    def test_a_thread_prefills_until_it_is_stopped_or_the_source_ends(self):
        executor = BatchExecutor(iter(range(1000)).__next__, 8, fillers=2)
        with executor.prefilling() as prefilling:
            self.assertTrue(prefilling.running)
            self.assertEqual(sorted(executor), list(range(1000)))
        self.assertFalse(prefilling.running)
        self.assertIn("ended", repr(prefilling))
        failures = []
        hook, threading.excepthook = threading.excepthook, failures.append
        try:
            failing = BatchExecutor(lambda: 1 // 0, 8)
            failing.prefilling(retry_after=None)._workers[0].join()
        finally:
            threading.excepthook = hook
        self.assertEqual([each.exc_type for each in failures], [ZeroDivisionError])

    def test_as_local_is_the_executor(self):
        executor = BatchExecutor(int, 4)
        self.assertIs(executor.as_local(), executor)


class RefusalTest(unittest.TestCase):
    def refuses(self, cases):
        for attempt, error, text in cases:
            with self.subTest(text), self.assertRaises(error) as caught:
                attempt()
            self.assertIs(type(caught.exception), error)
            self.assertIn(text, str(caught.exception))
            self.assertNotIn("FT_LOCAL", str(caught.exception))

    def test_bad_settings(self):
        def made(source=int, size=4, **options):
            return lambda: BatchExecutor(source, size, **options)

        whole = "between 1 and 1073741824, got"
        self.refuses(
            [
                (made(None), TypeError, "source must be callable, got 'NoneType'"),
                (made(1), TypeError, "source must be callable, got 'int'"),
                (made(size=0), ValueError, f"size must be {whole} 0"),
                (made(size=-1), ValueError, f"size must be {whole} -1"),
                (made(size=2**30 + 1), ValueError, f"size must be {whole} 1073741825"),
                (made(size=2**70), ValueError, f"size must be {whole} 1180591620717411303424"),
                (made(size=10**5000), ValueError, f"size must be {whole} "),
                (made(size=1.5), TypeError, "size must be an int, got 'float'"),
                (made(size=True), TypeError, "size must be an int, got 'bool'"),
                (made(size="1"), TypeError, "size must be an int, got 'str'"),
                (made(size=None), TypeError, "size must be an int, got 'NoneType'"),
                (made(fill_budget=0), ValueError, "fill_budget must be between 1 and 4, got 0"),
                (made(fill_budget=5), ValueError, "fill_budget must be between 1 and 4, got 5"),
                (made(low_water=-1), ValueError, "low_water must be between 0 and 4, got -1"),
                (made(low_water=5), ValueError, "low_water must be between 0 and 4, got 5"),
                (made(fillers=0), ValueError, "fillers must be between 1 and 256, got 0"),
                (made(fillers=257), ValueError, "fillers must be between 1 and 256, got 257"),
                (made(on_fork="drop"), ValueError, "'discard', 'keep' or 'error', got 'drop'"),
                (made(on_fork=0), TypeError, "on_fork must be a str, got 'int'"),
            ]
        )

    def test_bad_arguments_of_loads(self):
        executor = BatchExecutor(int, 4)
        seconds = "timeout must be 0 seconds or more, or None for no limit, got"
        self.refuses(
            [
                (lambda: executor.load(-1), ValueError, f"{seconds} -1"),
                (lambda: executor.load(float("nan")), ValueError, f"{seconds} nan"),
                (lambda: executor.load(-(10**400)), ValueError, f"{seconds} -1000"),
                (lambda: executor.load("1"), TypeError, "a number of seconds or None, got 'str'"),
                (lambda: executor.cursor().load(-1.5), ValueError, f"{seconds} -1.5"),
                (lambda: executor.load_many(-1), ValueError, "n must be between 0 and"),
                (lambda: executor.load_many(2**70), ValueError, f"got {2**70}"),
                (lambda: executor.load_many(1, -1), ValueError, f"{seconds} -1"),
                (lambda: executor.load_many(1.5), TypeError, "n must be an int, got 'float'"),
                (
                    lambda: executor.prefill(0),
                    ValueError,
                    "low_water must be between 1 and 4, got 0",
                ),
                (
                    lambda: executor.prefill(5),
                    ValueError,
                    "low_water must be between 1 and 4, got 5",
                ),
                (lambda: executor.prefill(1, 0), ValueError, "max must be between 1 and"),
                (lambda: executor.prefilling(9), ValueError, "low_water must be between 1 and 4"),
                (lambda: executor.prefilling(retry_after=-1), ValueError, "retry_after must be 0"),
                (lambda: executor.notify(1), TypeError, "waiter must be callable, got 'int'"),
            ]
        )
        # Whatever is a number is one.
        for timeout in (0, 0.5, True, 10**400, float("inf"), fractions.Fraction(1, 3)):
            self.assertEqual(executor.load(timeout), 0)

    def test_bad_states(self):
        closed = BatchExecutor(int, 4)
        cursor = closed.cursor()
        closed.close()
        ended = BatchExecutor(iter(()).__next__, 4)
        own = BatchExecutor(lambda: own.load(), 4)  # noqa: PLW0108
        cannot = "cannot pickle or copy"
        self.refuses(
            [
                (closed.load, ExecutorClosed, "this BatchExecutor was closed"),
                (closed.load_now, ExecutorClosed, "this BatchExecutor was closed"),
                (closed.prefilling, ExecutorClosed, "this BatchExecutor was closed"),
                (cursor.load, ExecutorClosed, "this BatchExecutor was closed"),
                (ended.load, EndOfSource, "the source has ended"),
                (own.load, RuntimeError, "already running the source"),
                (lambda: copy.copy(closed), TypeError, cannot),
                (lambda: pickle.dumps(cursor), TypeError, cannot),
            ]
        )
        cursor.close()
        self.refuses([(cursor.load, ExecutorClosed, "make another with executor.cursor()")])

    def test_a_cursor_belongs_to_one_thread_and_is_not_closed_in_its_load(self):
        executor = BatchExecutor(int, 4)
        cursor = executor.cursor()
        in_threads(1, lambda _: cursor.load())
        self.refuses(
            [
                (cursor.load, RuntimeError, "make another in this thread"),
                (cursor.close, RuntimeError, "make another in this thread"),
                (lambda: len(cursor), RuntimeError, "only the thread that first used a Cursor"),
            ]
        )
        closing = BatchExecutor(lambda: mine.close(), 4)  # noqa: PLW0108
        mine = closing.cursor()
        self.refuses([(mine.load, RuntimeError, "cannot be closed by the source that it runs")])
        mine.close()


if __name__ == "__main__":
    # What hangs is ended by the system.
    signal.alarm(120)
    unittest.main()
