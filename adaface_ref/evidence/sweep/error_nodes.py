"""Values with a size and an error: the nodes of a program with an error bound."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from flint import arb, ctx, fmpq
from sympy import Expr

from adaface_ref.compiler import compile_tree
from adaface_ref.evidence.truth.evaluate import BALLS
from adaface_ref.evidence.truth.oracle import PRECISIONS

UNIT = 2.0**-53
"""Half a unit in the last place of float64, relative."""

LIBRARY_ULPS = 4
"""What exp, log, sin, cos, atan2, sigmoid and logsigmoid are taken to be good to.

Sleef and MKL promise 1 ULP each on CPU, CUDA's manual at most 2; sigmoid and logsigmoid
add an addition and a division to that. tests/evidence/test_sweep.py holds them to it.
"""

LIBRARY = LIBRARY_ULPS * 2 * UNIT

SLACK = 1 + 2.0**-20
"""Pays for the roundings of sizes and factors, fewer than 2^20 of 2^-53 each."""

SMALL = 2.0**-10
"""What a relative error must stay below for the bounds of `/`, sqrt, exp and log."""

SECOND_ORDER = 1 + 2.0**-9
"""e^d - 1, d/(1 - d) and -ln(1 - d) are at most this times d for d <= SMALL."""

FLOOR = 2.0**-900
"""No size other than 0 is left below: an underflow is an error of at most 2^-1022."""

COARSE = "coarse"
"""Stands for the size of a node whose size is not computed."""

WIDER = 2.0**-40
"""By how much of its ends a range is widened, for the rounding of the ends."""


class Inputs(NamedTuple):
    """The cosines that are tried: floats of a narrower dtype strictly between +-1.

    Args:
        low: the least.
        high: the greatest.
        tiny: none but 0 is smaller in absolute value.
    """

    low: float
    high: float
    tiny: float


@dataclass(frozen=True)
class Node:
    """A value, its size, its error, and where both lie before anything is computed.

    Args:
        value: its name in the code, or a number.
        factor: k.
        low: the least that is computed.
        high: the greatest; an infinite end says that it may overflow.
        tiny: a size other than 0 is at least this.
        most: no size exceeds it.
        size: M's name in the code, or empty where it is |value|.
        number: the value, where it is the same at every cosine.
    """

    value: str
    factor: float
    low: float
    high: float
    tiny: float
    most: float
    size: str = ""
    number: float | None = None

    @property
    def is_relative(self) -> bool:
        return not self.size

    @property
    def is_finite(self) -> bool:
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def least(self) -> float:
        """The least absolute value."""
        return max(self.low, -self.high, 0.0)


def number_node(value: float, factor: float) -> Node:
    size = abs(value)
    return Node(repr(value), factor, value, value, size, size, number=value)


def constant_node(tree: Expr) -> Node:
    """A tree without the cosine, to full accuracy; NaN if it may be 0."""
    ball = constant_ball(tree)
    value = float(ball)
    if ball == value:  # both exact
        return number_node(value, 0.0)
    known = ball.rel_accuracy_bits() >= 60 and FLOOR < abs(value) < 1 / FLOOR
    return number_node(value if known else math.nan, UNIT * (1 + 2.0**-6))


_EXACT = {**BALLS, "rational": lambda p, q: arb(fmpq(p, q))}
"""Functions of balls take no fractions: arb.sin_cos(fmpq(2, 5)) is [+/- 1.01]."""


def constant_ball(tree: Expr, bits: int = 60) -> arb:
    """A tree without inputs as a ball.

    Args:
        tree: an exact number.
        bits: the relative accuracy to reach if it can be reached.

    Returns:
        An enclosure.
    """
    compiled = compile_tree((tree,), (), _EXACT)
    before = ctx.prec
    try:
        for precision in PRECISIONS:
            ctx.prec = precision
            ball = arb(compiled()[0])
            if ball.rel_accuracy_bits() >= bits:
                break
        return ball
    finally:
        ctx.prec = before


def widen(low: float, high: float, by: float = 0.0) -> tuple[float, float]:
    """The range of a result; `by` is the size of what was added up."""
    if math.isnan(low) or math.isnan(high):
        return -math.inf, math.inf
    return low - WIDER * (by or abs(low)), high + WIDER * (by or abs(high))


def corners(a: Node, b: Node) -> tuple[float, float]:
    products = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
    if any(map(math.isnan, products)):
        return -math.inf, math.inf
    return widen(min(products), max(products))
