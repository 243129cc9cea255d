"""Processes of Python that are started in every way, and that end or collect garbage under load.

FT_LOCAL_TEST_ROUNDS is how often a process ends under load.
"""

import os

import pytest

ROUNDS = int(os.environ.get("FT_LOCAL_TEST_ROUNDS", "3"))

pytestmark = pytest.mark.timeout(1800)

# As a file: children that start a new Python import it.
CHILDREN = """
import multiprocessing, pickle, sys, threading, warnings
from ft_local import BatchExecutor

# Python warns of forks in a process with threads.
warnings.simplefilter("ignore", DeprecationWarning)

def count_up():
    return iter(range(10**9)).__next__

executor = BatchExecutor(count_up(), 8)

def work(task):
    with executor.cursor() as cursor:
        return [executor.load() for _ in range(20)] + [next(cursor) for _ in range(20)]

if __name__ == "__main__":
    way = sys.argv[1]
    stop, mine = threading.Event(), []
    def load():
        while not stop.is_set():
            mine.append(executor.load())
    threads = [threading.Thread(target=load) for _ in range(2)]
    [thread.start() for thread in threads]
    context = multiprocessing.get_context(way)
    results = []
    with context.Pool(2) as pool:
        results = pool.map(work, range(20), chunksize=1)
        # Neither an executor nor a cursor can be sent.
        for thing in (executor, executor.cursor()):
            try:
                pool.apply(work, [thing])
            except TypeError as error:
                assert "pickle" in str(error), error
            else:
                raise AssertionError("it was sent")
    stop.set()
    [thread.join() for thread in threads]
    assert sorted(mine) == list(range(len(mine))) or way == "fork"
    assert len(set(mine)) == len(mine)
    print(sum(map(len, results)))
"""


@pytest.mark.parametrize("way", ["fork", "forkserver", "spawn"])
def test_each_way_to_start_a_process_gives_it_an_executor_of_its_own(way, run_python, tmp_path):
    program = tmp_path / "children.py"
    program.write_text(CHILDREN)
    process = run_python(program, way, timeout=200)
    assert (process.returncode, process.stdout) == (0, "800\n"), process.stderr


TURNS = """
import asyncio, os, signal, threading
from ft_local import BatchExecutor, _waiting

held, go_on = threading.Event(), threading.Event()

def hold():
    # As a thread does whose task begins to wait for its turn.
    with _waiting._TURNS._lock:
        held.set()
        go_on.wait()

thread = threading.Thread(target=hold)
thread.start()
held.wait()
child = os.fork()
if child == 0:
    signal.alarm(60)
    executor = BatchExecutor(iter([7]).__next__, 1)
    async def load():
        return await executor.aload(in_thread=True)
    os._exit(asyncio.run(load()))
_, status = os.waitpid(child, 0)
go_on.set()
thread.join()
print(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_awaits_in_a_thread_while_a_thread_of_its_parent_held_the_lock(run_python):
    process = run_python("-W", "ignore::DeprecationWarning", "-c", TURNS)
    assert (process.returncode, process.stdout) == (0, "7\n"), process.stderr


# Daemon threads are in the middle of everything when the interpreter goes.
END = """
import itertools, sys, threading, time
from ft_local import BatchExecutor, LocalWrapper

class Thing:
    def __init__(self, number):
        self.number, self.itself = number, self

executor = BatchExecutor(map(Thing, itertools.count()).__next__, 8)
slow = BatchExecutor(lambda: time.sleep(3600), 2)
waits = BatchExecutor(threading.Event().wait, 2)
shared = LocalWrapper(executor)
started = threading.Semaphore(0)

def load():
    started.release()
    while True:
        shared.load()

def take():
    cursor = executor.cursor()
    started.release()
    for thing in cursor:
        pass

def wait_for(other):
    started.release()
    other.load()

targets = [(load,), (take,), *[(wait_for, slow)] * 2, *[(wait_for, waits)] * 2]
for target, *arguments in targets * 2:
    threading.Thread(target=target, args=arguments, daemon=True).start()
for _ in targets * 2:
    started.acquire()
kept = executor.cursor()
next(kept)
executor.load()
if sys.argv[1] == "exit":
    sys.exit(3)
if sys.argv[1] == "error":
    raise SystemExit(3)
import atexit
atexit.register(executor.load)
atexit.register(next, kept)
sys.exit(3)
"""


@pytest.mark.parametrize("way", ["exit", "error", "atexit"])
def test_an_interpreter_ends_with_daemon_threads_at_work(way, run_python_with_daemons):
    for _ in range(ROUNDS):
        process = run_python_with_daemons("-c", END, way, timeout=100)
        assert (process.returncode, process.stdout, process.stderr) == (3, "", "")


COLLECT = """
import gc, sys, threading, weakref
from ft_local import BatchExecutor

rounds = int(sys.argv[1])

class Thing:
    def __init__(self, number):
        # A cycle through the executor, which the collector sees in the middle of a fill.
        self.number, self.itself, self.executor = number, self, executor

made = 0
def source():
    global made
    made += 1
    return Thing(made)

executor = BatchExecutor(source, 16)
numbers, lock, enough = [], threading.Lock(), False

def work():
    mine, cursor = [], executor.cursor()
    while not enough:
        mine.append(executor.load().number)
        mine.append(next(cursor).number)
    cursor.close()
    with lock:
        numbers.extend(mine)

threads = [threading.Thread(target=work) for _ in range(4)]
[thread.start() for thread in threads]
for _ in range(rounds):
    before = made
    while made == before:
        gc.collect()
enough = True
[thread.join() for thread in threads]
while (thing := executor.try_load()) is not None:
    numbers.append(thing.number)
print(sorted(numbers) == list(range(1, made + 1)))
"""


def test_the_collector_may_run_in_the_middle_of_a_fill(run_python):
    process = run_python("-c", COLLECT, str(ROUNDS * 10), timeout=1500)
    assert (process.returncode, process.stdout) == (0, "True\n"), process.stderr
