"""Loads that do not block, cursors, and whatever else takes or gives back results."""

import asyncio
import itertools
import os
import random
import threading
import unittest

import ft_local_cffi
from ft_local_cffi import BatchExecutor, EndOfSource, ExecutorClosed

NOTHING = object()
TASKS = 1000


class HeldUp:
    """An executor whose source one thread runs until `open`. It makes 0, 1, 2, ..."""

    def __init__(self, size):
        self._runs, self._go_on = threading.Event(), threading.Event()
        self.numbers = itertools.count()
        self.executor = BatchExecutor(self._make, size)
        self._filler = threading.Thread(target=self.executor.load)
        self._filler.start()
        assert self._runs.wait(60)

    def _make(self):
        self._runs.set()
        assert self._go_on.wait(60)
        return next(self.numbers)

    def open(self):
        self._go_on.set()
        self._filler.join()


class LoadTest(unittest.TestCase):
    def test_the_mode_is_the_one_that_was_asked_for(self):
        self.assertEqual(ft_local_cffi.mode, os.environ["FT_LOCAL_CFFI"])

    def test_a_load_that_does_not_run_the_source_takes_what_is_ready(self):
        executor = BatchExecutor(itertools.count().__next__, 3)
        self.assertIs(executor.try_load(NOTHING), NOTHING)
        self.assertEqual((executor.load(), executor.try_load(), executor.try_load()), (0, 1, 2))
        self.assertIsNone(executor.try_load())

    def test_a_load_that_does_not_wait_runs_the_source_or_says_so(self):
        executor = BatchExecutor(itertools.count().__next__, 2)
        self.assertEqual([executor.load_now() for _ in range(3)], [0, 1, 2])
        scene = HeldUp(2)
        cursor = scene.executor.cursor()
        self.assertIs(scene.executor.load_now(NOTHING), NOTHING)
        self.assertIsNone(cursor.load_now())
        scene.open()
        self.assertEqual(scene.executor.load_now(), 1)
        executor.close()
        with self.assertRaises(ExecutorClosed):
            executor.load_now()

    def test_a_waiter_is_called_once_or_forgotten(self):
        scene = HeldUp(2)
        calls = []
        forgets = [scene.executor.notify(lambda n=n: calls.append(n)) for n in range(4)]
        self.assertTrue(forgets[0]())
        self.assertFalse(forgets[0]())
        scene.open()
        # One for the result that is left, and one for the source, which is free.
        self.assertEqual(calls, [1, 2])
        scene.executor.close()
        self.assertEqual(calls, [1, 2, 3])
        self.assertFalse(forgets[3]())
        with self.assertRaisesRegex(TypeError, "waiter must be callable, got 'int'"):
            scene.executor.notify(1)
        self.assertEqual(len(ft_local_cffi._notify._waiters), 0)

    def test_many_are_loaded_and_given_back(self):
        executor = BatchExecutor(iter(range(10)).__next__, 4)
        self.assertEqual(executor.load_many(6), [0, 1, 2, 3, 4, 5])
        executor.give_back(2, 3)
        executor.give_back()
        self.assertEqual(executor.load_many(3), [2, 3, 6])
        self.assertEqual(executor.load_many(100), [7, 8, 9])
        self.assertEqual(executor.load_many(0), [])
        with self.assertRaises(EndOfSource):
            executor.load_many(1)
        for n, error in ((-1, ValueError), (1.5, TypeError), (True, TypeError)):
            with self.assertRaisesRegex(error, "n must be"):
                executor.load_many(n)

    def test_an_error_of_a_source_gives_back_what_many_had(self):
        calls = itertools.count(1)

        def source():
            call = next(calls)
            if call == 3:
                raise KeyError("the third")
            return call

        executor = BatchExecutor(source, 1)
        with self.assertRaises(KeyError):
            executor.load_many(5)
        self.assertEqual(executor.load_many(3), [1, 2, 4])

    def test_a_prefill_makes_results_ahead(self):
        executor = BatchExecutor(iter(range(6)).__next__, 4)
        self.assertEqual((executor.prefill(), executor.prefill(), len(executor)), (4, 0, 4))
        self.assertEqual((executor.load_many(4), executor.prefill(2, 1)), ([0, 1, 2, 3], 1))
        with self.assertRaisesRegex(ValueError, "low_water must be between 1 and .*, got 0"):
            executor.prefill(0)

    def test_a_cursor_gives_back_what_it_has_in_hand(self):
        executor = BatchExecutor(itertools.count().__next__, 64)
        with executor.cursor() as cursor:
            self.assertEqual([cursor.load(), cursor.load(1), cursor.load_now()], [0, 1, 2])
            in_hand = len(cursor)
            self.assertGreater(in_hand, 0)
        self.assertTrue(cursor.closed)
        self.assertEqual((len(cursor), bool(cursor)), (0, True))
        self.assertEqual([executor.load() for _ in range(100)], list(range(3, 103)))
        with self.assertRaisesRegex(ExecutorClosed, "this Cursor was closed: make another"):
            cursor.load()
        self.assertEqual(executor.stats().given_back, in_hand)

    def test_a_cursor_outlives_its_executor_and_ends_with_the_source(self):
        cursor = BatchExecutor(iter(range(1000)).__next__, 64).cursor()
        self.assertEqual(list(cursor), list(range(1000)))

    def test_threads_with_cursors_get_each_result_once(self):
        executor = BatchExecutor(iter(range(20_000)).__next__, 100)
        taken = []
        threads = [
            threading.Thread(target=lambda: taken.extend(executor.cursor())) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(taken), list(range(20_000)))


class AsyncioTest(unittest.TestCase):
    def test_a_loop_goes_on_while_its_tasks_wait(self):
        scene = HeldUp(4)

        async def main():
            tasks = [asyncio.ensure_future(scene.executor.aload()) for _ in range(6)]
            await asyncio.sleep(0)
            self.assertFalse(any(task.done() for task in tasks))
            scene.open()
            return await asyncio.gather(*tasks)

        self.assertEqual(asyncio.run(main()), [1, 2, 3, 4, 5, 6])
        self.assertEqual(scene.executor.stats().waits, 0)

    def test_a_cancelled_task_takes_nothing_from_another(self):
        scene = HeldUp(2)

        async def main():
            tasks = [asyncio.ensure_future(scene.executor.aload()) for _ in range(4)]
            await asyncio.sleep(0)
            tasks[0].cancel()
            await asyncio.sleep(0)
            # The two that are called are cancelled before they run.
            scene.open()
            tasks[1].cancel()
            tasks[2].cancel()
            return await asyncio.gather(*tasks, return_exceptions=True)

        *cancelled, last = asyncio.run(main())
        self.assertEqual([type(each) for each in cancelled], [asyncio.CancelledError] * 3)
        self.assertEqual(last, 1)

    def test_loops_over_an_executor_and_a_cursor_end(self):
        async def main():
            executor = BatchExecutor(iter(range(10)).__next__, 4)
            first = [result async for result in executor.cursor() if result < 5]
            executor = BatchExecutor(iter(range(10)).__next__, 4)
            second = [result async for result in executor]
            executor.close()
            return first, second, [result async for result in executor]

        self.assertEqual(asyncio.run(main()), ([0, 1, 2, 3, 4], list(range(10)), []))

    def test_a_close_ends_a_task_that_waits(self):
        scene = HeldUp(2)

        async def main():
            task = asyncio.ensure_future(scene.executor.aload())
            await asyncio.sleep(0)
            scene.executor.close()
            with self.assertRaises(ExecutorClosed):
                await task

        asyncio.run(main())
        scene.open()

    def test_a_source_can_run_in_a_thread_of_the_pool(self):
        async def main():
            executor = BatchExecutor(threading.get_ident, 2)
            return await executor.aload(in_thread=True)

        self.assertNotEqual(asyncio.run(main()), threading.get_ident())
        scene = HeldUp(2)

        async def cancelled():
            task = asyncio.ensure_future(scene.executor.aload(in_thread=True))
            while scene.executor.stats().waits == 0:
                await asyncio.sleep(0)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            scene.open()
            while scene.executor.stats().given_back == 0:
                await asyncio.sleep(0)

        asyncio.run(cancelled())
        self.assertEqual(scene.executor.load_many(2), [1, 2])

    def test_one_thread_loads_for_all_tasks_of_a_loop(self):
        executor = BatchExecutor(itertools.count().__next__, 8)

        async def main():
            return await asyncio.gather(*(executor.aload(in_thread=True) for _ in range(200)))

        self.assertEqual(asyncio.run(main()), list(range(200)))
        self.assertEqual(executor.stats().waits, 0)

    def test_tasks_of_two_loops_and_threads_get_each_result_once(self):
        numbers = itertools.count()
        executor = BatchExecutor(numbers.__next__, 7)
        taken = []

        async def main(chance):
            async def take():
                while True:
                    task = asyncio.ensure_future(executor.aload())
                    if chance.random() < 0.3:
                        asyncio.get_running_loop().call_soon(task.cancel)
                    try:
                        return await task
                    except asyncio.CancelledError:
                        continue

            taken.extend(await asyncio.gather(*(take() for _ in range(TASKS))))

        def load():
            taken.extend([executor.load() for _ in range(TASKS)])

        threads = [
            threading.Thread(target=lambda n=n: asyncio.run(main(random.Random(n))))
            for n in range(2)
        ]
        threads += [threading.Thread(target=load) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        left = executor.load_many(len(executor))
        self.assertEqual(sorted(taken + left), list(range(next(numbers))))
        self.assertEqual(len(taken), 4 * TASKS)


if __name__ == "__main__":
    unittest.main()
