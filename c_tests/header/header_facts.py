"""What include/ft_local.h says: its functions, the fields of their comments, its numbers."""

import re

# The fields of a comment, in their order, and what a field that is left out stands for.
DEFAULTS = {
    "Ownership": "nothing changes hands.",
    "Threads": "any thread, at once.",
    "Blocks": "no.",
    "Calls host": "no.",
    "Errors": "none.",
    "Since": "0.1.",
}
THREADS = (
    "any thread, at once",
    "any thread, one at a time",
    "when nobody else uses the handle",
)
BLOCKS = re.compile(r"no\.|briefly[.:]|yes, ")
HOST = r"(?:retain|release|source|block|interrupted|visitor|wake|free_ctx)"
CALLS = re.compile(rf"no\.|{HOST}(, {HOST})*[.:]")
FIELD = re.compile("(" + "|".join(DEFAULTS) + r"): *(.*)")
# A declaration begins a line, a parameter list that goes on is indented; the name may stand on the
# line after FT_LOCAL_MUST_USE.
DECLARATION = re.compile(r"^(?!typedef|static inline|#|//|\s)[^(]*?\b(ft_local_\w+)\s*\(")


def functions(header):
    """The declared functions, and the comment of each: its lines without the slashes."""
    found, comment = {}, []
    for line in header.splitlines():
        if line.startswith("//"):
            comment.append(line[2:].strip())
        elif declared := DECLARATION.match(line):
            found[declared[1]] = comment
            comment = []
        elif line.strip() != "FT_LOCAL_MUST_USE":
            comment = []
    return found


def version(header):
    """The version of the library, three numbers, and that of its ABI."""
    numbers = dict(re.findall(r"^#define FT_LOCAL_(\w+) (\d+)$", header, re.MULTILINE))
    parts = tuple(int(numbers[f"VERSION_{part}"]) for part in ("MAJOR", "MINOR", "PATCH"))
    return parts, int(numbers["ABI_VERSION"])


def complaints(comment, latest):
    """What is wrong with one function's comment."""
    fields = [(i, m[1], m[2]) for i, line in enumerate(comment) if (m := FIELD.match(line))]
    names = [name for _, name, _ in fields]
    if names != [name for name in DEFAULTS if name in names]:
        yield f"has the fields {names}, which are not in the order of {list(DEFAULTS)}, or twice"
        return
    if not any(comment[: fields[0][0] if fields else None]):
        yield "does not begin with what the function does"
    for line, name, text in fields:
        if not text:
            yield f"says nothing after {name}:"
        # A default to which something is added goes on in the next line.
        goes_on = line + 1 < len(comment) and not FIELD.match(comment[line + 1])
        if text == DEFAULTS[name] and not goes_on:
            yield f"repeats the default of {name}"
    values = DEFAULTS | {name: text for _, name, text in fields}
    if not values["Threads"].startswith(THREADS):
        yield f"says Threads: {values['Threads']!r}, which begins with none of {THREADS}"
    # A test of the library reads these two and compares them with what it sees.
    if not BLOCKS.match(values["Blocks"]):
        yield f"says Blocks: {values['Blocks']!r}, which is not one of no, briefly and yes"
    if not CALLS.match(values["Calls host"]):
        yield f"says Calls host: {values['Calls host']!r}, which does not begin with what it calls"
    since = re.fullmatch(r"(\d+)\.(\d+)\.", values["Since"])
    if not since or (int(since[1]), int(since[2])) > latest:
        yield f"says Since: {values['Since']!r}, which is no version up to this one"
