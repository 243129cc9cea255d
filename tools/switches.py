"""A copy of the library that has many faults, of which a variable of the environment turns one on.

It is compiled once for all of them. What compilers refuse there, they would refuse alone.
"""

import json
import re
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import tree_sitter_rust
from tree_sitter import Language, Node, Parser

VARIABLE = "FT_LOCAL_FAULT"

# A constructor reads the variable, so that a child of a fork has it too. Its section makes it the
# first one: the library has one that faults are made in.
SWITCH = """
mod fault {
    use std::sync::atomic::{AtomicUsize, Ordering};

    static ON: AtomicUsize = AtomicUsize::new(0);

    pub(crate) fn is(number: usize) -> bool {
        ON.load(Ordering::Relaxed) == number
    }

    extern "C" fn read() {
        // SAFETY: the name ends with NUL, and so does the value.
        let value = unsafe { libc::getenv(c"%s".as_ptr()) };
        if !value.is_null() {
            // SAFETY: as above.
            ON.store(unsafe { libc::atol(value) } as usize, Ordering::Relaxed);
        }
    }

    #[used]
    #[unsafe(link_section = ".init_array.00001")]
    static READ: extern "C" fn() = read;
}
"""
SWITCH %= VARIABLE

# What is computed when the library is compiled has no switch.
CONSTANT = {
    "const_item",
    "static_item",
    "array_type",
    "const_block",
    "enum_variant",
    "macro_invocation",
}
OPERATIONS = {"binary_expression", "compound_assignment_expr", "unary_expression"}


class Edit(NamedTuple):
    """A place with its faults: what stands there instead, by number."""

    node: Node
    instead: dict[int, bytes]


def is_constant(node: Node | None) -> bool:
    while node:
        if node.type in CONSTANT or (node.type == "function_item" and is_const_fn(node)):
            return True
        node = node.parent
    return False


def is_const_fn(function: Node) -> bool:
    return any(c.type == "function_modifiers" and b"const" in c.text for c in function.children)


class File:
    """A source file, in which faults are made one on top of the other."""

    def __init__(self, path: Path) -> None:
        self.text = path.read_bytes()
        self.root = Parser(Language(tree_sitter_rust.language())).parse(self.text).root_node
        self.lines = self.text.splitlines(keepends=True)
        # Where a function begins to do something, and what it may return at once instead.
        self.values: dict[int, dict[int, bytes]] = defaultdict(dict)
        self.edits: dict[int, Edit] = {}

    def offset(self, place: dict[str, int]) -> int:
        """The place of a fault, whose columns are characters, in bytes."""
        before = b"".join(self.lines[: place["line"] - 1])
        line = self.lines[place["line"] - 1].decode()
        return len(before) + len(line[: place["column"] - 1].encode())

    def add(self, number: int, fault: dict) -> bool:
        """Whether the fault can have a switch."""
        start, end = (self.offset(fault["span"][edge]) for edge in ("start", "end"))
        node = self.root.descendant_for_byte_range(start, end)
        if node is None or is_constant(node):
            return False
        replacement = fault["replacement"].encode()
        if fault["genre"] == "FnValue":
            # Only the whole body says what type that is.
            if "impl " in fault["function"]["return_type"]:
                return False
            self.values[start][number] = replacement
            return True
        if fault["genre"] == "MatchArmGuard" and (node.start_byte, node.end_byte) == (start, end):
            self.at(node).instead[number] = replacement
            return True
        operation = node.parent
        if operation is None or operation.type not in OPERATIONS or node.end_byte != end:
            return False
        before = self.text[operation.start_byte : start]
        after = self.text[end : operation.end_byte]
        self.at(operation).instead[number] = before + replacement + after
        return True

    def at(self, node: Node) -> Edit:
        return self.edits.setdefault(node.id, Edit(node, {}))

    def switched(self, without: set[int]) -> tuple[bytes, list[tuple[int, int, int]]]:
        """The text with switches, and the first and last line of each number."""
        marked = self.render(self.root, without)
        places, out, line = [], [], 1
        for part in re.split(rb"(\x00\d+\x01|\x02)", marked):
            if part.startswith(b"\x00"):
                places.append([int(part[1:-1]), line, line])
            elif part == b"\x02":
                places[-1][2] = line
            else:
                out.append(part)
                line += part.count(b"\n")
        return b"".join(out), [tuple(place) for place in places]

    def render(self, node: Node, without: set[int]) -> bytes:
        text, position = b"", node.start_byte
        for child in node.children:
            text += self.text[position : child.start_byte]
            text += self.render(child, without)
            position = child.end_byte
        text += self.text[position : node.end_byte]
        edit = self.edits.get(node.id)
        chosen = {n: t for n, t in (edit.instead if edit else {}).items() if n not in without}
        if not chosen:
            return self.first(node, without) + text
        switches = b"".join(
            b"\x00%d\x01if crate::fault::is(%d) {\n%s\n}\x02\nelse " % (number, number, instead)
            for number, instead in chosen.items()
        )
        return self.first(node, without) + b"(\n" + switches + b"{ " + text + b" })"

    def first(self, node: Node, without: set[int]) -> bytes:
        """What a function begins with, in front of the outermost node there."""
        values = self.values.get(node.start_byte, {})
        if not values or (node.parent and node.parent.start_byte == node.start_byte):
            return b""
        return b"".join(
            b"\x00%d\x01if crate::fault::is(%d) {\nreturn %s;\n}\x02\n" % (number, number, value)
            for number, value in values.items()
            if number not in without
        )


class Switched:
    """The faults of the library that have a switch, by number."""

    def __init__(self, root: Path, faults: list[dict]) -> None:
        self.files = {file: File(root / file) for file in {one["file"] for one in faults}}
        self.faults = {
            number: one
            for number, one in enumerate(faults, 1)
            if self.files[one["file"]].add(number, one)
        }
        self.refused: set[int] = set()

    def write(self, place: Path) -> dict[str, list[tuple[int, int, int]]]:
        """Writes the files into the copy; says where in them each fault is."""
        places = {}
        for name, file in self.files.items():
            text, places[name] = file.switched(self.refused)
            if name == "src/lib.rs":
                raise ValueError("the root of the library has faults")
            write(place / name, text)
        root = (place / "src/lib.rs").read_text()
        if SWITCH not in root:
            write(place / "src/lib.rs", (root + SWITCH).encode())
        return places

    def compile(self, place: Path, environment: dict[str, str], *command: str) -> list[dict]:
        """The programs of the tests, when no fault is left that the compiler refuses."""
        while True:
            places = self.write(place)
            built = subprocess.run(
                [*command, "--message-format=json"],
                cwd=place,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                check=False,
            )
            messages = [json.loads(line) for line in built.stdout.splitlines() if line[:1] == b"{"]
            if built.returncode == 0:
                return [one for one in messages if one.get("executable")]
            refused = set()
            for message in (
                one["message"] for one in messages if one["reason"] == "compiler-message"
            ):
                if message["level"] == "error":
                    refused |= self.blamed(message, places)
            if not refused:
                errors = [m["message"]["rendered"] for m in messages if "message" in m]
                raise RuntimeError("\n".join(errors[:20]))
            print(f"note: {len(refused)} faults do not compile", flush=True)
            self.refused |= refused

    @staticmethod
    def blamed(message: dict, places: dict[str, list[tuple[int, int, int]]]) -> set[int]:
        for wanted in (True, False):
            blamed = {
                number
                for span in message["spans"]
                if span["is_primary"] is wanted
                for number, first, last in places.get(span["file_name"], ())
                if first <= span["line_start"] and span["line_end"] <= last
            }
            if blamed:
                return blamed
        return set()


def write(path: Path, text: bytes) -> None:
    """Leaves a file alone that is right already, for cargo's sake."""
    if path.read_bytes() != text:
        path.write_bytes(text)
