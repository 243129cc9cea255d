"""An allocation that fails, whichever it is, is a MemoryError and leaves nothing behind."""

from importlib.util import find_spec
from pathlib import Path

import pytest


@pytest.mark.skipif(not find_spec("_testcapi"), reason="this Python has no _testcapi to fail with")
@pytest.mark.c_backend("ctypes itself does not survive every allocation that fails")
def test_any_allocation_may_fail(run_python):
    process = run_python(Path(__file__).parent / "no_memory.py", PYTHONMALLOC="debug")
    assert (process.returncode, process.stdout, process.stderr) == (0, "", "")
