"""`python -m ft_local bench`: programs on one shared object, side by side."""

import json
import re

import ft_local
import pytest
from ft_local._cli import bench, main
from ft_local._cli.bench_programs import PROGRAMS, Holder

QUICK = ("bench", "--rounds", "3", "--turns", "50", "--threads", "1", "2")


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("way", bench._WAYS)
def test_each_program_runs_in_each_way(name, way):
    program = PROGRAMS[name]
    thing = ft_local.share(program.make(), deep=True) if way == "shared" else program.make()
    program.run(20, Holder(bench._WAYS[way](thing)))


def test_the_programs_share_no_object_between_ways():
    for program in PROGRAMS.values():
        first, second = program.make(), program.make()
        assert first is not second


def test_json_has_a_figure_for_each_way_and_number_of_threads(run_python):
    process = run_python("-m", "ft_local", *QUICK, "--json")
    assert (process.returncode, process.stderr) == (0, "")
    report = json.loads(process.stdout)
    assert report["backend"] == ft_local.backend
    assert list(report["ns_per_turn"]) == list(PROGRAMS)
    for ways in report["ns_per_turn"].values():
        assert list(ways) == ["bare", "wrapped", "shared"]
        for figures in ways.values():
            assert list(figures) == ["1", "2"]
            assert all(figure is None or figure > 0 for figure in figures.values())


def test_the_table_has_a_line_for_each_chosen_program(capsys):
    assert main([*QUICK, "--only", "settings"]) == 0
    output = capsys.readouterr().out
    rows = re.findall(
        r"^(settings, \w+) +([\d -]+) +(bare|wrapped|shared|-)$", output, re.MULTILINE
    )
    assert [row[0] for row in rows] == ["settings, flat", "settings, nested"]
    assert all(len(row[1].split()) == 6 for row in rows)


def test_a_sample_in_which_a_thread_lost_its_core_is_left_out(monkeypatch):
    # A core's clock that stands still: no thread has had its core.
    monkeypatch.setattr(bench.time, "thread_time_ns", lambda: 0)
    program = PROGRAMS["settings, flat"]
    assert bench._sample(program.run, [Holder(program.make())], 10) is None


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
    assert bench._ran_together(spans) == together


def test_an_unknown_program_is_refused(capsys):
    assert main([*QUICK, "--only", "nothing like it"]) == 2
    assert "bench: no program has 'nothing like it' in its name" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--threads=0", "--rounds=x", "--turns=0"])
def test_a_bad_option_is_named(option, capsys):
    with pytest.raises(SystemExit) as exited:
        main(["bench", option])
    assert exited.value.code == 2
    assert f"argument {option.partition('=')[0]}: must be a whole number" in capsys.readouterr().err
