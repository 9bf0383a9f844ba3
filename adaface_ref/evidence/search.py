"""Looks for a counterexample to a posed claim.

Millions of points are looked at in working precision: low-discrepancy, at the faces and
corners of the box, next to the poles and to every zero that the spec knows or that a
sign change reveals; then the least margins are followed downhill. What looks false goes
to balls, with a share of what looks right, and only balls refute.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from sympy import Expr, S

from adaface_ref.spec.claim_box import Range

from .claim import Exact, Posed, holds_at
from .climb import Climb, Points, chosen, joined, least_on_lines, near_zeros
from .places import LINE, ROWS, Axis, Places, Rows, axis_of, rows_of, split
from .screen import Screen
from .witness import Witness, witness_of

Hint = Mapping[str, tuple[float, float]]

POINTS = 1_000_000
"""Looked at where nothing else is asked for."""

THREADS = 2
"""NumPy gives other threads their turn; results are read in the order of blocks."""

LOT = 16
"""Blocks under way at once."""

ASKED = 64
"""So many points of a block that look false go to balls at once."""

MOST_ASKED = 3_000
"""So many of a whole search."""

MOST_OPEN = 300
"""After so many answers that balls cannot give, no more are asked for."""

SHARE, MOST_SHARE = 100, 2_000
"""One in a hundred points that look right goes to balls too, and at most so many."""

MOST_HINTS = 64

STARTS = 16
"""Points from which a margin is followed downhill."""


class Search(NamedTuple):
    """What a search found.

    Args:
        witness: a point at which the claim is certainly false, if one was found.
        points: looked at in working precision.
        premised: of them, where the premise held.
        certified: points that balls decided.
        undecided: points that balls could not decide.
        unasked: points that look false in working precision, or are not finite there,
            about which balls were not asked.
        seed: of the search.
    """

    witness: Witness | None
    points: int
    premised: int
    certified: int
    undecided: int
    unasked: int
    seed: int


def search(
    claim: Posed, seed: int, points: int = POINTS, hints: Sequence[Hint] = ()
) -> Search:
    """Looks for a counterexample; the same arguments give the same result.

    Args:
        claim: a posed claim.
        seed: any non-negative integer.
        points: to look at in blocks; what is found is followed up with others.
        hints: parts of the box to look at first, such as a proof left open.

    Returns:
        The first witness found, shrunk, or how much was looked at.
    """
    claim, axes = with_axes(claim)
    hunt = Hunt(claim, axes, seed)
    found = hunt.first(hunt.waves(points, hints))
    witness = None if found is None else witness_of(claim, axes, hunt.screen, found)
    return Search(
        witness,
        hunt.points,
        hunt.premised,
        hunt.certified,
        hunt.undecided,
        hunt.unasked if witness is None else 0,
        seed,
    )


def with_axes(claim: Posed) -> tuple[Posed, tuple[Axis, ...]]:
    """The claim with intervals that hold no float fixed at a point, and its axes."""
    axes, fixed, free = [], dict(claim.fixed), {}
    for name, part in claim.free.items():
        axis = axis_of(name, part, claim.loss)
        if axis is None:
            fixed[name] = (part.low + part.high) / 2
        else:
            axes.append(axis)
            free[name] = part
    return claim._replace(fixed=fixed, free=free), tuple(axes)


Found = Mapping[str, Exact]


class Hunt:
    """The state of one search."""

    def __init__(self, claim: Posed, axes: Sequence[Axis], seed: int) -> None:
        self.claim, self.axes, self.seed = claim, tuple(axes), seed
        self.screen = Screen(claim)
        self.points = self.premised = self.certified = self.undecided = 0
        self.asked = self.unasked = 0
        self.pool: list[tuple[Points, Any]] = []

    def first(self, waves: Iterator[Iterator[Found]]) -> Found | None:
        """The first point of any wave that balls refute."""
        for wave in waves:
            for point in wave:
                if self.refuted(point):
                    return point
        return None

    def refuted(self, point: Found) -> bool:
        """Whether balls refute the claim at a point; counts what they say."""
        if self.asked >= MOST_ASKED or self.undecided >= MOST_OPEN:
            self.unasked += 1
            return False
        self.asked += 1
        truth = holds_at(self.claim, point)
        self.certified += truth is not None
        self.undecided += truth is None
        return truth is False

    def waves(self, points: int, hints: Sequence[Hint]) -> Iterator[Iterator[Found]]:
        """Candidates, lot by lot: the next is sought once none of a lot is refuted."""
        yield self.corners()
        if not self.axes:
            return
        for turn, hint in enumerate(hints[:MOST_HINTS]):
            axes = _narrowed(self.axes, hint)
            yield self.in_bulk(axes, 0, ROWS, self.seed + turn)
            yield self.downhill(axes, 3)
        rows = max(1, points // LINE)
        soon = min(rows, max(ROWS, rows // 8))
        yield self.in_bulk(self.axes, 0, soon, self.seed)
        yield self.next_to_zeros(min(soon, 4 * ROWS))
        yield self.downhill(self.axes, 12)
        yield self.in_bulk(self.axes, soon, rows - soon, self.seed)
        yield self.downhill(self.axes, 12)
        yield self.share()

    def corners(self) -> Iterator[Found]:
        """The exact corners that belong to the box; they need not be floats."""
        ends = [
            [(name, end) for end in _closed_ends(self.claim.free[name])]
            for name in self.claim.free
        ]
        for corner in itertools.islice(itertools.product(*ends), 64):
            self.points += 1
            self.premised += holds_at(self.claim, dict(corner), premise=True) is True
            yield dict(corner)

    def in_bulk(
        self, axes: Sequence[Axis], start: int, rows: int, seed: int
    ) -> Iterator[Found]:
        """Candidates of so many rows, in the order of their blocks."""
        with ThreadPoolExecutor(THREADS) as pool:
            for first in range(start, start + rows, LOT * ROWS):
                size = min(LOT * ROWS, start + rows - first)
                lot = self.rows(axes, seed, first, size)
                blocks = [slice(at, at + ROWS) for at in range(0, size, ROWS)]
                look = partial(_looked_at, self.screen, lot)
                for result in pool.map(look, blocks):
                    yield from self.counted(result)

    def rows(self, axes: Sequence[Axis], seed: int, start: int, size: int) -> Rows:
        """Rows of the search."""
        return rows_of(axes, self.screen.fixed, seed, start, size)

    def counted(self, result: _Looked) -> Iterator[Found]:
        """Adds up what was looked at, and passes the candidates on."""
        self.points += result.points
        self.premised += result.premised
        self.unasked += result.failing - _size(result.candidates)
        yield from _each(result.candidates)

    def next_to_zeros(self, rows: int) -> Iterator[Found]:
        """Candidates around the zeros that lines reveal."""
        block = self.rows(self.axes, self.seed, 0, rows).block().ordered()
        for around in near_zeros(self.screen, block, 2 * rows):
            yield from self.counted(looked(self.screen, around))
            self.keep(*least_on_lines(self.screen, around.ordered()))

    def keep(self, points: Points, least: Any) -> None:
        """Keeps the least margins as starts."""
        order = np.argsort(least, kind="stable")[:STARTS]
        self.pool.append((chosen(points, order), least[order]))

    def downhill(self, axes: Sequence[Axis], rounds: int) -> Iterator[Found]:
        """Candidates where the margin is least, from the best starts so far."""
        along, others = split(axes)
        seed = self.seed + self.points
        block = self.rows(axes, seed, 0, 4 * ROWS).block().ordered()
        self.keep(*least_on_lines(self.screen, block))
        points = joined([part for part, _ in self.pool])
        points = {axis.name: axis.clipped(points[axis.name]) for axis in axes}
        least = np.concatenate([margin for _, margin in self.pool])
        self.pool.clear()
        order = _distinct(points, np.argsort(least, kind="stable"))[: 2 * STARTS]
        points, least = chosen(points, order), least[order]
        yield from _each(chosen(points, least <= 0))
        climb = Climb(self.screen, along, others, np.random.default_rng(seed))
        for _ in range(rounds):
            before = least
            least = climb.round(points, least)
            yield from _each(chosen(points, (least <= 0) & (least < before)))
            if not np.any(least < before):
                break
        self.points += climb.points
        self.premised += 0 if self.screen.has_premise else climb.points
        self.keep(points, least)

    def share(self) -> Iterator[Found]:
        """A share of the points, whether or not they look right."""
        size = min(MOST_SHARE, self.points // SHARE)
        block = self.rows(self.axes, self.seed + 1, 0, max(1, size)).block()
        which = np.arange(block.line.shape[0]) * (LINE + 97) % block.line.size
        yield from _each(block.points(which))


class _Looked(NamedTuple):
    """What working precision says of a block, the clearest candidates first."""

    points: int
    premised: int
    failing: int
    candidates: Points


def looked(screen: Screen, block: Places) -> _Looked:
    """Looks at a block.

    Args:
        screen: the claim.
        block: rows and lines.

    Returns:
        How many points it has and how many look false, and the clearest of those.
    """
    columns = block.columns
    failing = screen.fails(columns)
    premised = failing.size
    if screen.has_premise:
        premised = int(np.count_nonzero(screen.premised(columns)))
    which = np.flatnonzero(failing)
    count = which.size
    if count > 64 * ASKED:
        which = which[np.linspace(0, count - 1, 64 * ASKED).astype(np.int64)]
    if not count:
        return _Looked(failing.size, premised, 0, {})
    margin = screen.margin(block.points(which))
    order = np.argsort(margin, kind="stable")
    row = which[order] // block.line.shape[1]
    again = _turns(row) >= 2
    order = order[np.argsort(again, kind="stable")][:ASKED]
    return _Looked(failing.size, premised, count, block.points(which[order]))


def _looked_at(screen: Screen, lot: Rows, part: slice) -> _Looked:
    return looked(screen, lot.block(part.start, part.stop))


def _turns(values: Any) -> Any:
    """How often each value has come before."""
    order = np.argsort(values, kind="stable")
    inorder = values[order]
    first = np.searchsorted(inorder, inorder, side="left")
    turns = np.empty_like(order)
    turns[order] = np.arange(values.size) - first
    return turns


def _distinct(points: Points, order: Any) -> Any:
    """The order without points that have come before."""
    table = np.stack([column[order] for column in points.values()], axis=1)
    _, first = np.unique(table, axis=0, return_index=True)
    return order[np.sort(first)]


def _narrowed(axes: Sequence[Axis], hint: Hint) -> tuple[Axis, ...]:
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


def _size(points: Points) -> int:
    return next((column.size for column in points.values()), 0)


def _each(points: Points) -> Iterator[Found]:
    """One point after the other, as Python's own floats."""
    columns = [column.tolist() for column in points.values()]
    for values in zip(*columns, strict=True):
        yield dict(zip(points, values, strict=True))


def _closed_ends(part: Range) -> list[Expr]:
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
