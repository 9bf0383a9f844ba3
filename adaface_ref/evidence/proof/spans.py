"""Intervals of floats, arrays of them at a time: every operation encloses its range.

Ends are rounded outwards. Sums, products, quotients and roots are correctly rounded by
the hardware; NumPy's functions are trusted to 16 units in the last place. What may have
no value, such as the logarithm of a negative number, is the whole line.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

Ends = Any
"""A float, or an array of them."""

EPS, TINY, MOST = 2.0**-52, 5e-324, float(np.finfo(np.float64).max)
LOOSE = 16 * EPS
"""Of NumPy's functions, relatively; its own tests allow them 4 ulp."""

LARGEST_TURN = 1e5
"""Beyond this angle waves are [-1, 1]."""


def round_down(x: Ends, share: float = EPS) -> Ends:
    """A smaller float, by that share of it; the default covers one rounding."""
    x = np.minimum(x, MOST)
    return x - (np.minimum(np.abs(x), MOST) * share + TINY)


def round_up(x: Ends, share: float = EPS) -> Ends:
    """A larger float."""
    return -round_down(-x, share)


class Span:
    """Intervals by their ends, which may be infinite: `[low, high]`."""

    __slots__ = ("high", "low")

    def __init__(self, low: Ends, high: Ends) -> None:
        self.low = low
        self.high = high

    def __neg__(self) -> Span:
        return Span(-self.high, -self.low)

    def __add__(self, other: Span) -> Span:
        return Span(
            _least_sum(self.low, other.low), -_least_sum(-self.high, -other.high)
        )

    def __sub__(self, other: Span) -> Span:
        return self + -other

    def __mul__(self, other: Span) -> Span:
        if other is self:
            return self**2
        for one, two in ((self, other), (other, self)):
            if isinstance(one.low, float) and one.low == one.high:
                return _scale(two, one.low)
        return _product(self, other)

    def __truediv__(self, other: Span) -> Span:
        return self * _inverse(other)

    def __rtruediv__(self, _one: int) -> Span:
        return _inverse(self)

    def __pow__(self, power: int) -> Span:
        if power % 2 == 0:
            size = absolute(self)
            return Span(_powers(size.low, power)[0], _powers(size.high, power)[1])
        return Span(_odd_power(self.low, power), -_odd_power(-self.high, power))


def exactly(value: Fraction | int) -> Span:
    """The narrowest span around a number.

    Args:
        value: exact.

    Returns:
        One float, or the floats on either side.
    """
    try:
        near = float(value)
    except OverflowError:
        return Span(MOST, math.inf) if value > 0 else Span(-math.inf, -MOST)
    if Fraction(near) == value:
        return Span(near, near)
    return Span(math.nextafter(near, -math.inf), math.nextafter(near, math.inf))


ONE = Span(1.0, 1.0)
PI = Span(math.pi, math.nextafter(math.pi, 4.0))


def _least_sum(a: Ends, b: Ends) -> Ends:
    total = a + b
    exact = (total - a == b) & (total - b == a)
    least = np.where(exact, total, round_down(total))
    return np.where(np.isnan(total), -np.inf, least)


def _scale(span: Span, factor: float) -> Span:
    """Times one float, exactly if that is a power of two and nothing gets lost."""
    if factor < 0:
        return _scale(-span, -factor)
    if factor == 0:
        return Span(0.0, 0.0)
    low, high = span.low * factor, span.high * factor
    if math.frexp(factor)[0] == 0.5:
        kept = (low / factor == span.low) & (high / factor == span.high)
    else:
        kept = (low == 0) & (high == 0) & (span.low == 0) & (span.high == 0)
    return _restore_sign(
        np.where(kept, low, round_down(low)),
        np.where(kept, high, round_up(high)),
        span.low >= 0,
        span.high <= 0,
    )


def _restore_sign(low: Ends, high: Ends, positive: Ends, negative: Ends) -> Span:
    """Ends that were rounded across zero put right."""
    return Span(
        np.where(positive, np.maximum(low, 0.0), low),
        np.where(negative, np.minimum(high, 0.0), high),
    )


def _product(a: Span, b: Span) -> Span:
    ends = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
    if np.isnan(sum(ends)).any():
        ends = [np.where(np.isnan(end), 0.0, end) for end in ends]  # 0 times infinity
    low = np.minimum(np.minimum(*ends[:2]), np.minimum(*ends[2:]))
    high = np.maximum(np.maximum(*ends[:2]), np.maximum(*ends[2:]))
    alike = ((a.low >= 0) & (b.low >= 0)) | ((a.high <= 0) & (b.high <= 0))
    apart = ((a.low >= 0) & (b.high <= 0)) | ((a.high <= 0) & (b.low >= 0))
    return _restore_sign(round_down(low), round_up(high), alike, apart)


def _inverse(span: Span) -> Span:
    """1/x; the whole line where 0 lies inside, a half line where it is an end."""
    low, high = span.low, span.high
    across = ((low < 0) & (high > 0)) | ((low == 0) & (high == 0))
    with np.errstate(divide="ignore"):
        least = np.where(high == 0, -np.inf, round_down(1 / np.asarray(high)))
        most = np.where(low == 0, np.inf, round_up(1 / np.asarray(low)))
    return _restore_sign(
        np.where(across, -np.inf, least),
        np.where(across, np.inf, most),
        (low >= 0) & ~across,
        (high <= 0) & ~across,
    )


def _powers(size: Ends, power: int) -> tuple[Ends, Ends]:
    """A power of what is not negative, rounded down and up."""
    small = large = size
    for _ in range(power - 1):
        small, large = np.maximum(round_down(small * size), 0.0), round_up(large * size)
    return small, large


def _odd_power(x: Ends, power: int) -> Ends:
    """Rounded down."""
    small, large = _powers(np.abs(x), power)
    return np.where(x >= 0, small, -large)


def absolute(x: Span) -> Span:
    """|x|."""
    least = np.maximum(np.maximum(x.low, -x.high), 0.0)
    return Span(least, np.maximum(-x.low, x.high))


def sign_of(x: Span) -> Span:
    """The sign of x, 0 at 0."""
    return Span(np.sign(x.low), np.sign(x.high))


def _rising(
    function: Callable[[Ends], Ends],
    domain: tuple[float, float] = (-math.inf, math.inf),
    floor: float = -math.inf,
    share: float = LOOSE,
) -> Callable[[Span], Span]:
    """A function that rises, from a floor, at the ends; the line beyond its domain."""

    def enclose(x: Span) -> Span:
        inside = (x.low >= domain[0]) & (x.high <= domain[1])
        least = np.maximum(round_down(function(x.low), share), floor)
        most = round_up(function(x.high), share)
        return Span(np.where(inside, least, -np.inf), np.where(inside, most, np.inf))

    return enclose


exponential = _rising(np.exp, floor=0.0)
logarithm = _rising(np.log, (0.0, math.inf))
root = _rising(np.sqrt, (0.0, math.inf), 0.0, EPS)
_log_1_more = _rising(np.log1p, (0.0, math.inf), 0.0)
_turned_angle = _rising(lambda x: -np.arccos(x), (-1.0, 1.0))


def arc_cosine(x: Span) -> Span:
    """The angle with that cosine."""
    return -_turned_angle(x)


def logistic(x: Span) -> Span:
    """1/(1 + exp(-x)): x stands in it once, so its range is that of the ends."""
    done = _inverse(ONE + exponential(-x))
    return Span(done.low, np.minimum(done.high, 1.0))


def complement(x: Span) -> Span:
    """1/(1 + exp(x))."""
    return logistic(-x)


def log_logistic(x: Span) -> Span:
    """-ln(1 + exp(-x))."""
    return -_log_1_more(exponential(-x))


def sine_and_cosine(x: Span) -> tuple[Span, Span]:
    """Both, by the ends and the extremum between them."""
    sine = [np.sin(end) for end in (x.low, x.high)]
    cosine = [np.cos(end) for end in (x.low, x.high)]
    # Below half a turn the sine turns once at most, and where the cosine has a zero.
    near = (x.high - x.low < 3) & (np.maximum(-x.low, x.high) < LARGEST_TURN)
    return (
        _wave(sine, cosine, near),
        _wave(cosine, [-end for end in sine], near),
    )


def _wave(ends: list[Ends], slopes: list[Ends], near: Ends) -> Span:
    turns = [np.abs(slope) <= LOOSE for slope in slopes]
    top = ((slopes[0] > 0) & (slopes[1] < 0)) | ~near
    bottom = ((slopes[0] < 0) & (slopes[1] > 0)) | ~near
    for turn, end in zip(turns, ends, strict=True):
        # The extremum may lie on either side of this end; it is the only one then.
        top, bottom = top | (turn & (end > 0)), bottom | (turn & (end < 0))
    most = round_up(np.maximum(*ends), LOOSE) + LOOSE
    least = round_down(np.minimum(*ends), LOOSE) - LOOSE
    return Span(
        np.where(bottom, -1.0, np.maximum(least, -1.0)),
        np.where(top, 1.0, np.minimum(most, 1.0)),
    )
