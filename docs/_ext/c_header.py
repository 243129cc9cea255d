"""Makes the C reference out of the comments in include/ft_local.h.

hawkmoth reads documentation comments of the form /** ... */, in reStructuredText. The header has
plain // comments, which read well in an editor. So this writes a copy of the header with comments
of the other kind, and turns their text into reStructuredText: names become links, the fields
(Ownership, Threads, ...) a list, the lines that separate subjects headings.
"""

import pathlib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import groupby
from typing import Any

HEADER = pathlib.Path(__file__).resolve().parents[2] / "include" / "ft_local.h"
FIELDS = ("Ownership", "Threads", "Blocks", "Calls host", "Errors", "Since")

BANNER = re.compile(r"// (?P<title>[A-Z].*?) -{3,}$")
LINE_COMMENT = re.compile(r"(?P<indent> *)//(?: (?P<text>.*))?$")
FIELD = re.compile(rf"(?P<name>{'|'.join(FIELDS)}): (?P<text>.*)")
# A name in backquotes or a constant without them. What is in backquotes and no name is code.
CODE = re.compile(r"`(?P<code>[^`]+)`|\b(?P<constant>FT_LOCAL_[A-Z_]+)\b")
NAME = re.compile(r"ft_local_\w+|FT_LOCAL_[A-Z_]+")
# These have no comment of their own to link to.
UNDOCUMENTED = {"FT_LOCAL_NO_INLINE", "FT_LOCAL_VERSION_NUMBER"}


def documented(lines: Iterable[str]) -> Iterator[str]:
    """The header's lines, with each group of // comments as one /** ... */."""

    def kind(line: str) -> tuple[str, str]:
        if BANNER.match(line):
            return "banner", line
        comment = LINE_COMMENT.match(line)
        return ("comment", comment["indent"]) if comment else ("code", "")

    for (what, indent), group in groupby(lines, kind):
        if what == "banner":
            title = BANNER.match(next(group))["title"]  # type: ignore[index]
            # The empty comment keeps it away from what follows.
            yield from (f"/** {title}", "=" * len(title), "*/", "/**/")
        elif what == "comment":
            text = [LINE_COMMENT.match(line)["text"] or "" for line in group]  # type: ignore[index]
            yield from (f"{indent}/**", *(f"{indent} * {line}".rstrip() for line in text))
            yield f"{indent} */"
            # The introduction does not describe what happens to come after it.
            if text[0].startswith("ft_local: "):
                yield "/**/"
        else:
            yield from group


def write_documented_header(app: Any, *_: object) -> None:
    """Writes the copy that hawkmoth reads."""
    copy = pathlib.Path(app.config.hawkmoth_root) / HEADER.name
    text = "\n".join(documented(HEADER.read_text(encoding="utf-8").splitlines())) + "\n"
    copy.parent.mkdir(parents=True, exist_ok=True)
    if not copy.exists() or copy.read_text(encoding="utf-8") != text:
        copy.write_text(text, encoding="utf-8")


@cache
def functions() -> set[str]:
    """The names that are called."""
    return set(re.findall(r"\b(ft_local_\w+)\(", HEADER.read_text(encoding="utf-8")))


def with_links(text: str) -> str:
    """Names as links, other code as literals."""

    def replace(match: re.Match[str]) -> str:
        code = match["code"] or match["constant"]
        if NAME.fullmatch(code) and code not in UNDOCUMENTED and not code.endswith("_"):
            return f":c:{'func' if code in functions() else 'type'}:`{code}`"
        return f"``{code}``"

    return CODE.sub(replace, text)


def prose(lines: list[str]) -> Iterator[str]:
    """Lines without code as reStructuredText."""
    in_field = False
    for line in with_links("\n".join(lines)).split("\n"):
        field = FIELD.match(line)
        if field:
            if not in_field:
                yield ""
            in_field = True
            yield f":{field['name']}: {field['text']}"
        elif in_field and line:
            yield f"    {line}"
        else:
            in_field = False
            yield line


def restructured(lines: list[str]) -> Iterator[str]:
    """A comment's lines as reStructuredText."""

    def is_code(number: int) -> bool:
        return lines[number].startswith("    ") or (
            not lines[number]
            and lines[number - 1].startswith("    ")
            and lines[number + 1 : number + 2] != []
            and lines[number + 1].startswith("    ")
        )

    for code, numbers in groupby(range(len(lines)), is_code):
        chunk = [lines[number] for number in numbers]
        if code:
            yield from (".. code-block:: c", "", *chunk, "")
        else:
            yield from prose(chunk)


def process(_app: Any, lines: list[str], _transform: object, _options: object) -> None:
    """Turns a comment's text into reStructuredText, in place."""
    # Of interest to readers of the file alone.
    lines[:] = [line for line in lines if not line.startswith("Made from ")]
    lines[:] = restructured(lines)


def setup(app: Any) -> dict[str, bool]:
    """Sphinx calls this."""
    app.connect("builder-inited", write_documented_header)
    app.connect("hawkmoth-process-docstring", process)
    return {"parallel_read_safe": True}
