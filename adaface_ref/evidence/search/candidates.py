"""The order of a search: which points come in turn, and which go to balls.

Blocks are looked at in working precision on two threads and read in order, so that the
same seed gives the same candidates; balls decide about each.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from adaface_ref.evidence.problem.pointwise import Exact, holds_at
from adaface_ref.evidence.problem.problem import Problem
from adaface_ref.evidence.search.axes import Axis, Hint, closed_ends, narrow, split
from adaface_ref.evidence.search.downhill import (
    Climb,
    Points,
    choose,
    join,
    least_on_lines,
    near_zeros,
)
from adaface_ref.evidence.search.sampling import LINE, ROWS, Places, Rows, rows_of
from adaface_ref.evidence.search.screen import Screen

Found = Mapping[str, Exact]
"""Free inputs of a point at which the claim may be false."""

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

MOST_HINTS = 16
"""Spread over those that are given."""

STARTS = 16
"""Points from which a margin is followed downhill."""

FEWEST = 4
"""Each round leaves the farther half of the starts behind, down to these."""

LEAST_CLIMBED = 3_000_000
"""Points of a climb at any effort: its rounds get cheaper."""


class Hunt:
    """The state of one search."""

    def __init__(self, claim: Problem, axes: Sequence[Axis], seed: int) -> None:
        self.claim, self.axes, self.seed = claim, tuple(axes), seed
        self.screen = Screen(claim)
        self.points = self.premised = self.certified = self.undecided = 0
        self.asked = self.unasked = self.most_climbed = 0
        self.pool: list[tuple[Points, Any]] = []

    def first(self, waves: Iterator[Iterator[Found]]) -> Found | None:
        """The first point of any wave that balls refute."""
        for wave in waves:
            for point in wave:
                if self.is_refuted_at(point):
                    return point
        return None

    def is_refuted_at(self, point: Found) -> bool:
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
        self.most_climbed = max(LEAST_CLIMBED, points // 2)
        yield self.corners()
        if not self.axes:
            return
        spread = hints[:: max(1, len(hints) // MOST_HINTS)][:MOST_HINTS]
        for turn, hint in enumerate(spread):
            axes = narrow(self.axes, hint)
            yield self.look_in_bulk(axes, 0, ROWS, self.seed + turn)
            yield self.downhill(axes, 3)
        rows = max(1, points // LINE)
        soon = min(rows, max(ROWS, rows // 8))
        yield self.look_in_bulk(self.axes, 0, soon, self.seed)
        yield self.next_to_zeros(min(soon, 4 * ROWS))
        yield self.downhill(self.axes, 12)
        yield self.look_in_bulk(self.axes, soon, rows - soon, self.seed)
        yield self.downhill(self.axes, 12)
        yield self.share()

    def corners(self) -> Iterator[Found]:
        """The exact corners that belong to the box; they need not be floats."""
        ends = [
            [(name, end) for end in closed_ends(self.claim.free[name])]
            for name in self.claim.free
        ]
        for corner in itertools.islice(itertools.product(*ends), 64):
            self.points += 1
            self.premised += holds_at(self.claim, dict(corner), premise=True) is True
            yield dict(corner)

    def look_in_bulk(
        self, axes: Sequence[Axis], start: int, rows: int, seed: int
    ) -> Iterator[Found]:
        """Candidates of so many rows, in the order of their blocks."""
        with ThreadPoolExecutor(THREADS) as pool:
            for first in range(start, start + rows, LOT * ROWS):
                size = min(LOT * ROWS, start + rows - first)
                lot = self.rows(axes, seed, first, size)
                blocks = [slice(at, at + ROWS) for at in range(0, size, ROWS)]
                look = partial(_look_at_rows, self.screen, lot)
                for result in pool.map(look, blocks):
                    yield from self.count(result)

    def rows(self, axes: Sequence[Axis], seed: int, start: int, size: int) -> Rows:
        """Rows of the search."""
        return rows_of(axes, self.screen.fixed, seed, start, size)

    def count(self, result: BlockReport) -> Iterator[Found]:
        """Adds up what was looked at, and passes the candidates on."""
        self.points += result.points
        self.premised += result.premised
        self.unasked += result.failing - _size(result.candidates)
        yield from _each(result.candidates)

    def next_to_zeros(self, rows: int) -> Iterator[Found]:
        """Candidates around the zeros that lines reveal."""
        block = self.rows(self.axes, self.seed, 0, rows).block().sort_lines()
        for around in near_zeros(self.screen, block, 2 * rows):
            yield from self.count(look_at(self.screen, around))
            self.keep(*least_on_lines(self.screen, around.sort_lines()))

    def keep(self, points: Points, least: Any) -> None:
        """Keeps the least margins as starts."""
        order = np.argsort(least, kind="stable")[:STARTS]
        self.pool.append((choose(points, order), least[order]))

    def downhill(self, axes: Sequence[Axis], rounds: int) -> Iterator[Found]:
        """Candidates where the margin is least, from the best starts so far."""
        along, others = split(axes)
        seed = self.seed + self.points
        block = self.rows(axes, seed, 0, 4 * ROWS).block().sort_lines()
        self.keep(*least_on_lines(self.screen, block))
        points = join([part for part, _ in self.pool])
        points = {axis.name: axis.clip(points[axis.name]) for axis in axes}
        least = np.concatenate([margin for _, margin in self.pool])
        self.pool.clear()
        order = _distinct(points, np.argsort(least, kind="stable"))[: 2 * STARTS]
        points, least = choose(points, order), least[order]
        yield from _each(choose(points, least <= 0))
        climb = Climb(self.screen, along, others, np.random.default_rng(seed))
        for _ in range(rounds):
            if climb.points > self.most_climbed:
                break
            before = least
            least = climb.round(points, least)
            better = least < before
            yield from _each(choose(points, (least <= 0) & better))
            if not np.any(better):
                break
            ahead = np.argsort(least, kind="stable")[: max(FEWEST, least.size // 2)]
            points, least = choose(points, ahead), least[ahead]
        self.points += climb.points
        self.premised += 0 if self.screen.has_premise else climb.points
        self.keep(points, least)

    def share(self) -> Iterator[Found]:
        """A share of the points, whether or not they look right."""
        size = min(MOST_SHARE, self.points // SHARE)
        block = self.rows(self.axes, self.seed + 1, 0, max(1, size)).block()
        which = np.arange(block.line.shape[0]) * (LINE + 97) % block.line.size
        self.asked = 0
        for point in _each(block.points(which)):
            if self.undecided < MOST_OPEN:
                yield point


class BlockReport(NamedTuple):
    """What working precision says of a block, the clearest candidates first."""

    points: int
    premised: int
    failing: int
    candidates: Points


def look_at(screen: Screen, block: Places) -> BlockReport:
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
        premised = int(np.count_nonzero(screen.meets_premise(columns)))
    which = np.flatnonzero(failing)
    count = which.size
    if count > 64 * ASKED:
        which = which[np.linspace(0, count - 1, 64 * ASKED).astype(np.int64)]
    if not count:
        return BlockReport(failing.size, premised, 0, {})
    margin = screen.margin(block.points(which))
    order = np.argsort(margin, kind="stable")
    row = which[order] // block.line.shape[1]
    again = _turns(row) >= 2
    order = order[np.argsort(again, kind="stable")][:ASKED]
    return BlockReport(failing.size, premised, count, block.points(which[order]))


def _look_at_rows(screen: Screen, lot: Rows, part: slice) -> BlockReport:
    return look_at(screen, lot.block(part.start, part.stop))


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


def _size(points: Points) -> int:
    return next((column.size for column in points.values()), 0)


def _each(points: Points) -> Iterator[Found]:
    """One point after the other, as Python's own floats."""
    columns = [column.tolist() for column in points.values()]
    for values in zip(*columns, strict=True):
        yield dict(zip(points, values, strict=True))
