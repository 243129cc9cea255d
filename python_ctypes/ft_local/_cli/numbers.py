"""Numbers as options of a command."""

import argparse
import math
from collections.abc import Callable


def number(
    kind: type[int] | type[float], least: float, most: float
) -> Callable[[str], int | float]:
    """A type of an option: a number between `least` and `most`."""

    def parse(text: str) -> int | float:
        try:
            number = kind(text)
        except ValueError:
            number = kind(-1)
        if not (math.isfinite(number) and least <= number <= most):
            noun = "a whole number" if kind is int else "a number"
            raise argparse.ArgumentTypeError(
                f"must be {noun} between {least} and {most}, got {text!r}"
            )
        return number

    return parse
