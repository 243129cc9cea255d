"""The simulated machine where one can tell by hand what it must do."""

from itertools import pairwise

import pytest

from simulation import CORES, Costs, Line, Machine, simulated

COSTS = Costs(line=80, fetch_add=4, load=12, cursor=4, wrapper=0.5, counted=16)


def test_a_core_that_has_the_line_uses_it_at_once():
    line = Line(80)
    assert [line.use(0, now, 4) for now in (0, 4, 8)] == [4, 8, 12]


def test_another_core_waits_for_request_and_answer():
    line = Line(80)
    assert line.use(0, 0, 4) == 4
    assert line.use(1, 10, 4) == 10 + 80 + 4
    # The first keeps it until the request arrives, at 50.
    assert line.use(0, 46, 4) == 50
    assert line.use(0, 50, 4) > 50 + 80


def test_requests_are_served_in_their_order():
    line = Line(80)
    line.use(0, 0, 4)
    ends = [line.use(core, core, 4) for core in range(1, 5)]
    assert [after - before for before, after in pairwise(ends)] == [40 + 4] * 3


@pytest.mark.parametrize(("way", "ns"), [("fetch_add", 4), ("counted", 16), ("wrapper", 0.5)])
def test_one_core_takes_what_one_thread_takes(way, ns):
    assert simulated(COSTS, 1, 100, way) == pytest.approx(ns + 100, rel=0.01)


@pytest.mark.parametrize("way", ["load", "cursor"])
def test_no_result_is_handed_out_that_was_not_made(way):
    machine = Machine(COSTS, 8, 40)
    machine.run(way)
    assert 0 <= machine.ready < machine.made
    # A core may have claimed and not yet taken them.
    assert machine.done <= machine.made - machine.ready


def test_what_shares_nothing_scales():
    for cores in CORES:
        assert simulated(COSTS, cores, 40, "shared") == pytest.approx(40 / cores, rel=0.05)


def test_one_line_carries_no_more_when_more_cores_want_it():
    rates = [1 / simulated(COSTS, cores, 40, "fetch_add") for cores in (8, 64, 256)]
    assert rates == pytest.approx([1 / 44] * 3, rel=0.02)


def test_a_cursor_hands_out_more_than_load_where_cores_are_many():
    for cores in (4, 16, 64):
        assert simulated(COSTS, cores, 40, "cursor") < simulated(COSTS, cores, 40, "load") / 2
