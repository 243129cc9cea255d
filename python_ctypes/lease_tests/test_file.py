"""The file: on the disk before it is used, shared, and refused if it is damaged."""

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ft_local.lease import StoreError, file_block


def test_the_new_end_is_in_the_file_when_the_disk_is_asked_to_keep_it(tmp_path, monkeypatch):
    path = tmp_path / "ids"
    seen = []
    real = os.fdatasync

    def watch(descriptor):
        seen.append(int(path.read_bytes()[:20]))
        real(descriptor)

    monkeypatch.setattr(os, "fdatasync", watch)
    source = file_block(path, 10)
    source.take(10)
    source.take(10)
    assert seen == [10, 20]


def test_the_file_is_locked_from_the_read_to_the_disk(tmp_path, monkeypatch):
    path = tmp_path / "ids"
    seen = []

    def watched(real):
        def call(*arguments):
            with path.open() as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    seen.append("free")
                except BlockingIOError:
                    seen.append("locked")
            return real(*arguments)

        return call

    monkeypatch.setattr(os, "pread", watched(os.pread))
    monkeypatch.setattr(os, "fdatasync", watched(os.fdatasync))
    file_block(path, 10).take(10)
    assert seen == ["locked", "locked"]


def test_an_id_that_the_disk_may_not_know_is_not_leased(tmp_path, monkeypatch):
    source = file_block(tmp_path / "ids", 10)
    source.take(10)

    def fail(descriptor):
        raise OSError(errno.EIO, "no disk")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", fail)
        with pytest.raises(StoreError, match=r"ids: OSError: .*no disk") as caught:
            source.take(10)
    assert isinstance(caught.value.__cause__, OSError)
    assert source.take(10)[0].start > 10


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:10],
        lambda data: data.replace(b"10", b"09"),
        lambda data: b"12\n",
        lambda data: data + b"x",
        lambda data: bytes(len(data)),
    ],
    ids=["cut", "changed", "other", "longer", "zeros"],
)
def test_a_damaged_file_is_refused_and_left_alone(tmp_path, damage):
    path = tmp_path / "ids"
    source = file_block(path, 10)
    source.take(10)
    path.write_bytes(damage(path.read_bytes()))
    before = path.read_bytes()
    with pytest.raises(StoreError, match="is damaged, or no file of a lease"):
        source.take(10)
    assert path.read_bytes() == before


def test_an_empty_file_is_new(tmp_path):
    """A crash between the creation and the first write leaves one; no id was used."""
    (tmp_path / "ids").touch()
    assert file_block(tmp_path / "ids", 10).take(10) == [range(1, 11)]


def test_a_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(StoreError, match=r"FileNotFoundError.*missing") as caught:
        file_block(tmp_path / "missing" / "ids", 10).take(10)
    assert isinstance(caught.value.__cause__, FileNotFoundError)


KILLED_WHILE_A_CHILD_LIVES = """
import os, sys, threading
from ft_local.lease import file_block

def in_the_middle(descriptor):
    if os.fork() == 0:
        print("child", flush=True)
        sys.stdin.read()
        os._exit(0)
    os.kill(os.getpid(), 9)

os.fdatasync = in_the_middle
file_block(sys.argv[1], 10).take(10)
"""


def test_a_child_does_not_keep_the_lock_of_a_parent_that_was_killed(tmp_path):
    path = tmp_path / "ids"
    program = [sys.executable, "-c", KILLED_WHILE_A_CHILD_LIVES, str(path)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout.readline() == b"child\n"
        parent.wait()
        code = (
            f"from ft_local.lease import file_block; print(file_block({str(path)!r}, 10).take(10))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
        )
    assert done.stdout.strip() == "[range(11, 21)]"


OPENED_WHILE_ANOTHER_THREAD_FORKS = """
import os, sys, threading
from ft_local.lease import file_block

path = sys.argv[1]
file_block(path, 10).take(10)
opened, forking = threading.Event(), threading.Event()

def slow_open(name, *rest, really=os.open):
    descriptor = really(name, *rest)
    if threading.current_thread() is not threading.main_thread():
        opened.set()
        forking.wait()
    return descriptor

os.open = slow_open
thread = threading.Thread(target=file_block(path, 10).take, args=(10,))
thread.start()
opened.wait()
os.register_at_fork(before=forking.set)  # before the hooks that were registered earlier
child = os.fork()
if child == 0:
    names = [os.readlink(f"/proc/self/fd/{one}") for one in os.listdir("/proc/self/fd")[:-1]]
    os._exit(path in names)
print(os.waitpid(child, 0)[1])
thread.join()
"""


def test_a_child_has_no_file_that_another_thread_was_opening(tmp_path):
    """It would keep the lock that the parent takes a moment later."""
    program = [sys.executable, "-c", OPENED_WHILE_ANOTHER_THREAD_FORKS, str(tmp_path / "ids")]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "0\n"


def test_a_relative_path_stays_where_it_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = file_block("ids", 10)
    source.take(10)
    monkeypatch.chdir(Path("/"))
    assert source.take(10) == [range(11, 21)]
