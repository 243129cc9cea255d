"""LocalWrapper in several interpreters of one process, and in a module loaded twice."""

import sys
import textwrap

import pytest

pytestmark = pytest.mark.c_backend(reason="ctypes itself is loaded once for all interpreters")


@pytest.fixture
def run(run_python):
    """Runs a program that may crash its interpreter, and returns what it printed."""

    def run(code):
        done = run_python("-W", "error", "-c", textwrap.dedent(code), timeout=100)
        assert done.returncode == 0, f"status {done.returncode}: {done.stderr}"
        return done.stdout.strip()

    return run


INTERPRETERS = """
    try:
        import _interpreters as interpreters
    except ImportError:
        import _xxsubinterpreters as interpreters
    import sys, threading

    def create(isolated=True):
        try:
            return interpreters.create("isolated" if isolated else "legacy")
        except TypeError:
            return interpreters.create(isolated=isolated)

    def run(interpreter, code):
        code = f"import sys; sys.path[:] = {sys.path!r}\\n" + code
        run_string = getattr(interpreters, "exec", None) or interpreters.run_string
        problem = run_string(interpreter, code)
        assert problem is None, problem
"""

USE = """
import gc, itertools
from ft_local import BatchExecutor, LocalWrapper
for _ in range(200):
    wrapper = LocalWrapper([1])
    wrapper += [2]
    wrapper.append(3)
    assert wrapper == [1, 2, 3] and round(LocalWrapper(2.5)) == 2
    cycle = [wrapper]
    wrapper.append(cycle)
    local = BatchExecutor(itertools.count().__next__, 8).as_local()
    assert [local.load() for _ in range(10)] == list(range(10))
gc.collect()
"""


@pytest.mark.skipif(sys.version_info < (3, 12), reason="a lock of its own came with Python 3.12")
def test_interpreters_with_a_lock_of_their_own(run):
    output = run(
        textwrap.dedent(INTERPRETERS)
        + textwrap.dedent(f"""
            code = {USE!r}
            exec(code)

            def body():
                interpreter = create()
                run(interpreter, code)
                interpreters.destroy(interpreter)

            threads = [threading.Thread(target=body) for _ in range(3)]
            for thread in threads:
                thread.start()
            exec(code)
            for thread in threads:
                thread.join()
            exec(code)
            print("alive")
        """)
    )
    assert output == "alive"


def test_interpreters_that_share_a_lock(run):
    output = run(
        textwrap.dedent(INTERPRETERS)
        + textwrap.dedent(f"""
            code = {USE!r}
            for _ in range(3):
                interpreter = create(isolated=False)
                run(interpreter, code)
                interpreters.destroy(interpreter)
            exec(code)
            print("alive")
        """)
    )
    assert output == "alive"


def test_a_module_that_is_loaded_twice(run):
    output = run("""
        import gc, sys
        import ft_local
        first = ft_local.LocalWrapper
        kept = first([1])
        for name in [name for name in sys.modules if name.startswith("ft_local")]:
            del sys.modules[name]
        del ft_local
        gc.collect()
        from ft_local import LocalWrapper as second
        assert first is not second
        assert first(1) + second(2) == 3
        assert second(5) - first(2) == 3
        assert kept + second([2]) == [1, 2]
        kept += [3]
        assert issubclass(type(kept), first) and kept.wrapped == [1, 3]
        print("alive")
    """)
    assert output == "alive"
