"""Builds ABI mode, and API mode too unless FT_LOCAL_CFFI_API is 0.

Without API mode nothing is compiled, and one wheel is good for every Python.
"""

import os

from setuptools import setup

modules = ["build_ffi.py:abi"]
if os.environ.get("FT_LOCAL_CFFI_API", "1") != "0":
    modules.append("build_ffi.py:api")
setup(cffi_modules=modules)
