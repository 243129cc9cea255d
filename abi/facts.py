"""What a compiled program depends on in a C header: functions, constants, and how structs lie.

The names come from a C parser, all numbers from the C compiler, which compiles and runs one file
that includes the header.
"""

import re
import subprocess
import tempfile
from pathlib import Path

from pycparser import CParser, c_ast

# Macros that are not part of the binary interface: guards, attributes, the version of a release.
IGNORED = re.compile(r"FT_LOCAL_(H|H_INLINE|MUST_USE|NO_INLINE|VERSION_\w+)")
STANDARD = "".join(
    f"typedef {known} {name};\n"
    for name, known in {
        "size_t": "unsigned long",
        "int32_t": "int",
        "uint32_t": "unsigned int",
        "int64_t": "long",
        "uint64_t": "unsigned long",
        "uintptr_t": "unsigned long",
    }.items()
)


def facts(header, cc="cc"):
    """The facts of a header: a dict from names, such as `struct ft_local_host`."""
    text = Path(header).read_text()
    tree = CParser().parse(STANDARD + _preprocess(text, cc))
    found, asked = {}, []
    for node in tree.ext:
        if isinstance(node, c_ast.Typedef):
            _typedef(node, found, asked)
        elif isinstance(node, c_ast.Decl) and isinstance(node.type, c_ast.FuncDecl):
            found[f"function {node.name}"] = _type(node.type)
    for name, value in re.findall(r"^#define (FT_LOCAL_\w+)(.*)$", text, re.MULTILINE):
        if name.endswith("_INIT"):
            struct = name.removesuffix("_INIT").lower()
            asked.append(
                (f"initializer {name}", "%s", f'BEYOND_SIZE({struct}, {name}) ? "other" : "zero"')
            )
        elif value and not IGNORED.fullmatch(name):
            asked.append((f"constant {name}", "%lld", f"(long long){name}"))
    return found | _measure(Path(header), asked, cc)


def _typedef(node, found, asked):
    name, type_ = node.name, node.type
    inner = getattr(type_, "type", None)
    if isinstance(inner, c_ast.Struct) and inner.decls is None:
        found[f"type {name}"] = "opaque"
    elif isinstance(inner, c_ast.Struct):
        kind = "grows" if inner.decls[0].name == "struct_size" else "fixed"
        asked.append(
            (f"struct {name}", f"{kind} align %zu size %zu", f"ALIGN({name}), sizeof({name})")
        )
        for field in inner.decls:
            asked.append(
                (
                    f"field {name}.{field.name}",
                    f"offset %zu size %zu {_type(field.type)}",
                    f"offsetof({name}, {field.name}), sizeof((({name} *)0)->{field.name})",
                )
            )
    elif isinstance(inner, c_ast.Enum):
        asked.append((f"type {name}", "enum size %zu", f"sizeof({name})"))
        asked += [
            (f"constant {e.name}", "%lld", f"(long long){e.name}") for e in inner.values.enumerators
        ]
    elif name.startswith("ft_local_"):
        found[f"type {name}"] = _type(type_)


def _type(node):
    """A type as text, without the names of parameters."""
    if isinstance(node, c_ast.PtrDecl):
        return (
            f"pointer to {_type(node.type)}"
            if not node.quals
            else f"{node.quals[0]} pointer to {_type(node.type)}"
        )
    if isinstance(node, c_ast.FuncDecl):
        arguments = ", ".join(_type(p.type) for p in node.args.params) if node.args else "unknown"
        return f"function({arguments}) returning {_type(node.type)}"
    if isinstance(node, c_ast.TypeDecl):
        return " ".join([*node.quals, _type(node.type)])
    if isinstance(node, (c_ast.Struct, c_ast.Enum)):
        return node.name
    if isinstance(node, c_ast.IdentifierType):
        return " ".join(node.names)
    raise TypeError(f"the header has a type that this script does not know: {node}")


def _preprocess(text, cc):
    """The declarations alone: as for a compiler without attributes, and without the system's."""
    text = re.sub(r"^#include.*", "", text, flags=re.MULTILINE)
    command = [cc, "-E", "-P", "-U__GNUC__", "-DFT_LOCAL_NO_INLINE", "-x", "c", "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def _measure(header, asked, cc):
    lines = "".join(
        f'    printf("{what}\\t{form}\\n", {values});\n' for what, form, values in asked
    )
    program = f"""#include "{header.resolve()}"
#include <stdio.h>
#include <string.h>
#define ALIGN(type) offsetof(struct {{ char c; type t; }}, t)
static int beyond_size(const unsigned char *given, size_t size) {{
    for (size_t i = sizeof(size_t); i < size; i++)
        if (given[i] != 0) return 1;
    return memcmp(given, &size, sizeof size) != 0;
}}
#define BEYOND_SIZE(type, init) beyond_size((unsigned char *)&(type)init, sizeof(type))
int main(void) {{
{lines}    return 0;
}}
"""
    with tempfile.TemporaryDirectory() as folder:
        source, binary = Path(folder, "facts.c"), Path(folder, "facts")
        source.write_text(program)
        command = [cc, "-std=c11", "-DFT_LOCAL_NO_INLINE", source, "-o", binary]
        subprocess.run(command, check=True)
        out = subprocess.run([binary], capture_output=True, text=True, check=True).stdout
    return dict(line.split("\t") for line in out.splitlines())
