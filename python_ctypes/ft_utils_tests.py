"""Runs the tests of ft_local's predecessor, ft_utils.local 0.2.0, against the installed ft_local.

The tests come from the published wheel, which is downloaded once into the cache ($FT_LOCAL_CACHE,
or ft_local under $XDG_CACHE_HOME, by default ~/.cache). They run unchanged, except for the import,
and none of them is stored in this project.
"""

import hashlib
import os
import platform
import re
import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path

import ft_local

# By content and not by wheel: the tests are the same in the wheels of all platforms.
SHA256 = {
    "test_batchexecutor": "21258b3c84afd861c74468c32d03c5da3ec7f9c7ea8cca23cc07d741f14fc97d",
    "test_localwrapper": "5e4bb53e98b2a317d77d33e52d12fa7c5f8243ab8b3cc1b36ec8049ee100eb03",
}


def wheel():
    """The wheel in the cache."""
    usual = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ft_local"
    folder = Path(os.environ.get("FT_LOCAL_CACHE") or usual) / "ft_utils"
    if not any(folder.glob("ft_utils-0.2.0-*.whl")):
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
        which = "--only-binary :all: --python-version 3.13 --implementation cp --abi cp313".split()
        subprocess.run([*pip, *which, "ft_utils==0.2.0"], check=True)
    return next(folder.glob("ft_utils-0.2.0-*.whl"))


def main():
    """Unpacks the tests with the one import replaced, and runs them."""
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel()) as archive:
        for name, expected in SHA256.items():
            content = archive.read(f"ft_utils/tests/{name}.py")
            if hashlib.sha256(content).hexdigest() != expected:
                sys.exit(f"{name} in {wheel()} is another; delete that wheel and try again")
            text, replaced = re.subn(r"\bft_utils\.local\b", "ft_local", content.decode())
            if not replaced:
                sys.exit(f"{name} does not import ft_utils.local")
            Path(folder, f"{name}.py").write_text(text)
        sys.path.insert(0, folder)
        tests = unittest.defaultTestLoader.loadTestsFromNames(SHA256)
        result = unittest.TextTestRunner().run(tests)
    about = f"{platform.python_version()} {ft_local.backend}"
    print(f"note: {about}: {result.testsRun} tests")
    sys.exit(not (result.wasSuccessful() and result.testsRun))


if __name__ == "__main__":
    main()
