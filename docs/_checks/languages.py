"""What it means that a block of code in a page works, for each language."""

import os
import pathlib
import re
import shlex
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable

from sybil import Example

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "target" / "release"
_FOLDER = tempfile.TemporaryDirectory(prefix="blocks.", dir=ROOT / "build")
WORK = pathlib.Path(_FOLDER.name)
# Programs look for it by its SONAME.
(WORK / "libft_local.so.0").symlink_to(LIBRARY / "libft_local.so")


class BlockError(AssertionError):
    """The block does not do what a reader is led to expect."""


def run(command: list[str], text: str | None = None, folder: pathlib.Path = WORK) -> str:
    """The command's output; if it fails, that is the error."""
    done = subprocess.run(
        command, input=text, cwd=folder, text=True, capture_output=True, timeout=120, check=False
    )
    if done.returncode:
        output = f"{done.stdout}{done.stderr}".strip()
        raise BlockError(f"{shlex.join(command)}: status {done.returncode}\n{output}")
    return done.stdout


class Compiled:
    """C or C++. The blocks of a page are one program, in order, up to the one that has `main`.

    A block without `main` is compiled with those before it. A block that defines a Python module
    makes it importable for the Python blocks after it.
    """

    def __init__(self, language: str, compiler: str, standard: str) -> None:
        self.language = language
        self.compiler = [compiler, standard, "-pthread", "-Wall", "-Wextra", "-Werror"]
        python = sysconfig.get_path("include")
        self.paths = [f"-I{ROOT / 'include'}", f"-I{ROOT / 'c_tests/conformance'}", f"-I{python}"]
        self.link = [f"-L{LIBRARY}", f"-Wl,-rpath,{WORK}", "-lft_local"]

    def __call__(self, example: Example) -> None:
        """Compiles it, and runs it if it is a program."""
        key = f"program in {self.language}"
        code = example.namespace.get(key, "") + example.parsed
        example.namespace[key] = code
        language = ["-x", {"c": "c", "cpp": "c++"}[self.language], "-"]
        module = re.search(r"PyMODINIT_FUNC\s+PyInit_(\w+)", code)
        if module:
            suffix = sysconfig.get_config_var("EXT_SUFFIX")
            output = ["-shared", "-fPIC", "-o", f"{module[1]}{suffix}"]
            run([*self.compiler, *self.paths, *output, *language, *self.link], code)
            sys.path.append(str(WORK))
        elif "int main(" in code:
            run([*self.compiler, *self.paths, "-o", "program", *language, *self.link], code)
            run(["./program"])
        else:
            unused = ["-Wno-unused-function", "-Wno-unused-variable", "-fsyntax-only"]
            run([*self.compiler, *unused, *self.paths, *language], code)
            return
        del example.namespace[key]


def rust(example: Example) -> None:
    """A block is a whole program. The release build's own crate is for LLVM's linkers only."""
    source = WORK / "program.rs"
    source.write_text(example.parsed, encoding="utf-8")
    built = ROOT / "target" / "debug"
    crate = [f"--extern=ft_local={built / 'libft_local.rlib'}", f"-Ldependency={built}/deps"]
    run(["rustc", "--edition=2024", "-Dwarnings", *crate, "-o", "program", source.name])
    run(["./program"])


# Commands of the system, or of tools that are installed. What they do to a machine is not tried.
COMMANDS = {"cargo", "cc", "c++", "cd", "cmake", "pip", "python", "sudo", "apt-get", "ctest"}


def shell(example: Example) -> None:
    """The commands exist. They are not run: they install, build for minutes, or run other tests."""
    for line in logical_lines(example.parsed):
        for command in re.split(r"\s(?:&&|\|)\s", line):
            check_command(shlex.split(command, comments=True))


def logical_lines(text: str) -> Iterable[str]:
    """Lines as the shell sees them."""
    return text.replace("\\\n", " ").splitlines()


def check_command(words: list[str]) -> None:
    """Fails if there is no such command, target of make, file, or command of ft_local."""
    while words and re.match(r"\w+=", words[0]):
        words = words[1:]
    if not words:
        return
    name, *arguments = words
    name = name.removeprefix("$(").split(" ")[0]
    if name == "make":
        check_make(arguments)
    elif "/" in name:
        if not (ROOT / name).exists():
            raise BlockError(f"there is no {name}")
    elif name not in COMMANDS:
        raise BlockError(f"{name} is no command that these pages use")
    if [name, *arguments[:2]] == ["python", "-m", "ft_local"]:
        check_ft_local(arguments[2:])


def check_make(arguments: list[str]) -> None:
    """The targets exist."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in arguments:
        if "=" not in target and not re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE):
            raise BlockError(f"make has no target {target}")


def check_ft_local(arguments: list[str]) -> None:
    """The command exists, and has the options."""
    if not arguments:
        return
    text = run([sys.executable, "-m", "ft_local", arguments[0], "--help"])
    for option in (word for word in arguments if word.startswith("--")):
        if option.split("=")[0] not in text:
            raise BlockError(f"python -m ft_local {arguments[0]} has no option {option}")


def unknown(example: Example) -> None:
    """A language that nothing here can check: the page must say why, with a `skip`."""
    raise BlockError(f"nothing checks this block, and no skip says why: {example.parsed!r}")


os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
