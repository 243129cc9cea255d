"""Signatures for the Python reference from the type stub, which knows more than the module does."""

import ast
import pathlib
import re
from typing import Any

STUB = pathlib.Path(__file__).resolve().parents[2] / "python_ctypes" / "ft_local" / "__init__.pyi"
PRIVATE = {"_T_co": "T", "_T": "T", "_D": "D", "_Timeout": "float | None"}


def plain(code: str) -> str:
    """The stub's private names as a reader would write them."""
    return re.sub(r"\b_\w+", lambda name: PRIVATE.get(name[0], name[0]), code)


def signature(function: ast.FunctionDef, *, method: bool) -> tuple[str, str]:
    """The arguments without `self`, and the result."""
    arguments = function.args
    if method:
        (arguments.posonlyargs or arguments.args).pop(0)
    result = ast.unparse(function.returns) if function.returns else "None"
    return f"({plain(ast.unparse(arguments))})", plain(result)


def signatures() -> dict[str, tuple[str, str]]:
    """Of every function and method, by its qualified name; the first overload of several."""
    found: dict[str, tuple[str, str]] = {}
    for node in ast.parse(STUB.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found.setdefault(node.name, signature(node, method=False))
        elif isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, ast.FunctionDef):
                    name = node.name if member.name == "__init__" else f"{node.name}.{member.name}"
                    found.setdefault(name, signature(member, method=True))
    return found


KNOWN = signatures()


def process_signature(
    _app: Any, what: str, name: str, _obj: object, _options: object, given: str, returned: str
) -> tuple[str | None, str | None]:
    """Replaces a signature by the stub's."""
    if what not in {"class", "function", "method"}:
        return given, returned
    arguments, result = KNOWN.get(name.removeprefix("ft_local."), (given, returned))
    return arguments, (None if what == "class" else result)


def process_docstring(
    _app: Any, _what: str, _name: str, _obj: object, _options: object, lines: list[str]
) -> None:
    """Turns plain text into reStructuredText: `names` into code, indented blocks into blocks."""
    given = [re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", line) for line in lines]
    lines.clear()
    in_code = False
    for line in given:
        if line.startswith("    ") and not in_code:
            lines += [".. code-block:: python", ""]
        in_code = line.startswith("    ") or (in_code and not line)
        lines.append(line)


def setup(app: Any) -> dict[str, bool]:
    """Sphinx calls this."""
    app.connect("autodoc-process-signature", process_signature)
    app.connect("autodoc-process-docstring", process_docstring)
    return {"parallel_read_safe": True}
