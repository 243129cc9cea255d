"""`intern`: plain values that no thread counts."""

import collections
import enum
import json
import math
import struct
import sys
from typing import NamedTuple

import pytest
from ft_local import immortal, intern, share, sharing

GIL = getattr(sys, "_is_gil_enabled", lambda: True)()
CAN_IMMORTALIZE = sys.version_info >= (3, 15) and not GIL

free_threaded = pytest.mark.skipif(GIL, reason="with the GIL, intern returns its argument")

# What a program may read, so that no constant of this file is equal to it.
TEXT = """{
    "rate": 2.5113, "requests": 1009137, "deep": [[{"a name": "a value, read"}], -0.0],
    "small": 1, "none": null, "yes": true
}"""


def read():
    return json.loads(TEXT)


def parts(value):
    """All strings, numbers and containers of a value."""
    yield value
    if type(value) is dict:
        for pair in value.items():
            for part in pair:
                yield from parts(part)
    elif type(value) in (list, tuple, set, frozenset):
        for part in value:
            yield from parts(part)


@pytest.mark.skipif(not GIL, reason="without the GIL, intern copies")
def test_with_the_gil_it_returns_its_argument():
    value = read()
    assert intern(value) is value


def test_what_it_returns_is_equal():
    assert intern(read()) == read()
    assert repr(intern(read())) == repr(read())


@free_threaded
def test_what_a_program_has_read_is_counted():
    assert "counted" in {sharing(part) for part in parts(read())}


@free_threaded
def test_no_part_is_counted():
    for part in parts(intern(read())):
        mutable = type(part) in (list, dict)
        assert sharing(part) == ("counted" if mutable else "immortal")


@free_threaded
def test_the_argument_stays_what_it_is():
    value = read()
    before = [id(part) for part in parts(value)]
    intern(value)
    assert [id(part) for part in parts(value)] == before
    assert sharing(value["rate"]) == sharing(value) == "counted"


@free_threaded
@pytest.mark.parametrize(
    "make",
    [
        lambda: 10**40 + len(TEXT),
        lambda: -(2**61) - len(TEXT),
        lambda: len(TEXT) / 7,
        lambda: complex(len(TEXT), -0.0),
        lambda: b"%d" % len(TEXT),
        lambda: f"text {len(TEXT)}",
        lambda: f"é {len(TEXT)}",
        lambda: f"\ud800 {len(TEXT)}",
        lambda: (len(TEXT) / 3, (f"{TEXT}!", b"%d" % len(TEXT))),
        lambda: frozenset([len(TEXT) / 11, TEXT.upper()]),
        lambda: ((), frozenset(), b"", "", 0, 0.0, None, True),
    ],
)
def test_a_plain_value_is_immortal_and_the_same_each_time(make):
    first, second = make(), make()
    assert intern(first) == make()
    assert type(intern(first)) is type(first)
    assert intern(first) is intern(second)
    assert sharing(intern(first)) == "immortal"


@pytest.mark.parametrize("bits", [0, 1 << 63, 0x7FF8 << 48, 0xFFF8 << 48 | 77, 0x7FF0 << 48])
def test_the_bits_of_a_float_are_kept(bits):
    value = struct.unpack("<d", struct.pack("<Q", bits))[0]
    assert struct.pack("<d", intern(value)) == struct.pack("<Q", bits)


def test_equal_numbers_of_different_types_stay_different():
    values = [1, 1.0, True, 1 + 0j, (1, 1.0), (1.0, 1), 0.0, -0.0]
    assert list(map(repr, intern(values))) == list(map(repr, values))


class Name(str):
    __slots__ = ()


class Color(enum.Enum):
    RED = 1.75


class Point(NamedTuple):
    x: float
    y: float


@pytest.mark.parametrize(
    "value",
    [
        Name("text"),
        Color.RED,
        Point(1.5, 2.5),
        collections.OrderedDict(a=1.5),
        object(),
        print,
        int,
    ],
)
def test_objects_of_other_types_stay_what_they_are(value):
    assert intern(value) is value
    assert intern([value])[0] is value
    assert intern((value, 1.5))[0] is value
    assert intern({1.5: value})[1.5] is value


@free_threaded
def test_a_part_that_is_met_twice_is_copied_once():
    part = [len(TEXT) / 13]
    copy = intern({"a": part, "b": (part, part)})
    assert copy["a"] is copy["b"][0] is copy["b"][1]
    assert copy["a"] is not part


@free_threaded
def test_cycles_are_copied():
    value = [len(TEXT) / 17]
    value.append((value, {"itself": value}))
    copy = intern(value)
    assert copy is not value
    assert copy[1][0] is copy[1][1]["itself"] is copy
    assert intern(value[1])[0][1][1]["itself"][0] == value[0]


@free_threaded
def test_a_tuple_that_holds_something_mutable_is_copied():
    value = ([len(TEXT) / 19], len(TEXT) / 23)
    copy = intern(value)
    assert copy == value
    assert copy[0] is not value[0]
    assert [sharing(one) for one in (copy, *copy)] == ["counted", "counted", "immortal"]


def test_too_deep_a_value_is_refused():
    value = []
    for _ in range(100_000):
        value = [value]
    if GIL:
        assert intern(value) is value
    else:
        with pytest.raises(RecursionError):
            intern(value)
    while value:
        value = value[0]


def test_a_copy_is_the_programs_to_change():
    copy = intern(read())
    copy["rate"] = math.pi
    copy["deep"].append(1)
    assert read() != copy


@free_threaded
@pytest.mark.parametrize("make", [intern, lambda value: share(intern(value), deep=True)])
def test_threads_that_read_it_write_to_no_count(make, run_threads):
    value = make(read())
    kept = [value["rate"], value["deep"][0][0], *value, *value["deep"][0][0]]
    before = [sys.getrefcount(one) for one in kept[:1] + kept[2:]]

    def work(_):
        for _ in range(1000):
            assert value["rate"] == 2.5113
            assert value["deep"][0][0][json.loads('"a name"')] == "a value, read"

    run_threads(2, work)
    assert [sys.getrefcount(one) for one in kept[:1] + kept[2:]] == before


@pytest.mark.skipif(not CAN_IMMORTALIZE, reason="from 3.15 on, without the GIL")
def test_a_copy_can_be_made_immortal():
    copy = share(immortal(lambda: intern(read())), deep=True)
    assert {sharing(part) for part in parts(copy)} == {"immortal", "deferred"}
    assert sharing(copy) == "immortal"
