"""Builds the library, its tests and the C tests with a sanitizer, and runs them.

A sanitizer that is off would also report nothing, so each run ends with the faults that
tests/mutants.toml lists for it, each of which must be reported.

    tools/sanitizers.py asan           all tests, once
    tools/sanitizers.py tsan ROUNDS    those with threads, many times: a race shows only if threads
                                       actually overlap
    tools/sanitizers.py fuzz LIMIT     libFuzzer, of which LIMIT is an option, chooses calls of the
                                       C interface. A sequence that fails is left in build/fuzz.
                                       When the bug is fixed, add it to c_tests/sequences/corpus.txt
                                       in hexadecimal (xxd -p -c 0)
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mutants import ROOT, Mutant, copy_library, mutants

RUSTC, CARGO = "/usr/bin/rustc", "/usr/bin/cargo"
RACE = "WARNING: ThreadSanitizer: data race"


def output(*command: str | Path, **options) -> str:
    """What a command prints, which must succeed."""
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, **options).stdout


class Build:
    """Builds with one sanitizer, and with one LLVM.

    That is the LLVM of Debian's second Rust toolchain (packages rustc-web, cargo-web), which also
    has the source of its standard library (rust-web-src): ThreadSanitizer needs that instrumented,
    or its locks look like races. The others need not, and mixing must then be allowed.
    """

    def __init__(self, name: str, sanitizer: str, *rust_flags: str) -> None:
        version = output(RUSTC, "-vV")
        llvm = re.search(r"^LLVM version: (\d+)", version, re.MULTILINE)[1]
        self.triple = re.search(r"^host: (.*)", version, re.MULTILINE)[1]
        self.clang = f"clang-{llvm}"
        self.symbolizer = shutil.which(f"llvm-symbolizer-{llvm}")
        source = Path(output(RUSTC, "--print", "sysroot").strip(), "lib/rustlib/src/rust/library")
        if not (source.is_dir() and self.symbolizer and shutil.which(self.clang)):
            sys.exit("a part of the compilers is missing; run: tools/setup --all")
        self.target, self.work = ROOT / "target" / name, ROOT / "build" / name
        self.crate = self.work / "crate"
        # Without a target of its own, build scripts would be instrumented too.
        self.options = ["--target", self.triple, "--target-dir", self.target, "--locked"]
        self.c_flags = [f"-fsanitize={sanitizer}", "-fno-sanitize-recover=undefined", "-g"]
        flags = [f"-Zsanitizer={sanitizer}", "-Zexternal-clangrt", f"-Clinker={self.clang}"]
        if sanitizer == "thread":
            self.options.append("-Zbuild-std=std,panic_abort,panic_unwind,proc_macro,test")
        else:
            flags.append("-Cunsafe-allow-abi-mismatch=sanitizer")
            self.c_flags.append("-fsanitize=undefined")
        flags += [*rust_flags, f"-Clink-arg=-fsanitize={sanitizer}"]
        os.environ |= {
            "RUSTC": RUSTC,
            "RUSTC_BOOTSTRAP": "1",
            "RUSTFLAGS": " ".join(flags),
            # All that reports show.
            "CARGO_PROFILE_DEV_DEBUG": "line-tables-only",
        }
        print(version, flush=True)
        self.inject(None)

    def inject(self, fault: Mutant | None) -> None:
        """Makes the copy one that has the fault, or none."""
        copy_library(self.crate, fault)
        self.built = None

    def library(self) -> Path:
        """The static library of the copy."""
        if not self.built:
            command = [
                CARGO,
                "rustc",
                "-p",
                "ft_local_capi",
                *self.options,
                "--lib",
                "--crate-type",
                "staticlib",
            ]
            subprocess.run(command, cwd=self.crate, check=True)
            self.built = self.target / self.triple / "debug/libft_local.a"
        return self.built

    def tests(self, *which: str) -> list[Path]:
        """The test programs that cargo makes of the copy."""
        command = [CARGO, "test", *self.options, *which, "--no-run", "--message-format=json"]
        lines = map(json.loads, output(*command, cwd=self.crate).splitlines())
        programs = [Path(line["executable"]) for line in lines if line.get("executable")]
        if not programs:
            sys.exit("cargo made no test programs")
        return programs

    def c_program(self, name: str, *sources: Path, flags: tuple[str, ...] = ("-O1",)) -> Path:
        """A program of C or C++ sources and the library."""
        version = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"][
            "version"
        ]
        compiler = [self.clang, "-std=gnu11"]
        if any(source.suffix == ".cpp" for source in sources):
            compiler = [self.clang.replace("clang", "clang++"), "-std=c++17"]
        program = self.work / name
        subprocess.run(
            [
                *(*compiler, *self.c_flags, *flags, f'-DFT_LOCAL_CARGO_VERSION="{version}"'),
                *(f"-I{ROOT}/include", f"-I{ROOT}/c_tests/support", *sources, self.library()),
                *("-lgcc_s", "-lpthread", "-ldl", "-lm", "-o", program),
            ],
            check=True,
        )
        return program

    def c_test(self, source: Path) -> Path:
        """A program of c_tests, with what they share."""
        shared = sorted((ROOT / "c_tests/support").glob("*.c"))
        objects = []
        for file in shared:
            made = self.work / f"{file.stem}.o"
            flags = [*self.c_flags, "-O1", "-std=gnu11", f"-I{ROOT}/include", f"-I{file.parent}"]
            if not made.is_file() or made.stat().st_mtime < file.stat().st_mtime:
                subprocess.run([self.clang, *flags, "-c", file, "-o", made], check=True)
            objects.append(made)
        return self.c_program(f"test-{source.stem}", source, *objects)


def silent(program: Path, *arguments: str) -> None:
    """Runs a test, which must pass, and therefore report nothing."""
    command = [program, *arguments]
    run = subprocess.run(
        command, stdout=-1, stderr=subprocess.STDOUT, errors="replace", check=False
    )
    # 77: the test has nothing to say on this machine.
    if run.returncode not in (0, 77):
        sys.exit(f"{run.stdout}\n{program.name} failed: {run.returncode}")


def must_report(fault: Mutant, pattern: str, *command: str | Path, rounds: int = 1) -> None:
    """One of the rounds must fail, with a report that matches the pattern."""
    for number in range(1, rounds + 1):
        run = subprocess.run(
            command, stdout=-1, stderr=subprocess.STDOUT, errors="replace", check=False
        )
        if run.returncode and re.search(pattern, run.stdout):
            print(f"found in round {number} by {Path(command[0]).name}: {fault.name}", flush=True)
            return
        if run.returncode:
            sys.exit(f"{run.stdout[-4000:]}\n{fault.name}: failed otherwise than by {pattern!r}")
    sys.exit(f"not found in {rounds} rounds: {fault.name}; is the sanitizer on?")


def c_sources(*without: str) -> list[Path]:
    """The programs of c_tests, without those whose names begin so."""
    sources = [*(ROOT / "c_tests").glob("*.c"), *(ROOT / "c_tests").glob("*.cpp")]
    return sorted(source for source in sources if not source.stem.startswith(without))


def asan() -> None:
    """All tests once."""
    build = Build("asan", "address")
    # A test asks for more memory than there is.
    os.environ |= {
        "ASAN_OPTIONS": "allocator_may_return_null=1 detect_stack_use_after_return=1",
        "ASAN_SYMBOLIZER_PATH": build.symbolizer,
        "FT_LOCAL_TEST_ITEMS": "20000",
        "FT_LOCAL_STRESS_LOADS": "1000000",
    }
    # One has an allocator in the place of the sanitizer's; one runs the program of another.
    sources = c_sources("memory", "fork_old_kernel")
    programs = build.tests("--lib", "--test", "library", "--test", "stress")
    for program in programs:
        silent(program, "--quiet")
    for source in sources:
        silent(build.c_test(source))
    faults = mutants("asan")
    for fault in faults:
        if fault.file.startswith("c_tests/"):
            build.inject(None)
            changed = build.work / "mutant.c"
            changed.write_text(fault.mutated())
            must_report(fault, fault.finder, build.c_test(changed))
            continue
        build.inject(fault)
        must_report(fault, fault.finder, build.c_test(ROOT / "c_tests/batch.c"))
        (program,) = build.tests("-p", "ft_local_capi", "--lib")
        must_report(fault, fault.finder, program, "place::tests")
    counts = f"{len(programs)} Rust and {len(sources)} C programs"
    print(f"note: {counts} silent, {len(faults)} injected faults found")


def tsan(rounds: int) -> None:
    """The tests with threads, many times."""
    build = Build("tsan", "thread")
    # A child of a process with threads gets threads of its own in the fork tests, and a test asks
    # for more memory than there is; both would end the run.
    options = "exitcode=66 die_after_fork=0 allocator_may_return_null=1"
    os.environ |= {
        "TSAN_OPTIONS": f"{options} external_symbolizer_path={build.symbolizer}",
        "FT_LOCAL_TEST_ITEMS": "8000",
        "FT_LOCAL_STRESS_LOADS": "50000",
        "PROPTEST_CASES": "20",
        "RUST_BACKTRACE": "0",
    }
    programs = build.tests("--lib", "--test", "library", "--test", "stress")
    # ThreadSanitizer cannot follow the threads that a child of a fork makes.
    sources = c_sources("memory", "fork")
    sources = [source for source in sources if "pthread_create" in source.read_text()]
    c_programs = [build.c_test(source) for source in sources]
    runs = [(program, "--quiet", "--skip", "a_child") for program in programs]
    runs += [(program,) for program in c_programs]
    # Many of them sleep most of their time.
    with ThreadPoolExecutor(max_workers=2) as workers:
        list(workers.map(lambda run: silent(*run), runs * rounds))
    faults = mutants("tsan")
    for fault in faults:
        build.inject(fault)
        if fault.finder.endswith(".c"):
            must_report(fault, RACE, build.c_test(ROOT / fault.finder), rounds=rounds)
        else:
            (program,) = build.tests("-p", "ft_local", "--lib")
            must_report(fault, RACE, program, fault.finder, rounds=rounds)
    print(f"note: {rounds} rounds silent, {len(faults)} injected faults found")


def fuzz(limit: str) -> None:
    """A corpus that grows, from the one that is kept."""
    coverage = "level=4 inline-8bit-counters pc-table trace-compares".split()
    options = [f"-Cllvm-args=-sanitizer-coverage-{option}" for option in coverage]
    build = Build("fuzz", "address", "-Cpasses=sancov-module", "-Ccodegen-units=1", *options)
    os.environ |= {
        "ASAN_OPTIONS": "detect_leaks=0",
        "ASAN_SYMBOLIZER_PATH": build.symbolizer,
        "CARGO_PROFILE_DEV_OPT_LEVEL": "2",
    }
    sources = sorted((ROOT / "c_tests/sequences").glob("*.c"))
    flags = ("-O1", "-fsanitize=fuzzer", "-DFT_LOCAL_FUZZER")
    corpus = build.work / "corpus"
    corpus.mkdir(exist_ok=True)
    kept = (ROOT / "c_tests/sequences/corpus.txt").read_text().split()
    for number, line in enumerate(kept):
        (corpus / f"kept-{number}").write_bytes(bytes.fromhex(line))

    def command(program: Path, limit: str) -> list[str | Path]:
        prefix = f"-artifact_prefix={build.work}/"
        return [
            program,
            "-max_len=600",
            "-timeout=20",
            "-print_final_stats=1",
            prefix,
            limit,
            corpus,
        ]

    # Nearly all the time of those that fork is the system's, so many are chosen without.
    if limit.startswith("-runs="):
        os.environ["FT_LOCAL_TEST_FORKS"] = "0"
    fuzzer = command(build.c_program("fuzzer", *sources, flags=flags), limit)
    with subprocess.Popen(fuzzer, stdout=-1, stderr=subprocess.STDOUT, text=True) as run:
        printed = "".join(line for line in run.stdout if not print(line, end="", flush=True))
    if run.returncode:
        sys.exit(f"the fuzzer found something: {run.returncode}")
    sequences = re.search(r"^stat::number_of_executed_units: *(\d+)", printed, re.MULTILINE)[1]
    places = re.findall(r" cov: (\d+) ", printed)[-1]
    faults = mutants("fuzz")
    for fault in faults:
        build.inject(fault)
        program = build.c_program("mutant", *sources, flags=flags)
        must_report(fault, fault.finder, *command(program, "-max_total_time=60"))
    print(
        f"note: {sequences} sequences, {places} places reached, {len(faults)} injected fault found"
    )


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["asan"]:
            asan()
        case ["tsan", number]:
            tsan(int(number))
        case ["fuzz", option]:
            fuzz(option)
        case _:
            sys.exit(__doc__)
