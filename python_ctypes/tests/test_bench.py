"""`python -m ft_local bench`: programs, sources and waits, in all ways side by side."""

import contextlib
import itertools
import json
import re
import xml.etree.ElementTree as ET

import ft_local
import pytest
from ft_local._cli import bench, main
from ft_local._cli.bench import plot, report, rounds, sharing, takes, taking, waits
from ft_local._cli.bench.programs import PROGRAMS, Holder, Program

TINY = ("--rounds=1", "--turns=50", "--counted=200", "--waited=2", "--threads", "1", "2")

UNITS = {
    "programs": {"ns"},
    "takes": {"ns"},
    "waits": {"p50_us", "p99_us", "p99.9_us", "per_second"},
}


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """A report of a tiny run, as a file."""
    file = tmp_path_factory.mktemp("bench") / "report.json"
    with file.open("w") as output, contextlib.redirect_stdout(output):
        assert main(["bench", *TINY, "--json"]) == 0
    return file


def test_json_has_each_figure_with_its_spread(reports):
    found = json.loads(reports.read_text())
    assert found["schema"] == report.SCHEMA
    assert (found["ft_local"], found["backend"]) == (ft_local.__version__, ft_local.backend)
    assert set(found) == {
        *("schema", "ft_local", "backend", "python", "gil", "processor", "cores", "rounds"),
        *("figures", "counted"),
    }
    for one in found["figures"]:
        units = set(one) - {"group", "name", "way", "threads"}
        # Without a unit: in no round did all threads have a core.
        assert units in (set(), UNITS[one["group"]])
        for unit in units:
            assert 0 < one[unit]["low"] <= one[unit]["median"] <= one[unit]["high"]


def test_json_has_each_program_source_and_wait_in_each_way_and_number_of_threads(reports):
    found = {
        (one["group"], one["name"], one["way"], one["threads"])
        for one in json.loads(reports.read_text())["figures"]
    }
    both = (1, 2)
    for name, number in itertools.product(PROGRAMS, both):
        assert {("programs", name, way, number) for way in ("bare", "wrapped")} <= found
    for name, number in itertools.product(takes.SOURCES, both):
        assert {("takes", name, way, number) for way in takes.ways(name)} <= found
    for way, number in itertools.product(waits.WAYS, both):
        assert ("waits", "source of 200 us", way, number) in found


def test_json_has_a_count_of_each_way_to_take(reports):
    counted = json.loads(reports.read_text())["counted"]
    expected = [(name, way) for name in takes.SOURCES for way in takes.ways(name)]
    assert [(one["name"], one["way"]) for one in counted] == expected
    for one in counted:
        assert one["taken"] == 400
        assert one["exact"] or one["way"] == "ft_utils"


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("way", sharing.ways())
def test_a_program_gives_the_same_result_in_each_way(name, way):
    program, held = PROGRAMS[name], sharing.ways()[way]
    if way == "copied" and not sharing._has_copies(program.make(sharing._call)):
        return
    results = [
        program.run(20, Holder(one.hold(one.object(program)))) for one in (held, sharing.Way())
    ]
    assert results[0] == results[1]


def test_a_way_that_changes_the_result_is_an_error(monkeypatch):
    seeded = {"bare": sharing.Way(), "wrong": sharing.Way(hold=lambda _: [2])}
    monkeypatch.setattr(sharing, "ways", lambda: seeded)
    program = Program(lambda make: make(lambda: [1]), lambda turns, own: turns * own.thing[0])
    monkeypatch.setitem(PROGRAMS, "one", program)
    with pytest.raises(AssertionError, match="one: wrong gives another result than bare"):
        list(sharing.cells(["one"], [1], 10, 1))


def test_the_programs_share_no_object_between_ways():
    for program in PROGRAMS.values():
        first, second = program.make(sharing._call), program.make(sharing._call)
        assert first is not second


@pytest.mark.parametrize("name", takes.SOURCES)
def test_each_way_to_take_gives_each_result_to_one_thread(name):
    for title, way in takes.ways(name).items():
        found = taking.count(name, title, way, 3, 300)
        assert found.taken == 900
        # The forerunner is known to hand some out twice.
        assert found.exact or title == "ft_utils"


@contextlib.contextmanager
def every_tenth_twice(source):
    numbers = itertools.count()
    last = None

    def take():
        nonlocal last
        if next(numbers) % 10 or last is None:
            last = source()
        return last

    yield takes.Crowd(lambda: iter(take, None), list)


@contextlib.contextmanager
def every_tenth_lost(source):
    numbers = itertools.count(1)

    def take():
        if next(numbers) % 10 == 0:
            source()
        return source()

    yield takes.Crowd(lambda: iter(take, None), list)


@pytest.mark.parametrize(
    ("way", "twice", "lost"), [(every_tenth_twice, 9, 0), (every_tenth_lost, 0, 10)]
)
def test_what_comes_twice_or_never_is_counted(way, twice, lost):
    found = taking.count("ids", "seeded", way, 1, 100)
    assert (found.taken, found.twice, found.lost, found.exact) == (100, twice, lost, False)


@pytest.mark.parametrize("seeded", [every_tenth_twice, every_tenth_lost])
def test_a_fault_of_an_executor_is_reported_and_fails(seeded, monkeypatch, capsys):
    monkeypatch.setitem(takes.OURS, "load", seeded)
    options = ("--rounds=1", "--turns=10", "--counted=100", "--threads", "1")
    assert main(["bench", *options, "--only=ids"]) == 1
    output = capsys.readouterr().out
    assert re.search(
        r"^WRONG: ids, load, 1 threads: (9 twice, 0|0 twice, 10) lost$", output, re.MULTILINE
    )
    assert re.search(r"^exactly once: (\d+) of \d+ ways", output, re.MULTILINE)


def test_a_result_of_a_slow_source_that_comes_twice_is_an_error():
    @contextlib.contextmanager
    def same(_source):
        yield lambda: 1

    with pytest.raises(AssertionError, match="came twice"):
        waits._sampler(same, 1, 2)()


def test_what_a_thread_raises_is_raised():
    def fail():
        raise LookupError("seeded")

    with pytest.raises(LookupError, match="seeded"):
        rounds.run_threads([fail, int], pinned=False)


def test_the_ways_of_a_row_take_turns():
    order = []

    def cell(name, way):
        return rounds.Cell("group", name, way, 1, lambda: order.append(name + way) or {"ns": 1.0})

    rounds.run_rounds([cell("a", "1"), cell("a", "2"), cell("b", "1")], 3)
    assert order == ["a1", "a2", "a2", "a1", "a1", "a2", "b1", "b1", "b1"]


def test_a_figure_is_the_median_of_the_rounds_that_nothing_disturbed():
    samples = iter([{"ns": 9.0}, None, {"ns": 1.0}, {"ns": 2.0}])
    cell = rounds.Cell("group", "a", "way", 1, lambda: next(samples))
    assert rounds.run_rounds([cell], 4) == {cell: {"ns": {"median": 2, "low": 1.5, "high": 5.5}}}


def test_a_sample_in_which_a_thread_lost_its_core_is_left_out(monkeypatch):
    # A core's clock that stands still: no thread has had its core.
    monkeypatch.setattr(rounds.time, "thread_time_ns", lambda: 0)
    cells = sharing.cells(["settings, flat"], [1], 10, 1)
    assert [cell.sample() for cell in cells] == [None] * len(sharing.ways())


@pytest.mark.parametrize(
    ("spans", "together"),
    [
        ([(0, 100)], True),
        ([(0, 100), (5, 100)], True),
        ([(0, 100), (100, 200)], False),
        ([(0, 100), (40, 150)], False),
        ([(0, 100), (0, 20)], False),
    ],
)
def test_threads_that_ran_one_after_the_other_did_not_run_together(spans, together):
    assert rounds.undisturbed([(*span, True) for span in spans]) == together
    assert not rounds.undisturbed([(*span, False) for span in spans])


@pytest.mark.parametrize(
    ("row", "way", "gain"),
    [
        ({"bare": {1: 20, 2: 100}, "wrapped": {1: 30, 2: 50}, "shared": {2: 40}}, "shared", 2.5),
        ({"bare": {1: 20, 2: 100}, "ft_utils": {2: 10}}, "bare", 1),
        ({"bare": {2: 100}, "copied": {2: 97}}, "bare", 1),
    ],
)
def test_the_best_way_is_the_quickest_of_ours_that_gains_something(row, way, gain):
    best = report.best(row, 2)
    assert (best.way, best.gain) == (way, gain)


@pytest.mark.parametrize("missing", ["bare", "wrapped"])
def test_a_row_in_which_a_way_was_not_measured_has_no_best_way(missing):
    row = {"bare": {2: 1.0}, "wrapped": {2: 1.0}, "ft_utils": {}}
    assert report.best(row, 2)
    assert report.best(row | {missing: {1: 1.0}}, 2) is None


def test_the_table_has_a_part_for_each_chosen_program(capsys):
    assert main(["bench", *TINY, "--group", "programs", "--only", "settings"]) == 0
    output = capsys.readouterr().out
    assert re.findall(r"^(.*): ns a turn", output, re.MULTILINE) == [
        "settings, flat",
        "settings, nested",
    ]
    assert "exactly once" not in output


def test_reports_are_read_and_printed_as_tables(reports, capsys):
    assert main(["bench", "--read", str(reports), str(reports), "--markdown"]) == 0
    output = capsys.readouterr().out
    for name in PROGRAMS:
        assert re.search(rf"^\| {re.escape(name)} \|[^|]+\|[^|]+\|$", output, re.MULTILINE)
    for way in (*takes.ways("ids"), *waits.WAYS):
        assert f"| {way} |" in output
    assert "Each result came to exactly one thread in" in output
    assert main(["bench", "--read", str(reports)]) == 0
    assert "us, results a second" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "why"), [("{}", "is not a report"), ('{"schema": 0}', "has schema 0, not 1")]
)
def test_a_file_that_is_no_report_is_refused(content, why, tmp_path, capsys):
    file = tmp_path / "other.json"
    file.write_text(content)
    assert main(["bench", "--read", str(file)]) == 2
    assert why in capsys.readouterr().err


def test_a_plot_without_matplotlib_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(plot, "available", lambda: False)
    assert main(["bench", "--svg", "plot.svg"]) == 2
    assert "python -m pip install matplotlib" in capsys.readouterr().err


def test_a_plot_names_each_program(reports, tmp_path):
    pytest.importorskip("matplotlib", reason="not one of the tools that the tests install")
    image = tmp_path / "plot.svg"
    assert main(["bench", "--read", str(reports), "--svg", str(image)]) == 0
    texts = {element.text for element in ET.parse(image).iter() if element.text}  # noqa: S314
    assert set(PROGRAMS) <= texts


def test_nothing_of_that_name_is_refused(capsys):
    assert main(["bench", *TINY, "--only", "nothing like it"]) == 2
    assert "bench: nothing has 'nothing like it' in its name" in capsys.readouterr().err


def test_threads_are_powers_of_two_by_default(monkeypatch):
    monkeypatch.setattr(bench, "cores", lambda: 2)
    assert bench._default_threads() == [1, 2, 4]
    monkeypatch.setattr(bench, "cores", lambda: 24)
    assert bench._default_threads() == [1, 2, 4, 8, 16]


@pytest.mark.parametrize("option", ["--threads=0", "--rounds=x", "--turns=-1"])
def test_a_bad_option_is_named(option, capsys):
    with pytest.raises(SystemExit) as exited:
        main(["bench", option])
    assert exited.value.code == 2
    assert f"argument {option.partition('=')[0]}: must be a whole number" in capsys.readouterr().err
