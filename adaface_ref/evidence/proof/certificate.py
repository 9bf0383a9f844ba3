"""A proof as data, and its check by a second interval engine.

The certificate says what is claimed, the clauses, and how the box was split for each.
The check reads the claim again from its text and evaluates every leaf with mpmath's
intervals; spans, the compiler and the splitting are not trusted. The reduction to
clauses is: it is held to the claim at points, by the oracle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from itertools import combinations
from typing import Any, NamedTuple

from sympy import Expr

from adaface_ref.evidence.problem.problem import (
    Problem,
    box_of,
    box_of_problem,
    problems_of,
)
from adaface_ref.evidence.proof.algebra import expansion_of
from adaface_ref.evidence.proof.branch_and_bound import DONE, MOST_BOXES, Proof
from adaface_ref.evidence.proof.clauses import (
    Clause,
    Side,
    clauses_of,
    outside,
    sides_of,
)
from adaface_ref.evidence.proof.enclosures import ends_of
from adaface_ref.evidence.proof.float_boxes import middle_of
from adaface_ref.evidence.proof.reduce import TooManyClauses
from adaface_ref.evidence.proof.second_engine import (
    Interval,
    Known,
    Unknown,
    constants_of,
    end_of,
    hull_of,
    is_certain,
    point,
    precision,
)
from adaface_ref.spec.language.box import describe
from adaface_ref.spec.language.language import ClaimError
from adaface_ref.spec.language.tokens import one_line, quoted
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.symbols import QUANTITIES

FORMAT = 1

LONGEST_REASON = 300
"""Characters."""


def certificate_of(claim: Problem, proof: Proof) -> dict[str, Any]:
    """A complete proof as data.

    Args:
        claim: what was proved.
        proof: its trees.

    Returns:
        JSON types, to be read by `check`.
    """
    return {
        "format": FORMAT,
        "program": f"adaface-ref {version('adaface-ref')}",
        "formula": claim.formula,
        "loss": claim.loss,
        "profile": claim.profile,
        "box": describe(box_of_problem(claim)),
        "clauses": [
            {
                "literals": [str(literal) for literal in tree.clause],
                "inputs": list(tree.names),
                "splits": tree.splits,
            }
            for tree in proof.trees
        ],
    }


class CheckResult(NamedTuple):
    """What became of a certificate.

    Args:
        accepted: whether it proves its claim.
        reason: why not.
        boxes: leaves that were evaluated.
    """

    accepted: bool
    reason: str
    boxes: int


class _Rejection(Exception):  # noqa: N818
    """Why a certificate proves nothing."""


def check(certificate: Any) -> CheckResult:
    """Checks a certificate, whoever made it.

    Args:
        certificate: as `certificate_of` makes it, or anything else read from JSON.

    Returns:
        Whether it proves the claim whose text stands in it.
    """
    try:
        with precision():
            return CheckResult(True, "", _check_boxes(certificate))
    except (_Rejection, ClaimError, TooManyClauses, Unknown) as error:
        return CheckResult(False, one_line(str(error))[:LONGEST_REASON], 0)


def _check_boxes(certificate: Any) -> int:
    claim = _claim_of(certificate)
    clauses, sides = clauses_of(claim), sides_of(claim)
    rows = certificate.get("clauses")
    if not isinstance(rows, list) or len(rows) != len(clauses):
        raise _Rejection(f"it must prove {len(clauses)} clauses")
    return sum(
        _check_tree(row, clause, sides, place)
        for place, (row, clause) in enumerate(zip(rows, clauses, strict=True))
    )


def _claim_of(certificate: Any) -> Problem:
    """The claim, from its text."""
    given = certificate if isinstance(certificate, Mapping) else {}
    fields = [given.get(name) for name in ("formula", "loss", "profile", "box")]
    if given.get("format") != FORMAT or not all(isinstance(f, str) for f in fields):
        raise _Rejection(f"it must be a certificate of format {FORMAT}")
    formula, loss, profile, text = map(str, fields)
    if loss not in LOSSES:
        raise _Rejection(f"unknown loss {quoted(loss)}")
    try:
        claims = problems_of(formula, loss, profile, box_of(formula, loss, text))
    except ValueError as error:
        raise _Rejection(str(error)) from None
    if len(claims) != 1:
        raise _Rejection("its box must have one value for every input that has values")
    return claims[0]


def _check_tree(row: Any, clause: Clause, sides: Sequence[Side], place: int) -> int:
    used = set().union(*(literal.expression.free_symbols for literal in clause))
    sides = [side for side in sides if QUANTITIES[side.name].symbol in used]
    expected = {
        "literals": [str(literal) for literal in clause],
        "inputs": [side.name for side in sides],
    }
    if not isinstance(row, dict) or {k: row.get(k) for k in expected} != expected:
        raise _Rejection(f"clause {place} is not the claim's")
    splits = row.get("splits")
    if not isinstance(splits, str) or len(splits) > MOST_BOXES["thorough"]:
        raise _Rejection(f"clause {place} has no tree, or too large a one")
    return _walk(splits, _reasons(clause, sides), sides, place)


Reason = tuple[Expr, bool]
"""An expression, and whether it must be positive or just not negative."""


def _reasons(clause: Clause, sides: Sequence[Side]) -> list[Reason]:
    """What would prove the clause: a literal, or two that cannot both fail."""
    pairs = list(combinations(clause, 2))
    pairs += [(one, end) for one in clause for side in sides for end in outside(side)]
    single = [(literal.expression, literal.strict) for literal in clause]
    return single + [
        (expansion_of(a.expression) + expansion_of(b.expression), a.strict and b.strict)
        for a, b in pairs
    ]


def _walk(splits: str, reasons: list[Reason], sides: Sequence[Side], place: int) -> int:
    """Follows a tree from the whole box to its leaves; each of them must be certain."""
    leaf = _Leaf(reasons, sides, place)
    whole = [
        _Part(end_of(side.low), end_of(side.high), *ends_of(side)) for side in sides
    ]
    stack, leaves = [whole], 0
    for step in splits:
        if not stack:
            raise _Rejection(f"the tree of clause {place} is too long")
        box = stack.pop()
        if step == DONE:
            leaf.check(box)
            leaves += 1
            continue
        axis = ord(step) - ord("a")
        if not 0 <= axis < len(sides):
            raise _Rejection(f"the tree of clause {place} has a {step!r}")
        if not box[axis].start < box[axis].middle < box[axis].stop:
            raise _Rejection(f"the tree of clause {place} splits what has no middle")
        for half in reversed(box[axis].halves()):
            stack.append([*box[:axis], half, *box[axis + 1 :]])
    if stack:
        raise _Rejection(f"the tree of clause {place} leaves a part of the box out")
    return leaves


class _Part(NamedTuple):
    """One side of a box: its ends, and the floats around it that place its middle."""

    low: Interval
    high: Interval
    start: float
    stop: float

    @property
    def middle(self) -> float:
        return middle_of(self.start, self.stop)

    def halves(self) -> tuple[_Part, _Part]:
        """The lower half, and the upper one."""
        cut = point(self.middle)
        return (
            _Part(self.low, cut, self.start, self.middle),
            _Part(cut, self.high, self.middle, self.stop),
        )


class _Leaf:
    """Judges leaves, the reason that served last first."""

    def __init__(
        self, reasons: list[Reason], sides: Sequence[Side], place: int
    ) -> None:
        self.reasons = reasons
        self.symbols = [QUANTITIES[side.name].symbol for side in sides]
        self.constants = constants_of(value for value, _ in reasons)
        self.place = place

    def check(self, box: Sequence[_Part]) -> None:
        """Raises unless the clause is certain on a box."""
        known: Known = dict(self.constants)
        for symbol, part in zip(self.symbols, box, strict=True):
            known[symbol] = hull_of(part.low, part.high)
        for turn, (value, strict) in enumerate(self.reasons):
            if is_certain(value, strict, known):
                self.reasons.insert(0, self.reasons.pop(turn))
                return
        where = ", ".join(f"{symbol} in {known[symbol]}" for symbol in self.symbols)
        raise _Rejection(f"a leaf of clause {self.place} is not certain: {where}")
