"""Where a function of two variables is zero, as lines: B1 in maps and sectors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from contourpy import LineType, contour_generator
from numpy.typing import NDArray

from adaface_ref.pictures.heads import Floats
from adaface_ref.pictures.marks import bisect

Surface = Callable[[Floats, Floats], Floats]


def zero_lines(function: Surface, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """The zeros of a function between the nodes of a grid, to the last digits.

    Args:
        function: of x and y, which broadcast; where it jumps from one sign to the
            other it counts as zero.
        x: nodes, rising, at least two.
        y: nodes, rising, at least two.

    Returns:
        x and y of the points of every line, with NaN between lines.
    """
    surface = function(x[None, :], y[:, None])
    traced = contour_generator(x, y, surface, line_type=LineType.ChunkCombinedNan)
    points = traced.lines(0.0)[0][0]
    if points is None:
        return np.empty(0), np.empty(0)
    # A point lies on an edge of the grid: on one axis at a node, on the other between.
    kept = np.flatnonzero(~np.isnan(points[:, 0]))
    across, up = points[kept].T
    (column, left), (row, below) = _nearest_nodes(across, x), _nearest_nodes(up, y)
    upright = np.abs(across - column) < np.abs(up - row)

    def values_along(t: Floats) -> Floats:
        return function(np.where(upright, column, t), np.where(upright, t, row))

    start = np.where(upright, y[below], x[left])
    end = np.where(upright, y[below + 1], x[left + 1])
    changes = np.sign(values_along(start)) != np.sign(values_along(end))
    found = bisect(values_along, start, end)
    points[kept[changes], upright[changes].astype(int)] = found[changes]
    return points[:, 0], points[:, 1]


def _nearest_nodes(values: Floats, nodes: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """The node next to each value, and the number of the last one that is not above."""
    below = np.clip(np.searchsorted(nodes, values, "right") - 1, 0, nodes.size - 2)
    low, high = nodes[below], nodes[below + 1]
    return np.where(values - low > high - values, high, low), below
