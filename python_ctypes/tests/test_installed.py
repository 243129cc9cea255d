"""What an installation brings besides the module: a command, headers, facts for programs."""

import json
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import ft_local
import pytest


def test_the_command_is_installed():
    (command,) = entry_points(group="console_scripts", name="ft_local")
    assert command.load() is sys.modules["ft_local._cli"].main


def test_the_command_says_its_version(run_python):
    process = run_python("-m", "ft_local", "--version")
    assert (process.returncode, process.stdout) == (0, f"ft_local {ft_local.__version__}\n")


def test_info_as_json(run_python):
    process = run_python("-m", "ft_local", "info", "--json", FT_LOCAL_BACKEND=ft_local.backend)
    facts = json.loads(process.stdout)
    assert facts["version"] == ft_local.__version__
    assert facts["abi_version"] == "0"
    assert facts["backend"] == ft_local.backend
    assert Path(facts["headers"], "ft_local.h").is_file()


@pytest.mark.c_backend("ctypes itself brings many")
def test_the_import_brings_few_other_modules(run_python):
    program = """if True:
        import sys
        before = set(sys.modules)
        import ft_local
        brought = set(sys.modules) - before
        print(*sorted(name for name in brought if not name.startswith("ft_local")))"""
    brought = run_python("-I", "-c", program).stdout.split()
    # What else there is takes longer than all of ft_local: typing, collections, datetime.
    # A debug build looks up the codec of each conversion of a text.
    checks = {"encodings.ascii"} if hasattr(sys, "gettotalrefcount") else set()
    assert set(brought) <= {"__future__", "gc", "math"} | checks


def test_what_is_imported_later_is_there():
    later = {"BatchStats", "ContendedObject", "ContentionReport", "contention"}
    assert later <= set(dir(ft_local))
    assert {getattr(ft_local, name).__module__ for name in later} <= {
        "ft_local",
        "ft_local._contention",
    }
    with pytest.raises(AttributeError, match="module 'ft_local' has no attribute 'contend'"):
        ft_local.contend  # noqa: B018 - it raises


def complete(folder, script, *words):
    """What bash offers after these words of a command line."""
    program = f"""{script}
        COMP_WORDS=({" ".join(words)}) COMP_CWORD={len(words) - 1}
        _ft_local; echo "${{COMPREPLY[@]}}\""""
    command = [shutil.which("bash"), "--norc", "-c", program]
    return subprocess.check_output(command, cwd=folder, text=True).split()  # noqa: S603


def test_bash_completes_commands_and_options(tmp_path, run_python):
    if shutil.which("bash") is None:
        pytest.skip("there is no bash")
    process = run_python("-m", "ft_local", "completion", "bash")
    assert complete(tmp_path, process.stdout, "ft_local", "con") == ["contention"]
    assert complete(tmp_path, process.stdout, "ft_local", "info", "--") == ["--help", "--json"]


def test_an_archive_is_refused_with_the_reason(tmp_path, run_python):
    archive = shutil.make_archive(
        tmp_path / "packed", "zip", Path(ft_local.__path__[0]).parent, "ft_local"
    )
    program = """if True:
        import ctypes
        def refuse(name):  # also where the system has a library of that name
            raise OSError("no")
        ctypes.PyDLL = refuse
        import ft_local"""
    process = run_python("-c", program, PYTHONPATH=archive, FT_LOCAL_BACKEND="")
    assert "ft_local cannot run from an archive" in process.stderr


def test_a_program_compiles_against_the_headers(tmp_path):
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    source = tmp_path / "program.c"
    source.write_text("#include <ft_local.h>\nint version = FT_LOCAL_VERSION_NUMBER;\n")
    command = [compiler, "-I", ft_local.get_include(), "-c", source, "-o", tmp_path / "program.o"]
    subprocess.run(command, check=True)  # noqa: S603 - as above
