"""Builds the module with what pkg-config says about libft_local."""

import shlex
import subprocess

from setuptools import Extension, setup


def pkg_config(question: str) -> list[str]:
    """The flags of the compiler or of the linker."""
    answer = subprocess.run(
        ["pkg-config", question, "ft_local"], stdout=subprocess.PIPE, text=True, check=True
    )
    return shlex.split(answer.stdout)


setup(
    ext_modules=[
        Extension(
            "tickets",
            ["tickets.c", "host.c"],
            depends=["host.h"],
            extra_compile_args=[*pkg_config("--cflags"), "-std=gnu11", "-Wall", "-Wextra"],
            extra_link_args=pkg_config("--libs"),
        )
    ]
)
