"""What keeps these pages true: broken blocks are found, paths and figures are those of today."""

import ast
import os
import pathlib
import re
import subprocess
import sys

import links
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

# A block that fails, for each way in which a block can fail.
BROKEN = {
    "python: an assertion": "```python\nassert 1 + 1 == 3\n```",
    "python: in a list": "- text\n\n  ```python\n  undefined_name\n  ```",
    "python: an earlier block is missing": "```python\nassert earlier == 1\n```",
    "c: a program that does not compile": "```c\nint main(void) { return nothing(); }\n```",
    "c: a program that fails": "```c\n#include <ft_local.h>\nint main(void) { return 3; }\n```",
    "c: a fragment": "```c\nstatic int half(int whole) { return whole / two; }\n```",
    "c: a module": "```c\n#include <Python.h>\nPyMODINIT_FUNC PyInit_no(void) { return no; }\n```",
    "cpp": "```cpp\n#include <ft_local.hpp>\nint main() { ft_local::bunch<int> none; }\n```",
    "rust: does not compile": "```rust\nfn main() { ft_local::Batch::nothing(); }\n```",
    "rust: panics": "```rust\nfn main() { assert_eq!(1 + 1, 3); }\n```",
    "sh: no such target": "```sh\nmake nothing\n```",
    "sh: no such script": "```sh\nCI=true tools/nothing --all\n```",
    "sh: no such program": "```sh\nft_local_does_not_exist\n```",
    "sh: no such option": "```sh\npython -m ft_local info --nothing\n```",
    "sh: indented": "Text:\n\n    make nothing\n",
    "a language that nothing checks": '```ruby\nputs "hello"\n```',
    "a language hidden in a directive": "```{code-block} ruby\nputs 1\n```",
    "a skip without a reason": "<!-- skip: next -->\n```python\npass\n```",
}
WORKING = """
```python
earlier = 1
```

```c
#include <ft_local.h>
```

```c
int main(void) { return FT_LOCAL_OK; }
```

    make help

<!-- skip: next "it only shows what a skip is" -->
```ruby
puts "hello"
```
"""


PLUGIN = """
import pathlib
import examples
pytest_collect_file = examples.pages(["*.md"], pathlib.Path(__file__).parent)
"""


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The pages whose blocks fail, a page for each block that does."""
    folder = tmp_path_factory.mktemp("pages")
    for number, text in enumerate([WORKING, *BROKEN.values()]):
        (folder / f"{number}.md").write_text(text, encoding="utf-8")
    (folder / "plugin.py").write_text(PLUGIN, encoding="utf-8")
    ini = DOCS / "_checks" / "pytest.ini"
    command = [sys.executable, "-m", "pytest", "-c", str(ini), "--rootdir", ".", "-p", "plugin"]
    done = subprocess.run(
        [*command, "-rf", "--tb=no", "."],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": f"{folder}:{DOCS / '_checks'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 skipped" in done.stdout, done.stdout
    return re.findall(r"^FAILED (\d+)\.md::", done.stdout, re.MULTILINE)


def test_blocks_that_work_pass(failures: list[str]) -> None:
    """So that the failures of others are not those of the apparatus."""
    assert "0" not in failures


@pytest.mark.parametrize("number", range(1, len(BROKEN) + 1), ids=list(BROKEN))
def test_a_broken_block_is_found(failures: list[str], number: int) -> None:
    """Once, since a page here has one block."""
    assert failures.count(str(number)) == 1


def test_the_figures_of_the_start_page_are_those_of_sharing() -> None:
    """The diagram repeats a row that is measured anew from time to time."""
    rows = (DOCS / "sharing.md").read_text(encoding="utf-8").partition("| a Python method of a")[2]
    row = next(line for line in rows.splitlines() if line.startswith("| | 3.14t |"))
    measured = re.findall(r"(\d+) → (\d+)", row)
    diagram = (DOCS / "diagrams" / "program.svg").read_text(encoding="utf-8")
    shown = re.findall(r">(\d+)</text>", diagram)
    assert shown == [*measured[0], *measured[2]]
    title = re.findall(r"\b\d+\b", diagram.partition("</title>")[0].partition("<title")[2])
    assert title == shown


def test_a_link_that_leads_nowhere_is_found(tmp_path: pathlib.Path) -> None:
    """To a file that is not there, and to a place that is not in its file."""
    text = '<p id="a"><a href="#a"></a><a href="#b"></a><a href="x/y.html"></a><a href="https://x"></a>'
    (tmp_path / "index.html").write_text(text, encoding="utf-8")
    found = [line for line in links.broken(tmp_path) if "has only" not in line]
    assert found == ["index.html: #b", "index.html: x/y.html"]


def test_the_files_that_the_walk_names_exist() -> None:
    """A file that is renamed is renamed there too."""
    text = (DOCS / "code-tour.md").read_text(encoding="utf-8")
    files = re.findall(r"`((?:src|tools|c_tests|hosts|tests|docs|python_ctypes)/[^`\s]*)`", text)
    assert len(files) > 30
    assert [name for name in files if not (ROOT / name).exists()] == []


def test_the_python_reference_has_what_the_stub_has() -> None:
    """Each public name, and each public member of the classes that list theirs."""
    stub = ast.parse((ROOT / "python_ctypes/ft_local/__init__.pyi").read_text(encoding="utf-8"))
    page = (DOCS / "reference" / "python.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"^\.\. auto\w+:: (\w+)", page, re.MULTILINE))
    functions = {node.name for node in stub.body if isinstance(node, ast.FunctionDef)}
    classes = {node.name: node for node in stub.body if isinstance(node, ast.ClassDef)}
    assert shown == {name for name in functions | set(classes) if not name.startswith("_")}
    lists = re.findall(r"autoclass:: (\w+)\n   :members: ([^.]+)\n\n", page)
    assert len(lists) > 3
    for name, members in lists:
        there = {one.name for one in classes[name].body if isinstance(one, ast.FunctionDef)}
        assert set(re.findall(r"\w+", members)) == {one for one in there if one[0] != "_"}, name


def test_what_a_script_takes_from_a_page_is_there() -> None:
    """packaging/try-bare does what the pages say, with the commands that they print."""
    script = (ROOT / "packaging" / "try-bare").read_text(encoding="utf-8")
    asked = re.findall(r"printed (\S+\.md) '([^']+)'", script)
    assert len(asked) > 15
    for one in asked:
        command = [sys.executable, str(ROOT / "packaging" / "printed"), *one]
        assert subprocess.check_output(command, text=True).strip(), one
