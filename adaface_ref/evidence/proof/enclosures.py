"""Expressions of the spec over boxes: every function encloses its range."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from flint import arb, ctx
from sympy import Expr, oo

from adaface_ref.compiler import compile_tree
from adaface_ref.evidence.problem.pointwise import ball_of, keep_precision
from adaface_ref.evidence.proof import spans
from adaface_ref.evidence.proof.spans import Span

BOXES: Mapping[str, Any] = {
    "sin_cos": spans.sine_and_cosine,
    "sqrt": spans.root,
    "exp": spans.exponential,
    "log": spans.logarithm,
    "Abs": spans.absolute,
    "sign": spans.sign_of,
    "logistic": spans.logistic,
    "complement": spans.complement,
    "log_logistic": spans.log_logistic,
    "angle_of": spans.arc_cosine,
    "acos": spans.arc_cosine,
    "integer": cache(spans.exactly),
    "rational": cache(lambda p, q: spans.exactly(Fraction(p, q))),
    "ball": lambda x: x,
    "pi": lambda: spans.PI,
}

OverBoxes = Callable[..., Span]


@cache
def compile_over_boxes(value: Expr, names: tuple[str, ...]) -> OverBoxes:
    """Compiles an expression to a function of spans.

    Args:
        value: an expression in the angle.
        names: its inputs, in order.

    Returns:
        A function of one span each.

    Raises:
        TypeError: for a node that is unknown, such as a cube root.
    """
    compiled = compile_tree([value], names, BOXES)

    def enclose(*inputs: Span) -> Span:
        with np.errstate(all="ignore"):
            done: Span = compiled(*inputs)[0]
            return done

    return enclose


@cache
def float_below(value: Expr) -> float:
    """A float that is not above an end of an interval: the end itself if it is one.

    Args:
        value: an exact number, perhaps infinite.

    Returns:
        A float; -inf for numbers below all of them.
    """
    if value.is_infinite:
        return math.inf if value is oo else -math.inf
    with keep_precision():
        ctx.prec = BITS
        ball = ball_of(value)
        near = min(float(ball.mid()), spans.MOST)
        while not arb(near) <= ball:
            near = math.nextafter(near, -math.inf)
        return near


BITS = 2_000
"""Of the balls around ends: a decimal of 100 digits times ten to the 400."""


def ends_of(side: Any) -> tuple[float, float]:
    """The floats around an interval with exact ends.

    Args:
        side: with a low and a high end, which may be infinite.

    Returns:
        The last float not above it, and the first not below.
    """
    return float_below(side.low), -float_below(-side.high)


def range_over(value: Expr, sides: Sequence[Any]) -> Span:
    """An enclosure of an expression over a box.

    Args:
        value: an expression in the angle.
        sides: the box: each with a name, a low and a high end.

    Returns:
        A span; the whole line where the expression is unknown.
    """
    try:
        compiled = compile_over_boxes(value, tuple(side.name for side in sides))
    except TypeError:
        return Span(-math.inf, math.inf)
    return compiled(*(Span(*ends_of(side)) for side in sides))
