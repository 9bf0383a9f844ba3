"""Verdicts on the stated invariants: tested, or refuted with a certified witness.

Blocks of points are screened in working precision; whatever is not clearly right goes
to balls, and only balls refute.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from flint import arb, ctx
from sympy import Rational, true

from adaface_ref.points import block, describe
from adaface_ref.spec.gst import claim_cases, magnitude
from adaface_ref.spec.invariants import Invariant
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.profiles import parse
from adaface_ref.spec.symbols import QUANTITIES
from adaface_ref.tolerance import EPSILON, ROUNDINGS

from .evaluate import (
    BALLS,
    NUMPY,
    Formula,
    arcs_of,
    arguments_of,
    compile_cases,
    inputs_of,
)
from .oracle import PRECISIONS, enclosure
from .shrink import simplest

Floats = np.ndarray[Any, np.dtype[np.float64]]

REVIEWED = 3000
"""So many of the points that working precision cannot clear go to balls."""

SPOT_CHECKS = 200
"""And so many of those that it can."""


class Witness(NamedTuple):
    """A point at which a claim is certainly false.

    Args:
        point: the inputs by name, shrunk; all that the claim needs.
        gst: the GST there, rounded.
        probability: P there, rounded.
    """

    point: dict[str, float]
    gst: float
    probability: float

    def __str__(self) -> str:
        return (
            f"{describe(self.point)}\n"
            f"gst = {self.gst!r}\nprobability = {self.probability!r}"
        )


class Verdict(NamedTuple):
    """What was found about one reading of one invariant.

    Args:
        invariant: the row of the spec.
        name: TESTED, REFUTED or VACUOUS.
        points: points at which the premise held.
        certified: points that balls decided.
        undecided: points that they could not decide.
        seed: of the block.
        witness: for REFUTED.
    """

    invariant: Invariant
    name: str
    points: int
    certified: int
    undecided: int
    seed: int
    witness: Witness | None

    @property
    def as_expected(self) -> bool:
        """Whether this is the verdict that the spec states for the row, all decided."""
        if self.invariant.holds:
            return self.name == "TESTED" and not self.undecided
        return self.name == "REFUTED"


def decide(invariant: Invariant, seed: int, size: int = 10_000) -> Verdict:
    """Tests one reading on its domain, or refutes it.

    Args:
        invariant: a row of the spec's INVARIANTS.
        seed: of the block of points.
        size: points besides the corners.

    Returns:
        The verdict. REFUTED only with a witness certified by balls.
    """
    row = invariant
    columns = block(row.loss, seed, profile=row.profile, size=size, box=row.box)
    value, premise, size_of = _screened(row, columns)
    singular = (np.abs(columns["target_cosine"]) == 1) & ~np.isfinite(value)
    inside = (premise > 0) & ~singular
    clear = value > 2 * ROUNDINGS * EPSILON["float64"] * size_of
    flat = (value == 0) & (not row.strict)
    doubtful = np.flatnonzero(inside & ~clear & ~flat)
    doubtful = doubtful[np.argsort(value[doubtful])]
    share = np.flatnonzero(inside)[:: max(1, int(inside.sum()) // SPOT_CHECKS)]
    chosen = [*doubtful[:REVIEWED].tolist(), *share.tolist()]
    decided = undecided = 0
    for index in chosen:
        point = {name: float(column[index]) for name, column in columns.items()}
        truth = holds_at(row, point)
        if truth is False:
            witness = _witness(row, point)
            count = int(inside.sum())
            return Verdict(row, "REFUTED", count, decided + 1, undecided, seed, witness)
        decided += truth is not None
        undecided += truth is None
    undecided += max(0, doubtful.size - REVIEWED)
    name = "TESTED" if inside.any() and decided else "VACUOUS"
    return Verdict(row, name, int(inside.sum()), decided, undecided, seed, None)


def holds_at(invariant: Invariant, point: Mapping[str, float]) -> bool | None:
    """Whether the claim holds at one point, by balls at rising precision.

    Args:
        invariant: a row of the spec's INVARIANTS.
        point: exact values by name.

    Returns:
        True also where the premise fails; None where balls cannot tell.
    """
    claim = _claim(invariant, arcs_of(invariant.loss, point))
    inputs = inputs_of(point, invariant.profile)
    before = ctx.prec
    try:
        for precision in PRECISIONS:
            ctx.prec = precision
            arguments = [arb(inputs[name]) for name in claim.balls.arguments]
            answer = _answer(claim.balls, arguments, invariant.strict)
            if answer is not None:
                return answer
    finally:
        ctx.prec = before
    return None


def _answer(balls: Formula, arguments: list[arb], strict: bool) -> bool | None:
    """The answer of every piece that may hold, if they are of one mind."""
    answers = set()
    for where, value in zip(balls.where, balls.value, strict=True):
        signs = where(*arguments)
        if any(sign <= 0 for sign in signs):
            continue
        answers.add(_answer_of_piece(value(*arguments), strict))
        if all(sign > 0 for sign in signs):
            break
    return answers.pop() if len(answers) == 1 else None


def _answer_of_piece(terms: Sequence[Any], strict: bool) -> bool | None:
    claim, *premise = (arb(term) for term in terms)
    if any(part <= 0 for part in premise):
        return True
    if not all(part > 0 for part in premise):
        return None
    if claim > 0 or (not strict and claim >= 0):
        return True
    return False if claim < 0 or (strict and claim <= 0) else None


class _Claim(NamedTuple):
    """A claim and its premise, compiled over the same arguments."""

    floats: Formula
    sizes: Formula
    balls: Formula


@cache
def _claim(row: Invariant, arcs: int | None) -> _Claim:
    parts = (row.claim, *row.where)
    listed = claim_cases(parts, LOSSES[row.loss], parse(row.profile), arcs)
    arguments = arguments_of(listed)
    moved = [case._replace(terms=magnitude(case.terms[0])) for case in listed]
    return _Claim(
        compile_cases(listed, NUMPY, arguments),
        compile_cases(moved, NUMPY, arguments),
        compile_cases(listed, BALLS, arguments),
    )


def _screened(
    row: Invariant, columns: Mapping[str, Floats]
) -> tuple[Floats, Floats, Floats]:
    """The claim, the least expression of its premise, and what rounding moves it."""
    claim = _claim(row, arcs_of(row.loss, columns))
    inputs = inputs_of(columns, row.profile)
    arguments = [inputs[name] for name in claim.floats.arguments]
    count = columns["target_cosine"].size
    value, premise, size_of = np.full((3, count), np.nan)
    left = np.ones(count, dtype=bool)
    with np.errstate(all="ignore"):
        for index, where in enumerate(claim.floats.where):
            signs = [np.broadcast_to(part > 0, count) for part in where(*arguments)]
            here = np.logical_and.reduce([left, *signs])
            left &= ~here
            stated, *parts = claim.floats.value[index](*arguments)
            value[here] = np.broadcast_to(stated, count)[here]
            least = np.min([np.broadcast_to(p, count) for p in (1.0, *parts)], axis=0)
            premise[here] = least[here]
            terms = claim.sizes.value[index](*arguments)
            moved = sum(np.abs(np.broadcast_to(term, count)) for term in terms)
            size_of[here] = np.asarray(moved)[here]
    return value, premise, size_of


def _witness(row: Invariant, point: dict[str, float]) -> Witness:
    """Shrinks a violation to the inputs that the claim needs."""
    names = _claim(row, arcs_of(row.loss, point)).balls.arguments
    wanted = {*names, "rival_cosine", *(p.name for p in LOSSES[row.loss].parameters)}
    start = {name: value for name, value in point.items() if name in wanted}

    def violated(trial: dict[str, float]) -> bool:
        return in_box(row, trial) and holds_at(row, trial) is False

    small = simplest(start, violated, row.loss)
    gst, probability = (
        float(enclosure(quantity, row.loss, row.profile, small))
        for quantity in ("gst", "probability")
    )
    return Witness(small, gst, probability)


def in_box(row: Invariant, point: Mapping[str, float]) -> bool:
    """Whether a point lies in the row's box and in every quantity's domain."""
    for name, value in point.items():
        domain = QUANTITIES[name].domain
        if domain.contains(Rational(value)) is not true:
            return False
        limits = row.box.get(name, (-math.inf, math.inf))
        low, high = limits if isinstance(limits, tuple) else (limits, limits)
        if not low <= value <= high:
            return False
    return True
