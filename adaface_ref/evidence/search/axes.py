"""The floats of a claim's free inputs, and how a share of an axis becomes a value."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from sympy import Expr, Rational, S

from adaface_ref.evidence.truth.shrink import PLAIN, PLAIN_COSINES
from adaface_ref.points import COSINES, range_of, recommended
from adaface_ref.spec.language.box import Range

Floats = np.ndarray[Any, np.dtype[np.float64]]

Hint = Mapping[str, tuple[float, float]]
"""A part of a box: the lowest and the highest value by name."""

FARTHEST = 2.0**100
"""The search goes no farther from zero where a box has no end."""

LINES = ("target_cosine", "angle", "rival_cosine", "margin_scaler", "standard_norm")
"""What runs along a line, the first that is free; else any other input."""


class Axis(NamedTuple):
    """The floats of one free input.

    Args:
        name: of the input.
        low: the smallest float in its interval.
        high: the largest.
        core: where most points lie: the interval, if it is bounded.
        logarithmic: whether the core is drawn by its logarithm.
        special: its ends, their neighbours and numbers that people write.
    """

    name: str
    low: float
    high: float
    core: tuple[float, float]
    logarithmic: bool
    special: Floats

    @property
    def is_linear(self) -> bool:
        """Whether equal shares have equal widths."""
        return not self.logarithmic and (self.low, self.high) == self.core

    def value_at(self, share: Any) -> Any:
        """The value at a share of the axis, from [0, 1]."""
        low, high = self.core
        if self.logarithmic:
            value = low * np.exp(share * math.log(high / low))
        else:
            value = low + share * (high - low)
        if (self.low, self.high) != self.core:
            value = self._spread_tails(value, share)
        return self.clip(value)

    def _spread_tails(self, value: Any, share: Any) -> Any:
        """Spreads the outer twentieths over what lies outside the core."""
        low, high = self.core
        for end, edge, depth in (
            (self.low, low, (0.05 - share) / 0.05),
            (self.high, high, (share - 0.95) / 0.05),
        ):
            if end != edge:
                far = edge + (end - edge) * 2.0 ** (-100 * (1 - np.clip(depth, 0, 1)))
                value = np.where(depth > 0, far, value)
        return value

    def clip(self, value: Any) -> Any:
        """The nearest value inside."""
        return np.minimum(np.maximum(value, self.low), self.high)

    def holds(self, value: float) -> bool:
        """Whether a float lies inside."""
        return self.low <= value <= self.high


def axis_of(name: str, part: Range, loss: str) -> Axis | None:
    """The floats of an interval; None if it holds none.

    Args:
        name: of the input.
        part: its exact interval.
        loss: whose recommended values are special.
    """
    low, high = float_ends(part)
    if low > high:
        return None
    low, high = max(low, -FARTHEST), min(high, FARTHEST)
    return axis_between(name, low, high, loss)


def axis_between(name: str, low: float, high: float, loss: str) -> Axis:
    """The floats from `low` to `high`."""
    usual = range_of(name)
    core = (low, high)
    if max(-low, high) > 1000 * max(map(abs, usual)):
        core = (max(low, usual[0]), min(high, usual[1]))
        core = core if core[0] < core[1] else (low, high)
    logarithmic = name in POSITIVE and core[1] > 10 * core[0]
    if logarithmic:
        core = (max(core[0], core[1] * 2.0**-20), core[1])
    special = _special(name, low, high, loss)
    return Axis(name, low, high, core, logarithmic, special)


POSITIVE = ("scale", "feature_norm", "norm_lower", "norm_upper", "concentration")
"""Drawn by their logarithms over wide intervals."""


def _special(name: str, low: float, high: float, loss: str) -> Floats:
    ends = [low, high, math.nextafter(low, math.inf), math.nextafter(high, -math.inf)]
    usual = recommended(loss)
    written = [usual[name]] if name in usual else []
    written += PLAIN_COSINES if name in COSINES else (*PLAIN, 10.0, 64.0)
    values = [value for value in (*ends, *written) if low <= value <= high]
    return np.asarray(list(dict.fromkeys(values)))


def float_ends(part: Range) -> tuple[float, float]:
    """The smallest and the largest float of an exact interval."""
    low, high = float(part.low), float(part.high)
    while math.isfinite(low) and not _lies_above(low, part.low, part.low_open):
        low = math.nextafter(low, math.inf)
    while math.isfinite(high) and not _lies_above(-high, -part.high, part.high_open):
        high = math.nextafter(high, -math.inf)
    return low, high


def _lies_above(value: float, end: Expr, strictly: bool) -> bool:
    if isinstance(end, Rational):
        exact, least = Fraction(value), Fraction(int(end.p), int(end.q))
        return exact > least if strictly else exact >= least
    return bool(Rational(value) > end if strictly else Rational(value) >= end)


def split(axes: Sequence[Axis]) -> tuple[Axis, tuple[Axis, ...]]:
    """The axis along which lines run, and the others."""
    order = {name: index for index, name in enumerate(LINES)}
    line = min(axes, key=lambda axis: order.get(axis.name, len(order)))
    return line, tuple(axis for axis in axes if axis is not line)


def narrow(axes: Sequence[Axis], hint: Hint) -> tuple[Axis, ...]:
    """The axes within a hint, as far as it speaks of them and meets them."""
    hint = dict(hint)
    names = {axis.name for axis in axes}
    if "angle" in hint and "target_cosine" in names:
        low, high = hint.pop("angle")
        hint["target_cosine"] = (math.cos(high), math.cos(low))
    if "target_cosine" in hint and "angle" in names:
        low, high = hint.pop("target_cosine")
        hint["angle"] = (math.acos(min(high, 1.0)), math.acos(max(low, -1.0)))
    done = []
    for axis in axes:
        low, high = hint.get(axis.name, (axis.low, axis.high))
        low, high = max(low, axis.low), min(high, axis.high)
        inside = axis._replace(low=low, high=high, core=(low, high))
        special = axis.special[(axis.special >= low) & (axis.special <= high)]
        special = special if special.size else np.asarray([low])
        done.append(inside._replace(special=special) if low <= high else axis)
    return tuple(done)


def closed_ends(part: Range) -> list[Expr]:
    """The exact ends that belong to an interval; a point inside if none does."""
    ends = [] if part.low_open or part.low.is_infinite else [part.low]
    ends += [] if part.high_open or part.high.is_infinite else [part.high]
    if ends:
        return ends
    if not part.low.is_infinite and not part.high.is_infinite:
        return [(part.low + part.high) / 2]
    if part.low.is_infinite:
        return [S.Zero if part.high.is_infinite else part.high - 1]
    return [part.low + 1]
