"""Reads FPCores and evaluates them with 40 digits: what the exporter's tests need."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import mpmath

Cores = dict[str, tuple[list[str], Any]]

OPERATIONS: dict[str, Any] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b=None: -a if b is None else a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    "==": lambda a, b: a == b,
    "and": lambda *parts: all(parts),
    "fmin": min,
    "fmod": lambda a, b: a % b,
    **{name: getattr(mpmath, name) for name in ("acos", "cos", "exp", "floor", "sin")},
    "sqrt": mpmath.sqrt,
}


def read_cores(text: str) -> Cores:
    """Every FPCore of a file by name: its arguments and its body."""
    plain = re.sub(";.*", "", text)
    tokens = re.findall(r'"[^"]*"|[()]|[^\s()]+', plain)
    found, place = {}, 0
    while place < len(tokens):
        core, place = _tree(tokens, place)
        assert core[0] == "FPCore"
        found[core[1]] = (core[2], core[-1])
    return found


def _tree(tokens: list[str], place: int) -> tuple[Any, int]:
    if tokens[place] != "(":
        return tokens[place], place + 1
    parts, place = [], place + 1
    while tokens[place] != ")":
        part, place = _tree(tokens, place)
        parts.append(part)
    return parts, place + 1


def evaluated(cores: Cores, name: str, given: Mapping[str, float]) -> float:
    """The value of a core at a point."""
    arguments, body = cores[name]
    assert list(given) == arguments
    with mpmath.workdps(40):
        return float(_value(cores, body, {n: mpmath.mpf(v) for n, v in given.items()}))


def _value(cores: Cores, tree: Any, known: Mapping[str, Any]) -> Any:
    if isinstance(tree, str):
        if tree in known:
            return known[tree]
        above, _, below = tree.partition("/")
        return mpmath.pi() if tree == "PI" else mpmath.mpf(above) / int(below or 1)
    operator, *parts = tree
    if operator == "if":
        test, then, otherwise = parts
        chosen = then if _value(cores, test, known) else otherwise
        return _value(cores, chosen, known)
    if operator == "let*":
        for name, part in parts[0]:
            known = {**known, name: _value(cores, part, known)}
        return _value(cores, parts[1], known)
    values = [_value(cores, part, known) for part in parts]
    if operator in cores:
        arguments, body = cores[operator]
        return _value(cores, body, dict(zip(arguments, values, strict=True)))
    return OPERATIONS[operator](*values)
