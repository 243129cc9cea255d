"""A plugin of pytest: each block of code in the documentation is a test.

The Python blocks of a page run one after the other, in one namespace. languages.py says what is
done with blocks in other languages. A comment <!-- skip: next "reason" --> says why a block is not
run. A fence without a language, or with `text`, is no code but a program's output.
"""

import re
from collections.abc import Iterable
from typing import Any

from languages import ROOT, Compiled, rust, shell, unknown
from sybil import Document, Lexeme, Region, Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.abstract.codeblock import AbstractCodeBlockParser
from sybil.parsers.markdown import CodeBlockParser, SkipParser
from sybil.parsers.markdown.lexers import FencedCodeBlockLexer

EVALUATORS = {
    "python": PythonEvaluator(),
    "c": Compiled("c", "cc", "-std=c11"),
    "cpp": Compiled("cpp", "c++", "-std=c++17"),
    "rust": rust,
    "sh": shell,
}
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/*.md",
    "docs/**/*.md",
    "hosts/**/*.md",
]
# docs/python.md describes names one by one, and its fragments take these for granted.
PRELUDE = """
from ft_local import BatchExecutor, LocalWrapper
executor = BatchExecutor(iter(range(10)).__next__, 4)
"""


class OtherLanguages(AbstractCodeBlockParser):
    """Blocks in languages that are in no list. MyST's own directives ({note}) are not code."""

    language = "others"

    def __init__(self) -> None:
        lexer = FencedCodeBlockLexer(r".+", {"language": "arguments", "source": "source"})
        super().__init__([lexer])

    def __call__(self, document: Document) -> Iterable[Region]:
        """All blocks that no other parser takes."""
        for region in self.lexers(document):
            language = region.lexemes["arguments"].strip()
            is_code = not language.startswith("{") or language.startswith("{code")
            if is_code and language not in EVALUATORS and language != "text":
                region.parsed = f"{language}: {region.lexemes['source'][:60]}"
                region.evaluator = unknown
                yield region


class IndentedCommands:
    """Indented blocks, which these pages use for commands."""

    BLOCK = re.compile(r"(?<=\n\n)(?: {4}\S.*\n|\n(?= {4}\S))+")

    def __call__(self, document: Document) -> Iterable[Region]:
        """Each of them that belongs to no list and no fence."""
        fences = [
            (one.start(), one.end()) for one in re.finditer(r"(?ms)^ *```.*?^ *```$", document.text)
        ]
        for block in self.BLOCK.finditer(document.text):
            before = document.text[: block.start()].rstrip().rpartition("\n\n")[2]
            in_list = re.match(r"\s*(?:[-*]|\d+\.) ", before) or before.startswith("  ")
            if not in_list and not any(start <= block.start() < end for start, end in fences):
                text = re.sub(r"(?m)^ {4}", "", block[0])
                yield Region(block.start(), block.end(), Lexeme(text, 0, 0), shell)


class Skips(SkipParser):
    """The comments that say why the next block is not run."""

    def __call__(self, document: Document) -> Iterable[Region]:
        """Each of them; one without a reason is a failure."""
        for region in super().__call__(document):
            action, reason = region.parsed
            if action != "end" and not reason:
                region.parsed, region.evaluator = "a skip without a reason", unknown
            yield region


def prelude(namespace: dict[str, Any]) -> None:
    """What a page's Python blocks find."""
    exec(PRELUDE, namespace)  # noqa: S102


def pages(patterns: list[str], root: Any = ROOT) -> Any:
    """The hook of pytest that collects them."""
    languages = [CodeBlockParser(name, run) for name, run in EVALUATORS.items()]
    parsers = [*languages, Skips(), OtherLanguages(), IndentedCommands()]
    return Sybil(parsers, path=str(root), patterns=patterns, setup=prelude).pytest()


pytest_collect_file = pages(PAGES)
