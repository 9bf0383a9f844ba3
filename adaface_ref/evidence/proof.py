"""Proof by interval branch and bound, in the angle; the certificate is the tree.

A box is done with a clause when one literal is certain, or when two cannot both fail
because their sum is positive; otherwise it is halved.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from flint import arb, ctx
from sympy import Expr, count_ops, expand

from adaface_ref.spec.symbols import QUANTITIES

from .boxes import BOXES, end_of
from .claim import Posed, precision_kept
from .clauses import Clause, Side, TooManyClauses, clauses_of, outside, sides_of
from .evaluate import compile_tree

BITS = 64
"""Of the balls: what a wide box has too much of is radius."""

MOST_BOXES = {"quick": 2_000, "normal": 20_000, "thorough": 2_000_000}
"""Of one clause, by effort."""

DONE, OPEN = ".", "?"
"""In a tree: a box that is proved, and one that was given up."""


class Tree(NamedTuple):
    """How a box was split to prove one clause.

    Args:
        clause: its literals.
        names: the inputs, in the order of the letters.
        splits: the tree in preorder: a letter halves that input's interval (`a` the
            first), `.` is a proved box, `?` one that was given up.
        boxes: how many were looked at.
        left: the boxes that were given up, by input.
        volume: their share of the whole.
    """

    clause: Clause
    names: tuple[str, ...]
    splits: str
    boxes: int
    left: tuple[dict[str, tuple[float, float]], ...]
    volume: float


class Proof(NamedTuple):
    """A claim's clauses with their trees.

    Args:
        trees: one a clause.
        finished: whether every clause was tried.
    """

    trees: tuple[Tree, ...]
    finished: bool

    @property
    def is_complete(self) -> bool:
        """Whether nothing was given up."""
        return self.finished and not any(tree.left for tree in self.trees)

    @property
    def left(self) -> tuple[dict[str, tuple[float, float]], ...]:
        """The boxes that were given up."""
        return tuple(box for tree in self.trees for box in tree.left)

    @property
    def boxes(self) -> int:
        """Boxes looked at."""
        return sum(tree.boxes for tree in self.trees)

    @property
    def volume(self) -> float:
        """The largest share that a clause has left."""
        return max((tree.volume for tree in self.trees), default=0.0)


def prove(claim: Posed, effort: str = "normal") -> Proof:
    """Tries to prove a claim on its box.

    Args:
        claim: a posed claim.
        effort: a key of MOST_BOXES.

    Returns:
        The trees; complete if nothing was left over. A clause that is given up ends
        the attempt.
    """
    try:
        clauses = clauses_of(claim)
    except TooManyClauses:
        return Proof((), False)
    sides = sides_of(claim)
    trees: list[Tree] = []
    with precision_kept():
        ctx.prec = BITS
        for clause in clauses:
            trees.append(_prove_clause(clause, sides, MOST_BOXES[effort]))
            if trees[-1].left:
                return Proof(tuple(trees), len(trees) == len(clauses))
    return Proof(tuple(trees), True)


class _Interval(NamedTuple):
    """One side of a box: its ends as balls and as floats, and the ball between."""

    low: arb
    high: arb
    start: float
    stop: float
    ball: arb

    def halves(self) -> tuple[_Interval, _Interval]:
        """Both halves; the middle is a float, and so exact."""
        middle = middle_of(self.start, self.stop)
        cut = arb(middle)
        return (
            _Interval(self.low, cut, self.start, middle, self.low.union(cut)),
            _Interval(cut, self.high, middle, self.stop, cut.union(self.high)),
        )


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


def start_of(side: Side) -> tuple[float, float]:
    """The ends of a side, rounded to floats; only splits are placed by them."""
    return float(side.low), float(side.high)


def _interval(side: Side) -> _Interval:
    low, high = end_of(side.low), end_of(side.high)
    return _Interval(low, high, *start_of(side), low.union(high))


class Test(NamedTuple):
    """What proves a clause on a box.

    Args:
        value: a compiled expression.
        strict: whether it must be positive, not just zero.
        rising: for a linear expression, whether it rises with each input: its least
            value is then at a corner, and exact.
    """

    value: Callable[..., Any]
    strict: bool
    rising: tuple[bool, ...] | None


def _test(value: Expr, strict: bool, names: Sequence[str]) -> Test:
    symbols = [QUANTITIES[name].symbol for name in names]
    slopes = [value.diff(symbol) for symbol in symbols]
    linear = all(slope.is_number for slope in slopes)
    rising = tuple(not slope.is_negative for slope in slopes) if linear else None
    return Test(compile_tree([value], names, BOXES), strict, rising)


def tests_of(clause: Clause, sides: Sequence[Side]) -> list[tuple[Expr, bool]]:
    """What each proves a clause on a box, the plainest first.

    Args:
        clause: a clause.
        sides: the box.

    Returns:
        Each literal, and each sum of two in which something cancels, with whether it
        must be positive: if both fail, e <= 0 and f <= 0, and less than zero where the
        literal is not strict.
    """
    pairs = list(combinations(clause, 2))
    pairs += [(one, end) for one in clause for side in sides for end in outside(side)]
    found = [(literal.expression, literal.strict) for literal in clause]
    for one, other in pairs:
        total = expand(one.expression + other.expression)
        most = max(count_ops(one.expression), count_ops(other.expression))
        if total.is_number or count_ops(total) < most:
            found.append((total, one.strict and other.strict))
    return list(dict.fromkeys(found))


def _prove_clause(clause: Clause, sides: Sequence[Side], most: int) -> Tree:
    used = set().union(*(literal.expression.free_symbols for literal in clause))
    sides = [side for side in sides if QUANTITIES[side.name].symbol in used]
    names = tuple(side.name for side in sides)
    tests = [_test(*test, names) for test in tests_of(clause, sides)]
    whole = tuple(_interval(side) for side in sides)
    widths = [part.stop - part.start for part in whole]
    stack = [(whole, tests)]
    splits, left, boxes = [], [], 0
    while stack:
        box, live = stack.pop()
        boxes += 1
        undecided = _undecided(live, box)
        if undecided is None:
            splits.append(DONE)
            continue
        axis = _widest(box, widths) if undecided else None
        if axis is None or boxes + len(stack) >= most:
            splits.append(OPEN)
            left.append(box)
            if not undecided:
                break
            continue
        splits.append(chr(ord("a") + axis))
        low, high = box[axis].halves()
        stack.append(((*box[:axis], high, *box[axis + 1 :]), undecided))
        stack.append(((*box[:axis], low, *box[axis + 1 :]), undecided))
    left += [box for box, _ in stack]
    splits += [OPEN] * len(stack)
    open_boxes = tuple(_named(box, names) for box in left)
    volume = sum(_share(box, widths) for box in left)
    return Tree(clause, names, "".join(splits), boxes, open_boxes, volume)


def _undecided(tests: list[Test], box: Sequence[_Interval]) -> list[Test] | None:
    """The tests that may still prove a part of a box; None if one proves it all.

    A test that fails on a whole box fails on its parts. No test left: the clause is
    false everywhere on the box.
    """
    kept = []
    balls = [part.ball for part in box]
    for test in tests:
        value, strict, rising = test
        if rising is None:
            least = most = value(*balls)[0]
        else:
            ends = zip(box, rising, strict=True)
            least = value(*(part.low if up else part.high for part, up in ends))[0]
        if least > 0 or (least >= 0 and not strict):
            return None
        if rising is not None:
            ends = zip(box, rising, strict=True)
            most = value(*(part.high if up else part.low for part, up in ends))[0]
        if not (most <= 0 if strict else most < 0):
            kept.append(test)
    return kept


def _widest(box: Sequence[_Interval], widths: Sequence[float]) -> int | None:
    """The input to split: the one that is widest against the whole box."""
    best, chosen = 0.0, None
    for axis, (part, whole) in enumerate(zip(box, widths, strict=True)):
        width = part.stop - part.start
        share = 2.0 if math.isinf(width) else width / whole if whole < math.inf else 1.0
        middle = middle_of(part.start, part.stop)
        if share > best and part.start < middle < part.stop:
            best, chosen = share, axis
    return chosen


def _share(box: Sequence[_Interval], widths: Sequence[float]) -> float:
    return math.prod(
        (part.stop - part.start) / whole if math.isfinite(whole) and whole else 1.0
        for part, whole in zip(box, widths, strict=True)
    )


def _named(
    box: Sequence[_Interval], names: Sequence[str]
) -> dict[str, tuple[float, float]]:
    return {n: (part.start, part.stop) for n, part in zip(names, box, strict=True)}
