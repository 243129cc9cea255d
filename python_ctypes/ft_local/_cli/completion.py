"""The command `completion`: completes the commands of ft_local and their options in a shell."""

import argparse
import re
from collections.abc import Mapping

DESCRIPTION = """Print a completion for a shell, to be evaluated by its configuration.

    eval "$(ft_local completion bash)"        in ~/.bashrc
    eval "$(ft_local completion zsh)"         in ~/.zshrc, after compinit
    ft_local completion fish | source         in ~/.config/fish/config.fish
"""

_BASH = """_ft_local() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} words
    case ${{COMP_WORDS[1]}} in
{cases}
    *) words="{commands} --help --version" ;;
    esac
    if [ "$COMP_CWORD" -eq 1 ]; then words="{commands} --help --version"; fi
    COMPREPLY=($(compgen -W "$words" -- "$word") $(compgen -f -- "$word"))
}}
complete -F _ft_local ft_local
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=["bash", "zsh", "fish"])


def script(shell: str, commands: Mapping[str, argparse.ArgumentParser]) -> str:
    """The completion of these commands, with the options that their help names."""
    options = {
        name: sorted(set(re.findall(r"--[a-z][a-z-]*", parser.format_help())))
        for name, parser in commands.items()
    }
    if shell == "fish":
        lines = [f"complete -c ft_local -n __fish_use_subcommand -a '{' '.join(options)}'"]
        for name, known in options.items():
            here = f"complete -c ft_local -n '__fish_seen_subcommand_from {name}'"
            lines += [f"{here} -l {option.removeprefix('--')}" for option in known]
        return "\n".join(lines)
    cases = "\n".join(
        f'    {name}) words="{" ".join(known)}" ;;' for name, known in options.items()
    )
    text = _BASH.format(cases=cases, commands=" ".join(options))
    return text if shell == "bash" else "autoload -U +X bashcompinit && bashcompinit\n" + text


def run(options: argparse.Namespace) -> int:
    print(script(options.shell, options.commands))
    return 0
