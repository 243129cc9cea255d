"""Builds the program of c_tests/consumer with the package, through CMake, and runs it."""

from pathlib import Path

from conan import ConanFile
from conan.tools.build import can_run
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout


class Consumer(ConanFile):
    settings = "os", "arch", "compiler", "build_type"
    generators = "CMakeDeps"

    def requirements(self):
        self.requires(self.tested_reference_str)

    def layout(self):
        cmake_layout(self, src_folder="../../../c_tests/consumer/program")

    def generate(self):
        toolchain = CMakeToolchain(self)
        # Nothing is written beside the sources.
        toolchain.user_presets_path = False
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        shared = self.dependencies["ft_local"].options.shared == "True"
        cmake.configure(
            variables={"FT_LOCAL_TARGET": f"ft_local::{'shared' if shared else 'static'}"}
        )
        cmake.build()

    def test(self):
        if can_run(self):
            self.run(str(Path(self.build_folder, "consumer")), env="conanrun")
