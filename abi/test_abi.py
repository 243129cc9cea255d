"""Faults in copies of the header and the map, each of which the check must name."""

import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from compare import compare
from facts import facts

HERE = Path(__file__).resolve().parent
HEADER = HERE.parent / "include/ft_local.h"


class Faults(unittest.TestCase):
    """One edit for each rule."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.abi = Path(folder.name)
        self.header = self.abi / "ft_local.h"
        shutil.copy(HEADER, self.header)
        for name in ("abi-0.txt", "ft_local.map"):
            shutil.copy(HERE / name, self.abi)

    def edit(self, old, new, file="ft_local.h"):
        path = self.abi / file
        text = path.read_text()
        self.assertEqual(text.count(old), 1, f"{old!r} is not in {file} once")
        path.write_text(text.replace(old, new))

    def check(self, *options):
        command = [sys.executable, HERE / "check", "--header", self.header, "--abi", self.abi]
        return subprocess.run([*command, *options], capture_output=True, text=True, check=False)

    def expect(self, *sentences):
        run = self.check()
        self.assertEqual(run.returncode, 1, run.stdout + run.stderr)
        for sentence in sentences:
            self.assertIn(sentence, run.stderr)

    def test_what_stands_is_accepted(self):
        run = self.check()
        self.assertEqual(run.returncode, 0, run.stderr)

    def test_a_constant_has_another_value(self):
        self.edit("FT_LOCAL_ERR_RETAIN = -3", "FT_LOCAL_ERR_RETAIN = -30")
        self.expect("constant FT_LOCAL_ERR_RETAIN was -3, and is -30", "on purpose")

    def test_a_macro_has_another_value(self):
        self.edit("FT_LOCAL_FORK_KEEP 1", "FT_LOCAL_FORK_KEEP 3")
        self.expect("constant FT_LOCAL_FORK_KEEP was 1, and is 3")

    def test_a_function_is_gone(self):
        self.edit("FT_LOCAL_MUST_USE uint32_t ft_local_abi_version(void);", "")
        self.expect("function ft_local_abi_version is gone")

    def test_a_parameter_has_another_type(self):
        self.edit(
            "ft_local_status_text(ft_local_status status)", "ft_local_status_text(int64_t status)"
        )
        self.expect(
            "function ft_local_status_text was function(ft_local_status)", "function(int64_t)"
        )

    def test_a_typedef_names_another_type(self):
        self.edit("typedef int32_t ft_local_status;", "typedef int64_t ft_local_status;")
        self.expect("type ft_local_status was int32_t, and is int64_t")

    def test_a_field_has_another_size(self):
        self.edit("    int32_t reserved;", "    int64_t reserved;")
        self.expect("field ft_local_batch_options.reserved was offset 28 size 4")

    def test_two_fields_change_places(self):
        self.edit("    void *(*detach)(void);", "    void (*attach)(void *token);//")
        self.edit("    void (*attach)(void *token);\n", "    void *(*detach)(void);\n")
        self.expect(
            "field ft_local_host.detach was offset 56", "field ft_local_host.attach was offset 64"
        )

    def test_a_field_is_added_before_the_end(self):
        self.edit("    size_t low_water;", "    size_t low_water, other;")
        self.expect("field ft_local_batch_options.other is new and lies at 24, inside the 48 bytes")

    def test_a_struct_that_does_not_know_its_size_grows(self):
        self.edit("    void **end;", "    void **end, **behind;")
        self.expect("struct ft_local_cursor_frame was fixed align 8 size 16")

    def test_an_initializer_sets_a_field(self):
        self.edit("{ sizeof(ft_local_batch_options), 0,", "{ sizeof(ft_local_batch_options), 1,")
        self.expect("initializer FT_LOCAL_BATCH_OPTIONS_INIT was zero, and is other")

    def test_a_field_at_the_end_is_recorded(self):
        last = "    size_t fillers;"
        self.edit(last, last + "\n    size_t more;")
        self.edit("{ sizeof(ft_local_batch_options), 0,", "{ sizeof(ft_local_batch_options), 0, 0,")
        self.expect("field ft_local_batch_options.more is new", "has grown", "Record it")
        self.assertEqual(self.check("--record").returncode, 0)
        self.assertEqual(self.check().returncode, 0)

    def test_a_break_is_not_recorded(self):
        self.edit("FT_LOCAL_ERR_RETAIN = -3", "FT_LOCAL_ERR_RETAIN = -30")
        before = (self.abi / "abi-0.txt").read_text()
        self.assertEqual(self.check("--record").returncode, 1)
        self.assertEqual((self.abi / "abi-0.txt").read_text(), before)

    def test_a_new_function_is_not_in_the_map(self):
        self.edit("// Status ---", "void ft_local_new(void);\n// Status ---")
        self.expect("ft_local_new is in the header, not in ft_local.map")

    def test_the_map_has_a_function_too_many(self):
        self.edit(
            "        ft_local_abi_version;",
            "        ft_local_abi_version;\n        ft_local_old;",
            "ft_local.map",
        )
        self.expect("ft_local_old is in ft_local.map only")

    def test_the_abi_number_is_raised_without_the_map(self):
        self.edit("#define FT_LOCAL_ABI_VERSION 0", "#define FT_LOCAL_ABI_VERSION 1")
        self.expect("has the version FT_LOCAL_0, and FT_LOCAL_ABI_VERSION is 1")

    def test_an_abi_is_broken_on_purpose(self):
        self.edit("FT_LOCAL_ERR_RETAIN = -3", "FT_LOCAL_ERR_RETAIN = -30")
        self.edit("#define FT_LOCAL_ABI_VERSION 0", "#define FT_LOCAL_ABI_VERSION 1")
        self.edit("FT_LOCAL_0 {", "FT_LOCAL_1 {", "ft_local.map")
        self.assertEqual(self.check("--record").returncode, 0)
        self.assertEqual(self.check().returncode, 0)
        self.assertIn("FT_LOCAL_ERR_RETAIN: -30", (self.abi / "abi-1.txt").read_text())


class Libraries(unittest.TestCase):
    """Small libraries in place of the real one."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.abi = Path(folder.name)
        self.map = self.abi / "ft_local.map"
        self.map.write_text("FT_LOCAL_0 { global: ft_local_a; ft_local_b; local: *; };")

    def shared(self, source, script):
        version_script = self.abi / "other.map"
        version_script.write_text(script)
        library = self.abi / "library.so"
        command = ["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", library]
        command.append(f"-Wl,--version-script={version_script}")
        subprocess.run(command, input=source, text=True, check=True)
        check = [sys.executable, HERE / "check", "--abi", self.abi, "--shared", library]
        return subprocess.run(check, capture_output=True, text=True, check=False)

    def test_the_map_is_met(self):
        run = self.shared("void ft_local_a(void) {} void ft_local_b(void) {}", self.map.read_text())
        self.assertEqual(run.returncode, 0, run.stderr)

    def test_a_function_is_missing(self):
        run = self.shared("void ft_local_a(void) {}", self.map.read_text())
        self.assertIn("ft_local_b@@FT_LOCAL_0 is missing", run.stderr)

    def test_more_is_exported(self):
        source = "void ft_local_a(void) {} void ft_local_b(void) {} void rust_thing(void) {}"
        run = self.shared(source, "FT_LOCAL_0 { global: *; };")
        self.assertIn("rust_thing@@FT_LOCAL_0 is exported too", run.stderr)

    def test_a_version_is_missing(self):
        source = "void ft_local_a(void) {} void ft_local_b(void) {}"
        run = self.shared(source, "{ global: ft_local_*; local: *; };")
        self.assertIn("ft_local_a@@FT_LOCAL_0 is missing", run.stderr)


class FirstHeader(unittest.TestCase):
    """The first header that there was: what it promised is still kept."""

    def test_structs_have_only_grown_since(self):
        breaks, additions = compare(facts(HERE / "first/ft_local.h"), facts(HEADER))
        self.assertEqual(breaks, [])
        self.assertIn("struct ft_local_host has grown", "\n".join(additions))


ROOT = HERE.parent
BINDINGS = {
    "C++": ("include/ft_local", "hosts/cpp"),
    "CPython": ("python_ctypes/shim", "python_ctypes/ft_local", "hosts/cpython_extension"),
    "GObject": ("hosts/gobject",),
    "Guile": ("hosts/guile",),
    "JVM": ("hosts/jvm",),
    "Lua": ("hosts/lua",),
    "LuaJIT": ("hosts/luajit",),
    "Node": ("hosts/node",),
    "Ruby": ("hosts/ruby",),
    "cffi": ("hosts/cffi",),
}


def code_of(folders):
    """The text of the programs in some folders."""
    suffixes = {".c", ".h", ".cpp", ".hpp", ".py", ".lua", ".js", ".java", ".scm", ".rb"}
    files = (path for folder in folders for path in (ROOT / folder).rglob("*"))
    return "\n".join(path.read_text() for path in sorted(files) if path.suffix in suffixes)


class Users(unittest.TestCase):
    """What docs/abi.md says about who uses what."""

    def setUp(self):
        self.page = (ROOT / "docs/abi.md").read_text()
        self.code = {binding: code_of(folders) for binding, folders in BINDINGS.items()}

    def users(self, name):
        """The bindings that call a function, or set a field."""
        use = rf"\b{name}\b" if name.startswith("ft_local_") else rf"\.{name}\s*=[^=]"
        return {binding for binding, code in self.code.items() if re.search(use, code)}

    def test_each_wish_is_used_by_those_that_the_page_names(self):
        section = self.page.partition("## What runtimes asked for")[2].partition("\n## ")[0]
        rows = re.findall(r"^\| ([^|]+) \| (`[^|]+) \| [^|]+ \| ([^|]+) \|$", section, re.MULTILINE)
        self.assertGreater(len(rows), 6)
        for wish, names, said in rows:
            users = set().union(*map(self.users, re.findall("`([^`]+)`", names)))
            self.assertEqual(
                sorted(users), [b for b in sorted(BINDINGS) if b in re.split("[,:;] ?", said)], wish
            )

    def test_each_function_is_used_by_a_binding_or_the_page_says_why_not(self):
        record = (HERE / "abi-0.txt").read_text()
        for function in re.findall(r"^function (\w+):", record, re.MULTILINE):
            if not self.users(function):
                self.assertTrue(f"`{function}`" in self.page, function)


if __name__ == "__main__":
    unittest.main()
