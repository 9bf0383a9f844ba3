"""Expressions over intervals of mpmath: the second engine.

Nothing is shared with the spans of the proof, nor with the compiler: it walks the tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager
from typing import Any

from mpmath import iv, mp
from sympy import (
    Abs,
    Add,
    E,
    Expr,
    Integer,
    Mul,
    Pow,
    Rational,
    acos,
    cos,
    exp,
    log,
    oo,
    pi,
    preorder_traversal,
    sign,
    sin,
)

from adaface_ref.spec.symbols import log_logistic, logistic

BITS = 80
"""Of the intervals."""

Interval = Any
"""What mpmath's `iv` computes with."""

Known = dict[Expr, Interval]
"""What is known of expressions: the inputs, and what has been worked out."""


class Unknown(Exception):  # noqa: N818
    """A node that the engine does not know."""


@contextmanager
def precision() -> Any:
    """Computes with BITS, and gives mpmath's own precision back."""
    before = iv.prec, mp.prec
    try:
        iv.prec, mp.prec = BITS, BITS + 20
        yield
    finally:
        iv.prec, mp.prec = before


def end_of(value: Expr) -> Interval:
    """An interval around one end of a box's side, which may be infinite."""
    if value.is_infinite:
        return iv.mpf("inf" if value is oo else "-inf")
    return enclose(value, {})


def point(value: float) -> Interval:
    """The interval of one float."""
    return iv.mpf(value)


def hull_of(low: Interval, high: Interval) -> Interval:
    """The interval from the lower end of one to the upper end of another."""
    return iv.mpf([low.a, high.b])


def constants_of(values: Iterable[Expr]) -> Known:
    """Every number that stands in expressions, worked out once."""
    known: Known = {}
    for value in values:
        for node in preorder_traversal(value):
            if isinstance(node, Expr) and node.is_number:
                try:
                    enclose(node, known)
                except _NO_VALUE:
                    continue
    return known


_NO_VALUE = (ZeroDivisionError, ValueError, OverflowError, mp.NoConvergence)


def is_certain(value: Expr, strict: bool, known: Known) -> bool:
    """Whether an expression is positive, or not negative, on all of a box.

    Args:
        value: an expression.
        strict: whether it must be positive.
        known: an interval for each of its inputs; what is worked out is added.

    Returns:
        False too where it may have no value.

    Raises:
        Unknown: for a node that the engine does not know.
    """
    try:
        least = enclose(value, known).a
    except _NO_VALUE:
        return False
    return bool(least > 0 or (not strict and least >= 0))


def enclose(node: Expr, known: Known) -> Interval:
    """An interval around an expression's values.

    Args:
        node: an expression.
        known: as for `is_certain`.

    Returns:
        The interval.

    Raises:
        Unknown: as `is_certain` does.
        ValueError: for a logarithm or root of what may be negative.
    """
    if node not in known:
        known[node] = _compute(node, known)
    return known[node]


def _compute(node: Expr, known: Known) -> Interval:
    if isinstance(node, Rational):
        return iv.mpf(int(node.p)) / int(node.q)
    if node is pi or node is E:
        return +(iv.pi if node is pi else iv.e)
    parts = [enclose(part, known) for part in node.args]
    if isinstance(node, Add):
        return sum(parts[1:], parts[0])
    if isinstance(node, Mul):
        done = parts[0]
        for part in parts[1:]:
            done = done * part
        return done
    if isinstance(node, Pow):
        return _power(parts[0], node.exp)
    if type(node) not in _FUNCTIONS:
        raise Unknown(f"{type(node).__name__} is unknown to the checker")
    return _FUNCTIONS[type(node)](parts[0])


def _power(base: Interval, exponent: Expr) -> Interval:
    twice = 2 * exponent
    if not isinstance(twice, Integer):
        raise Unknown(f"the power {exponent} is unknown to the checker")
    whole = isinstance(exponent, Integer)
    power = (base if whole else iv.sqrt(base)) ** abs(int(exponent if whole else twice))
    return power if twice > 0 else 1 / power


def _acos(x: Interval) -> Interval:
    """By guesses of either end, pushed outwards until the cosine confirms them."""
    if not (x.a >= -1 and x.b <= 1):
        raise ValueError("the arc cosine of no cosine")
    return iv.mpf([_acos_end(x.b, -1), _acos_end(x.a, 1)])


def _acos_end(cosine: Interval, way: int) -> Any:
    value = mp.mpf(cosine._mpi_[0])
    end = mp.acos(value) + way * mp.ldexp(1, 10 - BITS)
    if end <= 0 or end >= mp.pi:
        return iv.mpf(0).a if way < 0 else iv.pi.b
    there = iv.cos(iv.mpf(end))
    if not (there.a >= value if way < 0 else there.b <= value):
        raise ValueError("an angle could not be enclosed")
    return end


def _sign(x: Interval) -> Interval:
    if x.a > 0:
        return iv.mpf(1)
    return iv.mpf(-1) if x.b < 0 else iv.mpf([-1, 1])


LARGEST = 2**20
"""Exponentials of more, and waves of more turns, take mpmath for ever."""


def _exp(x: Interval) -> Interval:
    low, high = (max(min(end, LARGEST), -LARGEST) for end in (x.a, x.b))
    least = iv.exp(low).a if x.a >= -LARGEST else 0
    return iv.mpf([least, iv.exp(high).b if x.b <= LARGEST else "inf"])


def _wave(function: Callable[[Interval], Interval]) -> Callable[[Interval], Interval]:
    def enclose_wave(x: Interval) -> Interval:
        near = x.a >= -LARGEST and x.b <= LARGEST
        return function(x) if near else iv.mpf([-1, 1])

    return enclose_wave


_FUNCTIONS: Mapping[Any, Callable[[Interval], Interval]] = {
    sin: _wave(iv.sin),
    cos: _wave(iv.cos),
    exp: _exp,
    log: iv.log,
    acos: _acos,
    Abs: abs,
    sign: _sign,
    logistic: lambda x: 1 / (1 + _exp(-x)),
    log_logistic: lambda x: -iv.log(1 + _exp(-x)),
}
