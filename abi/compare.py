"""The rules: what may differ between two versions of the header with one ABI number."""

import re


def compare(old, new):
    """Two lists of sentences: what breaks compiled programs, and what is new and breaks none."""
    breaks, additions = [], []
    for what, was in old.items():
        if what not in new:
            breaks.append(f"{what} is gone; it was {was}")
        elif new[what] != was and not _has_grown(what, was, new[what]):
            breaks.append(f"{what} was {was}, and is {new[what]}")
        elif new[what] != was:
            additions.append(f"{what} has grown: it was {was}, and is {new[what]}")
    for what in new.keys() - old.keys():
        broken = _field_in_old_struct(what, old, new)
        (breaks if broken else additions).append(broken or f"{what} is new: {new[what]}")
    return sorted(breaks), sorted(additions)


def _has_grown(what, was, now):
    """A struct that begins with its own size may become larger."""
    was, was_size = was.split(" size ") if what.startswith("struct ") else (was, 0)
    now, now_size = now.split(" size ") if what.startswith("struct ") else (now, 0)
    return was == now and was.startswith("grows ") and int(now_size) > int(was_size)


def _field_in_old_struct(what, old, new):
    """What is wrong with a new field: it lies where old programs have another."""
    kind, _, name = what.partition(" ")
    struct = old.get(f"struct {name.partition('.')[0]}")
    if kind != "field" or struct is None:
        return None
    offset = int(re.match(r"offset (\d+)", new[what])[1])
    size = int(struct.split(" size ")[1])
    if struct.startswith("grows ") and offset >= size:
        return None
    return f"{what} is new and lies at {offset}, inside the {size} bytes that old programs have"
