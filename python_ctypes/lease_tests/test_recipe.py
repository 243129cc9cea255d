"""The C recipe of docs/leasing.md does what the Python package does."""

import re
import shutil
import subprocess
from pathlib import Path

import ft_local
import pytest

from conftest import ids_in, read

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


@pytest.fixture(scope="session")
def recipe(tmp_path_factory):
    """The recipe as a program."""
    if not shutil.which("gcc") or not Path("/usr/include/hiredis/hiredis.h").exists():
        pytest.fail("the recipe needs gcc and hiredis; run: apt-get install gcc libhiredis-dev")
    blocks = re.findall(
        r"^```c\n(.*?)^```", (ROOT / "docs/leasing.md").read_text(), re.DOTALL | re.MULTILINE
    )
    (text,) = [block for block in blocks if "hiredis.h" in block]
    folder = tmp_path_factory.mktemp("recipe")
    (folder / "recipe.c").write_text(text + (HERE / "recipe_main.c").read_text())
    # Beside the C shim, which may contain the library too.
    library = next(Path(ft_local.__file__).parent.glob("libft_local.so*"))
    subprocess.run(
        ["gcc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-g", "-pthread", "recipe.c",
         "-I", ROOT / "include", library, f"-Wl,-rpath,{library.parent}", "-lhiredis",
         "-o", "recipe"],
        cwd=folder, check=True,
    )  # fmt: skip
    return folder / "recipe"


@pytest.fixture
def start(recipe):
    running = []

    def start(store, block, threads, count, forks=0):
        host, port = store.address.split("/")[2].split(":")
        words = [recipe, host, port, store.name, block, threads, count, forks]
        process = subprocess.Popen(
            [*map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


def test_processes_of_threads_that_fork(redis_store, start):
    processes = [start(redis_store, 100, 4, 500, forks=2) for _ in range(3)]
    used = [one for process in processes for one in ids_in(process.communicate()[0])]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len(used) == 3 * (1 + 3 * 4 * 500)
    assert len(set(used)) == len(used)
    assert 1 <= min(used) <= max(used) <= redis_store.leased(100)


def test_python_and_c_share_a_counter(redis_store, start):
    with redis_store.lease(100) as ids:
        used = ids.load_many(150)
        used += ids_in(start(redis_store, 100, 4, 500).communicate()[0])
        used += ids.load_many(150)
    assert len(set(used)) == len(used) == 150 + 1 + 2000 + 150


def test_a_server_that_crashes(own_store, start):
    store = own_store("redis")
    process = start(store, 100, 4, 5000)
    data = read(process, 8 * 500)
    store.server.kill()
    store.server.start()
    used = ids_in(data + process.communicate()[0])
    assert process.returncode == 0
    assert len(set(used)) == len(used) == 1 + 4 * 5000


def test_a_thousand_million_ids_take_no_more_memory_than_ten(redis_store, start):
    small, large = (
        int(start(redis_store, block, 1, 1000).communicate()[1]) for block in (10, 10**9)
    )
    assert abs(large - small) < 512
