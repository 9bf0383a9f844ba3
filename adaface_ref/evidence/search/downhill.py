"""From a block of points to worse ones: zeros, least margins, steps at all scales.

A sign change along a line is bisected down to neighbouring floats, and their
surroundings are a new line. A least margin is zoomed in on, and then followed through
the box: rows at all distances around it, each with a line at all distances around its
cosine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from adaface_ref.evidence.search.axes import Axis
from adaface_ref.evidence.search.sampling import Places
from adaface_ref.evidence.search.screen import Screen

Floats = np.ndarray[Any, np.dtype[np.float64]]
Points = dict[str, Floats]

ZOOMED = 65
"""Points of a line that is zoomed in on."""

ZOOMS = 10
"""Each narrows a line 32 times."""

STEPS = 30
"""Scales of a step in a parameter, each half of the one before."""


def near_zeros(screen: Screen, block: Places, most: int) -> list[Places]:
    """The surroundings of every zero that a sign change on a line reveals.

    Args:
        screen: whose expressions are looked at.
        block: rows and ordered lines.
        most: zeros of one expression, spread over the rows.

    Returns:
        A block of lines around zeros for each expression that has any.
    """
    found = []
    for index, value in enumerate(screen.features(block.columns)):
        signs = np.sign(value)
        change = (signs[:, :-1] != signs[:, 1:]) & np.isfinite(value[:, 1:])
        change &= np.isfinite(value[:, :-1])
        row, column = np.nonzero(change)
        if row.size:
            chosen = _spread(row.size, most)
            found.append(
                _lines_around(screen, index, block, row[chosen], column[chosen])
            )
    return found


def _spread(count: int, most: int) -> Any:
    """Indices spread over `count` things, at most so many."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))


def _lines_around(
    screen: Screen, index: int, block: Places, row: Any, column: Any
) -> Places:
    """Bisects sign changes; lines at all distances from both floats beside them."""
    part = block.part(row)
    rows = {name: values[:, 0] for name, values in part.rows.items()}
    low = block.line[row, column]
    high = block.line[row, column + 1]
    width = high - low

    def signs(where: Floats) -> Floats:
        columns = {**rows, block.axis.name: where}
        return np.asarray(np.sign(screen.feature(index, columns)))

    start = signs(low)
    for _ in range(64):
        middle = low / 2 + high / 2
        same = signs(middle) == start
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return part._replace(line=_surroundings(block.axis, low, high, width))


def _surroundings(axis: Axis, low: Floats, high: Floats, width: Floats) -> Floats:
    distances = np.multiply.outer(width, 2.0 ** -np.arange(1.0, 54.0))
    beside = [low[:, None], high[:, None]]
    below, above = low, high
    for _ in range(4):
        below, above = np.nextafter(below, -np.inf), np.nextafter(above, np.inf)
        beside += [below[:, None], above[:, None]]
    line = [*beside, low[:, None] - distances, high[:, None] + distances]
    clipped: Floats = axis.clip(np.concatenate(line, axis=1))
    return clipped


def least_on_lines(screen: Screen, block: Places) -> tuple[Points, Floats]:
    """The point of the least margin on each line, zoomed in on.

    Args:
        screen: the claim.
        block: rows and ordered lines.

    Returns:
        A point a row, and its margin.
    """
    line, rows = block.line, np.arange(block.line.shape[0])
    share = np.linspace(0, 1, ZOOMED)
    best, least = line[:, 0], np.full(rows.size, np.inf)
    for zoom in range(ZOOMS + 1):
        margin = screen.margin(block._replace(line=line).columns)
        at = np.argmin(margin, axis=1)
        better = margin[rows, at] < least
        best = np.where(better, line[rows, at], best)
        least = np.where(better, margin[rows, at], least)
        if zoom == ZOOMS:
            break
        at = np.where(better, at, np.argmin(np.abs(line - best[:, None]), axis=1))
        low = line[rows, np.maximum(at - 1, 0)][:, None]
        high = line[rows, np.minimum(at + 1, line.shape[1] - 1)][:, None]
        line = np.minimum(low + (high - low) * share, high)
    points = {name: column[:, 0] for name, column in block.rows.items()}
    return {**points, block.axis.name: best}, least


def choose(points: Points, which: Any) -> Points:
    """Some of the points."""
    return {name: column[which] for name, column in points.items()}


def join(parts: Sequence[Points]) -> Points:
    """Several lots of points as one."""
    names = parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in names}


class Climb:
    """Follows the least margins through the box.

    Args:
        screen: the claim.
        along: the axis of lines.
        others: the other axes.
        rng: draws directions and steps.
    """

    def __init__(
        self,
        screen: Screen,
        along: Axis,
        others: Sequence[Axis],
        rng: np.random.Generator,
    ) -> None:
        self.screen, self.along, self.others, self.rng = screen, along, others, rng
        self.points = 0

    def turn(self, points: Points, least: Floats, moved: Sequence[Axis]) -> Floats:
        """One turn: every start takes the best step along some axes, and on its line.

        Args:
            points: starts, replaced by what is better.
            least: their margins.
            moved: axes along which to step together; none for the line alone.

        Returns:
            The new margins.
        """
        block, count = self._steps(points, moved), least.size
        margin = self.screen.margin(block.columns).reshape(count, -1)
        self.points += margin.size
        at = np.argmin(margin, axis=1)
        rows = np.arange(count)
        better = margin[rows, at] < least
        found = block.points(rows * margin.shape[1] + at)
        for name, values in found.items():
            points[name] = np.where(better, values, points[name])
        return np.where(better, margin[rows, at], least)

    def _steps(self, points: Points, moved: Sequence[Axis]) -> Places:
        """Rows at all distances from each point, each with a line at all distances."""
        count = points[self.along.name].size
        scales = 2.0 ** -(np.arange(STEPS) + self.rng.random())
        offsets = np.concatenate([[0.0], scales, -scales]) if moved else np.zeros(1)
        rows = {}
        for axis in self.others:
            value = points[axis.name][:, None]
            if axis in moved:
                weight = self.rng.uniform(-1, 1) if len(moved) > 1 else 1.0
                value = _step(axis, value, weight * offsets)
            wide = np.broadcast_to(value, (count, offsets.size))
            rows[axis.name] = wide.reshape(-1, 1)
        start = np.repeat(points[self.along.name], offsets.size)[:, None]
        fine = 2.0 ** -(1.7 * np.arange(31) + 1.7 * self.rng.random())
        steps = np.concatenate([[0.0], fine, -fine])
        return Places(rows, self.along, _step(self.along, start, steps))

    def round(self, points: Points, least: Floats) -> Floats:
        """Turns along each axis, and along two directions of several.

        Args:
            points: starts, replaced by what is better.
            least: their margins.

        Returns:
            The new margins.
        """
        for axis in self.others:
            least = self.turn(points, least, [axis])
        if len(self.others) > 1:
            for size in (2, len(self.others)):
                picks = self.rng.permutation(len(self.others))[:size]
                moved = [self.others[pick] for pick in sorted(picks)]
                least = self.turn(points, least, moved)
        return self.turn(points, least, [])


def _step(axis: Axis, value: Floats, offsets: Floats) -> Floats:
    """Steps of so many widths of the axis; of its logarithm where it is drawn so."""
    low, high = axis.core
    if axis.logarithmic:
        with np.errstate(all="ignore"):
            moved = value * np.exp(offsets * math.log(high / low))
    else:
        moved = value + offsets * (high - low)
    clipped: Floats = np.asarray(axis.clip(moved))
    return clipped
