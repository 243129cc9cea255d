"""BatchExecutor, signals, and the end of the interpreter."""

import signal
import threading

import pytest
from ft_local import BatchExecutor

INTERRUPTED_WHILE_WAITING = """
import os, signal, threading
import ft_local

entered, finish = threading.Event(), threading.Event()

def source():
    entered.set()
    finish.wait(50)
    return 1

executor = ft_local.BatchExecutor(source, 1)
cursor = executor.cursor()
filler = threading.Thread(target=executor.load)
filler.start()
entered.wait(50)
try:
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    WAIT
except KeyboardInterrupt:
    print("interrupted while the source blocks:", not finish.is_set())
finish.set()
filler.join()
print("then loaded", executor.load())
"""


@pytest.mark.parametrize(
    "wait",
    [
        "executor.load()",
        "executor.load(40)",
        "executor.load_many(5)",
        "executor.load_many(5, timeout=40)",
        "executor.prefill(timeout=None)",
        "executor.prefill(timeout=40)",
        "next(cursor)",
        "cursor.load(40)",
        "next(iter(executor))",
    ],
)
def test_ctrl_c_reaches_a_main_thread_that_waits(wait, run_python):
    process = run_python("-c", INTERRUPTED_WHILE_WAITING.replace("WAIT", wait), timeout=45)
    assert process.returncode == 0, process.stderr
    assert process.stdout == "interrupted while the source blocks: True\nthen loaded 1\n"


HANDLER_USES_THE_CURSOR = """
import os, signal, threading
import ft_local

entered, finish = threading.Event(), threading.Event()
numbers = iter(range(100))

def source():
    entered.set()
    finish.wait(50)
    return next(numbers)

def handler(number, frame):
    try:
        cursor.close()
    except RuntimeError as error:
        print(error)
    finish.set()
    seen.append(next(cursor))

seen = []
signal.signal(signal.SIGALRM, handler)
executor = ft_local.BatchExecutor(source, 4, fill_budget=4)
cursor = executor.cursor()
filler = threading.Thread(target=lambda: seen.append(executor.load()))
filler.start()
entered.wait(50)
signal.setitimer(signal.ITIMER_REAL, 0.2)
seen.append(next(cursor))
filler.join()
seen += executor.load_many(len(executor))
seen += [next(cursor) for _ in range(len(cursor))]
print(sorted(seen) == list(range(len(seen))), len(seen))
"""


def test_a_handler_may_use_the_cursor_that_waits_but_not_close_it(run_python):
    process = run_python("-c", HANDLER_USES_THE_CURSOR, timeout=45)
    assert process.returncode == 0, process.stderr
    message, books = process.stdout.splitlines()
    assert message.startswith("this Cursor cannot be closed by the source that it runs, nor by")
    assert books == "True 4"


INTERRUPTED_WHILE_LOADING = """
import os, signal, sys, threading, time
import ft_local

calls = 0

def source():
    global calls
    calls += 1
    return calls

def interrupt(loading):
    loading.wait(50)
    time.sleep(0.02)
    os.kill(os.getpid(), signal.SIGINT)

def interrupted(executor):
    loading = threading.Event()
    thread = threading.Thread(target=interrupt, args=(loading,))
    thread.start()
    try:
        loading.set()
        while True:
            LOAD
            # Some interpreters look for signals where a loop jumps back, and take that for outside
            # of the `try` if nothing follows the last call in it.
            last = executor
    except KeyboardInterrupt:
        pass
    thread.join()

executor = ft_local.BatchExecutor(source, int(sys.argv[1]))
cursor = executor.cursor()
for _ in range(20):
    interrupted(executor)
print("interrupted, and still", type(executor.load()).__name__)
cursor.close()
stats = executor.stats()
gone = stats.loads + stats.claimed + stats.released + stats.dropped_on_fork
print(stats.produced + stats.given_back == gone + len(executor))
"""


@pytest.mark.parametrize("load", ["executor.load()", "executor.load_many(7)", "next(cursor)"])
@pytest.mark.parametrize("size", [1, 8, 1000])
def test_ctrl_c_ends_a_loop_of_loads_wherever_it_arrives(size, load, run_python):
    program = INTERRUPTED_WHILE_LOADING.replace("LOAD", load)
    process = run_python("-c", program, str(size), timeout=60)
    assert process.returncode == 0, process.stderr
    assert process.stdout == "interrupted, and still int\nTrue\n"
    # Nor was an exception dropped on the way.
    assert process.stderr == ""


LONG_FILL_IN_C = """
import itertools, signal
import ft_local

def handler(number, frame):
    raise KeyboardInterrupt

signal.signal(signal.SIGALRM, handler)
# The source runs no Python code in which a signal would be noticed.
executor = ft_local.BatchExecutor(itertools.count().__next__, 1 << 30)
signal.setitimer(signal.ITIMER_REAL, 0.1)
try:
    executor.load()
except KeyboardInterrupt:
    print("interrupted:", 1 < len(executor) < executor.size)
print("kept:", [executor.load() for _ in range(3)])
"""


def test_a_signal_ends_a_long_fill_from_a_source_in_c(run_python):
    process = run_python("-c", LONG_FILL_IN_C, timeout=60)
    assert process.returncode == 0, process.stderr
    assert process.stdout == "interrupted: True\nkept: [0, 1, 2]\n"


def test_any_signal_handler_that_raises_ends_a_wait():
    class AlarmError(Exception):
        pass

    def handler(number, frame):
        raise AlarmError

    entered, finish = threading.Event(), threading.Event()

    def source():
        entered.set()
        assert finish.wait(60)
        return 1

    executor = BatchExecutor(source, 1)
    filler = threading.Thread(target=executor.load)
    filler.start()
    assert entered.wait(60)
    before = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(AlarmError):
            executor.load()
    finally:
        signal.signal(signal.SIGALRM, before)
        finish.set()
        filler.join()
    assert executor.load() == 1


DAEMON_WAITS_AT_EXIT = """
import threading, time
import ft_local

entered, waiting = threading.Event(), threading.Event()

def source():
    entered.set()
    time.sleep(1000)

executor = ft_local.BatchExecutor(source, 2)

def wait():
    waiting.set()
    executor.load()

threading.Thread(target=executor.load, daemon=True).start()
entered.wait(50)
threading.Thread(target=wait, daemon=True).start()
waiting.wait(50)
time.sleep(0.2)
print("end of the main thread")
"""


def test_a_daemon_thread_that_waits_does_not_abort_the_process_at_exit(run_python):
    process = run_python("-c", DAEMON_WAITS_AT_EXIT, timeout=45)
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout == "end of the main thread\n"


DAEMON_LOADS_AT_EXIT = """
import itertools, threading, time
import ft_local

executor = ft_local.BatchExecutor(itertools.count().__next__, 8)

def forever():
    while True:
        executor.load()

for _ in range(4):
    threading.Thread(target=forever, daemon=True).start()
time.sleep(0.3)
"""


def test_daemon_threads_that_load_do_not_abort_the_process_at_exit(run_python_with_daemons):
    for _ in range(3):
        process = run_python_with_daemons("-c", DAEMON_LOADS_AT_EXIT)
        assert (process.returncode, process.stderr) == (0, "")


LEFT_AT_EXIT = """
import ft_local

class Result:
    def __del__(self):
        print("result dies")

executor = ft_local.BatchExecutor(Result, 3)
cycle = [executor]
cycle.append(cycle)
executor.load()
"""


def test_an_executor_that_lives_at_exit_is_freed_silently(run_python):
    process = run_python("-c", LEFT_AT_EXIT)
    assert (process.returncode, process.stderr) == (0, "")
