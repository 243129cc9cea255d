"""The examples in the documents, run as they stand there."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
TEXT = "".join((DOCS / name).read_text() for name in ("python.md", "sharing.md"))
EXAMPLES = dict(re.findall(r"<!-- example: ([\w-]+) -->\n```python\n(.*?)```", TEXT, re.DOTALL))


def test_there_are_examples():
    assert len(EXAMPLES) == TEXT.count("<!-- example:") > 0


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_runs(run_python, name):
    process = run_python("-W", "error", "-c", EXAMPLES[name])
    assert (process.returncode, process.stderr) == (0, "")
