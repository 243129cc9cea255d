"""The executor on this interpreter, in the mode that FT_LOCAL_CFFI names."""

import gc
import io
import itertools
import os
import pathlib
import signal
import sys
import threading
import time
import unittest
import uuid
import weakref

import ft_local_cffi
from ft_local_cffi import BatchExecutor, EndOfSource, ExecutorClosed

THREADS = 4
# No multiple of the batch, so that some are left.
LOADS = 10_001


class Counted:
    """An object that is counted, without a lock: a finaliser may run anywhere."""

    births = []
    deaths = []
    numbers = itertools.count()

    def __init__(self):
        self.number = next(self.numbers)
        self.births.append(self.number)

    def __del__(self):
        self.deaths.append(self.number)

    @classmethod
    def begin_counting(cls):
        cls.births.clear()
        cls.deaths.clear()
        cls.numbers = itertools.count()


def alive(expected):
    """How many objects are alive, with time for PyPy, which runs finalisers a while later."""
    for _ in range(200):
        gc.collect()
        counted = len(Counted.births) - len(Counted.deaths)
        if counted == expected:
            break
        time.sleep(0.01)
    return counted


def in_threads(function, count=THREADS):
    threads = [threading.Thread(target=function) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class ExecutorTest(unittest.TestCase):
    def setUp(self):
        self.assertEqual(alive(0), 0)
        Counted.begin_counting()

    def test_the_mode_is_the_one_that_was_asked_for(self):
        self.assertEqual(ft_local_cffi.mode, os.environ["FT_LOCAL_CFFI"])

    def test_threads_get_each_guid_once(self):
        guids = BatchExecutor(uuid.uuid4, 64)
        seen = []
        in_threads(lambda: seen.extend([guids.load() for _ in range(LOADS // 10)]))
        self.assertEqual(len(set(seen)), THREADS * LOADS // 10)

    def test_counts_balance(self):
        executor = BatchExecutor(Counted, 100)
        numbers = []
        in_threads(lambda: numbers.extend([executor.load().number for _ in range(LOADS)]))
        self.assertEqual(sorted(numbers), list(range(THREADS * LOADS)))
        left = len(executor)
        self.assertGreater(left, 0)
        self.assertEqual(len(Counted.births), THREADS * LOADS + left)
        self.assertEqual((alive(left), len(executor._kept.results)), (left, left))
        executor.clear()
        self.assertEqual((alive(0), len(executor._kept.results)), (0, 0))

    def test_an_executor_releases_what_is_left(self):
        executor = BatchExecutor(Counted, 50)
        executor.load()
        self.assertEqual(alive(49), 49)
        del executor
        self.assertEqual(alive(0), 0)

    def test_a_cycle_through_a_result_that_waits_is_collected(self):
        def make_cycle():
            def source():
                result = Counted()
                result.executor = executor
                return result

            executor = BatchExecutor(source, 3)
            executor.load()
            self.assertEqual(alive(2), 2)
            return weakref.ref(executor)

        gone = make_cycle()
        self.assertEqual(alive(0), 0)
        self.assertIsNone(gone())

    def test_an_exception_of_the_source_is_its_callers_and_costs_nothing(self):
        numbers = itertools.count()
        error = ValueError("every third")

        def source():
            number = next(numbers)
            if number % 3 == 2:
                raise error
            return number

        executor = BatchExecutor(source, 4)
        got = []
        for _ in range(90):
            try:
                got.append(executor.load())
            except ValueError as raised:
                self.assertIs(raised, error)
                self.assertIsNotNone(raised.__traceback__)
        self.assertEqual(got, [number for number in range(90) if number % 3 != 2][: len(got)])
        self.assertGreater(len(got), 50)

    def test_stop_iteration_ends_the_source(self):
        executor = BatchExecutor(iter(range(10)).__next__, 4)
        self.assertEqual(list(executor), list(range(10)))
        for _ in range(2):
            with self.assertRaisesRegex(EndOfSource, "ended"):
                executor.load()
        self.assertFalse(executor.closed)

    def test_close_drops_what_is_left_and_ends_loads(self):
        with BatchExecutor(Counted, 10) as executor:
            executor.load()
            self.assertEqual(alive(9), 9)
        self.assertTrue(executor.closed)
        self.assertEqual(alive(0), 0)
        with self.assertRaises(ExecutorClosed):
            executor.load()
        self.assertEqual(list(executor), [])

    def test_close_wakes_a_thread_that_waits(self):
        go_on = threading.Event()
        calls = []

        def source():
            calls.append(1)
            go_on.wait(60)
            return 1

        executor = BatchExecutor(source, 2)
        results = []

        def load():
            try:
                results.append(executor.load())
            except ExecutorClosed as closed:
                results.append(type(closed))

        filler = threading.Thread(target=load)
        filler.start()
        while not calls:
            pass
        waiter = threading.Thread(target=load)
        waiter.start()
        while executor.stats().waits == 0:
            pass
        executor.close()
        waiter.join()
        self.assertEqual(results, [ExecutorClosed])
        go_on.set()
        filler.join()
        self.assertEqual((results, calls), ([ExecutorClosed, 1], [1]))

    def test_an_exception_is_that_of_its_call(self):
        def fail(text):
            raise ValueError(text)

        inner = BatchExecutor(lambda: fail("inner"), 2)

        def source():
            with self.assertRaisesRegex(ValueError, "inner"):
                inner.load()
            with self.assertRaisesRegex(RuntimeError, "running the source"):
                outer.load()
            return fail("outer")

        outer = BatchExecutor(source, 2)
        with self.assertRaisesRegex(ValueError, "outer"):
            outer.load()

    def test_what_a_finaliser_interrupts_is_not_raised_by_another_load(self):
        class Raising(list):
            """A result in whose place a signal strikes, when its executor is freed."""

            def pop(self):
                raise KeyboardInterrupt

        executor = BatchExecutor(Counted, 2)
        executor.load()
        kept = executor._kept
        for key in kept.results:
            kept.results[key] = Raising()
        stderr, sys.stderr = sys.stderr, io.StringIO()
        try:
            del executor, kept
            alive(0)
        finally:
            printed, sys.stderr = sys.stderr.getvalue(), stderr
        self.assertIn("KeyboardInterrupt", printed)
        ended = BatchExecutor(iter(()).__next__, 1)
        with self.assertRaises(EndOfSource):
            ended.load()

    def test_a_source_may_be_left_by_any_exception(self):
        for error in (KeyboardInterrupt, SystemExit, GeneratorExit, BaseException, RecursionError):
            numbers = itertools.count(1)

            def source(numbers=numbers, error=error):
                number = next(numbers)
                if number == 2:
                    raise error
                return number

            executor = BatchExecutor(source, 4)
            with self.assertRaises(error):
                executor.load()
            self.assertEqual([executor.load(), executor.load()], [1, 3])

    def test_dropped_executors_are_freed(self):
        def make_and_drop():
            for number in range(10_000):
                executor = BatchExecutor(lambda: [executor], 64)  # noqa: B023
                executor.load()
                if number % 2:
                    executor.close()
                # The collector does not know how large an executor is.
                if number % 500 == 0:
                    gc.collect()

        def resident():
            for _ in range(3):
                gc.collect()
            return int(pathlib.Path("/proc/self/statm").read_text(encoding="ascii").split()[1])

        make_and_drop()
        before = resident()
        make_and_drop()
        # In pages. If they stayed, there would be more than 20,000 others.
        self.assertLess(resident() - before, 10_000)

    def test_a_load_can_have_a_limit_of_time(self):
        running = threading.Event()
        go_on = threading.Event()

        def source():
            running.set()
            go_on.wait(60)
            return 1

        executor = BatchExecutor(source, 1)
        loader = threading.Thread(target=executor.load)
        loader.start()
        self.assertTrue(running.wait(60))
        for timeout in (0, 0.01, 1e-12):
            with self.assertRaises(TimeoutError):
                executor.load(timeout)
        go_on.set()
        loader.join()
        self.assertEqual(executor.load(1e300), 1)
        for timeout, error in ((-1, ValueError), (float("nan"), ValueError), ("1", TypeError)):
            with self.assertRaisesRegex(error, "timeout"):
                executor.load(timeout)

    def test_a_source_may_not_load_from_its_own_executor(self):
        executor = BatchExecutor(lambda: executor.load(), 2)  # noqa: PLW0108
        with self.assertRaisesRegex(RuntimeError, "running the source"):
            executor.load()

    def test_a_thread_that_waits_lets_others_work(self):
        waits = threading.Event()

        def source():
            # Ends only if the other thread comes as far as its load.
            self.assertTrue(waits.wait(60))
            return 1

        executor = BatchExecutor(source, 2)

        def second():
            waits.set()
            executor.load()

        first = threading.Thread(target=executor.load)
        first.start()
        other = threading.Thread(target=second)
        other.start()
        first.join(60)
        other.join(60)
        self.assertFalse(first.is_alive() or other.is_alive())

    def test_a_signal_reaches_a_thread_that_waits(self):
        running = threading.Event()
        go_on = threading.Event()

        def source():
            running.set()
            go_on.wait(60)
            return 1

        executor = BatchExecutor(source, 1)
        loader = threading.Thread(target=executor.load)
        loader.start()
        self.assertTrue(running.wait(60))
        timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        try:
            with self.assertRaises(KeyboardInterrupt):
                executor.load()
        finally:
            go_on.set()
            loader.join()
        self.assertEqual(executor.load(), 1)

    def test_the_child_of_a_fork_makes_results_of_its_own(self):
        executor = BatchExecutor(Counted, 10)
        executor.load()
        child = os.fork()
        if child == 0:
            # Objects 0 to 9 are the parent's.
            os._exit(0 if executor.load().number == 10 and len(executor) == 9 else 1)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertEqual(executor.load().number, 1)

    def test_what_it_says_of_itself(self):
        executor = BatchExecutor(Counted, 4)
        self.assertTrue(executor)
        self.assertEqual((executor.size, len(executor), executor.source), (4, 0, Counted))
        self.assertIn("size=4, ready=0", repr(executor))


def rate():
    """Loads in a second, by one thread."""
    executor = BatchExecutor(int, 1000)
    start = time.perf_counter()
    for _ in range(100_000):
        executor.load()
    return 100_000 / (time.perf_counter() - start)


if __name__ == "__main__":
    result = unittest.main(exit=False).result
    if result.wasSuccessful():
        print(f"{result.testsRun} tests, {rate() / 1e6:.2f} M loads/s")
    sys.exit(not result.wasSuccessful())
