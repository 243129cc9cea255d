"""Probes of the operators, made of tables: each operator, each form, each place of the wrapper."""

from __future__ import annotations

BINARY = ("+", "-", "*", "/", "//", "%", "**", "<<", ">>", "&", "|", "^")
FLOAT = ("+", "-", "*", "/", "//", "%", "**")
SETS = ("-", "&", "|", "^")
COMPARISON = ("==", "!=", "<", "<=", ">", ">=")

# Operators, and operands that they are for.
TABLE = (
    (BINARY, "14", "3"),
    (FLOAT, "2.5", "2"),
    (("+", "-", "*", "/", "**"), "2j", "3"),
    (("+", "-", "*", "/", "%"), "Fraction(1, 2)", "3"),
    (SETS, "{1, 2}", "{2, 3}"),
    (("*",), "[1, 2]", "2"),
    (("*",), "3", "'ab'"),
    (("+",), "[1]", "[2]"),
    (("+",), "'a'", "'b'"),
    (("+",), "(1,)", "(2,)"),
    (("|",), "{1: 2}", "{3: 4}"),
    (("%",), "'%s'", "5"),
    (("@", "+", "**"), "Vector(1)", "3"),
    (("@", "+", "**"), "3", "Vector(1)"),
    (("@", "+", "**"), "Vector(1)", "Vector(2)"),
    (("-", "+"), "date(2024, 1, 2)", "timedelta(1)"),
    (("+", "-", "/"), "5", "'a'"),
    (("|", "&"), "Flag.A", "Flag.B"),
    (("/",), "Path('a')", "'b'"),
    (("|",), "int", "str"),
)

UNARY = ("-x", "+x", "~x", "abs(x)", "not x")
UNARY_OPERANDS = ("5", "-2.5", "True", "Vector(1)", "'a'")

TERNARY = ("2", "10", "7")
COMPARED = (
    ("3", "4"),
    ("'a'", "'a'"),
    ("[1]", "[2]"),
    ("{1}", "{1, 2}"),
    ("5", "'a'"),
    ("Point(1)", "Point(2)"),
    ("Vector(1)", "3"),
    ("float('nan')", "float('nan')"),
)


def _binary():
    for operators, left, right in TABLE:
        for operator in operators:
            yield f"W({left}) {operator} {right}"
            yield f"{left} {operator} W({right})"
            yield f"W({left}) {operator} W({right})"


def _in_place():
    for operators, left, right in TABLE:
        for operator in operators:
            yield f"x = y = W({left}); x {operator}= {right}; (bare(x), bare(y))"
        yield f"x = y = W({left}); x {operators[0]}= W({right}); (bare(x), bare(y))"


def _others():
    for operand in UNARY_OPERANDS:
        for expression in UNARY:
            yield f"x = W({operand}); {expression}"
    for wrapped in range(1, 8):
        operands = [f"W({o})" if wrapped >> i & 1 else o for i, o in enumerate(TERNARY)]
        yield f"pow({', '.join(operands)})"
    for left, right in (("W(7)", "2"), ("7", "W(2)"), ("W(7)", "W(2)"), ("W(7.5)", "2")):
        yield f"divmod({left}, {right})"
    yield "pow(2, 3, W(Vector(1)))"
    yield "pow(W(Vector(1)), 3, 5)"
    yield "x = W(2); x **= W(3); bare(x)"
    for left, right in COMPARED:
        for operator in COMPARISON:
            yield f"(W({left}) {operator} {right}, {left} {operator} W({right}))"


def probes():
    yield from _binary()
    yield from _in_place()
    yield from _others()
