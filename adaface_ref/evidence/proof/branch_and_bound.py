"""Proof by interval branch and bound, in the angle; the certificate is the tree.

A box is done with a clause when one literal is certain, or when two cannot both fail
because their sum is positive; otherwise it is halved. All boxes of one size are judged
at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from sympy import Expr, count_ops

from adaface_ref.evidence.problem.problem import Problem
from adaface_ref.evidence.proof.algebra import expansion_of
from adaface_ref.evidence.proof.clauses import (
    Clause,
    Side,
    clauses_of,
    outside,
    sides_of,
)
from adaface_ref.evidence.proof.enclosures import OverBoxes, compile_over_boxes, ends_of
from adaface_ref.evidence.proof.float_boxes import Boxes, preorder
from adaface_ref.evidence.proof.reduce import TooManyClauses
from adaface_ref.evidence.proof.spans import Span
from adaface_ref.spec.symbols import QUANTITIES

MOST_BOXES = {"quick": 20_000, "normal": 20_000, "thorough": 2_000_000}
"""Of one clause, by effort."""

MOST_LEFT = 1_000
"""Boxes of one clause that a proof names, the largest first."""

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
        open_boxes: the boxes that were given up, by input; at most MOST_LEFT.
        volume: the share of the whole that was given up.
    """

    clause: Clause
    names: tuple[str, ...]
    splits: str
    boxes: int
    open_boxes: tuple[dict[str, tuple[float, float]], ...]
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
        return self.finished and not any(tree.open_boxes for tree in self.trees)

    @property
    def open_boxes(self) -> tuple[dict[str, tuple[float, float]], ...]:
        """The boxes that were given up."""
        return tuple(box for tree in self.trees for box in tree.open_boxes)

    @property
    def boxes(self) -> int:
        """Boxes looked at."""
        return sum(tree.boxes for tree in self.trees)

    @property
    def volume(self) -> float:
        """The largest share that a clause has left."""
        return max((tree.volume for tree in self.trees), default=0.0)


def prove(claim: Problem, effort: str = "normal") -> Proof:
    """Tries to prove a claim on its box.

    Args:
        claim: a claim on one box.
        effort: a key of MOST_BOXES.

    Returns:
        The trees; complete if nothing was left over. A clause that is given up ends
        the attempt, as does one that cannot be evaluated.
    """
    trees: list[Tree] = []
    try:
        clauses = clauses_of(claim)
        sides = sides_of(claim)
        for clause in clauses:
            trees.append(_prove_clause(clause, sides, MOST_BOXES[effort]))
            if trees[-1].open_boxes:
                return Proof(tuple(trees), len(trees) == len(clauses))
    except (TooManyClauses, TypeError):
        return Proof(tuple(trees), False)
    return Proof(tuple(trees), True)


class Test(NamedTuple):
    """What proves a clause on a box.

    Args:
        value: a compiled expression.
        strict: whether it must be positive, not just zero.
    """

    value: OverBoxes
    strict: bool


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
        total = expansion_of(one.expression) + expansion_of(other.expression)
        most = max(count_ops(one.expression), count_ops(other.expression))
        if total.is_number or count_ops(total) < most:
            found.append((total, one.strict and other.strict))
    return list(dict.fromkeys(found))


def _prove_clause(clause: Clause, sides: Sequence[Side], most: int) -> Tree:
    used = set().union(*(literal.expression.free_symbols for literal in clause))
    sides = [side for side in sides if QUANTITIES[side.name].symbol in used]
    names = tuple(side.name for side in sides)
    tests = [
        Test(compile_over_boxes(e, names), strict)
        for e, strict in tests_of(clause, sides)
    ]
    whole = Boxes.whole([ends_of(side) for side in sides])
    boxes, live = whole, np.ones((len(tests), 1), dtype=bool)
    levels, left, count = [], [], 0
    while len(boxes):
        count += len(boxes)
        done, live = _judge(tests, boxes, live)
        axis = boxes.widest(whole)
        # Where no test is left the clause is false.
        split = ~done & (axis >= 0) & live.any(axis=0)
        if count + 2 * np.count_nonzero(split) > most:
            split[:] = False
        codes = np.where(done, ord(DONE), np.where(split, ord("a") + axis, ord(OPEN)))
        levels.append(codes.astype(np.uint8))
        left.append(boxes[~done & ~split])
        boxes, live = boxes[split].halves(axis[split]), live[:, split].repeat(2, axis=1)
    given_up = Boxes.join(left)
    return Tree(
        clause,
        names,
        preorder(levels),
        count,
        given_up.as_intervals(names, whole, MOST_LEFT),
        float(given_up.shares(whole).sum()),
    )


CHUNK = 4_096
"""Boxes judged at once, so that what is computed stays in the cache."""


def _judge(
    tests: Sequence[Test], boxes: Boxes, live: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Which boxes are proved, and which tests may still prove a part of each.

    A test that fails on a whole box fails on its parts.
    """
    done, live = np.zeros(len(boxes), dtype=bool), live.copy()
    for start in range(0, len(boxes), CHUNK):
        for row, test in enumerate(tests):
            part = slice(start, start + CHUNK)
            asked = start + np.flatnonzero(live[row, part] & ~done[part])
            if not asked.size:
                continue
            value: Span = test.value(*boxes[asked].spans())
            if test.strict:
                done[asked], live[row, asked] = value.low > 0, ~(value.high <= 0)
            else:
                done[asked], live[row, asked] = value.low >= 0, ~(value.high < 0)
    return done, live
