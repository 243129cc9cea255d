"""LocalWrapper: texts, bytes, paths, hashes."""

import io
import os
import pathlib
from decimal import Decimal

import pytest
from ft_local import LocalWrapper


@pytest.mark.parametrize("value", [5, "text", [1, "a"], None, int], ids=repr)
def test_repr_names_the_wrapper_and_str_does_not(value):
    assert repr(LocalWrapper(value)) == f"<LocalWrapper: {value!r}>"
    assert str(LocalWrapper(value)) == str(value)
    assert f"{LocalWrapper(value)!s}" == str(value)


def test_repr_of_a_subclass_names_it():
    class Local(LocalWrapper):
        pass

    assert repr(Local(5)) == "<Local: 5>"


def test_repr_of_an_object_that_refers_to_its_wrapper():
    values = []
    wrapper = LocalWrapper(values)
    values.append(wrapper)
    assert repr(wrapper) == "<LocalWrapper: [<LocalWrapper: ...>]>"
    assert repr(values) == "[<LocalWrapper: [...]>]"


def test_repr_passes_errors_on():
    class Fails:
        def __repr__(self):
            raise ValueError("shown")

    wrapper = LocalWrapper(Fails())
    for _ in range(2):
        with pytest.raises(ValueError, match="shown"):
            repr(wrapper)


def test_format_specifications_are_those_of_the_object():
    assert f"{LocalWrapper(5):05d}" == "00005"
    assert f"{LocalWrapper(Decimal('1.5')):>8}" == "     1.5"
    assert format(LocalWrapper("a")) == "a"
    percent = "%05d|%s|%.1f"
    assert percent % (LocalWrapper(5), LocalWrapper("a"), LocalWrapper(2.5)) == "00005|a|2.5"
    with pytest.raises(ValueError, match="Unknown format code 'q'"):
        format(LocalWrapper(5), "q")
    with pytest.raises(TypeError, match=r"unsupported format string passed to object\.__format__"):
        format(LocalWrapper(object()), "x")


@pytest.mark.parametrize("value", [b"a", bytearray(b"a"), [1, 2], 3, range(3)], ids=repr)
def test_bytes(value):
    assert bytes(LocalWrapper(value)) == bytes(value)


def test_bytes_of_an_object_with_its_own():
    class Own:
        def __bytes__(self):
            return b"own"

    assert bytes(LocalWrapper(Own())) == b"own"
    with pytest.raises(TypeError, match="string argument without an encoding"):
        bytes(LocalWrapper("a"))
    with pytest.raises(TypeError):
        bytes(LocalWrapper(1.5))


def test_paths():
    path = pathlib.Path("some") / "file"
    assert os.fspath(LocalWrapper(path)) == str(path)
    assert os.fspath(LocalWrapper("text")) == "text"
    assert os.fspath(LocalWrapper(b"bytes")) == b"bytes"
    assert pathlib.Path(LocalWrapper(path)) == path
    assert path.parent / LocalWrapper(pathlib.Path("file")) == path
    with pytest.raises(TypeError, match=r"not (int|LocalWrapper)"):
        os.fspath(LocalWrapper(5))


@pytest.mark.parametrize("value", [5, "text", (1, 2), None, int, 2.5], ids=repr)
def test_hash_is_that_of_the_object(value):
    wrapper = LocalWrapper(value)
    assert hash(wrapper) == hash(value)
    assert {value: "found"}[wrapper] == "found"
    assert {wrapper: "found"}[value] == "found"
    assert len({wrapper, value, LocalWrapper(value)}) == 1


@pytest.mark.parametrize("value", [[], {}, set(), bytearray()], ids=repr)
def test_wrappers_of_unhashable_objects_are_unhashable(value):
    with pytest.raises(TypeError, match=f"unhashable type: '{type(value).__name__}'"):
        hash(LocalWrapper(value))


def test_truth():
    class Fails:
        def __bool__(self):
            raise ValueError("asked")

    assert [bool(LocalWrapper(value)) for value in (0, 1, "", "a", [], [0], None)] == [
        False, True, False, True, False, True, False,
    ]  # fmt: skip
    with pytest.raises(ValueError, match="asked"):
        bool(LocalWrapper(Fails()))


def test_files_work_through_their_wrapper():
    file = LocalWrapper(io.StringIO())
    print("line", file=file)
    assert file.getvalue() == "line\n"
