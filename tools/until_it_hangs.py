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
PROCESSOR_SECONDS = 10
TICKS = os.sysconf("SC_CLK_TCK")
MEMORY = 8 << 30


def facts(stat: Path) -> tuple[str, int, float]:
    """The state of a process or thread, its process group, and its seconds on processors."""
    # Its name, in parentheses, may have spaces.
    fields = stat.read_text().rpartition(")")[2].split()
    return fields[0], int(fields[2]), sum(map(int, fields[11:13])) / TICKS


def look(group: int) -> tuple[bool, float]:
    """Whether a thread of these processes runs, or would if it could, and their seconds."""
    busy, seconds = False, 0.0
    for process in Path("/proc").glob("[0-9]*"):
        # It may have ended.
        with contextlib.suppress(OSError):
            _, its_group, its_seconds = facts(process / "stat")
            if its_group == group:
                seconds += its_seconds
                threads = (process / "task").iterdir()
                busy |= any(facts(thread / "stat")[0] in "RD" for thread in threads)
    return busy, seconds


def main(command: list[str]) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    looks: deque[bool] = deque([True] * LOOKS, maxlen=LOOKS)
    program = subprocess.Popen(command, process_group=0)
    try:
        seconds = 0.0
        while sum(looks) >= BUSY_LOOKS and seconds < PROCESSOR_SECONDS:
            try:
                return program.wait(SECONDS_BETWEEN_LOOKS)
            except subprocess.TimeoutExpired:
                busy, seconds = look(program.pid)
                looks.append(busy)
        print("it hangs", flush=True)
        return 1
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) and 1)
