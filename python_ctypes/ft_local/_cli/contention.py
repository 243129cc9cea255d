"""`contention`: runs a program and says which objects its threads fight over."""

import argparse
import importlib.util
import io
import sys
import threading
import types
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path

import ft_local

DESCRIPTION = """\
Run a program, find the objects whose reference counts its threads fight over.

    python -m ft_local contention program.py [arguments]
    python -m ft_local contention -m module [arguments]

The program runs as it would by itself; the report follows on stderr. It names the objects by how
the program reaches them, and what to do about each. Looking takes a tenth of a core at most. It
needs a free-threaded CPython.

Exit status: that of the program, or 2 if it could not be started.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options, and the program with its own."""
    parser.add_argument("--json", action="store_true", help="write the report as JSON")
    parser.add_argument(
        "--output", metavar="FILE", type=Path, help="write the report to FILE (default: stderr)"
    )
    parser.add_argument(
        "--most", type=int, default=15, metavar="N", help="list so many objects (default: 15)"
    )
    parser.add_argument(
        "-m", dest="module", action="store_true", help="the program is a module, as for python -m"
    )
    parser.add_argument("program", help="a file, or with -m a module")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="the program's own arguments")


def run(options: argparse.Namespace) -> int:
    """Runs the program, then writes the report."""
    try:
        report = ft_local.contention(most=options.most)
        load = _module if options.module else _file
        main, code = load(options.program)
    except (RuntimeError, ValueError, ImportError, OSError, SyntaxError) as error:
        print(f"contention: {error}", file=sys.stderr)
        return 2
    sys.argv = [main.__file__ or options.program, *options.arguments]
    before = sys.modules["__main__"]
    sys.modules["__main__"] = main
    try:
        with report:
            status = _status_of(lambda: exec(code, vars(main)))  # noqa: S102 - what was asked for
            _join_threads()
    finally:
        sys.modules["__main__"] = before
    text = report.to_json() if options.json else str(report)
    if options.output:
        options.output.write_text(f"{text}\n")
    else:
        print(text, file=sys.stderr)
    return status


def _file(name: str) -> tuple[types.ModuleType, types.CodeType]:
    """A program in a file, as `python FILE` would start it."""
    with io.open_code(str(Path(name).absolute())) as file:
        code = compile(file.read(), name, "exec")
    sys.path[0] = str(Path(name).resolve().parent)
    return _main(name, None), code


def _module(name: str) -> tuple[types.ModuleType, types.CodeType]:
    """A module, as `python -m MODULE` would start it."""
    spec = importlib.util.find_spec(name)
    if spec is not None and spec.submodule_search_locations is not None:
        name = f"{name}.__main__"
        spec = importlib.util.find_spec(name)
    get_code: Callable[[str], types.CodeType | None] | None = getattr(
        spec and spec.loader, "get_code", None
    )
    code = get_code(name) if get_code else None
    if spec is None or code is None:
        raise ImportError(f"there is no module {name!r} that could be run")
    return _main(spec.origin or name, spec), code


def _main(file: str, spec: ModuleSpec | None) -> types.ModuleType:
    main = types.ModuleType("__main__")
    main.__file__ = file
    main.__spec__ = spec
    main.__loader__ = spec.loader if spec else None
    main.__package__ = spec.parent if spec else None
    vars(main)["__builtins__"] = __builtins__
    return main


def _status_of(program: Callable[[], None]) -> int:
    """The exit status that an interpreter would have after the program."""
    try:
        program()
    except SystemExit as error:
        if error.code is None or isinstance(error.code, int):
            return error.code or 0
        print(error.code, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BaseException:  # noqa: BLE001 - shown as an interpreter would
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        return 1
    return 0


def _join_threads() -> None:
    """Waits for the threads that an interpreter would wait for at its end."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
