"""The example of a service: each request of a load generator gets an id of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parent.parent.parent / "examples/lease"


@pytest.mark.parametrize("kind", ["redis", "postgres"])
def test_each_request_gets_an_id_of_its_own(kind, request, monkeypatch, capfd):
    monkeypatch.syspath_prepend(str(EXAMPLE))
    import compare_service

    server = request.getfixturevalue(f"{kind}_server")
    stores = [store for store in compare_service.both(server, server) if store[0] == kind]
    for _, way, _, _, _, given, different in compare_service.compare(stores, 300):
        assert given == different == 300, way
    assert "Traceback" not in capfd.readouterr().err


def test_the_simulation_agrees_with_arithmetic(run_example):
    assert "by arithmetic" in run_example("simulate.py", "--check")


@pytest.mark.long
def test_leases_at_scale_in_small(run_example):
    printed = run_example("measure.py", "scale", "64000")
    assert "64,000 ids, each once" in printed


@pytest.fixture
def run_example():
    def run(*words):
        program = [sys.executable, str(EXAMPLE / words[0]), *words[1:]]
        return subprocess.run(program, capture_output=True, text=True, check=True).stdout

    return run
