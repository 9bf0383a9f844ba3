"""Expressions of the spec over wide boxes: every function encloses its range.

A ball of midpoint and radius loses the sign of exp or sin on a wide box, so monotone
functions are taken at the ends of the interval.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flint import arb
from sympy import Expr

from .claim import ball_of, sign_of_ball
from .evaluate import BALLS, compile_tree

_ONE, _ALL = arb(1), arb(0, 1)
_WIDE = arb(3)
"""A little less than pi: below it sine and cosine have one extremum at most."""


def _monotone(function: Callable[[arb], arb]) -> Callable[[arb], arb]:
    def enclosed(x: arb) -> arb:
        if x.is_exact():
            return function(x)
        return function(x.lower()).union(function(x.upper()))

    return enclosed


def _sin_cos(x: arb) -> tuple[arb, arb]:
    """Both, by the ends and the extremum between them."""
    if x.is_exact():
        return x.sin_cos()
    low, high = x.lower(), x.upper()
    if not high - low < _WIDE:
        return _ALL, _ALL
    sine0, cosine0 = low.sin_cos()
    sine1, cosine1 = high.sin_cos()
    # The sine turns where the cosine changes sign, the cosine where the sine does.
    return (
        _turned(sine0.union(sine1), cosine0, cosine1),
        _turned(cosine0.union(cosine1), -sine0, -sine1),
    )


def _turned(ends: arb, slope0: arb, slope1: arb) -> arb:
    """A wave's range over less than half a turn, from its ends and slopes there."""
    if slope0 > 0:
        return ends if slope1 > 0 else ends.union(_ONE)
    if slope0 < 0:
        return ends if slope1 < 0 else ends.union(-_ONE)
    return ends.union(_ALL)


def _absolute(x: arb) -> arb:
    if x >= 0:
        return x
    return -x if x <= 0 else arb(0).union(x.abs_upper())


BOXES: Mapping[str, Any] = {
    **BALLS,
    "sin_cos": _sin_cos,
    "exp": _monotone(arb.exp),
    "log": _monotone(arb.log),
    "sqrt": _monotone(arb.sqrt),
    "logistic": _monotone(lambda x: _ONE / (_ONE + (-x).exp())),
    "complement": _monotone(lambda x: _ONE / (_ONE + x.exp())),
    "log_logistic": _monotone(lambda x: -(-x).exp().log1p()),
    "acos": _monotone(arb.acos),
    "angle_of": _monotone(arb.acos),
    "Abs": _absolute,
    "sign": sign_of_ball,
}


def hull(low: Expr, high: Expr) -> arb:
    """The ball around an interval with exact ends, which may be infinite."""
    return end_of(low).union(end_of(high))


def end_of(value: Expr) -> arb:
    """A ball around one end of an interval."""
    if value.is_infinite:
        return arb.pos_inf() if value.is_positive else arb.neg_inf()
    return ball_of(value)


def range_over(value: Expr, sides: Sequence[Any]) -> arb:
    """An enclosure of an expression over a box.

    Args:
        value: an expression in the angle.
        sides: the box: each with a name, a low and a high end.

    Returns:
        A ball; not finite where the expression is not bounded.
    """
    compiled = compile_tree([value], [side.name for side in sides], BOXES)
    return arb(compiled(*(hull(side.low, side.high) for side in sides))[0])
