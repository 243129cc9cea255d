"""`python -m ft_local`: the demo and what else its command line does."""

import itertools
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
import uuid

import ft_local
import pytest
from ft_local._cli import demo, main
from ft_local._cli.account import run_and_account

QUICK = ("demo", "--seconds", "0.2", "--threads", "4", "--size", "16")


def table(output, way="BatchExecutor"):
    """The numbers of the demo's account of one way to load, by the title of their column."""
    lines = output.splitlines()
    at = next(i for i, line in enumerate(lines) if line.split()[:1] == ["produced"])
    titles = re.split(r"\s{2,}", lines[at].strip())
    row = next(line for line in lines[at + 1 :] if line.startswith(way))
    numbers = row.removeprefix(way).split()
    return dict(zip(titles, (int(n.replace(",", "")) for n in numbers), strict=True))


@pytest.mark.parametrize("way", ["BatchExecutor", "its cursors"])
def test_the_demo_accounts_for_every_guid(way, run_python):
    process = run_python("-m", "ft_local", *QUICK)
    assert (process.returncode, process.stderr) == (0, "")
    numbers = table(process.stdout, way)
    assert list(numbers) == [
        "produced",
        "handed out",
        "duplicates",
        "lost",
        "left in buffer",
        "GUIDs/s",
    ]
    assert numbers["produced"] == numbers["handed out"] + numbers["left in buffer"]
    assert numbers["left in buffer"] <= 16
    assert numbers["duplicates"] == numbers["lost"] == 0
    assert numbers["handed out"] > 0
    assert numbers["GUIDs/s"] > 0


def test_the_demo_starts_with_ten_guids(run_python):
    lines = run_python("-m", "ft_local", *QUICK).stdout.splitlines()
    guids = [uuid.UUID(line.strip()) for line in lines[1:11]]
    assert len(set(guids)) == 10


def test_the_demo_compares_with_simpler_approaches_and_says_when_a_batch_pays(run_python):
    output = run_python("-m", "ft_local", *QUICK).stdout
    for way in ("uuid4() in each thread", "uuid4() under a lock", "queue.SimpleQueue"):
        assert re.search(rf"^{re.escape(way)}.* [\d,]+ +\d+\.\d\dx$", output, re.MULTILINE)
    assert "A batch pays when the source is expensive" in output
    assert ("Here another way was faster" in output) != ("Here ft_local was the fastest" in output)


class BrokenExecutor:
    """Hands out every 100th GUID twice, or drops it."""

    def __init__(self, fault, source, size):
        self.fault = fault
        self.source = source
        self.lock = threading.Lock()
        self.numbers = itertools.count(1)
        self.again = []

    def __len__(self):
        return 0

    def cursor(self):
        return self

    def load(self):
        with self.lock:
            if self.again:
                return self.again.pop()
            guid = self.source()
            if next(self.numbers) % 100 == 0:
                if self.fault == "lost":
                    return self.source()
                self.again.append(guid)
            return guid


@pytest.mark.parametrize("fault", ["lost", "doubled"])
def test_a_broken_executor_is_detected_and_sets_the_exit_status(fault, capsys):
    def make(source, size):
        return BrokenExecutor(fault, source, size)

    assert demo.show(make, threads=4, seconds=0.2, size=10) == 1
    output = capsys.readouterr().out
    numbers = table(output)
    found, other = ("lost", "duplicates") if fault == "lost" else ("duplicates", "lost")
    assert numbers[found] > 0
    assert numbers[other] == 0
    assert "FAULT: BatchExecutor: " in output
    assert "FAULT: its cursors: " in output


@pytest.mark.parametrize("way", ["BatchExecutor", "its cursors"])
def test_a_correct_executor_passes_the_account(way):
    account = run_and_account(ft_local.BatchExecutor, size=7, threads=3, seconds=0.1, way=way)
    assert account.exact
    assert account.left < 7
    assert account.rate > 0


def test_an_exception_in_a_thread_of_the_demo_is_raised():
    def failing(source, size):
        return ft_local.BatchExecutor(lambda: 1 / 0, size)

    with pytest.raises(ZeroDivisionError):
        run_and_account(failing, size=7, threads=3, seconds=5)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--threads", "0", "must be a whole number between 1 and 1000, got '0'"),
        ("--threads", "many", "must be a whole number between 1 and 1000, got 'many'"),
        ("--threads", "2.5", "must be a whole number between 1 and 1000, got '2.5'"),
        ("--seconds", "-1", "must be a number between 0.01 and 3600, got '-1'"),
        ("--seconds", "nan", "must be a number between 0.01 and 3600, got 'nan'"),
        ("--size", "0", "must be a whole number between 1 and 1000000, got '0'"),
        ("--size", str(10**30), "must be a whole number between 1 and 1000000"),
    ],
)
def test_a_bad_option_is_named_with_value_and_range(option, value, message, capsys):
    with pytest.raises(SystemExit) as exited:
        main(["demo", f"{option}={value}"])
    assert exited.value.code == 2
    error = capsys.readouterr().err
    assert f"argument {option}: {message}" in error


def test_help_names_commands_and_options(capsys):
    for arguments, expected in (
        (["--help"], ["info", "demo"]),
        (["demo", "--help"], ["--threads", "--seconds", "--size", "Exit status"]),
    ):
        with pytest.raises(SystemExit) as exited:
            main(arguments)
        assert exited.value.code == 0
        output = capsys.readouterr().out
        assert all(text in output for text in expected)


def test_without_a_command_the_help_is_shown(capsys):
    assert main([]) == 2
    assert "demo" in capsys.readouterr().err


def test_info(run_python):
    process = run_python("-m", "ft_local", "info")
    assert (process.returncode, process.stderr) == (0, "")
    facts = dict(re.split(r"\s{2,}", line, maxsplit=1) for line in process.stdout.splitlines())
    assert facts["version"] == ft_local.__version__
    assert facts["ABI version"] == str(ft_local.abi_version())
    assert facts["library"] == ft_local.library_path()
    assert facts["backend"] == ft_local.backend
    assert sys.executable in facts["interpreter"]
    assert facts["GIL"].startswith(("on", "off"))


def start_demo(seconds, stderr):
    command = [sys.executable, "-u", "-m", "ft_local", "demo", "--seconds", str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True)  # noqa: S603


def test_ctrl_c_ends_the_demo_without_a_traceback():
    with start_demo(100, subprocess.PIPE) as process:
        for line in process.stdout:
            if line.startswith("GIL "):
                break
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    assert (process.returncode, error) == (130, "interrupted\n")


def test_a_terminal_gets_a_progress_bar():
    terminal, stderr = pty.openpty()
    shown = []

    def read():
        try:
            while data := os.read(terminal, 4096):
                shown.append(data)
        except OSError:
            pass

    reader = threading.Thread(target=read)
    reader.start()
    try:
        with start_demo(0.5, stderr) as process:
            process.communicate(timeout=60)
    finally:
        os.close(stderr)
        reader.join()
        os.close(terminal)
    assert process.returncode == 0
    text = b"".join(shown).decode()
    assert re.search(r"BatchExecutor  \[#+\.*\]  \d\.\d s  [\d,]+ GUIDs", text)
    assert text.endswith("\r\x1b[K")
