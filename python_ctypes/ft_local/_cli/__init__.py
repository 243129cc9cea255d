"""The commands of `ft_local`, which is also `python -m ft_local`, a module each.

A command's module has `DESCRIPTION`, `add_arguments` and `run`, which returns the exit status.
"""

import argparse
import sys
from collections.abc import Sequence

from ft_local import __version__

from . import bench, completion, contention, demo, info

_COMMANDS = {
    "info": info,
    "demo": demo,
    "bench": bench,
    "contention": contention,
    "completion": completion,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command that `arguments` (by default those of the process) name.

    Returns the exit status: 0 if it went well, 1 if the demo found a fault, 2 for wrong arguments,
    130 after Ctrl-C.
    """
    parser = argparse.ArgumentParser(
        prog="python -m ft_local",
        description="Shared objects in many threads without fighting over their reference counts.",
    )
    parser.add_argument("--version", action="version", version=f"ft_local {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    for name, command in _COMMANDS.items():
        summary = command.DESCRIPTION.partition("\n")[0]
        command.add_arguments(
            commands.add_parser(
                name,
                help=summary,
                description=command.DESCRIPTION,
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
        )
    # `completion` describes them all.
    parser.set_defaults(commands=commands.choices)
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help(sys.stderr)
        return 2
    try:
        status: int = _COMMANDS[options.command].run(options)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return status
