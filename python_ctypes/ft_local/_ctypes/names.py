"""The names for which LocalWrapper has an answer of its own."""

from __future__ import annotations

import inspect
from typing import Any

# What is asked of the wrapper by name and is its own.
OWN = frozenset(
    {"wrapped", "__copy__", "__deepcopy__", "__mro_entries__", "__reduce__", "__reduce_ex__"}
)

# What numpy knows by its type.
WITHOUT_ARRAY = frozenset({int, float, bool, complex, str, bytes})

# What every class has and no object keeps for itself.
OF_CLASSES = frozenset(
    {
        "__abstractmethods__",
        "__annotate__",
        "__annotate_func__",
        "__annotations__",
        "__annotations_cache__",
        "__dict__",
        "__doc__",
        "__firstlineno__",
        "__module__",
        "__orig_bases__",
        "__parameters__",
        "__qualname__",
        "__slots__",
        "__static_attributes__",
        "__type_params__",
        "__weakref__",
        "_abc_impl",
    }
)


def signature(bare: Any) -> Any:
    """`bare.__signature__`, as `inspect.signature` asks for it before it looks at the type."""
    try:
        return bare.__signature__
    except AttributeError:
        if not isinstance(bare, type) and (
            type(bare).__module__ == "builtins" or not callable(bare)
        ):
            raise
    try:
        return inspect.signature(bare)
    except (TypeError, ValueError):
        raise AttributeError("__signature__") from None
