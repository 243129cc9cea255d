"""BatchExecutor and fork: what the parent made ahead is the parent's to hand out."""

import os

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

PROLOGUE = """
import os, sys, threading, uuid, warnings
import ft_local

# Python warns of forks in a process with threads; here the threads are in no lock.
warnings.simplefilter("ignore", DeprecationWarning)

def in_child(function):
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        status = 1
        try:
            os.write(writer, str(function()).encode())
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    with open(reader) as results:
        text = results.read()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    return text
"""

A_CHILD_ASKS_FOR_ITS_OWN = """
fillers, policy, extra = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])

def source(n):
    return [os.getpid()] * (n + extra)

executor = ft_local.BatchExecutor(source, 4, bulk=True, fillers=fillers, on_fork=policy)
assert eval(in_child(lambda: executor.load() == os.getpid()))
assert executor.load_many(4) == [os.getpid()] * 4
theirs = eval(in_child(lambda: [pid == os.getpid() for pid in executor.load_many(4)]))
print(sum(theirs), executor.load_many(4) == [os.getpid()] * 4)
"""

NO_RESULT_TWICE = """
executor = ft_local.BatchExecutor(uuid.uuid4, 500)
executor.load()

def load():
    return [str(executor.load()) for _ in range(499)]

theirs = eval(in_child(load))
ours = load()
print(len(theirs), len(ours), len(set(theirs) & set(ours)))
"""

OTHER_THREAD_FILLS = """
entered, finish = threading.Event(), threading.Event()
parent = os.getpid()

def source():
    if os.getpid() == parent:
        entered.set()
        finish.wait(50)
        return "parent"
    return "child"

executor = ft_local.BatchExecutor(source, 2)
filler = threading.Thread(target=executor.load)
filler.start()
entered.wait(50)
print(in_child(executor.load))
finish.set()
filler.join()
print(executor.load())
"""

FORK_IN_SOURCE = """
def source():
    calls.append(os.getpid())
    if len(calls) == 2:
        global pid
        pid = os.fork()
    return os.getpid()

calls, pid = [], None
executor = ft_local.BatchExecutor(source, 3)
executor.load()
if pid == 0:
    os._exit(0 if executor.load() else 1)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), executor.load() == os.getpid())
"""


CURSOR_IN_USE = """
executor = ft_local.BatchExecutor(uuid.uuid4, 500)
cursor = executor.cursor()
executor.prefill()
next(cursor)
assert len(cursor) > 1

def load():
    assert len(cursor) == 0
    return [str(next(cursor)) for _ in range(499)]

theirs = eval(in_child(load))
ours = [str(next(cursor)) for _ in range(499)]
print(len(theirs), len(ours), len(set(theirs) & set(ours)))
"""

BULK_WITH_A_REST = """
executor = ft_local.BatchExecutor(lambda n: [uuid.uuid4() for _ in range(n + 50)], 10, bulk=True)
executor.load()

def load():
    return [str(result) for result in executor.load_many(100)]

theirs = eval(in_child(load))
ours = load()
print(len(theirs), len(ours), len(set(theirs) & set(ours)))
"""

KEEP = """
extra = int(sys.argv[1])
numbers = iter(range(1000))
if extra:
    source = lambda n: [next(numbers) for _ in range(n + extra)]
else:
    source = numbers.__next__
executor = ft_local.BatchExecutor(source, 10, bulk=bool(extra), on_fork="keep")
cursor = executor.cursor()
executor.prefill()
next(cursor)
assert len(cursor) > 1

def load():
    return [next(cursor) for _ in range(9)] + executor.load_many(20)

theirs = eval(in_child(load))
ours = load()
print(theirs == ours == list(range(1, 30)))
"""

FORBIDDEN = """
executor = ft_local.BatchExecutor(iter(range(1000)).__next__, 10, on_fork="error")
cursor = executor.cursor()
executor.load()

def load():
    outcomes = []
    for way in (executor.load, executor.try_load, cursor.load, executor.prefill,
                lambda: executor.load_many(2), lambda: next(cursor), lambda: next(iter(executor))):
        try:
            outcomes.append(way())
        except ft_local.ForkedError as error:
            outcomes.append("make another one here" in str(error))
    return outcomes

print(in_child(load))
print(executor.load_many(9))
"""

STATS = """
executor = ft_local.BatchExecutor(iter(range(1000)).__next__, 10)
cursor = executor.cursor()
executor.prefill()
next(cursor)

def books():
    executor.load()
    next(cursor)
    stats = executor.stats()
    gone = stats.loads + stats.claimed + stats.released + stats.dropped_on_fork
    even = stats.produced + stats.given_back == gone + len(executor)
    return even, stats.dropped_on_fork

print(in_child(books))
print(books())
"""

WITH_MULTIPROCESSING = """
import multiprocessing, itertools

executor = ft_local.BatchExecutor(uuid.uuid4, 100)

def work(_):
    with executor.cursor() as cursor:
        return [str(executor.load()) for _ in range(50)] + [str(next(cursor)) for _ in range(50)]

stop = threading.Event()
def forever():
    while not stop.is_set():
        mine.append(str(executor.load()))

mine = []
thread = threading.Thread(target=forever)
thread.start()
with multiprocessing.get_context("fork").Pool(4) as pool:
    theirs = list(itertools.chain(*pool.map(work, range(20), chunksize=1)))
stop.set()
thread.join()
print(len(theirs), len(set(theirs)), len(set(theirs) & set(mine)))
"""


def test_parent_and_child_never_get_the_same_result(run_python):
    process = run_python("-c", PROLOGUE + NO_RESULT_TWICE)
    assert process.stdout == "499 499 0\n", process.stderr


def test_a_child_takes_over_a_fill_of_a_thread_that_the_fork_left_behind(run_python):
    process = run_python("-c", PROLOGUE + OTHER_THREAD_FILLS, timeout=45)
    assert process.stdout == "child\nparent\n", process.stderr


def test_a_source_may_fork(run_python):
    process = run_python("-c", PROLOGUE + FORK_IN_SOURCE, timeout=45)
    assert process.stdout == "0 True\n", process.stderr


@pytest.mark.parametrize(
    ("program", "count"),
    [(CURSOR_IN_USE, 499), (BULK_WITH_A_REST, 100)],
    ids=["cursor", "bulk"],
)
def test_a_child_drops_results_of_cursors_and_of_bulk_sources(program, count, run_python):
    process = run_python("-c", PROLOGUE + program)
    assert process.stdout == f"{count} {count} 0\n", process.stderr


@pytest.mark.parametrize("extra", ["0", "50"])
def test_a_child_may_keep_the_results_of_the_parent(extra, run_python):
    process = run_python("-c", PROLOGUE + KEEP, extra)
    assert process.stdout == "True\n", process.stderr


def test_a_child_may_be_forbidden_to_use_an_executor(run_python):
    process = run_python("-c", PROLOGUE + FORBIDDEN)
    expected = f"{[True] * 7}\n{list(range(1, 10))}\n"
    assert process.stdout == expected, process.stderr


def test_the_stats_of_a_child_count_what_it_dropped(run_python):
    process = run_python("-c", PROLOGUE + STATS)
    assert process.stdout == "(True, 9)\n(True, 0)\n", process.stderr


def test_children_of_multiprocessing_never_get_the_same_result(run_python):
    process = run_python("-c", PROLOGUE + WITH_MULTIPROCESSING, timeout=50)
    assert process.stdout == "2000 2000 0\n", process.stderr


@pytest.mark.parametrize("fillers", ["1", "2"])
@pytest.mark.parametrize(("policy", "extra"), [("discard", 0), ("discard", 2), ("keep", 2)])
def test_a_child_asks_a_bulk_source_for_results_of_its_own(run_python, policy, extra, fillers):
    program = PROLOGUE + A_CHILD_ASKS_FOR_ITS_OWN
    process = run_python("-c", program, fillers, policy, str(extra))
    assert process.returncode == 0, process.stderr
    own, undisturbed = process.stdout.split()
    assert undisturbed == "True"
    # What the parent's source has returned, which is more than it was asked for, comes first.
    assert int(own) <= 4 - extra if policy == "keep" else int(own) == 4
