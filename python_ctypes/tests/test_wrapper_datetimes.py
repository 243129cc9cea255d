"""Wrapped datetimes in C code that reads a datetime's memory without asking for its type."""

import datetime as dt
import io
import struct
import sys
import zoneinfo

import pytest
from ft_local import LocalWrapper

NORMAL = dt.datetime(2024, 1, 2)  # noqa: DTZ001 - the zone is another argument
# The hour that is there twice.
FIRST = dt.datetime(2024, 10, 27, 2, 30, fold=0)  # noqa: DTZ001
SECOND = FIRST.replace(fold=1)
HOUR = dt.timedelta(hours=1)


@pytest.fixture(scope="module")
def zone():
    """One with two changes, to summer time and back, as a database of zones has it."""
    changes = [dt.datetime(2024, 3, 31, 1), dt.datetime(2024, 10, 27, 1)]  # noqa: DTZ001
    seconds = [int(at.replace(tzinfo=dt.UTC).timestamp()) for at in changes]
    names = b"CET\0CEST\0"
    header = struct.pack(">4sc15x6l", b"TZif", b"1", 0, 0, 0, len(changes), 2, len(names))
    body = struct.pack(">2l2B", *seconds, 1, 0)
    kinds = struct.pack(">lBBlBB", 3600, 0, 0, 7200, 1, 4)
    return zoneinfo.ZoneInfo.from_file(io.BytesIO(header + body + kinds + names))


class Moment(dt.datetime):
    """A subclass, with a dictionary."""


class Wrapper(LocalWrapper):
    """A subclass, with a dictionary."""


@pytest.mark.parametrize("kind", [LocalWrapper, Wrapper])
@pytest.mark.parametrize("name", ["utcoffset", "dst", "tzname"])
@pytest.mark.parametrize("moment", [NORMAL, FIRST], ids=["normal", "first"])
def test_a_zone_is_asked_about_a_wrapped_datetime(zone, kind, name, moment):
    # What is in the byte that zoneinfo reads may be different each time.
    wrappers = [kind(moment) for _ in range(200)]
    expected = getattr(zone, name)(moment)
    assert {getattr(zone, name)(wrapper) for wrapper in wrappers} == {expected}
    assert getattr(zone, name)(kind(LocalWrapper(moment))) == expected


@pytest.mark.c_backend("ctypes cannot put the fold where zoneinfo reads it")
@pytest.mark.parametrize("kind", [LocalWrapper, Wrapper])
def test_a_zone_sees_the_fold_of_a_wrapped_datetime(zone, kind):
    moment = Moment(2024, 10, 27, 2, 30, fold=1)
    assert zone.utcoffset(FIRST) - zone.utcoffset(SECOND) == HOUR
    assert zone.utcoffset(kind(SECOND)) == zone.utcoffset(SECOND)
    assert zone.utcoffset(kind(moment)) == zone.utcoffset(SECOND)
    assert zone.utcoffset(LocalWrapper(kind(SECOND))) == zone.utcoffset(SECOND)


def test_numpy_asks_a_zone_about_a_wrapped_datetime(zone):
    numpy = pytest.importorskip("numpy", reason="numpy is not installed for this interpreter")
    moment = NORMAL.replace(tzinfo=zone)
    for _ in range(200):
        with pytest.warns(UserWarning, match="no explicit representation of timezones"):
            converted = numpy.datetime64(LocalWrapper(moment))
        assert converted == numpy.datetime64("2024-01-01T23:00:00")


@pytest.mark.parametrize("module", [None, dt.__class__("datetime")], ids=["none", "another"])
def test_a_datetime_that_is_not_the_interpreters(module, monkeypatch):
    monkeypatch.setitem(sys.modules, "datetime", module)
    named = type("datetime.datetime", (), {"__slots__": tuple("abcdefgh"), "fold": 1})
    assert LocalWrapper(named()).fold == 1
    assert LocalWrapper(SECOND).fold == 1
