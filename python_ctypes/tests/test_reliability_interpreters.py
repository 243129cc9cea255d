"""Many interpreters with locks of their own, running at the same time.

FT_LOCAL_TEST_INTERPRETERS is how many interpreters there are.
"""

import os
import sys

import pytest

INTERPRETERS = os.environ.get("FT_LOCAL_TEST_INTERPRETERS", "20")

pytestmark = [
    pytest.mark.c_backend(reason="ctypes itself is loaded once for all interpreters"),
    pytest.mark.skipif(
        sys.version_info < (3, 12), reason="a lock of its own came with Python 3.12"
    ),
    pytest.mark.timeout(1800),
]

PROGRAM = """
import sys, threading
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

LOAD = f'''
import gc, itertools, sys
sys.path[:] = {sys.path!r}
from ft_local import BatchExecutor, LocalWrapper
'''

USE = '''
for _ in range(20):
    wrapper = LocalWrapper([1])
    wrapper += [2]
    cycle = [wrapper]
    wrapper.append(cycle)
    executor = BatchExecutor(itertools.count().__next__, 8)
    cursor = executor.cursor()
    numbers = [executor.load() for _ in range(10)] + [next(cursor) for _ in range(10)]
    assert sorted(numbers) == list(range(20))
gc.collect()
'''

run = getattr(interpreters, "exec", None) or interpreters.run_string
left = iter(range(int(sys.argv[1])))
lock, done = threading.Lock(), []

def work():
    while True:
        with lock:
            if next(left, None) is None:
                return
        # One at a time: CPython 3.13.0 crashes if several import its own modules, or free them.
        with lock:
            interpreter = interpreters.create()
            problem = run(interpreter, LOAD)
        problem = problem or run(interpreter, USE)
        with lock:
            interpreters.destroy(interpreter)
            done.append(problem)

threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
exec(LOAD + USE)
for thread in threads:
    thread.join()
print(len(done), {problem for problem in done})
"""


def test_many_interpreters_four_at_a_time(run_python):
    process = run_python("-W", "error", "-c", PROGRAM, INTERPRETERS, timeout=1500)
    expected = f"{INTERPRETERS} {{None}}\n"
    assert (process.returncode, process.stdout) == (0, expected), process.stderr


STRAY = """
import itertools, sys
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
from ft_local import BatchExecutor

executor = BatchExecutor(itertools.count().__next__, 8)
assert executor.load() == 0
cursor = executor.cursor()
assert next(cursor) == 1 and len(cursor) > 0
run = getattr(interpreters, "exec", None) or interpreters.run_string
problem = run(interpreters.create(), f'''
import ctypes

executor = ctypes.cast({id(executor)}, ctypes.py_object).value
cursor = ctypes.cast({id(cursor)}, ctypes.py_object).value

refused = 0
for use in (executor.load, executor.try_load, lambda: executor.load_many(2), executor.cursor,
            lambda: executor.prefill(1, 1), lambda: executor.load(1.0), executor.stats,
            cursor.__next__, cursor.load, lambda: cursor.load(0), cursor.load_now, cursor.close):
    try:
        use()
    except RuntimeError as error:
        assert "another interpreter" in str(error), error
        refused += 1
assert refused == 12, refused
# The last reference must go in the interpreter whose objects these are.
del executor, cursor, use
''')
print(problem, next(cursor), executor.load(), len(executor) + len(cursor))
"""


@pytest.mark.skipif(
    sys.version_info < (3, 13), reason="ctypes, which smuggles, is for all interpreters since 3.13"
)
def test_an_executor_or_a_cursor_in_another_interpreter_is_refused(run_python):
    process = run_python("-c", STRAY)
    assert (process.returncode, process.stdout) == (0, "None 2 5 4\n"), process.stderr
