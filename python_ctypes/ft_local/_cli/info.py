"""`info`: which ft_local this is, and what it runs on."""

import argparse
import json
import platform
import sys
import sysconfig

import ft_local

DESCRIPTION = "Show version, library, backend, interpreter and the state of the GIL."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How the facts are printed."""
    parser.add_argument("--json", action="store_true", help="as one JSON object")


def run(options: argparse.Namespace) -> int:
    """Prints one fact a line, or all as JSON."""
    facts = {
        "version": ft_local.__version__,
        "ABI version": str(ft_local.abi_version()),
        "library": ft_local.library_path(),
        "headers": ft_local.get_include(),
        "backend": ft_local.backend,
        "interpreter": f"{platform.python_implementation()} {platform.python_version()}, "
        f"{sys.executable}",
        "GIL": gil(),
    }
    if options.json:
        print(json.dumps({name.lower().replace(" ", "_"): fact for name, fact in facts.items()}))
        return 0
    width = max(map(len, facts))
    for name, fact in facts.items():
        print(f"{name:{width}}  {fact}")
    return 0


def gil() -> str:
    """Whether one thread of Python runs at a time, in words."""
    if not sysconfig.get_config_var("Py_GIL_DISABLED"):
        return "on, as always in this build: one thread of Python runs at a time"
    if sys._is_gil_enabled():  # type: ignore[attr-defined,unused-ignore]  # noqa: SLF001
        return "on, though this build can do without: one thread of Python runs at a time"
    return "off: threads run at the same time"
