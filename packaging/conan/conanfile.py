"""ft_local as a package of Conan 2, built from the checkout that this file lies in.

conan create packaging/conan -o 'ft_local/*:shared=True'
"""

from pathlib import Path

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load, rm, rmdir

SOURCES = """CMakeLists.txt Cargo.lock Cargo.toml LICENSE-APACHE LICENSE-MIT README.md build.rs
    cbindgen.toml abi/* cmake/* include/* packaging/cdef packaging/one-object src/*"""


class FtLocal(ConanFile):
    name = "ft_local"
    description = "Per-thread handles and exactly-once batches for objects that many threads share"
    license = "MIT OR Apache-2.0"
    topics = ("concurrency", "reference-counting", "batch", "queue")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False]}  # noqa: RUF012 - as Conan wants it
    default_options = {"shared": True}  # noqa: RUF012

    @property
    def _root(self):
        return str(Path(self.recipe_folder, "..", ".."))

    def set_version(self):
        lines = load(self, str(Path(self._root, "Cargo.toml"))).splitlines()
        line = next(line for line in lines if line.startswith("version = "))
        self.version = line.split('"')[1]

    def export_sources(self):
        for pattern in SOURCES.split():
            copy(self, pattern, self._root, self.export_sources_folder, excludes="*/tests/*")

    def validate(self):
        if self.settings.os != "Linux":
            raise ConanInvalidConfiguration("this recipe builds on Linux; cargo builds elsewhere")

    def layout(self):
        cmake_layout(self)

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["BUILD_TESTING"] = False
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        copy(self, "LICENSE-*", self.source_folder, str(Path(self.package_folder, "licenses")))
        CMake(self).install()
        # Conan's generators write these for the consumer.
        rmdir(self, str(Path(self.package_folder, "lib", "cmake")))
        rmdir(self, str(Path(self.package_folder, "lib", "pkgconfig")))
        other = "*.a" if self.options.shared else "*.so*"
        rm(self, other, str(Path(self.package_folder, "lib")))

    def package_id(self):
        # A C library that Rust makes is the same for every C compiler.
        del self.info.settings.compiler

    def package_info(self):
        kind = "shared" if self.options.shared else "static"
        info = self.cpp_info
        info.libs = ["ft_local"]
        info.set_property("cmake_file_name", "ft_local")
        info.set_property("cmake_target_name", f"ft_local::{kind}")
        info.set_property("cmake_target_aliases", ["ft_local::ft_local"])
        info.set_property(
            "pkg_config_name", "ft_local" if self.options.shared else "ft_local-static"
        )
        if not self.options.shared:
            info.system_libs = ["pthread", "dl", "m", "rt", "util"]
            info.sharedlinkflags = ["-Wl,--exclude-libs,libft_local.a"]
