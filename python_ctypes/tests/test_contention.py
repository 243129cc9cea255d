"""`contention`: finds the object that threads fight over, and says how the program reaches it."""

import gc
import json
import sys
import threading
import types
import weakref

import ft_local
import pytest
from ft_local import _contention, contention, share
from ft_local._contention_path import find_paths
from ft_local._contention_sampler import Sample, all_objects
from ft_local._ctypes import contention as by_ctypes

GIL = getattr(sys, "_is_gil_enabled", lambda: True)()
CAN_DEFER = sys.version_info >= (3, 14) and not GIL

free_threaded = pytest.mark.skipif(GIL, reason="with the GIL, contention refuses to begin")


class Thing:
    attribute = None


class Program:
    """A module whose `app.thing` threads use until they are stopped."""

    def __init__(self):
        self.module = types.ModuleType("program_of_the_test")
        self.module.app = Thing()
        self.module.app.thing = Thing()
        self.module.app.thing.attribute = 1
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self.work) for _ in range(3)]

    def work(self):
        app = self.module.app
        while not self.stop.is_set():
            for _ in range(10_000):
                app.thing.attribute  # noqa: B018

    def __enter__(self):
        sys.modules[self.module.__name__] = self.module
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()
        del sys.modules[self.module.__name__]

    def run_until(self, condition):
        while not condition():
            self.threads[0].join(0.05)


def found(report, path="program_of_the_test.app.thing"):
    return next((one for one in report.objects if one.path == path), None)


@free_threaded
def test_the_object_that_threads_fight_over_is_found():
    with Program() as program, contention(interval=0) as report:
        program.run_until(lambda: found(report) and found(report).changes_per_second)
    one = found(report)
    assert one.type.endswith("test_contention.Thing")
    assert one.sharing == "counted"
    assert 0 < one.seen <= report.looks
    assert one.advice.startswith("ft_local.share()" if CAN_DEFER else "give each thread a Local")
    assert "program_of_the_test.app.thing\n" in str(report)
    assert "times a second" in str(report)
    assert one._asdict() in json.loads(report.to_json())["objects"]


# What no bytecode file has made immortal.
COMPILED = """
import json

config = json.loads('{"a key": 2.5113}')

def add(number):
    return number + 0.7253
"""


@free_threaded
@pytest.mark.parametrize(
    ("find", "path", "words"),
    [
        (lambda made: next(iter(made.config)), "config.<key 'a key'>", "ft_local.intern() it"),
        (lambda made: made.config["a key"], "config['a key']", "ft_local.intern() it"),
        (
            lambda made: made.add.__code__.co_consts[-1],
            "add.__code__.co_consts[{}]",
            "a constant of code that was compiled in this run: ",
        ),
    ],
)
def test_plain_values_are_looked_at(find, path, words, monkeypatch):
    made = types.ModuleType("program_of_the_test")
    exec(compile(COMPILED, "<test>", "exec"), vars(made))  # noqa: S102
    monkeypatch.setitem(sys.modules, made.__name__, made)
    value = find(made)
    path = path.format(len(made.add.__code__.co_consts) - 1)
    assert any(one is value for one in all_objects(plain=True))
    described = _contention._describe(Sample(value, path=find_paths({id(value): value})[id(value)]))
    assert described.path == f"program_of_the_test.{path}"
    assert described.sharing == "counted"
    assert described.advice.startswith(words)


@free_threaded
def test_a_shared_object_is_not_reported():
    with Program() as program, contention(interval=0) as report:
        share(program.module.app.thing)
        if not CAN_DEFER:
            # Where it cannot be shared it is the thread's own that is not fought over.
            program.stop.set()
        program.run_until(lambda: report.looks >= 20)
    assert found(report) is None


@free_threaded
def test_a_report_keeps_no_object_alive():
    with Program() as program, contention(interval=0) as report:
        program.run_until(lambda: found(report))
    gone = weakref.ref(program.module.app.thing)
    # Python 3.13 never frees a module.
    program.module.app.thing = None
    gc.collect()
    assert gone() is None
    assert found(report)


@free_threaded
def test_a_report_is_for_one_block():
    with contention() as report:
        pass
    assert report.objects == []
    assert "No object was seen" in str(report)
    with pytest.raises(RuntimeError, match="has begun already"):
        report.__enter__()


@free_threaded
def test_errors_of_the_block_and_of_the_sampler_are_raised(monkeypatch):
    with pytest.raises(ZeroDivisionError), contention():
        1 / 0  # noqa: B018
    monkeypatch.setattr(_contention.Sampler, "_window", None)
    with pytest.raises(TypeError), contention() as report:
        report._sampler._thread.join()


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"most": 0}, ValueError, "most must be 1 or more, got 0"),
        ({"most": True}, TypeError, "most must be an int, got 'bool'"),
        ({"most": 1.5}, TypeError, "most must be an int, got 'float'"),
        ({"interval": "1"}, TypeError, "interval must be a number of seconds, got 'str'"),
        ({"interval": -1}, ValueError, "interval must be 0 seconds or more, got -1"),
        ({"interval": float("nan")}, ValueError, "interval must be 0 seconds or more, got nan"),
    ],
)
def test_wrong_arguments(arguments, error, words):
    with pytest.raises(error, match=words):
        contention(**arguments)


def test_contention_refuses_to_run_with_the_gil(run_python):
    program = "import ft_local; ft_local.contention()"
    process = run_python("-c", program, PYTHON_GIL="1")
    assert process.returncode == 1
    assert "RuntimeError: contention needs a free-threaded CPython: " in process.stderr
    process = run_python("-m", "ft_local", "contention", "program.py", PYTHON_GIL="1")
    assert process.returncode == 2
    assert process.stderr.startswith("contention: contention needs a free-threaded CPython: ")


def test_an_unexpected_object_layout_is_refused(monkeypatch):
    monkeypatch.setattr(_contention._backend, "shared_count", lambda _: 0)
    with pytest.raises(RuntimeError, match="does not know how this version of CPython keeps"):
        _contention._check_layout()


def test_ctypes_refuses_an_unknown_version(monkeypatch):
    monkeypatch.setattr(by_ctypes, "_offset", 0)
    with pytest.raises(RuntimeError, match="is not known"):
        by_ctypes.shared_count(object())


@free_threaded
@pytest.mark.parametrize("reader", [by_ctypes, _contention._backend], ids=["by_ctypes", "own"])
def test_changes_of_counts_are_seen(reader):
    objects = tuple(object() for _ in range(5))
    last = memoryview(bytearray(8 * len(objects)))
    reader.changed_counts(objects, last)
    assert reader.changed_counts(objects, last) == []
    taken = []
    thread = threading.Thread(target=lambda: taken.extend([objects[1], objects[3]]))
    thread.start()
    thread.join()
    assert reader.changed_counts(objects, last) == [1, 3]
    assert reader.changed_counts(objects, last) == []
    assert reader.count_changes(objects[1], 1000) == 0


def test_the_buffer_must_have_room_for_each_count():
    if ft_local.backend == "c":
        for place in (bytearray(8), memoryview(bytearray(24))[1:17]):
            with pytest.raises(ValueError, match="room for a count of each object"):
                _contention._backend.changed_counts((1, 2), place)
        for function in (_contention._backend.changed_counts, _contention._backend.count_changes):
            with pytest.raises(TypeError):
                function(1)
    else:
        with pytest.raises(IndexError):
            by_ctypes.changed_counts((1, type), memoryview(bytearray(0)))


PROGRAM = """
import gc, sys, threading
import ft_local

class Thing: attribute = 1

app = Thing()
app.things = {"hot": Thing()}

def report():
    return next(one for one in gc.get_objects() if type(one) is ft_local.ContentionReport)

def work(stop):
    mine = app
    while not stop.is_set():
        for _ in range(10000):
            mine.things["hot"].attribute

def main():
    stop, looked = threading.Event(), report()
    threads = [threading.Thread(target=work, args=(stop,)) for _ in range(3)]
    for thread in threads: thread.start()
    while not any(one.path == "__main__.app.things['hot']" for one in looked.objects):
        threads[0].join(0.05)
    stop.set()
    for thread in threads: thread.join()
    print(__name__, sys.argv[1:])
    sys.exit(7)

if __name__ == "__main__":
    main()
"""


@free_threaded
@pytest.mark.parametrize("as_module", [False, True])
def test_a_program_is_run_and_its_hot_object_named(as_module, run_python, tmp_path):
    (tmp_path / "the_program.py").write_text(PROGRAM)
    output = tmp_path / "report.json"
    program = ["-m", "the_program"] if as_module else [str(tmp_path / "the_program.py")]
    command = ["-m", "ft_local", "contention", "--json", "--output", str(output), *program]
    process = run_python(*command, "--flag", "value", PYTHONPATH=str(tmp_path))
    assert process.returncode == 7, process.stderr
    assert (process.stdout, process.stderr) == ("__main__ ['--flag', 'value']\n", "")
    report = json.loads(output.read_text())
    paths = [one["path"] for one in report["objects"]]
    assert "__main__.app.things['hot']" in paths
    assert report["looks"] > 0


@free_threaded
@pytest.mark.parametrize(
    ("program", "status", "words"),
    [
        ("pass", 0, ""),
        ("raise SystemExit", 0, ""),
        ("raise SystemExit('no')", 1, "no\n"),
        ("raise KeyError('key')", 1, "KeyError: 'key'\n"),
        ("import threading, time\nthreading.Thread(target=print, args=('late',)).start()", 0, ""),
    ],
)
def test_the_exit_status_is_that_of_the_program(program, status, words, run_python, tmp_path):
    (tmp_path / "program.py").write_text(program)
    process = run_python("-m", "ft_local", "contention", str(tmp_path / "program.py"))
    assert process.returncode == status, process.stderr
    assert words in process.stderr
    assert "Contention: " in process.stderr


@free_threaded
@pytest.mark.parametrize(
    ("program", "words"),
    [
        (["no_such_file.py"], "No such file or directory"),
        (["-m", "no_such_module"], "there is no module 'no_such_module' that could be run"),
        (["-m", "json.no_such_module"], "that could be run"),
        (["--most", "0", "program.py"], "most must be 1 or more, got 0"),
    ],
)
def test_a_program_that_cannot_be_started(program, words, run_python):
    process = run_python("-m", "ft_local", "contention", *program)
    assert process.returncode == 2
    assert process.stderr.startswith("contention: ")
    assert words in process.stderr
