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


def test_parent_and_child_never_get_the_same_result(run_python):
    process = run_python("-c", PROLOGUE + NO_RESULT_TWICE)
    assert process.stdout == "499 499 0\n", process.stderr


def test_a_child_fills_for_itself_when_the_thread_that_filled_is_the_parents(run_python):
    process = run_python("-c", PROLOGUE + OTHER_THREAD_FILLS, timeout=45)
    assert process.stdout == "child\nparent\n", process.stderr


def test_a_source_may_fork(run_python):
    process = run_python("-c", PROLOGUE + FORK_IN_SOURCE, timeout=45)
    assert process.stdout == "0 True\n", process.stderr
