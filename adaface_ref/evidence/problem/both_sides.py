"""What the two sides of a claim's comparisons are at a point, as balls."""

from __future__ import annotations

from collections.abc import Iterator

from flint import arb, ctx
from sympy import Integer

from adaface_ref.evidence.problem.pointwise import (
    Point,
    balls_of,
    compile_cases,
    keep_precision,
    names_of,
)
from adaface_ref.evidence.problem.problem import Problem
from adaface_ref.spec.language.cases import Some, Statement, claim_cases
from adaface_ref.spec.language.inputs import losses_of
from adaface_ref.spec.language.language import parse_formula, parts
from adaface_ref.spec.language.tree import Comparison, Expression, Number, Proposition
from adaface_ref.spec.losses import LOSSES

BITS = 256
"""Precision of what is shown."""

NO_VALUE = "has no value here"


def sides_at(claim: Problem, point: Point) -> tuple[tuple[str, str], ...]:
    """The sides of every comparison, but for plain numbers.

    Args:
        claim: a claim on one box.
        point: all of its inputs.

    Returns:
        `left` and `right` with printed balls, numbered where there are several.
    """
    found = []
    comparisons = list(_comparisons(parse_formula(claim.formula)))
    for number, comparison in enumerate(comparisons, 1):
        place = "" if len(comparisons) == 1 else f" of comparison {number}"
        for side, tree in (("left", comparison.left), ("right", comparison.right)):
            if not isinstance(tree, Number):
                found.append((f"{side}{place}", _value(claim, tree, point)))
    return tuple(found)


def _comparisons(tree: Proposition | Expression) -> Iterator[Comparison]:
    if isinstance(tree, Comparison):
        yield tree
        return
    for part in parts(tree):
        yield from _comparisons(part)


def _place(statement: Statement) -> int:
    """Of the comparison, behind those that put other classes below the rival."""
    place = 0
    while isinstance(statement, Some):
        place, statement = place + 1, statement.parts[-1]
    return place


def _value(claim: Problem, tree: Expression, point: Point) -> str:
    """By the piece that applies, if balls can tell."""
    above = Comparison(">", tree, Number(Integer(0)))
    inputs = {**claim.fixed, **point}
    arcs = None
    if any(LOSSES[loss].has_arcs for loss in losses_of(above, claim.loss)):
        arcs = int(inputs["multiplier"])
    through_norm = "standard_norm" in inputs
    cases = claim_cases(
        above, claim.loss, claim.profile, arcs, through_norm=through_norm
    )
    names = names_of(inputs)
    with keep_precision():
        ctx.prec = BITS
        balls = balls_of(inputs, names)
        for row in compile_cases(cases, names):
            signs = row.where(*balls)
            if all(sign > 0 for sign in signs):
                value = arb(row.values(*balls)[_place(row.case.statement)])
                return str(value.str(20)) if value.is_finite() else NO_VALUE
            if not any(sign <= 0 for sign in signs):
                break
    return "lies at a kink"
