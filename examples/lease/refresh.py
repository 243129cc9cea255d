#!/usr/bin/env python3
"""Measures everything again, and puts the results into docs/leasing.md and its plot.

    refresh.py [NAME...]    all of: scale, rates, loads, service, simulation; or these

Takes five minutes on a machine with two cores and nothing else to do. Needs what measure.py and
compare_service.py need. A table of the page stands between two comments, of which the first has its
name.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
DOCS = HERE.parent.parent / "docs"
PAGE = DOCS / "leasing.md"

COMMANDS = {
    "scale": ["measure.py", "scale"],
    "rates": ["measure.py", "rates", str(DOCS / "_static" / "leasing-rates.svg")],
    "loads": ["measure.py", "loads"],
    "service": ["compare_service.py", "10000"],
    "simulation": ["simulate.py"],
}


def measured(name):
    program, *arguments = COMMANDS[name]
    run = subprocess.run(
        [sys.executable, str(HERE / program), *arguments],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={**os.environ, "FT_LOCAL_BACKEND": "c"},
    )
    return run.stdout.strip()


def with_result(page, name, text):
    """The page, with `text` in the place of what is there."""
    place = re.compile(rf"(<!-- measured: {name} -->\n).*?(\n<!-- end -->)", re.DOTALL)
    page, found = place.subn(lambda match: f"{match[1]}\n{text}\n{match[2]}", page)
    if found != 1:
        raise RuntimeError(f"{PAGE} has {found} places for {name!r}")
    return page


def main(names):
    if unknown := set(names) - set(COMMANDS):
        sys.exit(f"there is no {', '.join(sorted(unknown))}\n{__doc__}")
    for name in names or COMMANDS:
        text = measured(name)
        print(f"{name}:\n{text}\n", flush=True)
        # At once, so that what was measured is not lost.
        PAGE.write_text(with_result(PAGE.read_text(), name, text))


if __name__ == "__main__":
    main(sys.argv[1:])
