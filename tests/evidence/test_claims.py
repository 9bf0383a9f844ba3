"""Every claim of the specification has the verdict that it states, today."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from adaface_ref.evidence.problem.pointwise import holds_at
from adaface_ref.evidence.problem.problem import box_of, problems_of
from adaface_ref.evidence.verdict import decide
from adaface_ref.spec.language.files import Claim, asked, our_claims

CLAIMS = our_claims()
PEAK = {"target_cosine": 0.875}


def claim_of(id_: str) -> Claim:
    (claim,) = (claim for claim in CLAIMS if claim.id == id_)
    return claim


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_claim_has_the_verdict_it_states(claim: Claim) -> None:
    verdict = decide(claim, effort="quick")
    assert verdict.as_expected, f"{verdict.name}: {verdict.evidence} {verdict.detail}"
    assert verdict.domain or verdict.name == "OPEN"
    assert verdict.witness is not None or not (
        verdict.name == "REFUTED" and claim.formula
    )


@pytest.mark.parametrize("number", range(1, 18))
def test_every_statement_of_the_thread_is_a_claim(number: int) -> None:
    assert any(claim.id.startswith(f"T{number}-") for claim in CLAIMS)


@pytest.mark.parametrize("name", ["I1", "I2", "I3"])
def test_every_stated_invariant_is_true_somewhere_and_false_elsewhere(
    name: str,
) -> None:
    verdicts = {c.expected for c in CLAIMS if c.id.startswith(f"{name}-")}
    assert {"PROVED", "REFUTED"} <= verdicts


def test_enough_is_proved_and_enough_is_refuted() -> None:
    counts = Counter(claim.expected for claim in CLAIMS)
    assert counts["PROVED"] >= 15 and counts["REFUTED"] >= 12


@pytest.mark.parametrize(
    ("formula", "loss", "box", "point"),
    [
        # I1: |g| = 5824 where P = 0.999994
        (
            "implies(complement < 1e-5, abs(gst) < 1)",
            "arcface",
            "scale=32, rival_cosine=0.5",
            {"target_cosine": 1 - 2.0**-53},
        ),
        # I2: past the peak
        ("diff(abs(gst), target_cosine) > 0", "arcface", "rival_cosine=0.5", PEAK),
        # I3: between c = 1/2 and c = 15/16 the sign has changed
        (
            "gst <= 0",
            "adaface",
            "margin_scaler=1, rival_cosine=0.5",
            {"target_cosine": 15 / 16},
        ),
    ],
)
def test_smallest_witness_against_a_stated_invariant_stays_one(
    formula: str, loss: str, box: str, point: dict[str, float]
) -> None:
    (claim,) = problems_of(formula, loss, "pure", box_of(formula, loss, box))
    assert holds_at(claim, point) is False


def test_the_smallest_witness_against_i3_is_found_again() -> None:
    box = "rival_cosine=0.5, margin_scaler in [-1, 1]"
    witness = decide(asked("gst <= 0", "adaface", "pure", box)).witness
    assert witness is not None
    assert witness.point["target_cosine"] == 15 / 16
    assert witness.point["margin_scaler"] == 1.0


def test_same_seed_same_witness() -> None:
    claim = claim_of("I2-as-a-law")
    found = [decide(claim, seed=5, effort="quick").witness for _ in range(2)]
    assert found[0] == found[1] is not None


@pytest.mark.parametrize("id_", ["I3-clip-recommended", "I3-pure-recommended"])
def test_a_wrong_expectation_is_not_as_expected(id_: str) -> None:
    claim = claim_of(id_)
    wrong = "REFUTED" if claim.expected == "PROVED" else "PROVED"
    claim = replace(claim, expected=wrong)
    assert not decide(claim, effort="quick").as_expected


def test_a_premise_that_nothing_meets_is_vacuous() -> None:
    formula = "implies(probability > 2, gst > 0)"
    verdict = decide(asked(formula, "arcface", "pure", ""), effort="quick")
    assert verdict.name == "VACUOUS"


def test_another_form_is_proved_equal_before_it_is_proved() -> None:
    claim = replace(
        asked("diff(slope, target_cosine) > 0", "arcface", "pure", "margin in (0, 1]"),
        equivalent="sin(margin)/sin(angle)**3 > 0",
    )
    verdict = decide(claim, effort="quick")
    assert verdict.name == "PROVED" and len(verdict.certificates) == 2


def test_another_form_that_says_something_else_proves_nothing() -> None:
    claim = replace(
        asked("abs(slope) < 1e3", "arcface", "pure", "margin in (0, 1]"),
        equivalent="margin < 2",
    )
    assert decide(claim, effort="quick").name == "REFUTED"


def test_a_claim_that_is_undefined_in_its_box_is_not_proved() -> None:
    claim = asked("log(target_cosine)**2 >= 0", "arcface", "pure", "")
    assert decide(claim, effort="quick").name != "PROVED"
