"""The package uses the library that it brings, whatever else of that name there is."""

import shutil
import subprocess
import sysconfig
from pathlib import Path

import ft_local
import pytest

PACKAGE = Path(ft_local.__file__).parent
COMPILER = shutil.which("cc")

# Every function of the interface that is asked first, with an answer that gives it away.
FOREIGN = """
#include <stdint.h>
uint32_t ft_local_abi_version(void) { return 99; }
uint32_t ft_local_version_number(void) { return 99000000; }
const char *ft_local_version(void) { return "foreign"; }
int32_t ft_local_batch_load(const void *batch, void **out) { *out = 0; return -99; }
"""
USE = """
import ft_local
batch = ft_local.BatchExecutor(iter([object, 2, 3]).__next__, 2)
print(ft_local.__version__, ft_local.abi_version(), batch.load() is object)
"""


@pytest.fixture
def foreign_library(tmp_path):
    """A folder with a library of the same name and SONAME, which is not ours."""
    if COMPILER is None:
        pytest.skip("there is no C compiler")
    library = tmp_path / "libft_local.so.0"
    command = [COMPILER, "-shared", "-fPIC", "-x", "c", "-", "-o", library]
    command.append("-Wl,-soname,libft_local.so.0")
    subprocess.run(command, input=FOREIGN, text=True, check=True)  # noqa: S603 - as above
    return library


def test_a_library_on_the_search_path_is_not_taken(run_python, foreign_library):
    process = run_python("-c", USE, LD_LIBRARY_PATH=str(foreign_library.parent))
    assert process.stdout == f"{ft_local.__version__} 0 True\n", process.stderr


def test_a_library_that_is_loaded_already_is_not_taken(run_python, foreign_library):
    process = run_python("-c", USE, LD_PRELOAD=str(foreign_library))
    assert process.stdout == f"{ft_local.__version__} 0 True\n", process.stderr


@pytest.mark.c_backend(reason="ctypes has no shim")
def test_the_shim_exports_its_initialization_and_nothing_else():
    shim = PACKAGE / f"_shim{sysconfig.get_config_var('EXT_SUFFIX')}"
    if shutil.which("nm") is None:
        pytest.skip("there is no nm")
    command = ["nm", "--dynamic", "--defined-only", "--format=posix", shim]
    out = subprocess.check_output(command, text=True)  # noqa: S603 - as above
    assert [line.split()[0] for line in out.splitlines()] == ["PyInit__shim"]


DAEMONS = """
import threading
import ft_local

loaded = threading.Semaphore(0)
batch = ft_local.BatchExecutor(object, 8)

def load():
    batch.load()
    loaded.release()
    while True:
        batch.load()

for _ in range(4):
    threading.Thread(target=load, daemon=True).start()
for _ in range(4):
    loaded.acquire()
"""


@pytest.mark.parametrize("run", range(16))
def test_daemon_threads_that_load_while_python_ends(run_python_with_daemons, run):
    process = run_python_with_daemons("-c", DAEMONS)
    assert (process.returncode, process.stdout, process.stderr) == (0, "", ""), run
