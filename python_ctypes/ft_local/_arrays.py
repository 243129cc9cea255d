"""What numpy asks of LocalWrapper: its functions are called with what is in the wrappers.

numpy would make an array of a wrapper otherwise, which is one of objects for most. Both backends
use these functions.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any


def _is_wrapper(operand: object) -> bool:
    return any(base.__module__ == "ft_local" for base in type(operand).__mro__)


def _bare(operand: Any) -> Any:
    """What is in a wrapper, and in the wrappers in a list or a tuple."""
    while _is_wrapper(operand):
        operand = operand.wrapped
    if type(operand) is list or type(operand) is tuple:
        return type(operand)(map(_bare, operand))
    return operand


def _bare_all(
    args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return tuple(map(_bare, args)), {name: _bare(value) for name, value in kwargs.items()}


def ufunc(function: Any, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    args, kwargs = _bare_all(args, kwargs)
    return getattr(function, method)(*args, **kwargs)


def function(
    called: Callable[..., Any], _types: object, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    args, kwargs = _bare_all(args, kwargs)
    return called(*args, **kwargs)


def array_of(bare: object) -> Callable[..., Any]:
    """The `__array__` of a wrapper of a number or a text, which have none."""

    def array(dtype: Any = None, copy: Any = None) -> Any:  # noqa: ARG001 - a new one in any case
        numpy = importlib.import_module("numpy")
        return numpy.array(bare, dtype)

    return array
