"""Boxes by their float ends, many at a time, and how they are halved."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from adaface_ref.evidence.proof.spans import Span

Row = np.ndarray[Any, np.dtype[np.float64]]


class Boxes:
    """Boxes of the same inputs.

    Args:
        low: array (inputs, boxes) of lower ends.
        high: array (inputs, boxes) of upper ends.
    """

    def __init__(self, low: Row, high: Row) -> None:
        self.low = low
        self.high = high

    @classmethod
    def whole(cls, ends: Sequence[tuple[float, float]]) -> Boxes:
        """One box, from the ends of its sides."""
        table = np.array(ends, dtype=np.float64).reshape(-1, 2, 1)
        return cls(table[:, 0], table[:, 1])

    @classmethod
    def join(cls, parts: Sequence[Boxes]) -> Boxes:
        """The boxes of all parts."""
        lows, highs = zip(*((part.low, part.high) for part in parts), strict=True)
        return cls(np.concatenate(lows, axis=1), np.concatenate(highs, axis=1))

    def __len__(self) -> int:
        return int(self.low.shape[1])

    def __getitem__(self, which: Any) -> Boxes:
        return Boxes(self.low[:, which], self.high[:, which])

    def spans(self) -> list[Span]:
        """One array of intervals for each input."""
        return [Span(*ends) for ends in zip(self.low, self.high, strict=True)]

    def widest(self, whole: Boxes) -> np.ndarray[Any, np.dtype[np.intp]]:
        """The input to halve: the one that is widest against the whole box.

        Args:
            whole: one box.

        Returns:
            Array (boxes,); -1 where no input has a float between its ends.
        """
        if not len(self.low):
            return np.full(len(self), -1)
        with np.errstate(invalid="ignore", over="ignore"):
            share = (self.high - self.low) / (whole.high - whole.low)
        share[np.isnan(share)] = 2.0
        share[(share == 0) & np.isinf(whole.high - whole.low)] = 1.0
        middle = middles(self.low, self.high)
        share[~((self.low < middle) & (middle < self.high))] = -1.0
        axis = np.argmax(share, axis=0)
        return np.where(share.max(axis=0) > 0, axis, -1)

    def halves(self, axis: np.ndarray[Any, np.dtype[np.intp]]) -> Boxes:
        """Both halves of every box, the lower one first.

        Args:
            axis: array (boxes,), the input that is halved.

        Returns:
            Twice as many boxes.
        """
        low, high = self.low.repeat(2, axis=1), self.high.repeat(2, axis=1)
        each = np.arange(len(self))
        middle = middles(self.low[axis, each], self.high[axis, each])
        high[axis, 2 * each] = middle
        low[axis, 2 * each + 1] = middle
        return Boxes(low, high)

    def shares(self, whole: Boxes) -> Row:
        """The volume of each, the whole being 1; unbounded sides are left out."""
        with np.errstate(invalid="ignore"):
            share = (self.high - self.low) / (whole.high - whole.low)
        bounded = np.isfinite(whole.high - whole.low)
        done: Row = np.where(bounded, share, 1.0).prod(axis=0)
        return done

    def as_intervals(
        self, names: Sequence[str], whole: Boxes, most: int
    ) -> tuple[dict[str, tuple[float, float]], ...]:
        """The largest of them, by input.

        Args:
            names: of the inputs.
            whole: one box.
            most: how many.

        Returns:
            The ends of each side, for each box.
        """
        largest = np.argsort(-self.shares(whole), kind="stable")[:most]
        return tuple(
            {
                name: (float(low), float(high))
                for name, low, high in zip(names, lows, highs, strict=True)
            }
            for lows, highs in zip(
                self.low.T[largest], self.high.T[largest], strict=True
            )
        )


def middles(low: Row, high: Row) -> Row:
    """`middle_of` of many intervals."""
    with np.errstate(invalid="ignore", over="ignore"):
        inside = low + (high - low) / 2
        outwards = np.where(np.isinf(high), np.maximum(1.0, 2 * low), inside)
        outwards = np.where(np.isinf(low), np.minimum(-1.0, 2 * high), outwards)
    return np.where(np.isinf(low) & np.isinf(high), 0.0, outwards)


def middle_of(start: float, stop: float) -> float:
    """Where an interval is split: halfway, or outwards by doubling if it has no end.

    Args:
        start: its lower end, perhaps -inf.
        stop: its upper end, perhaps inf.

    Returns:
        A float strictly between, if there is one.
    """
    if math.isinf(start) and math.isinf(stop):
        return 0.0
    if math.isinf(stop):
        return max(1.0, 2 * start)
    if math.isinf(start):
        return min(-1.0, 2 * stop)
    return start + (stop - start) / 2


def preorder(levels: Sequence[np.ndarray[Any, np.dtype[np.uint8]]]) -> str:
    """A tree from its rows.

    Args:
        levels: the letters of each depth, from left to right; a letter that splits has
            its two halves in the next row.

    Returns:
        The letters in preorder.
    """
    rows = [iter(level.tobytes().decode("ascii")) for level in levels]
    found, stack = [], [0]
    while stack:
        depth = stack.pop()
        letter = next(rows[depth])
        found.append(letter)
        if letter.isalpha():
            stack += (depth + 1, depth + 1)
    return "".join(found)
