"""Every function over boxes encloses its values: wide ones, points, half lines."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import example, given
from hypothesis import strategies as st
from sympy import Integer, Rational, acos, cos, exp, oo, pi, sin

from adaface_ref.evidence.problem.pointwise import keep_precision
from adaface_ref.evidence.proof import spans
from adaface_ref.evidence.proof.clauses import Side
from adaface_ref.evidence.proof.enclosures import (
    compile_over_boxes,
    ends_of,
    float_below,
    range_over,
)
from adaface_ref.evidence.proof.spans import Span
from adaface_ref.spec.symbols import angle, log_logistic, logistic, rival_cosine, scale

BITS = 200

Ball = Callable[..., Any]

UNARY: dict[str, tuple[Callable[[Span], Span], Ball]] = {
    "exp": (spans.exponential, arb.exp),
    "log": (spans.logarithm, arb.log),
    "sqrt": (spans.root, arb.sqrt),
    "acos": (spans.arc_cosine, arb.acos),
    "sin": (lambda x: spans.sine_and_cosine(x)[0], arb.sin),
    "cos": (lambda x: spans.sine_and_cosine(x)[1], arb.cos),
    "logistic": (spans.logistic, lambda x: 1 / (1 + (-x).exp())),
    "complement": (spans.complement, lambda x: 1 / (1 + x.exp())),
    "log_logistic": (spans.log_logistic, lambda x: -(-x).exp().log1p()),
    "abs": (spans.absolute, abs),
    "minus": (lambda x: -x, lambda x: -x),
    "one over": (lambda x: 1 / x, lambda x: 1 / x),
    "square": (lambda x: x * x, lambda x: x * x),
    "cube": (lambda x: x**3, lambda x: x**3),
    "sixth power": (lambda x: x**6, lambda x: x**6),
    "times 3": (lambda x: x * Span(3.0, 3.0), lambda x: 3 * x),
    "times -1/2": (lambda x: x * Span(-0.5, -0.5), lambda x: -x / 2),
    "over 3": (lambda x: x * spans.exactly(Fraction(1, 3)), lambda x: x / 3),
}
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "plus": lambda x, y: x + y,
    "minus": lambda x, y: x - y,
    "times": lambda x, y: x * y,
    "over": lambda x, y: x / y,
}

FLOATS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-4, 4),
    st.sampled_from([0.0, 1.0, -1.0, math.pi, math.pi / 2, 5e-324, 1e308]),
)


@st.composite
def spans_with_a_point(draw: st.DrawFn) -> tuple[float, float, float]:
    low, inside, high = sorted(draw(FLOATS) for _ in range(3))
    low = -math.inf if draw(st.integers(0, 9)) == 0 else low
    return low, inside, math.inf if draw(st.integers(0, 9)) == 0 else high


def encloses(span: Span, value: Any) -> bool:
    """Whether a value, if there is one, lies in a span."""
    if not value.is_finite():
        return True
    return not (arb(float(span.low)) > value or arb(float(span.high)) < value)


@pytest.mark.parametrize("name", UNARY)
@given(drawn=spans_with_a_point())
@example(drawn=(0.0, 0.0, 0.0))
@example(drawn=(3.0, math.pi, 3.3))
def test_a_function_encloses_its_values(
    name: str, drawn: tuple[float, float, float]
) -> None:
    low, inside, high = drawn
    over, at = UNARY[name]
    with np.errstate(all="ignore"), keep_precision():
        ctx.prec = BITS
        span = over(Span(low, high))
        assert not np.isnan(span.low) and not np.isnan(span.high)
        assert encloses(span, at(arb(inside)))


@pytest.mark.parametrize("name", BINARY)
@given(left=spans_with_a_point(), right=spans_with_a_point())
def test_an_operation_encloses_its_values(
    name: str, left: tuple[float, float, float], right: tuple[float, float, float]
) -> None:
    operation = BINARY[name]
    with np.errstate(all="ignore"), keep_precision():
        ctx.prec = BITS
        span = operation(Span(left[0], left[2]), Span(right[0], right[2]))
        assert not np.isnan(span.low) and not np.isnan(span.high)
        assert encloses(span, operation(arb(left[1]), arb(right[1])))


@given(turns=st.integers(-1000, 1000), off=st.floats(-1e-14, 1e-14))
def test_waves_are_enclosed_next_to_their_zeros(turns: int, off: float) -> None:
    point = turns * math.pi / 2 + off
    with keep_precision():
        ctx.prec = BITS
        sine, cosine = spans.sine_and_cosine(Span(point, point))
        assert encloses(sine, arb(point).sin()) and encloses(cosine, arb(point).cos())
        assert sine.high - sine.low < 1e-13


def test_a_wave_over_half_a_turn_reaches_its_extremum() -> None:
    sine, cosine = spans.sine_and_cosine(Span(0.5, 3.0))
    assert sine.high == 1 and 0.14 < sine.low < 0.142
    assert 0.8775 < cosine.high < 0.8776 and -0.9899 > cosine.low > -0.99


@pytest.mark.parametrize("name", ["exp", "log", "sqrt", "logistic", "acos", "abs"])
def test_a_function_is_not_much_wider_than_its_values(name: str) -> None:
    over, at = UNARY[name]
    span = over(Span(0.25, 0.5))
    ends = sorted(float(at(arb(end)).mid()) for end in (0.25, 0.5))
    assert span.low == pytest.approx(ends[0], rel=1e-13)
    assert span.high == pytest.approx(ends[1], rel=1e-13)


@pytest.mark.parametrize("function", [spans.logarithm, spans.root, spans.arc_cosine])
def test_what_may_have_no_value_is_the_whole_line(
    function: Callable[[Span], Span],
) -> None:
    with np.errstate(all="ignore"):
        span = function(Span(-2.0, 0.5))
    assert span.low == -math.inf and span.high == math.inf


def test_sums_and_products_of_binary_fractions_are_exact() -> None:
    half, third = Span(0.5, 0.5), Span(0.0, 0.75)
    total = third - third * half
    assert (total.low, total.high) == (-0.375, 0.75)


def test_a_product_of_what_is_not_negative_is_not_negative() -> None:
    span = Span(0.0, 1.0) * Span(0.3, 0.7)
    assert span.low == 0


@given(numerator=st.integers(-(10**40), 10**40), denominator=st.integers(1, 10**40))
def test_a_fraction_lies_between_its_floats(numerator: int, denominator: int) -> None:
    value = Fraction(numerator, denominator)
    span = spans.exactly(value)
    assert Fraction(span.low) <= value <= Fraction(span.high)


ENDS = [Integer(0), Rational(2, 5), pi, -pi / 3, acos(Rational(4, 5)), 1 - pi / 7]


@pytest.mark.parametrize("end", [*ENDS, Rational(10) ** 400, Rational(1, 10**400)])
def test_a_float_below_an_end_is_the_next_one(end: Any) -> None:
    low, high = float_below(end), -float_below(-end)
    assert (math.isinf(low) or low <= end) and (math.isinf(high) or end <= high)
    assert low == high or high == math.nextafter(low, math.inf)


@pytest.mark.parametrize(("end", "expected"), [(oo, math.inf), (-oo, -math.inf)])
def test_an_infinite_end_keeps_its_sign(end: Any, expected: float) -> None:
    assert float_below(end) == expected
    side = Side("rival_cosine", -oo, oo, True, True)
    assert ends_of(side) == (-math.inf, math.inf)


SIDES = (
    Side("scale", Integer(1), Integer(64), False, False),
    Side("angle", Integer(0), pi, True, True),
    Side("rival_cosine", -oo, oo, True, True),
)
TREES = {
    "a logistic of everything": logistic(scale * (cos(angle) - rival_cosine)),
    "its logarithm": log_logistic(scale * cos(angle)),
    "a wave": sin(angle + 1) * scale,
    "an exponential": exp(-scale) * cos(2 * angle),
}


@pytest.mark.parametrize("value", TREES.values(), ids=TREES.keys())
def test_an_expression_is_enclosed_over_a_box(value: Any) -> None:
    span = range_over(value, SIDES)
    names = ("scale", "angle", "rival_cosine")
    for row in np.random.default_rng(0).uniform((1, 0, -9), (64, math.pi, 9), (50, 3)):
        inside = compile_over_boxes(value, names)(*(Span(x, x) for x in row.tolist()))
        assert span.low <= inside.low and inside.high <= span.high


def test_a_logistic_is_between_0_and_1_where_its_argument_may_be_anything() -> None:
    span = range_over(logistic(rival_cosine), SIDES)
    assert (span.low, span.high) == (0, 1)


def test_an_expression_that_is_unknown_may_be_anything() -> None:
    span = range_over(scale ** Rational(1, 3), SIDES)
    assert (span.low, span.high) == (-math.inf, math.inf)
