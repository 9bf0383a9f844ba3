"""Comparisons written plainly hold exactly where they held before."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from drawn_claims import Drawn, drawn_claims, points_of
from flint import ctx
from hypothesis import HealthCheck, given, settings
from sympy import Expr, Rational, S, exp, log, sin

from adaface_ref.compiler import compile_tree
from adaface_ref.evidence.problem.logic import FALSE, TRUE, atoms_of, evaluate
from adaface_ref.evidence.problem.pointwise import (
    POINT_BALLS,
    all_of,
    ball_decides,
    ball_of,
    holds_at,
    keep_precision,
    some_of,
)
from adaface_ref.evidence.problem.problem import Problem, box_of, problems_of
from adaface_ref.evidence.proof.algebra import expansion_of, factor_signs, signs_of
from adaface_ref.evidence.proof.clauses import (
    Literal,
    PlainCase,
    clauses_of,
    outside,
    plain_cases,
    sides_of,
)
from adaface_ref.evidence.proof.factors import factors_of
from adaface_ref.evidence.proof.reduce import TooManyClauses, join, negate
from adaface_ref.spec.language.cases import All, Atom, Some, Statement
from adaface_ref.spec.symbols import (
    angle,
    log_logistic,
    logistic,
    margin,
    rival_cosine,
    scale,
)

BITS = 300


def one(formula: str, loss: str, box: str, profile: str = "pure") -> Problem:
    (claim,) = problems_of(formula, loss, profile, box_of(formula, loss, box))
    return claim


def holds_plainly(claim: Problem, point: Mapping[str, Expr]) -> bool | None:
    """What the plain cases say at a point: of the first that applies."""
    names = [side.name for side in sides_of(claim)]
    with keep_precision():
        ctx.prec = BITS
        balls = [
            ball_of(point["target_cosine"]).acos()
            if name == "angle" and "target_cosine" in point
            else ball_of(point[name])
            for name in names
        ]

        def truth(statement: Statement) -> bool | None:
            trees = [atom.expression for atom in atoms_of(statement)]
            values = iter(compile_tree(trees, names, POINT_BALLS)(*balls))
            done: bool | None = evaluate(
                statement, values, ball_decides, all_of, some_of
            )
            return done

        return _first(plain_cases(claim), truth)


def _first(
    cases: tuple[PlainCase, ...], truth: Callable[[Statement], bool | None]
) -> bool | None:
    for case in cases:
        applies = truth(case.where)
        if applies is not False:
            return truth(case.statement) if applies else None
    raise AssertionError("the last case applies everywhere")


@settings(
    max_examples=30,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(drawn=drawn_claims())
def test_plain_cases_hold_where_the_claim_holds(drawn: Drawn) -> None:
    claim = drawn.problem()
    if claim is None:
        return
    try:
        plain_cases(claim)
    except TooManyClauses:
        return
    for point in points_of(claim):
        plainly, told = holds_plainly(claim, point), holds_at(claim, point)
        assert None in (plainly, told) or plainly == told, point


ARC = "scale=64, margin=0.5, rival_cosine=0.5, "
WIDE = "target_cosine in [-0.95, 0.95]"
RULES = {
    "a product is judged by its factors": ("gst*slope <= 0", "arcface", ARC + WIDE),
    "an even power is positive but at its zero": (
        "slope**2 > 0",
        "arcface",
        ARC + WIDE,
    ),
    "a quotient has the sign of the product": (
        "target_cosine/rival_cosine > 0",
        "normface",
        f"rival_cosine in [-1, 1], {WIDE}",
    ),
    "a modulus taken off is two comparisons": (
        "abs(target_cosine - 0.2) < 0.5",
        "normface",
        WIDE,
    ),
    "a modulus added is one of two": ("abs(target_cosine) > 0.5", "normface", WIDE),
    "a modulus inside a modulus": (
        "abs(abs(target_cosine) - 0.5) < 0.2",
        "normface",
        WIDE,
    ),
    "a modulus that stands twice": (
        "exp(abs(target_cosine)) - abs(target_cosine) > 1.1",
        "normface",
        WIDE,
    ),
    "a cube of a modulus": (
        "abs(target_cosine)**3 - abs(target_cosine) > -0.3",
        "normface",
        WIDE,
    ),
    "a modulus of a quotient in a sum": (
        "abs(slope/target_cosine) - slope > 1",
        "arcface",
        ARC + WIDE,
    ),
    "the sign of a sine is an interval": (
        "slope < 0",
        "arcface",
        f"margin in [0, 1.57], {WIDE}",
    ),
    "the order of cosines is that of angles": (
        "target_cosine <= 0.3",
        "normface",
        WIDE,
    ),
    "of two opposite logistics one is left": (
        "probability > 3*complement",
        "cosface",
        f"rival_cosine in [-1, 1], {WIDE}",
    ),
    "logistics and exponentials are powers of one": (
        "probability*exp(-scale*target_logit) < exp(-scale*rival_cosine)",
        "cosface",
        f"scale=8, rival_cosine in [-1, 1], {WIDE}",
    ),
    "an equality is that of a factor": ("slope*target_cosine == 0", "arcface", WIDE),
    "the kink of a modulus has slope 0": (
        "diff(abs(target_cosine), target_cosine) >= 0",
        "normface",
        WIDE,
    ),
}


@pytest.mark.parametrize("row", RULES.values(), ids=RULES.keys())
def test_a_rule_keeps_the_truth_and_its_opposite(row: tuple[str, str, str]) -> None:
    formula, loss, box = row
    for text in (formula, f"not ({formula})"):
        claim = one(text, loss, box)
        points = points_of(claim)
        points += [
            {**points[0], "target_cosine": Rational(k, 50)} for k in range(-47, 48)
        ]
        told = {holds_at(claim, point) for point in points}
        assert {True, False} & told
        for point in points:
            plainly, truth = holds_plainly(claim, point), holds_at(claim, point)
            assert None in (plainly, truth) or plainly == truth, point


def test_factors_of_known_sign_are_dropped() -> None:
    known = {scale: {"positive": True}}
    value = -scale * logistic(margin) * exp(margin) * sin(angle) * (margin - 1)
    assert factors_of(value, known) == ((margin - 1,), True)


def test_a_factor_that_stands_twice_is_a_modulus_which_one_more_takes_up() -> None:
    factors, _ = factors_of((margin - 1) ** 2 * (rival_cosine - 1) ** 3, {})
    assert {str(part) for part in factors} == {"Abs(margin - 1)", "rival_cosine - 1"}


def test_log_logistic_is_negative() -> None:
    assert factors_of(log_logistic(margin), {}) == ((), True)


def test_the_signs_of_a_sum_are_those_of_its_terms() -> None:
    assert signs_of(scale**2 + 1) == (1, 1)
    assert signs_of(-(scale**2)) == (-1, 0)
    assert signs_of(scale - 1) == (-1, 1)


def test_what_would_explode_is_left_as_it_is() -> None:
    long = (scale + margin + rival_cosine + angle + log(scale) + 1) ** 16
    assert expansion_of(long) == long
    assert factor_signs(long - 1) == (long - 1,)


def test_a_statement_beside_its_opposite_is_certain() -> None:
    positive = Atom(margin, ">")
    assert join(Some, (positive, negate(positive))) == TRUE
    assert join(All, (positive, negate(positive))) == FALSE


def test_the_opposite_of_the_opposite_is_the_statement() -> None:
    both = All((Atom(margin, ">"), Some((Atom(scale, ">="), Atom(angle, ">")))))
    assert negate(negate(both)) == both


def test_an_expression_without_value_is_false_either_way() -> None:
    claim = one("1/(margin - 1/2) > 0", "arcface", ARC + WIDE)
    (case,) = plain_cases(claim)
    assert case.statement == FALSE


def test_an_iff_of_equal_sides_needs_no_clause() -> None:
    claim = one("iff(gst*slope < 0, not gst*slope >= 0)", "arcface", ARC + WIDE)
    assert clauses_of(claim) == ()


def test_a_clause_assumes_that_no_earlier_piece_applies() -> None:
    claim = one("target_logit < 1", "arcface", ARC + WIDE, "fallback")
    first, second = clauses_of(claim)
    assert any(Literal(-literal.expression, True) in second for literal in first)


def test_an_open_end_is_assumed_strictly() -> None:
    claim = one("scale > 0", "normface", "scale in (0, 1]")
    side = next(side for side in sides_of(claim) if side.name == "scale")
    assert outside(side) == (Literal(-scale, False), Literal(scale - S.One, True))


def test_a_claim_of_too_many_clauses_is_given_up() -> None:
    parts = " or ".join(f"(gst > {i} and logit < {i})" for i in range(1, 14))
    with pytest.raises(TooManyClauses):
        clauses_of(one(parts, "arcface", ARC + WIDE))
