"""By what path a program reaches an object: `module.attribute['key'][0]`.

Nothing that is met on the way is asked for anything: the collector says what an object refers to,
and names come from the interpreter's own descriptors.
"""

import collections
import functools
import gc
import itertools
import sys
import types
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, TypeVar

from ._attributes import class_dictionary, own_dictionary, slots

_T = TypeVar("_T")

# The objects from a module to the one that was looked for.
Path = tuple[object, ...]

# How many objects the collector is asked about at a time, and how many are visited at most.
_CHUNK = 1000
_MOST_VISITED = 2_000_000

# Longer keys of a dictionary are cut.
_LONGEST_KEY = 40

# Not on the way to anything that a program would call by name.
_BORDERS: tuple[type, ...] = (types.FrameType, types.TracebackType)

# What the interpreter may keep as a constant.
PLAIN: tuple[type, ...] = (str, int, float, complex, bytes)

_name_of = type.__dict__["__qualname__"].__get__
_module_of = type.__dict__["__module__"].__get__


def find_paths(targets: dict[int, object]) -> dict[int, Path]:
    """A shortest path from a module to each target that one reaches, by the target's id."""
    wanted = set(targets)
    # They may be constants of a function, or keys of a dictionary.
    plain = any(type(obj) in (*PLAIN, tuple) for obj in targets.values())
    borders = _BORDERS if plain else (*_BORDERS, types.CodeType)
    # In what group of objects the one was that referred to it. Which one it was is asked later, of
    # the few that lie on a path, because every question stops all threads.
    group_of: dict[int, tuple[object, ...]] = {}
    level: list[object] = _roots()
    seen = {id(module) for module in level}
    kept = [level]
    while level and wanted and len(seen) < _MOST_VISITED:
        following: list[object] = []
        for at in range(0, len(level), _CHUNK):
            group = tuple(level[at : at + _CHUNK])
            for obj in referents(group) if plain else gc.get_referents(*group):
                if id(obj) not in seen and not issubclass(type(obj), borders):
                    seen.add(id(obj))
                    group_of[id(obj)] = group
                    wanted.discard(id(obj))
                    if not _is_ours(obj):
                        following.append(obj)
        kept.append(following)
        level = following
    found = {key: _backwards(obj, group_of) for key, obj in targets.items() if key in group_of}
    return {key: path for key, path in found.items() if path is not None}


def _roots() -> list[object]:
    """All modules but ours: the program's first, the standard library's last."""

    def order(name: str) -> int:
        top = name.partition(".")[0]
        return 0 if name == "__main__" else 2 if top in sys.stdlib_module_names else 1

    modules = [(str(name), module) for name, module in list(sys.modules.items())]
    modules.sort(key=lambda one: order(one[0]))
    return [
        module
        for name, module in modules
        if issubclass(type(module), types.ModuleType) and name.partition(".")[0] != "ft_local"
    ]


def _is_ours(obj: object) -> bool:
    module = _module_of(type(obj))
    return type(module) is str and module.startswith("ft_local._contention")


def _backwards(obj: object, group_of: dict[int, tuple[object, ...]]) -> Path | None:
    path = [obj]
    while (group := group_of.get(id(path[-1]))) is not None:
        parent = _referrer(path[-1], group)
        if parent is None:
            return None
        path.append(parent)
    return tuple(reversed(path))


def _referrer(obj: object, group: tuple[object, ...]) -> object:
    """The member of the group that refers to an object; None if none does any more."""
    while len(group) > 1:
        half = len(group) // 2
        found = any(one is obj for one in referents(group[:half]))
        group = group[:half] if found else group[half:]
    return group[0] if any(one is obj for one in referents(group)) else None


def referents(objects: Collection[object]) -> list[object]:
    """What the objects refer to: what the collector visits, and the keys of dictionaries.

    It visits no key of a dictionary whose keys are strings.
    """
    found = gc.get_referents(*objects)
    kinds = {kind for kind in set(map(type, objects)) if issubclass(kind, dict)}
    if kinds:
        for obj in objects:
            if type(obj) in kinds:
                found += _keys(obj)
    return found


def type_name(cls: type) -> str:
    """The name of a class, with its module if that is not builtins."""
    module = _module_of(cls)
    prefix = f"{module}." if type(module) is str and module != "builtins" else ""
    return f"{prefix}{_name_of(cls)}"


def path_text(path: Path) -> str:
    """A path as one would write it in Python, as far as that goes."""
    text = _module_name(path[0])
    for number, (holder, held) in enumerate(itertools.pairwise(path)):
        text += _step(holder, held, path[number - 1] if number else None)
    return text


def _module_name(module: object) -> str:
    name = (own_dictionary(module) or {}).get("__name__")
    return name if type(name) is str else "?"


def _step(holder: object, held: object, before: object) -> str:
    """What leads from an object to one that it refers to. `before` is what led to the first."""
    if isinstance_of(holder, dict):
        return _entry(holder, held, before)
    if type(before) is types.FunctionType and holder is before.__closure__:
        return _closure(before, held)
    for sequence in (list, tuple, collections.deque):
        if isinstance_of(holder, sequence):
            return _index(sequence, holder, held)
    if held is own_dictionary(holder) or (isinstance_of(holder, type) and type(held) is dict):
        return ""
    names = (name for name, content in _parts(holder) if content is held)
    return next(names, ".__class__" if held is type(holder) else f".<{type_name(type(held))}>")


def isinstance_of(obj: object, cls: type) -> bool:
    """isinstance() that runs no code of the program."""
    return issubclass(type(obj), cls)


def _entry(dictionary: Any, held: object, before: object) -> str:
    for key, value in _items(dictionary):
        if value is held:
            if type(key) is str and _is_namespace(dictionary, before):
                return f".{key}"
            return f"[{_key_text(key)}]"
        if key is held:
            return f".<key {_key_text(key)}>"
    return "[?]"


def _is_namespace(dictionary: object, holder: object) -> bool:
    if holder is None:
        return False
    return isinstance_of(holder, type) or own_dictionary(holder) is dictionary


def _items(dictionary: Any) -> list[tuple[Any, Any]]:
    return _list(lambda: dict.items(dictionary))


def _keys(dictionary: Any) -> list[Any]:
    return _list(lambda: dict.keys(dictionary))


def _list(view: Callable[[], Iterable[_T]]) -> list[_T]:
    for _ in range(3):
        try:
            return list(view())
        except RuntimeError:  # another thread has changed it
            continue
    return []


def _closure(function: types.FunctionType, cell: object) -> str:
    names = function.__code__.co_freevars
    for name, one in zip(names, function.__closure__ or (), strict=False):
        if one is cell:
            return f".<closure {name}>"
    return "[?]"


def _index(base: Any, sequence: object, held: object) -> str:
    try:
        for number, item in enumerate(base.__iter__(sequence)):
            if item is held:
                return f"[{number}]"
    except RuntimeError:  # another thread has changed it
        pass
    return "[?]"


def _key_text(key: object) -> str:
    if type(key) in (str, int, float, bool, bytes, type(None)):
        text = repr(key)
        return text if len(text) <= _LONGEST_KEY else f"{text[: _LONGEST_KEY - 3]}..."
    return _name_of(key) if isinstance_of(key, type) else f"<{type_name(type(key))}>"


# Attributes of the interpreter's own types that are parts of a path.
_ATTRIBUTES: dict[type, tuple[str, ...]] = {
    types.MethodType: ("__self__", "__func__"),
    types.BuiltinFunctionType: ("__self__",),
    functools.partial: ("func", "args", "keywords"),
    types.CodeType: ("co_consts",),
}


def _parts(holder: Any) -> Iterator[tuple[str, object]]:
    """Names and contents of what is not in a container."""
    kind = type(holder)
    if kind is types.FunctionType:
        yield from _parts_of_function(holder)
    elif kind is types.CellType:
        try:
            yield "", holder.cell_contents
        except ValueError:
            return
    elif kind in _ATTRIBUTES:
        for name in _ATTRIBUTES[kind]:
            yield f".{name}", getattr(holder, name)
    else:
        yield from _parts_of_class(holder) if isinstance_of(holder, type) else _attributes(holder)


def _parts_of_class(cls: type) -> Iterator[tuple[str, object]]:
    for name, content in class_dictionary(cls).items():
        yield f".{name}", content


def _attributes(holder: object) -> Iterator[tuple[str, object]]:
    for name, content in slots(holder):
        yield f".{name}", content
    for name, content in _items(own_dictionary(holder) or {}):
        yield f".{name}", content


def _parts_of_function(function: types.FunctionType) -> Iterable[tuple[str, object]]:
    yield "", function.__closure__
    yield ".__code__", function.__code__
    yield ".__defaults__", function.__defaults__
    yield ".__kwdefaults__", function.__kwdefaults__
    yield ".__globals__", function.__globals__
