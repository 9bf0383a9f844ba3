"""Where a claim is looked at: rows of parameters times lines of cosines.

Rows come from an additive recurrence (R_d, by M. Roberts after Korobov) with a seeded
shift; some have coordinates at the ends of the box, next to them, or at numbers that
people write. A line is stratified, and spaced geometrically towards both of its ends.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from sympy import Expr, Rational

from adaface_ref.points import COSINES, RANGES, recommended
from adaface_ref.spec.claim_box import Range

from .shrink import PLAIN, PLAIN_COSINES

Floats = np.ndarray[Any, np.dtype[np.float64]]

FARTHEST = 2.0**100
"""The search goes no farther from zero where a box has no end."""

LINE = 256
"""Points of a line."""

ROWS = 64
"""Lines of a block, which has 16,384 points: it stays in a core's own cache."""

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

    def at(self, share: Any) -> Any:
        """The value at a share of the axis, from [0, 1]."""
        low, high = self.core
        if self.logarithmic:
            value = low * np.exp(share * math.log(high / low))
        else:
            value = low + share * (high - low)
        if (self.low, self.high) != self.core:
            value = self._with_tails(value, share)
        return self.clipped(value)

    def _with_tails(self, value: Any, share: Any) -> Any:
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

    def clipped(self, value: Any) -> Any:
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
    usual = RANGES.get(name, (-10.0, 10.0))
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
    while math.isfinite(low) and not _above(low, part.low, part.low_open):
        low = math.nextafter(low, math.inf)
    while math.isfinite(high) and not _above(-high, -part.high, part.high_open):
        high = math.nextafter(high, -math.inf)
    return low, high


def _above(value: float, end: Expr, strictly: bool) -> bool:
    if isinstance(end, Rational):
        exact, least = Fraction(value), Fraction(int(end.p), int(end.q))
        return exact > least if strictly else exact >= least
    return bool(Rational(value) > end if strictly else Rational(value) >= end)


class Places(NamedTuple):
    """A block: rows (K, 1) of all free inputs but one, and its lines (K, M)."""

    rows: Mapping[str, Floats]
    axis: Axis
    line: Floats

    @property
    def columns(self) -> dict[str, Floats]:
        """All inputs, as arrays that broadcast to (K, M)."""
        return {**self.rows, self.axis.name: self.line}

    def points(self, which: Any) -> dict[str, Floats]:
        """Single points by their flat indices."""
        row = which // self.line.shape[1]
        found = {name: column[row, 0] for name, column in self.rows.items()}
        return {**found, self.axis.name: self.line.ravel()[which]}

    def part(self, rows: Any) -> Places:
        """Some of its rows."""
        taken = {name: column[rows] for name, column in self.rows.items()}
        return Places(taken, self.axis, self.line[rows])

    def ordered(self) -> Places:
        """The same with every line in ascending order."""
        return self._replace(line=np.sort(self.line, axis=1))


class Rows(NamedTuple):
    """Rows without their lines yet: columns (N,), and what shifts each line."""

    columns: Mapping[str, Floats]
    axis: Axis
    share: Floats

    def block(self, start: int = 0, stop: int | None = None) -> Places:
        """Some of the rows, with their lines."""
        columns = {name: column[start:stop] for name, column in self.columns.items()}
        line = lines(self.axis, columns, self.share[start:stop])
        rows = {name: column[:, None] for name, column in columns.items()}
        return Places(rows, self.axis, line)


def split(axes: Sequence[Axis]) -> tuple[Axis, tuple[Axis, ...]]:
    """The axis along which lines run, and the others."""
    order = {name: index for index, name in enumerate(LINES)}
    line = min(axes, key=lambda axis: order.get(axis.name, len(order)))
    return line, tuple(axis for axis in axes if axis is not line)


def shares(count: int, start: int, size: int, shift: Floats) -> Floats:
    """Points of the additive recurrence: a low-discrepancy array (size, count)."""
    root = 2.0
    for _ in range(60):
        root = (1 + root) ** (1 / (count + 1))
    steps = root ** -np.arange(1, count + 1)
    index = np.arange(start + 1, start + size + 1)
    found: Floats = (shift[:count] + index[:, None] * steps) % 1.0
    return found


def rows_of(
    axes: Sequence[Axis], fixed: Mapping[str, float], seed: int, start: int, size: int
) -> Rows:
    """Rows number `start` and following.

    Args:
        axes: of the free inputs, at least one.
        fixed: the other inputs.
        seed: shifts the sequence.
        start: the first row.
        size: how many rows.

    Returns:
        The same for the same arguments.
    """
    along, others = split(axes)
    shift = np.random.default_rng([seed, 1]).random(len(axes) + 1)
    rng = np.random.default_rng([seed, 2, start])
    share = shares(len(others) + 1, start, size, shift)
    kind = np.arange(start, start + size) % 8
    columns = {
        axis.name: _drawn(axis, share[:, index], kind, rng)
        for index, axis in enumerate(others)
    }
    logit = _logits(along, columns, fixed, rng.random(size))
    _couple({axis.name: axis for axis in others}, columns, fixed, logit, kind, rng)
    return Rows(columns, along, share[:, -1])


def _drawn(axis: Axis, share: Floats, kind: Any, rng: np.random.Generator) -> Floats:
    """Half of the rows inside, the rest at ends, next to ends and at special values."""
    value: Floats = np.asarray(axis.at(share), dtype=np.float64)
    coin = rng.random(share.size)
    end = np.where(rng.random(share.size) < 0.5, axis.low, axis.high)
    if max(-axis.low, axis.high) >= FARTHEST:
        end = np.where(np.abs(end) >= FARTHEST, value, end)
    value = np.where((kind >= 4) & (kind <= 5) & (coin < 0.6), end, value)
    width = axis.core[1] - axis.core[0]
    inwards = np.where(end == axis.low, 1.0, -1.0) * width
    near = axis.clipped(end + inwards * 2.0 ** -rng.uniform(0, 55, share.size))
    value = np.where((kind == 6) & (coin < 0.6), near, value)
    special = axis.special[rng.integers(0, axis.special.size, share.size)]
    return np.where((kind == 7) & (coin < 0.8), special, value)


def _logits(
    along: Axis,
    columns: Mapping[str, Floats],
    fixed: Mapping[str, float],
    share: Floats,
) -> Floats:
    """Roughly the target logits that a line has, one for each row."""
    given = {**fixed, **columns, along.name: along.at(share)}
    cosine = np.cos(given["angle"]) if "angle" in given else given.get("target_cosine")
    found = np.zeros(share.size) if cosine is None else cosine
    logit: Floats = np.clip(found, -1, 1) - given.get("margin", 0.0)
    return np.broadcast_to(logit, share.shape)


def _couple(
    axes: Mapping[str, Axis],
    columns: dict[str, Floats],
    fixed: Mapping[str, float],
    logit: Floats,
    kind: Any,
    rng: np.random.Generator,
) -> None:
    """Puts rivals across the decision boundary, and other classes below the rival."""
    given = {**fixed, **columns}
    if "rival_cosine" in axes:
        across = logit + rng.uniform(-40, 40, logit.size) / given.get("scale", 64.0)
        across = axes["rival_cosine"].clipped(across)
        rival = np.where(kind % 4 == 1, across, columns["rival_cosine"])
        columns["rival_cosine"] = given["rival_cosine"] = rival
    if "other_cosine" in axes and "rival_cosine" in given:
        rival, other = given["rival_cosine"], columns["other_cosine"]
        below = np.where(kind == 5, rival, np.minimum(other, rival))
        below = axes["other_cosine"].clipped(below)
        columns["other_cosine"] = np.where(kind % 2, below, other)


def lines(
    axis: Axis, columns: Mapping[str, Floats], share: Floats, size: int = LINE
) -> Floats:
    """A line for each row: special values, a stratum each, and both ends' neighbours.

    Args:
        axis: along which it runs.
        columns: the rows' other inputs; another cosine's value is special on a cosine.
        share: (K,), which shifts each line.
        size: points of a line.

    Returns:
        (K, size), not in order.
    """
    line = np.empty((share.size, size))
    special = axis.special[: size // 8]
    done = special.size
    line[:, :done] = special
    if axis.name in COSINES:
        for name in COSINES:
            if name in columns:
                line[:, done] = columns[name]
                done += 1
    near = (size - done) // 6
    _near_ends(axis, share, line[:, done : done + near], line[:, -near:])
    _evenly(axis, share, line[:, done + near : -near])
    return np.clip(line, axis.low, axis.high, out=line)


def _near_ends(axis: Axis, share: Floats, low: Floats, high: Floats) -> None:
    """Fills in points at geometric distances from both ends of the core."""
    count = low.shape[1]
    step = 55.0 / count
    widths = (axis.core[1] - axis.core[0]) * 2.0 ** (-step * share)
    np.multiply.outer(widths, 2.0 ** (-step * np.arange(count)), out=low)
    np.subtract(axis.core[1], low, out=high)
    np.add(axis.core[0], low, out=low)


def _evenly(axis: Axis, share: Floats, line: Floats) -> None:
    """Fills in a point for each stratum of the axis."""
    count = line.shape[1]
    if axis.is_linear:
        step = (axis.core[1] - axis.core[0]) / count
        start = axis.core[0] + step * share
        np.add.outer(start, step * np.arange(count), out=line)
    else:
        line[:] = axis.at((np.arange(count) + share[:, None]) / count)
