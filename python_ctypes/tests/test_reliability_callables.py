"""Functions of C in the standard library with a LocalWrapper as one argument: never a crash.

FT_LOCAL_TEST_CALLS is how many calls there are for each seed.
"""

import os
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "random_calls.py"
CALLS = int(os.environ.get("FT_LOCAL_TEST_CALLS", "10000"))

pytestmark = pytest.mark.timeout(1800)


def random_calls(run_python, *arguments):
    return run_python("-W", "ignore", PROGRAM, *map(str, arguments), timeout=1500)


@pytest.mark.parametrize("seed", range(3))
def test_no_function_of_the_standard_library_crashes(seed, run_python):
    process = random_calls(run_python, seed, CALLS)
    lines = process.stdout.splitlines()
    if process.returncode != 0:
        bare = random_calls(run_python, seed, CALLS, "bare")
        pytest.fail(
            f"status {process.returncode} in: {lines[-1]}\n"
            f"without a wrapper: status {bare.returncode} in: {bare.stdout.splitlines()[-1]}\n"
            f"{process.stderr}"
        )
    assert lines[-1].startswith(f"{CALLS} calls of ")
    assert not [line for line in lines if ": raised SystemError" in line]
