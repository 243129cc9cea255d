"""LocalWrapper: wrappers of wrappers, a few and very many."""

import textwrap

import pytest
from ft_local import LocalWrapper


@pytest.fixture
def run(run_python):
    """Runs a program that may crash its interpreter, and returns what it printed."""

    def run(code):
        done = run_python("-W", "error", "-c", textwrap.dedent(code), timeout=100)
        assert done.returncode == 0, f"status {done.returncode}: {done.stderr}"
        return done.stdout.strip()

    return run


DEEP = """
    import copy, gc, math, operator, os, pickle, threading
    from ft_local import LocalWrapper

    class Local(LocalWrapper):
        pass

    class Text(bytes):
        def __call__(self, *args):
            return self

        __int__ = __float__ = __index__ = __complex__ = __next__ = __call__
        __round__ = __floor__ = __enter__ = __exit__ = __fspath__ = __call__

    def chain(length, kind=LocalWrapper):
        wrapper = Text(b"5")
        for _ in range(length):
            wrapper = kind(wrapper)
        return wrapper
"""


@pytest.mark.c_backend(reason="recursion in Python code is limited by the interpreter alone")
@pytest.mark.parametrize("kind", ["LocalWrapper", "Local"])
def test_a_million_nested_wrappers_are_freed(kind, run):
    output = run(
        textwrap.dedent(DEEP)
        + textwrap.dedent(f"""
            wrapper = chain(1_000_000, {kind})
            del wrapper
            thread = threading.Thread(target=chain, args=(1_000_000, {kind}))
            thread.start()
            thread.join()
            cycle = [chain(1_000_000, {kind})]
            cycle.append(cycle)
            del cycle
            gc.collect()
            print("alive")
        """)
    )
    assert output == "alive"


OPERATIONS = """
int float bool iter len str repr hash complex bytes round dir format reversed memoryview copy.copy
copy.deepcopy pickle.dumps math.floor operator.neg operator.index operator.length_hint os.fspath
"""

EXPRESSIONS = """
wrapper.upper; wrapper + 1; 1 + wrapper; pow(2, 3, wrapper); wrapper == wrapper; wrapper[0];
1 in wrapper; wrapper(); next(wrapper); operator.iadd(wrapper, 1); setattr(wrapper, 'x', 1);
isinstance(1, wrapper); issubclass(int, wrapper); operator.concat(wrapper, 'a');
type(wrapper).__enter__(wrapper); LocalWrapper.__await__(wrapper); LocalWrapper.__aiter__(wrapper)
"""


@pytest.mark.c_backend(reason="recursion in Python code is limited by the interpreter alone")
@pytest.mark.parametrize("kind", ["LocalWrapper", "Local"])
def test_operations_through_too_many_wrappers_raise(kind, run):
    expressions = [f"{name}(wrapper)" for name in OPERATIONS.split()]
    expressions += [expression.strip() for expression in EXPRESSIONS.split(";")]
    output = run(
        textwrap.dedent(DEEP)
        + textwrap.dedent(f"""
            wrapper = chain(1_000_000, {kind})
            for expression in {expressions!r}:
                try:
                    eval(expression)
                except RecursionError:
                    continue
                except TypeError as error:
                    print(expression, error)
                else:
                    print(expression, "worked")
            print("alive")
        """)
    )
    assert output == "alive"


def test_a_few_nested_wrappers_work():
    wrapper = "5"
    for _ in range(100):
        wrapper = LocalWrapper(wrapper)
    assert int(wrapper) == 5
    assert wrapper.upper() == "5"
    assert wrapper + "a" == "5a"
    assert len(wrapper) == 1


@pytest.mark.c_backend(reason="recursion in Python code is limited by the interpreter alone")
def test_a_chain_through_weak_proxies_raises(run):
    output = run(
        textwrap.dedent(DEEP)
        + textwrap.dedent("""
            import weakref
            keep = [chain(1)]
            for _ in range(200_000):
                keep.append(LocalWrapper(weakref.proxy(keep[-1])))
            for expression in ("int(keep[-1])", "keep[-1].upper", "len(keep[-1])"):
                try:
                    eval(expression)
                except RecursionError:
                    print("deep")
        """)
    )
    assert output == "deep\ndeep\ndeep"
