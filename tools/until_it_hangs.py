#!/usr/bin/env python3
"""Runs a program of tests, and ends it if it hangs, however slow the machine is at the moment.

A program hangs if for some seconds none of its threads had anything to do most of the time, or if
it takes more time of a processor than any run does.

  tools/until_it_hangs.py PROGRAM [ARGUMENT...]
"""

import contextlib
import os
import resource
import signal
import subprocess
import sys
from collections import deque
from pathlib import Path

SECONDS_BETWEEN_LOOKS = 0.2
# A thread that checks something now and then is busy at some looks.
LOOKS, BUSY_LOOKS = 25, 8
PROCESSOR_SECONDS = 30
MEMORY = 8 << 30


def states(stat: Path) -> tuple[str, int]:
    """The state of a process or thread, and its process group."""
    # Its name, in parentheses, may have spaces.
    state, _parent, group = stat.read_text().rpartition(")")[2].split()[:3]
    return state, int(group)


def is_busy(group: int) -> bool:
    """Whether a thread of these processes runs, or would if there were a processor."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if states(process / "stat")[1] == group and any(
                states(thread / "stat")[0] in "RD" for thread in (process / "task").iterdir()
            ):
                return True
        except OSError:
            continue  # It has ended.
    return False


def main(command: list[str]) -> int:
    for kind, limit in ((resource.RLIMIT_CPU, PROCESSOR_SECONDS), (resource.RLIMIT_AS, MEMORY)):
        resource.setrlimit(kind, (limit, limit))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    looks: deque[bool] = deque([True] * LOOKS, maxlen=LOOKS)
    program = subprocess.Popen(command, process_group=0)
    try:
        while sum(looks) >= BUSY_LOOKS:
            try:
                return program.wait(SECONDS_BETWEEN_LOOKS)
            except subprocess.TimeoutExpired:
                looks.append(is_busy(program.pid))
        print("it hangs", flush=True)
        return 1
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) and 1)
