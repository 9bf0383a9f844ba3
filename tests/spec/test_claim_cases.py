"""What a claim says, piece by piece, is what its text says."""

from __future__ import annotations

import pytest
from claim_truth import point_of, says
from drawn_claims import Drawn, drawn_claims, points_of
from hypothesis import HealthCheck, given, settings
from sympy import Integer, Rational, cos, pi, sqrt

from adaface_ref.evidence.problem.pointwise import holds_at
from adaface_ref.evidence.problem.problem import Problem, box_of, problems_of
from adaface_ref.spec.language.cases import All, Atom, ClaimCase, Some, claim_cases
from adaface_ref.spec.language.language import ClaimError, parse_formula
from adaface_ref.spec.symbols import angle, margin, rival_cosine, scale, target_cosine

HALF = Rational(1, 2)

ARCFACE = "scale=64, margin=0.5, rival_cosine=0.5"


def read(
    formula: str, loss: str = "arcface", profile: str = "pure"
) -> tuple[ClaimCase, ...]:
    return claim_cases(parse_formula(formula), loss, profile)


def one(formula: str, loss: str, box: str, profile: str = "pure") -> Problem:
    (claim,) = problems_of(formula, loss, profile, box_of(formula, loss, box))
    return claim


@settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(drawn=drawn_claims())
def test_the_cases_hold_where_the_text_holds(drawn: Drawn) -> None:
    claim = drawn.problem()
    if claim is None:
        return
    tree = parse_formula(drawn.formula)
    for point in points_of(claim)[:6]:
        told = says(tree, drawn.loss, drawn.profile, point_of(claim.fixed, point))
        assert told is None or holds_at(claim, point) in (told, None), point


def test_the_pieces_of_a_profile_are_cases_in_their_order() -> None:
    names = [case.name for case in read("gst <= 0", profile="fallback")]
    assert names == ["core", "fallback"]


def test_a_formula_without_pieces_is_one_case() -> None:
    (case,) = read("rival_cosine < 1", profile="clip")
    assert case == ClaimCase((), Atom(1 - rival_cosine, ">"), All(()), "core")


def test_pieces_of_two_losses_are_multiplied_out() -> None:
    both = read("slope == loss(adaface, slope)", profile="clip")
    alone = read("slope == 1", profile="clip")
    assert len(alone) < len(both) <= len(alone) ** 2


def test_the_same_quantity_twice_has_its_pieces_once() -> None:
    assert len(read("gst <= 0 or gst > 1", profile="clip")) == len(
        read("gst <= 0", profile="clip")
    )


def test_at_moves_a_quantity_with_its_borders() -> None:
    (case, *_) = read("at(slope, margin=margin/2) > 0", profile="fallback")
    assert case.where == (cos(angle) - cos(pi - margin / 2),)


def test_all_substitutions_of_an_at_are_made_at_once() -> None:
    (case,) = read("at(margin - scale, margin=scale, scale=margin) > 0")
    assert case.statement == Atom(scale - margin, ">")


def test_an_inner_at_sees_what_the_outer_one_put_there() -> None:
    (case,) = read("at(at(margin, margin=scale), scale=2) > 0")
    assert case.statement == Atom(Integer(2), ">")


def test_loss_asks_another_loss() -> None:
    (case,) = read("loss(normface, target_logit) > 0", "arcface")
    assert case.statement == Atom(cos(angle), ">")


def test_diff_is_by_the_cosine_where_it_says_so() -> None:
    (case,) = read("diff(target_cosine**2, target_cosine) > 0")
    assert case.statement == Atom(2 * cos(angle), ">")
    assert not case.statement.expression.has(target_cosine)


def test_iff_holds_where_both_or_neither_do() -> None:
    (case,) = read("iff(margin > 0, scale >= 1)")
    both = All((Atom(margin, ">"), Atom(scale - 1, ">=")))
    neither = All((Atom(-margin, ">="), Atom(1 - scale, ">")))
    assert case.statement == Some((both, neither))


def test_what_implies_says_first_is_the_premise() -> None:
    (case,) = read("implies(margin > 0, scale >= 1)")
    assert case.premise == Atom(margin, ">")
    assert case.statement == Some((Atom(-margin, ">="), Atom(scale - 1, ">=")))


def test_not_turns_implies_into_its_premise_without_its_end() -> None:
    (case,) = read("not implies(margin > 0, scale >= 1)")
    assert case.statement == All((Atom(margin, ">"), Atom(1 - scale, ">")))


def test_no_other_class_lies_above_the_rival() -> None:
    claim = one("other_logit <= 32", "arcface", ARCFACE + ", other_cosine in [-1, 1]")
    above = {"target_cosine": HALF, "other_cosine": Rational(3, 4)}
    assert holds_at(claim, above) is True and holds_at(claim, above, True) is False


def test_the_margin_scaler_is_clipped_where_it_follows_from_the_norm() -> None:
    formula = (
        "abs(margin_scaler) <= 1 and implies(standard_norm > 4, margin_scaler == 1)"
    )
    claim = one(formula, "adaface", "standard_norm in (-inf, inf)")
    assert len(claim.cases) == 3
    for norm in (-50, -2, 0, 1, 50):
        point = {"standard_norm": Integer(norm), "target_cosine": HALF}
        assert holds_at(claim, point) is True


UNDEFINED = [
    ("sqrt(target_cosine) >= 0", "-1/2"),
    ("sqrt(target_cosine)**2 == target_cosine", "-1/2"),
    ("log(target_cosine) - log(target_cosine) == 0", "-1/2"),
    ("exp(log(target_cosine)) == target_cosine", "-1/2"),
    ("1/target_cosine**2 > 0", "0"),
    ("target_cosine/target_cosine == 1", "0"),
    ("1/(margin - 1/2) > 0", "1/2"),
    ("at(slope, angle=4*angle) < 9", "-1/2"),
    ("at(gst, target_cosine=2*target_cosine)**2 >= 0", "3/4"),
]
"""Forms that hold where they have a value, and cosines at which they have none."""


@pytest.mark.parametrize(("formula", "cosine"), UNDEFINED)
def test_what_has_no_value_does_not_hold(formula: str, cosine: str) -> None:
    claim = one(formula, "arcface", ARCFACE)
    assert holds_at(claim, {"target_cosine": Rational(cosine)}) is False


@pytest.mark.parametrize(("formula", "cosine"), UNDEFINED)
def test_nor_does_its_negation(formula: str, cosine: str) -> None:
    claim = one(f"not ({formula})", "arcface", ARCFACE)
    assert holds_at(claim, {"target_cosine": Rational(cosine)}) is False


def test_a_root_is_its_own_modulus() -> None:
    (case,) = read("abs(sqrt(scale - 2)) > 0")
    assert case.statement == All((Atom(sqrt(scale - 2), ">"), Atom(scale - 2, ">=")))


def test_what_has_no_value_matters_only_where_something_rests_on_it() -> None:
    claim = one(
        "implies(target_cosine > 0, log(target_cosine) < 0)", "arcface", ARCFACE
    )
    assert holds_at(claim, {"target_cosine": -HALF}) is True


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("1/(margin - margin) > 0", "real and finite"),
        ("sqrt(-1) > 0", "real and finite"),
        ("sqrt(sqrt(scale)) > 0", "root of a root"),
        ("diff(" * 6 + "gst_rate" + ", target_cosine)" * 6 + " > 0", "operations"),
        ("max(" + ", ".join(f"abs(gst - {i})" for i in range(16)) + ") > 0", "written"),
    ],
)
def test_a_formula_without_meaning_or_measure_is_refused(
    formula: str, said: str
) -> None:
    with pytest.raises(ClaimError, match=said):
        read(formula, "adaface", "clip")


def test_too_many_pieces_are_refused() -> None:
    many = " + ".join(f"at(gst, margin=0.{i})" for i in range(1, 5))
    with pytest.raises(ClaimError, match="at most 400 pieces"):
        read(f"{many} < 0", "adaface", "clip")
