"""Where a claim is looked at: rows of parameters times lines of cosines.

Rows come from an additive recurrence (R_d, by M. Roberts after Korobov) with a seeded
shift; some have coordinates at the ends of the box, next to them, or at numbers that
people write. A line is stratified, and spaced geometrically towards both of its ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from adaface_ref.evidence.search.axes import FARTHEST, Axis, split
from adaface_ref.points import COSINES

Floats = np.ndarray[Any, np.dtype[np.float64]]

LINE = 256
"""Points of a line."""

ROWS = 64
"""Lines of a block, which has 16,384 points: it stays in a core's own cache."""


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

    def sort_lines(self) -> Places:
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
        axis.name: _draw(axis, share[:, index], kind, rng)
        for index, axis in enumerate(others)
    }
    logit = _logits(along, columns, fixed, rng.random(size))
    _couple({axis.name: axis for axis in others}, columns, fixed, logit, kind, rng)
    return Rows(columns, along, share[:, -1])


def _draw(axis: Axis, share: Floats, kind: Any, rng: np.random.Generator) -> Floats:
    """Half of the rows inside, the rest at ends, next to ends and at special values."""
    value: Floats = np.asarray(axis.value_at(share), dtype=np.float64)
    coin = rng.random(share.size)
    end = np.where(rng.random(share.size) < 0.5, axis.low, axis.high)
    if max(-axis.low, axis.high) >= FARTHEST:
        end = np.where(np.abs(end) >= FARTHEST, value, end)
    value = np.where((kind >= 4) & (kind <= 5) & (coin < 0.6), end, value)
    width = axis.core[1] - axis.core[0]
    inwards = np.where(end == axis.low, 1.0, -1.0) * width
    near = axis.clip(end + inwards * 2.0 ** -rng.uniform(0, 55, share.size))
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
    given: dict[str, Any] = {**fixed, **columns, along.name: along.value_at(share)}
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
    given: dict[str, Any] = {**fixed, **columns}
    if "rival_cosine" in axes:
        with np.errstate(over="ignore"):
            width = rng.uniform(-40, 40, logit.size) / given.get("scale", 64.0)
        across = logit + width
        across = axes["rival_cosine"].clip(across)
        rival = np.where(kind % 4 == 1, across, columns["rival_cosine"])
        columns["rival_cosine"] = given["rival_cosine"] = rival
    if "other_cosine" in axes and "rival_cosine" in given:
        rival, other = given["rival_cosine"], columns["other_cosine"]
        below = np.where(kind == 5, rival, np.minimum(other, rival))
        below = axes["other_cosine"].clip(below)
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
        line[:] = axis.value_at((np.arange(count) + share[:, None]) / count)
