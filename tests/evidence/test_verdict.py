"""What a verdict must not say: cases in which an earlier version said too much."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adaface_ref.evidence.search.witness import Witness
from adaface_ref.evidence.verdict import decide
from adaface_ref.spec.language.files import asked, read_claims
from adaface_ref.spec.language.tokens import ClaimError

POINT = "margin=0.5, rival_cosine=0.5"


def decided(formula: str, loss: str, profile: str, box: str) -> str:
    return decide(asked(formula, loss, profile, box), effort="quick").name


def swept(formula: str, box: str) -> tuple[str, str]:
    claim = replace(asked(formula, "arcface", "pure", box), id="swept", sweep=True)
    found = decide(claim, effort="quick")
    return found.name, found.evidence


def test_no_cosines_exhaust_nothing() -> None:
    box = f"{POINT}, target_cosine in [0.50001, 0.50002]"
    name, _ = swept("(target_cosine**2 - 0.250015)**2 > 0", box)
    assert name != "EXHAUSTED"


def test_exhausted_says_of_which_dtypes() -> None:
    name, evidence = swept("(target_cosine**2 - 1/2)**2 > 0", POINT)
    assert name == "EXHAUSTED"
    assert evidence == "all 30,721 float16 cosines, all 32,513 bfloat16 cosines"


def test_what_has_no_error_bound_is_not_exhausted() -> None:
    formula = "at(slope, target_cosine=-target_cosine) == at(slope, angle=pi-angle)"
    name, _ = swept(formula, POINT)
    assert name in ("TESTED", "OPEN", "PROVED")


def test_points_that_look_false_and_were_not_asked_are_no_pass() -> None:
    # False in a disc of radius 1e-4; everywhere else true by less than a rounding.
    formula = (
        "exp(rival_cosine/3)**3 - exp(rival_cosine)*(sin(angle)**2 + target_cosine**2)"
        " < 1e-18*((target_cosine - 0.3)**2 + (rival_cosine - 0.5)**2 - 1e-8)"
    )
    found = decide(
        asked(formula, "arcface", "pure", "margin=0.5, rival_cosine in [0.4, 0.6]"),
        effort="quick",
    )
    assert found.name == "OPEN" and found.unasked > 0
    assert "look false" in found.evidence


@pytest.mark.parametrize(
    "formula",
    ["sqrt(sin(angle)) > 0", "gst <= 1e400", "sqrt(slope_rate) > 0", "gst < -1e-400"],
)
def test_odd_formulas_are_decided(formula: str) -> None:
    assert decided(formula, "arcface", "pure", "margin=0.5") != "VACUOUS"


def test_a_tiny_bound_does_not_take_for_ever() -> None:
    box = "target_cosine in [0, 0.5]"
    assert decided("abs(gst) < 1e-400", "arcface", "pure", box) == "REFUTED"


@pytest.mark.parametrize("formula", ["gst <= 0", "slope >= 0"])
@pytest.mark.parametrize(
    ("loss", "box"),
    [
        ("adaface", "standard_norm in [-5, 5], concentration=0.333, rival_cosine=0.5"),
        ("magface", "feature_norm in [5, 120], rival_cosine=0.5"),
    ],
)
def test_the_sign_under_clip_is_proved_through_the_norm(
    formula: str, loss: str, box: str
) -> None:
    assert decided(formula, loss, "clip", box) == "PROVED"


def test_a_cosine_of_2_has_no_gradient() -> None:
    formula = "at(gst, target_cosine=2*target_cosine) <= 0"
    assert decided(formula, "normface", "pure", "rival_cosine=0.5") == "REFUTED"


def witness_of(formula: str, loss: str) -> Witness:
    witness = decide(asked(formula, loss, "pure", ""), effort="quick").witness
    assert witness is not None
    return witness


def test_a_witness_shows_both_sides() -> None:
    got = dict(witness_of("slope <= other_cosine + 1", "arcface").got)
    left, right = (
        float(got[side].strip("[]").split()[0]) for side in ("left", "right")
    )
    assert left > right


def test_a_witness_says_where_a_side_has_no_value() -> None:
    got = dict(witness_of("log(target_cosine) < 1", "arcface").got)
    assert got["left"] == "has no value here"


def test_a_witness_about_another_class_shows_its_gradient() -> None:
    witness = witness_of("implies(slope > 1, other_gst < 0.1)", "arcface")
    shown = dict(witness.got)["left of comparison 2"]
    assert float(shown.strip("[]").split()[0]) >= 0.1


def test_a_sweep_with_another_free_input_is_refused_when_it_is_read() -> None:
    text = (
        '[[claim]]\nid = "a"\nstatement = "b"\nloss = "arcface"\nsweep = true\n'
        'formula = "gst <= 0"\nbox = "margin=0.5"\n'
    )
    with pytest.raises(
        ClaimError,
        match="free=target_cosine, rival_cosine, but must",
    ):
        read_claims(text, "mine.toml")
