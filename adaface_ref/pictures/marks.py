"""Where a curve has what a picture marks: boundaries, peaks, sign changes, dead zones.

All are found by bisection in the angle. The peak is where the spec's rising criterion
changes sign, piece by piece, never the largest of the values that are drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from sympy import Expr

from adaface_ref.compiler import NUMPY, Compiled, compile_tree
from adaface_ref.evidence.truth.evaluate import arcs_of
from adaface_ref.pictures.heads import Floats, Head
from adaface_ref.spec.gst import d_dcosine, rising_criterion
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.profiles import CLAMPS, Piece, parse, pieces_of

Function = Callable[[Floats], Floats]

_NEAR = np.geomspace(1e-7, 1e-3, 120, endpoint=False)
ANGLES: Floats = np.concatenate(
    [_NEAR, np.linspace(1e-3, np.pi - 1e-3, 3000), np.pi - _NEAR[::-1]]
)
"""Where signs are looked at: even in the angle, and close to both poles."""

ROUNDING = 1e-12
"""A criterion of less than this is zero: its terms are of size 1 and cancel."""


ASIDE = 1e-9
"""So far beside a peak |g| is the same, and beside a jump it is not."""


class Marks(NamedTuple):
    """What is marked on one curve, as cosines in rising order.

    Args:
        unmargined: B0, where cos theta is the rival's cosine, if there is such a place.
        margined: B1, where P passes 1/2 with the margin.
        peaks: where |g| stops rising and falls; a jump, such as where CurricularFace's
            rival stops being hard, is none.
        sign_changes: where g changes sign.
        dead: intervals where the slope is 0, and so g.
    """

    unmargined: tuple[float, ...]
    margined: tuple[float, ...]
    peaks: tuple[float, ...]
    sign_changes: tuple[float, ...]
    dead: tuple[tuple[float, float], ...]


def crossings(function: Function, grid: Floats, rising: bool | None = None) -> Floats:
    """Where a function changes sign on a grid, by bisection; zeros count as neither.

    Args:
        function: of an array, to an array.
        grid: rising.
        rising: True for changes from - to + alone, False for those from + to -.

    Returns:
        The places, rising.
    """
    signs = np.sign(function(grid))
    kept = np.flatnonzero(signs)
    change = signs[kept][1:] - signs[kept][:-1]
    wanted = change != 0 if rising is None else change == (2 if rising else -2)
    low, high = grid[kept[:-1][wanted]], grid[kept[1:][wanted]]
    return bisect(function, low, high)


def bisect(function: Function, low: Floats, high: Floats) -> Floats:
    """Where a function leaves the sign that it has at the lower ends.

    Args:
        function: of an array, to an array of the same shape.
        low: lower ends of brackets.
        high: upper ends.

    Returns:
        One place a bracket.
    """
    if not low.size:
        return low
    start = np.sign(function(low))
    for _ in range(60):
        middle = (low + high) / 2
        same = np.sign(function(middle)) == start
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return (low + high) / 2


@cache
def _criteria(loss: str, profile: str, multiplier: int | None) -> tuple[Compiled, ...]:
    """For each piece a function to (*where, rising criterion, slope)."""
    parsed = parse(profile)
    pieces = pieces_of(LOSSES[loss], parsed, multiplier, others=False)
    names = arguments_of(loss)
    return tuple(
        compile_tree((*piece.where, *_trees(piece, parsed.detached)), names, NUMPY)
        for piece in pieces
    )


def _trees(piece: Piece, detached: bool) -> tuple[Expr, Expr]:
    slope = d_dcosine(piece.target)
    if piece.clamped:
        return 0 * slope, 0 * slope
    if detached:  # |g| = s (1 - P), which falls where the target rises
        return -slope, slope**0
    return rising_criterion(piece.target), slope


def arguments_of(loss: str) -> tuple[str, ...]:
    """The names of what a compiled criterion takes, in order."""
    parameters = tuple(str(symbol) for symbol in LOSSES[loss].parameters)
    return ("angle", "rival_cosine", *parameters, *CLAMPS)


def rising(head: Head, angle: Floats, rival: Floats) -> Floats:
    """The sign of d|g|/d cos theta, from the spec's criterion.

    Args:
        head: whose.
        angle: angles to the own class.
        rival: the rival's cosine j, which broadcasts.

    Returns:
        1 where |g| rises with the cosine, -1 where it falls, 0 where it is flat.
    """
    parsed = parse(head.profile)
    given: dict[str, Any] = {
        **head.parameters,
        "angle": angle,
        "rival_cosine": head.rival(np.cos(angle), rival),
        **parsed.clamps,
    }
    inputs = [np.asarray(given[name], float) for name in arguments_of(head.loss)]
    arcs = arcs_of(head.loss, given)
    found, left = np.zeros(angle.shape), np.ones(angle.shape, dtype=bool)
    with np.errstate(all="ignore"):
        for compiled in _criteria(head.loss, head.profile, arcs):
            *where, criterion, slope = compiled(*inputs)
            here = left
            for part in where:
                here = here & (part > 0)
            still = np.abs(criterion) < ROUNDING
            sign = np.where(still, 0.0, np.sign(criterion) * np.sign(slope))
            found, left = np.where(here, sign, found), left & ~here
    return found


def marks_of(head: Head, rival: float) -> Marks:
    """Everything that a picture marks on one head's curve.

    Args:
        head: whose.
        rival: the rival's cosine j, the same everywhere.

    Returns:
        The marks, as cosines.
    """

    def half(angle: Floats) -> Floats:
        return head.measure("probability", np.cos(angle), rival) - 0.5

    def slope(angle: Floats) -> Floats:
        return head.measure("slope", np.cos(angle), rival)

    def size(angle: Floats) -> Floats:
        return head.measure("abs-gst", np.cos(angle), rival)

    # With the angle rising the cosine falls, and so a peak is a change from - to +.
    tops = crossings(lambda t: rising(head, t, np.asarray(rival)), ANGLES, True)
    peaks = tops[np.isclose(size(tops - ASIDE), size(tops + ASIDE), rtol=1e-4)]
    return Marks(
        (rival,) if abs(rival) <= 1 else (),
        _cosines(crossings(half, ANGLES)),
        _cosines(peaks),
        _cosines(crossings(slope, ANGLES)),
        dead_zones(slope),
    )


def _cosines(angles: Floats) -> tuple[float, ...]:
    return tuple(np.cos(angles[::-1]).tolist())


def dead_zones(slope: Function) -> tuple[tuple[float, float], ...]:
    """The intervals of the cosine on which a slope is exactly 0.

    Args:
        slope: of angles.

    Returns:
        (lower end, upper end) in rising order; an end at a pole is -1 or 1.
    """

    def dead(angle: Floats) -> Floats:
        return np.where(slope(angle) == 0, 1.0, -1.0)

    ends = crossings(dead, ANGLES)
    if dead(ANGLES[:1])[0] > 0:
        ends = np.concatenate([[0.0], ends])
    if dead(ANGLES[-1:])[0] > 0:
        ends = np.concatenate([ends, [np.pi]])
    cosines = _cosines(ends)
    return tuple(zip(cosines[::2], cosines[1::2], strict=True))
