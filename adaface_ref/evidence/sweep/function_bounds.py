"""Error bounds of the functions that the spec uses."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sympy import Abs, cos, exp, log, sign, sin

from adaface_ref.evidence.sweep.error_nodes import (
    LIBRARY,
    SECOND_ORDER,
    SMALL,
    UNIT,
    Node,
    widen,
)
from adaface_ref.evidence.sweep.writer import Writer
from adaface_ref.spec.symbols import log_logistic, logistic


def square_root(writer: Writer, a: Node) -> Node:
    low, high = widen(math.sqrt(max(a.low, 0.0)), math.sqrt(max(a.high, 0.0)))
    low, value = max(low, 0.0), writer.assign(f"{a.value}.sqrt()")
    if a.is_relative:
        factor = a.factor / 2 * (1 + a.factor) + UNIT
        tiny, most = math.sqrt(a.tiny) / 2, math.sqrt(a.most) * 2
        return Node(value, factor, low, high, tiny, most)
    above = f"{writer.size(a)} * {a.factor!r} < {SMALL!r} * {a.value}"
    size = writer.guard_size(above, f"{writer.size(a)} / {value}")
    tiny = math.sqrt(a.tiny) / 2
    return Node(value, a.factor + UNIT, low, high, tiny, math.inf, size)


def _exponential(
    writer: Writer, name: str, at: Callable[[float], float], a: Node
) -> Node:
    """What changes by a factor of at most e^d for a step of d."""
    low, high = widen(at(a.low), at(a.high))
    tiny, most = min(max(low, -high, 0.0), 1.0), max(abs(low), abs(high))
    value = f"{name}({a.value})"
    step = a.factor * a.most
    if a.is_finite and step < 2.0**-30:
        factor = step * SECOND_ORDER * (1 + LIBRARY) + LIBRARY
        return writer.make_node(value, factor, low, high, tiny, most)
    value = writer.assign(value)
    size = writer.guard_size(
        f"{writer.size(a)} * {a.factor!r} < {SMALL!r}",
        f"{value}.abs() * (1 + {writer.size(a)})",
    )
    factor = a.factor * SECOND_ORDER * (1 + LIBRARY) + LIBRARY
    node = Node(value, factor, low, high, tiny, math.inf, size)
    return writer.lift_size(node)


def _logarithm(writer: Writer, a: Node) -> Node:
    low, high = widen(_log_at(a.low), _log_at(a.high), 1.0)
    value = writer.assign(f"{a.value}.log()")
    factor = a.factor * SECOND_ORDER + LIBRARY
    ratio = "1"
    if not a.is_relative:
        quotient = writer.assign_size(f"{writer.size(a)} / {a.value}")
        small = f"({quotient} > 0) & ({quotient} * {a.factor!r} < {SMALL!r})"
        ratio = writer.guard_size(small, quotient)
    size = writer.assign_size(f"{value}.abs() + {ratio}")
    most = max(abs(low), abs(high)) + 1 if a.is_relative else math.inf
    return Node(value, factor, low, high, 0.5, most, size)


def _sine(writer: Writer, a: Node) -> Node:
    value, factor = writer.assign(f"{a.value}.sin()"), a.factor + LIBRARY
    size = writer.assign_size(writer.size(a))
    return Node(value, factor, -1.01, 1.01, a.tiny, a.most, size)


def _cosine(writer: Writer, a: Node) -> Node:
    value, factor = writer.assign(f"{a.value}.cos()"), a.factor + LIBRARY
    size = writer.assign_size(f"1 + {writer.size(a)}")
    return Node(value, factor, -1.01, 1.01, 1.0, a.most + 1, size)


def _absolute(writer: Writer, a: Node) -> Node:
    if a.low >= 0:
        return a
    value = writer.absolute(a)
    return replace(a, value=value, low=a.least, high=max(-a.low, a.high))


def _sign_of(writer: Writer, a: Node) -> Node:
    value = writer.assign(f"{a.value}.sign()")
    apart = f"{writer.absolute(a)} > {writer.error(a)}"
    size = writer.guard_size(apart, f"{value}.abs()")
    return Node(value, UNIT, -1.0, 1.0, 1.0, math.inf, size)


def _exp_at(x: float) -> float:
    return math.exp(x) if x < 709 else math.inf


def _logistic_at(x: float) -> float:
    return 1 / (1 + _exp_at(-x))


def _log_logistic_at(x: float) -> float:
    return x - math.log1p(math.exp(x)) if x < 0 else -math.log1p(math.exp(-x))


def _log_at(x: float) -> float:
    return math.log(x) if x > 0 else -math.inf


FUNCTIONS: dict[Any, Callable[[Writer, Node], Node]] = {
    exp: lambda writer, a: _exponential(writer, "exp", _exp_at, a),
    logistic: lambda writer, a: _exponential(writer, "sigmoid", _logistic_at, a),
    log_logistic: lambda writer, a: _exponential(
        writer, "logsigmoid", _log_logistic_at, a
    ),
    log: _logarithm,
    sin: _sine,
    cos: _cosine,
    Abs: _absolute,
    sign: _sign_of,
}
"""The node of a function's value, by the function."""
