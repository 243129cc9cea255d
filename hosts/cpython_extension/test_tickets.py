"""The extension module, with the GIL and without."""

import faulthandler
import functools
import gc
import pathlib
import re
import signal
import sys
import sysconfig
import threading
import time
import unittest
import weakref

from tickets import Office

THREADS = 4
SALES = 25_000


class Prefix:
    """A prefix that can be counted, and that may be part of a cycle."""


def buy_all(office):
    bought = []
    while True:
        try:
            bought.append(office.buy())
        except StopIteration:
            return bought


def in_threads(function):
    results = []
    threads = [threading.Thread(target=lambda: results.append(function())) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


class OfficeTest(unittest.TestCase):
    def test_the_gil_stays_off_where_it_is_off(self):
        enabled = getattr(sys, "_is_gil_enabled", lambda: True)()
        self.assertEqual(enabled, not sysconfig.get_config_var("Py_GIL_DISABLED"))

    def test_threads_buy_each_ticket_once(self):
        prefix = Prefix()
        before = sys.getrefcount(prefix)
        office = Office(prefix, THREADS * SALES)
        bought = in_threads(functools.partial(buy_all, office))
        numbers = sorted(number for mine in bought for _, number in mine)
        self.assertEqual(numbers, list(range(THREADS * SALES)))
        self.assertEqual((office.printed, len(office)), (THREADS * SALES, 0))
        self.assertTrue(all(ticket[0] is prefix for mine in bought for ticket in mine))
        del bought, office
        gc.collect()
        self.assertEqual(sys.getrefcount(prefix), before)

    def test_who_waits_for_a_slow_printer_lets_others_work(self):
        office = Office("slow", 40, block=4, seconds=0.01)
        numbers = sorted(
            number for mine in in_threads(functools.partial(buy_all, office)) for _, number in mine
        )
        self.assertEqual(numbers, list(range(40)))

    def test_a_signal_reaches_a_thread_that_waits(self):
        class RangError(Exception):
            pass

        def ring(*_args):
            raise RangError

        office = Office("slow", 2, block=1, seconds=3)
        buyer = threading.Thread(target=office.buy)
        before = signal.signal(signal.SIGALRM, ring)
        buyer.start()
        # The printer is not asked twice at a time, so this thread waits for the other one's block.
        time.sleep(0.2)
        try:
            with self.assertRaises(RangError):
                signal.setitimer(signal.ITIMER_REAL, 0.2)
                office.buy()
        finally:
            signal.signal(signal.SIGALRM, before)
        buyer.join()
        self.assertEqual(office.buy(), ("slow", 1))

    def test_closing_wakes_a_thread_that_waits(self):
        office = Office("slow", 40, block=1, seconds=1)
        results = []

        def buy():
            try:
                results.append(office.buy())
            except RuntimeError as closed:
                results.append(str(closed))

        buyers = [threading.Thread(target=buy) for _ in range(2)]
        for buyer in buyers:
            buyer.start()
        while office.waits == 0:
            pass
        office.close()
        for buyer in buyers:
            buyer.join()
        self.assertEqual(office.printed, 1)
        self.assertEqual(sorted(results, key=str), [("slow", 0), "the batch was closed"])
        with self.assertRaisesRegex(RuntimeError, "closed"):
            office.buy()

    def test_how_many_were_printed_can_be_asked_at_any_time(self):
        office = Office("A", THREADS * SALES)
        done = threading.Event()
        numbers = []

        def look():
            while not done.is_set():
                numbers.append(office.printed)

        observer = threading.Thread(target=look)
        observer.start()
        in_threads(functools.partial(buy_all, office))
        done.set()
        observer.join()
        self.assertEqual(numbers, sorted(numbers))
        self.assertEqual(office.printed, THREADS * SALES)

    def test_dropped_offices_are_freed(self):
        def make_and_drop():
            for number in range(10_000):
                prefix = []
                office = Office(prefix, 1000, block=64)
                prefix.append(office)
                office.buy()
                if number % 2:
                    office.close()

        def resident():
            gc.collect()
            return int(pathlib.Path("/proc/self/statm").read_text(encoding="ascii").split()[1])

        make_and_drop()
        before = resident()
        make_and_drop()
        # In pages. If they stayed, there would be more than 10,000 others.
        self.assertLess(resident() - before, 5000)

    def test_an_office_releases_what_was_not_sold(self):
        prefix = Prefix()
        before = sys.getrefcount(prefix)
        office = Office(prefix, 1000, block=100)
        ticket = office.buy()
        self.assertEqual((ticket[1], len(office), office.printed), (0, 99, 100))
        # In the office, in the ticket that was sold, and in those that were not.
        self.assertEqual(sys.getrefcount(prefix), before + 1 + 1 + 99)
        del office, ticket
        self.assertEqual(sys.getrefcount(prefix), before)

    def test_a_cycle_through_an_unsold_ticket_is_collected(self):
        prefix = []
        office = Office(prefix, 10, block=5)
        holder = Prefix()
        prefix += [office, holder]
        gone = weakref.ref(holder)
        office.buy()
        del prefix, office, holder
        gc.collect()
        self.assertIsNone(gone())

    def test_a_sold_out_office_says_so_and_stays_alive(self):
        office = Office("A", 3, block=2)
        self.assertEqual([office.buy()[1] for _ in range(3)], [0, 1, 2])
        for _ in range(3):
            with self.assertRaisesRegex(StopIteration, "sold out"):
                office.buy()

    def test_bad_arguments_are_refused(self):
        cases = [
            ({"block": block}, ValueError, f"block must be between 1 and 1073741824, got {block}")
            for block in (0, -1, 2**40, 2**70)
        ]
        cases += [
            ({"limit": limit}, ValueError, f"limit must be between 0 and {2**63 - 1}, got {limit}")
            for limit in (-1, 2**63, -(2**70))
        ]
        cases += [
            ({"seconds": seconds}, ValueError, f"seconds must be between 0 and 60, got {seconds}")
            for seconds in (-1.0, 61.0, float("nan"), float("inf"))
        ]
        cases += [
            ({name: given}, TypeError, f"{name} must be an int, got '{type(given).__name__}'")
            for name in ("limit", "block")
            for given in (1.5, "1", None)
        ]
        cases += [
            ({"seconds": "1"}, TypeError, "must be real number, not str"),
            ({"prices": 1}, TypeError, "'prices'"),
        ]
        for arguments, error, text in cases:
            with self.subTest(text), self.assertRaisesRegex(error, re.escape(text)):
                Office("A", **{"limit": 1, **arguments})
        with self.assertRaisesRegex(TypeError, "limit"):
            Office("A")


def rate():
    """Sales in a second, by all threads together."""
    office = Office("rate", 400_000, block=1000)
    start = time.perf_counter()
    in_threads(functools.partial(buy_all, office))
    return 400_000 / (time.perf_counter() - start)


if __name__ == "__main__":
    # A deadlock is a failure that shows where it is.
    faulthandler.dump_traceback_later(120, exit=True)
    result = unittest.main(exit=False).result
    if result.wasSuccessful():
        print(f"{result.testsRun} tests, {rate() / 1e6:.1f} M/s")
    sys.exit(not result.wasSuccessful())
