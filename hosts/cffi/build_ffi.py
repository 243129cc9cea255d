"""Gives the declarations of the installed ft_local.h to cffi, once for each of its two modes."""

import re
import subprocess
from pathlib import Path

from cffi import FFI

# What the library calls back, as API mode compiles it. ABI mode makes it while it runs.
CALLBACKS = """
extern "Python" {
    int32_t fill(void *ctx, void **out, size_t capacity, size_t *produced);
    int32_t fill_bulk(void *ctx, void **out, size_t capacity, size_t *produced);
    void release(void *ctx, void *handle);
    int32_t interrupted(void *ctx);
    int32_t interruptible(void *ctx);
    void wake(void *arg);
}
"""


def pkg_config(*question: str) -> str:
    """What pkg-config says about the installed library."""
    answer = subprocess.run(
        ["pkg-config", *question, "ft_local"], stdout=subprocess.PIPE, text=True, check=True
    )
    return answer.stdout.strip()


def declarations(header: str) -> str:
    """The header as cffi reads it: plain C, no preprocessor but for constants, no bodies."""
    text = re.sub(r"^#ifdef __cplusplus$.*?^#endif.*?$", "", header, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"^static inline .*?^}$", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"^#(?!define FT_LOCAL_\w+ \d+$)(?:.*\\\n)*.*$", "", text, flags=re.MULTILINE)
    return text.replace("FT_LOCAL_MUST_USE", "")


include = pkg_config("--variable=includedir")
text = declarations((Path(include) / "ft_local.h").read_text(encoding="utf-8"))

abi = FFI()
abi.set_source("ft_local_cffi._abi", None)
abi.cdef(text)

api = FFI()
api.set_source(
    "ft_local_cffi._api",
    "#include <ft_local.h>",
    include_dirs=[include],
    library_dirs=[pkg_config("--variable=libdir")],
    libraries=["ft_local"],
)
api.cdef(text + CALLBACKS)
