#!/usr/bin/env python3
"""Writes what comes in on stdin into docs/performance.md, between the two marks of a part.

COMMAND | benches/splice.py PART     replaces what is between `<!-- PART: begin -->` and its end
"""

import sys
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parent.parent / "docs/performance.md"


def main():
    """Replaces the part; nothing if there was no input."""
    if len(sys.argv) != 2:
        sys.exit("usage: COMMAND | benches/splice.py PART")
    begin, end = (f"<!-- {sys.argv[1]}: {edge} -->\n" for edge in ("begin", "end"))
    content = sys.stdin.read().strip()
    head, found, rest = DOCUMENT.read_text().partition(begin)
    _, found_end, tail = rest.partition(end)
    if not (content and found and found_end):
        sys.exit(f"splice: nothing written: no input, or {DOCUMENT.name} lacks a mark of the part")
    DOCUMENT.write_text(f"{head}{begin}\n{content}\n\n{end}{tail}")


if __name__ == "__main__":
    main()
