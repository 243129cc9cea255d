"""A progress bar for people: on a terminal only, one line of plain text."""

import sys

_WIDTH = 30


class Progress:
    """One line on stderr that is written over, and wiped at the end. Silent if not a terminal."""

    def __init__(self, title: str, seconds: float) -> None:
        self._title = title
        self._seconds = seconds
        self._shown = sys.stderr.isatty()

    def show(self, elapsed: float, count: int, noun: str = "GUIDs") -> None:
        """Shows how much of the time is over and how many results there are."""
        done = min(1.0, elapsed / self._seconds)
        bar = ("#" * round(done * _WIDTH)).ljust(_WIDTH, ".")
        self._write(f"{self._title}  [{bar}]  {elapsed:.1f} s  {count:,} {noun}")

    def close(self) -> None:
        """Wipes the line."""
        self._write("")

    def _write(self, line: str) -> None:
        if self._shown:
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
