"""Runs the examples in README.md unchanged.

An example is the code block after a line <!-- example: c --> or <!-- example: python -->.

    tools/readme_examples.py PYTHON    PYTHON is an interpreter that has ft_local
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RELEASE = ROOT / "target/release"


def example(language):
    """The one example in that language."""
    block = rf"<!-- example: {language} -->\n```\w*\n(.*?)^```$"
    (found,) = re.findall(block, (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    return found


def main(python):
    """Compiles and runs the one in C, and runs the one in Python."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "example.c").write_text(example("c"))
        # By -l, and found by its SONAME at run time, where cargo has left it.
        link = [f"-L{RELEASE}", f"-Wl,-rpath,{RELEASE}", "-lft_local"]
        strict = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-pthread"]
        build = ["gcc", *strict, f"-I{ROOT}/include", "example.c", *link, "-o", "example"]
        subprocess.run(build, cwd=folder, check=True)
        subprocess.run(["./example"], cwd=folder, check=True)
        subprocess.run([python, "-c", example("python")], cwd=folder, check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
