"""The examples in docs/python.md, run as they stand there."""

import re
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[2] / "docs/python.md").read_text()
EXAMPLES = dict(re.findall(r"<!-- example: (\w+) -->\n```python\n(.*?)```", TEXT, re.DOTALL))


def test_there_are_examples():
    assert len(EXAMPLES) == TEXT.count("<!-- example:") > 0


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_runs(run_python, name):
    process = run_python("-W", "error", "-c", EXAMPLES[name])
    assert (process.returncode, process.stderr) == (0, "")
