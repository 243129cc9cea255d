"""LocalWrapper: the data model, probe by probe, each compared with what the bare object does.

python -m pytest -s -k data_model    says which probes differ, and how many do not
"""

import collections
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).with_name("data_model")


def results_from(first):
    """The results of the probes from number `first` on, until all are done or the process dies."""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, FOLDER / "worker.py", str(first)],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )
    return done, [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"')]


def all_results():
    results = []
    first = 0
    while True:
        done, lines = results_from(first)
        ended = [line for line in lines if "end" in line]
        results += ended
        started = [line["start"] for line in lines if "start" in line]
        if done.returncode == 0:
            return results
        assert started, done.stderr
        died = started[-1]
        failure = f"status {done.returncode}: {done.stderr[-300:]}"
        results.append({"end": died, "section": "crashed", "probe": "", "failure": failure})
        first = died + 1


@pytest.fixture(scope="module")
def results():
    return all_results()


def test_no_probe_crashes_or_hangs(results):
    assert [line for line in results if line["section"] == "crashed"] == []


@pytest.mark.c_backend(reason="the interpreter asks no Python class for some parts of it")
def test_every_probe_that_a_proxy_can_pass_passes(results):
    reached = [line for line in results if line["section"] != "limits"]
    failed = [line for line in reached if line["failure"]]
    for line in failed:
        print(f"{line['section']}: {line['probe']}\n    {line['failure']}")
    for section, count in collections.Counter(line["section"] for line in reached).items():
        print(f"{section}: {count}")
    assert len(reached) >= 885
    assert [line["probe"] for line in failed] == []


@pytest.fixture(scope="module")
def limits(results):
    return [line for line in results if line["section"] == "limits"]


def test_each_documented_limit_is_real(limits):
    assert len(limits) > 80
    assert [line["probe"] for line in limits if not line["failure"]] == []


def test_wrapped_works_around_each_limit(limits):
    assert [line["probe"] for line in limits if line["unwrapped"]] == []
