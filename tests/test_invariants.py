"""The three stated invariants: enforced where they are true, refuted where not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from budgets import BLOCKS
from hypothesis import given
from sympy import Abs, Rational, S, acos, sqrt

from adaface_ref import numpy_reference
from adaface_ref.evidence import verdict
from adaface_ref.evidence.oracle import enclosure
from adaface_ref.evidence.verdict import decide, holds_at, in_box
from adaface_ref.points import block, corner_count, seeds
from adaface_ref.spec.invariants import CLAMPED_SINE, INVARIANTS, Invariant
from adaface_ref.spec.symbols import angle, cosine_clamp, gst, slope_rate

HOLDING = [row for row in INVARIANTS if row.holds]
REFUTED = [row for row in INVARIANTS if not row.holds]


def sentence(row: Invariant) -> str:
    return f"{row.id} {row.loss} {row.profile} {row.reading} on {row.domain}"


@pytest.mark.parametrize("row", HOLDING, ids=sentence)
@BLOCKS
@given(seed=seeds())
def test_invariant_holds_on_its_domain(row: Invariant, seed: int) -> None:
    verdict = decide(row, seed)
    assert verdict.name == "TESTED", verdict.witness
    assert verdict.points > 100 and not verdict.undecided


@pytest.mark.parametrize("row", REFUTED, ids=sentence)
@BLOCKS
@given(seed=seeds())
def test_invariant_is_refuted_outside_it(row: Invariant, seed: int) -> None:
    verdict = decide(row, seed)
    assert verdict.name == "REFUTED"
    assert verdict.witness is not None
    assert holds_at(row, verdict.witness.point) is False


@pytest.mark.parametrize("name", ["I1", "I2", "I3"])
def test_every_stated_invariant_is_true_somewhere_and_false_elsewhere(
    name: str,
) -> None:
    assert {row.holds for row in INVARIANTS if row.id == name} == {True, False}


def row_of(name: str, reading: str, holds: bool, profile: str = "pure") -> Invariant:
    (row,) = (
        row
        for row in INVARIANTS
        if (row.id, row.reading, row.holds, row.profile)
        == (name, reading, holds, profile)
    )
    return row


def test_smallest_witness_against_i3_stays_one() -> None:
    point = {
        "scale": 64.0,
        "margin": 0.4,
        "margin_scaler": 1.0,
        "rival_cosine": 0.5,
        "target_cosine": 15 / 16,
    }
    assert holds_at(row_of("I3", "g is never positive", False), point) is False
    before = {**point, "target_cosine": 0.5}
    assert enclosure("gst", "adaface", "pure", before) < 0
    assert enclosure("gst", "adaface", "pure", point) > 0


def test_smallest_witness_against_i1_stays_one() -> None:
    point = {
        "scale": 32.0,
        "margin": 0.5,
        "rival_cosine": 0.5,
        "target_cosine": 1 - 2.0**-53,
    }
    assert (
        holds_at(row_of("I1", "P near 1 is enough up to the pole", False), point)
        is False
    )


def test_smallest_witness_against_i2_stays_one() -> None:
    point = {
        "scale": 64.0,
        "margin": 0.5,
        "rival_cosine": 0.5,
        "target_cosine": 0.875,
    }
    assert holds_at(row_of("I2", "|g| rises", False), point) is False


def test_the_smallest_witness_is_found_again() -> None:
    witness = decide(row_of("I3", "g is never positive", False), 0).witness
    assert witness is not None
    assert witness.point["target_cosine"] == 15 / 16
    assert witness.point["margin_scaler"] == 1.0


def test_a_wrong_expectation_is_not_as_expected() -> None:
    from dataclasses import replace

    for row in (HOLDING[0], REFUTED[-1]):
        assert not decide(replace(row, holds=not row.holds), 0).as_expected


def test_a_premise_that_nothing_meets_is_vacuous() -> None:
    from dataclasses import replace

    from sympy import Integer

    row = replace(HOLDING[0], where=(Integer(-1),))
    verdict = decide(row, 0)
    assert verdict.name == "VACUOUS" and not verdict.as_expected


def test_same_seed_same_witness() -> None:
    row = REFUTED[0]
    assert decide(row, 5).witness == decide(row, 5).witness


@pytest.mark.slow
def test_sign_change_of_i3_is_found_by_1000_of_1000_seeds() -> None:
    box = {"scale": 64.0, "margin": 0.4, "rival_cosine": 0.5}
    found = 0
    for seed in range(1_000):
        drawn = block("adaface", seed, box=box)
        # Without the corners, which are the same for every seed.
        columns = {name: column[corner_count() :] for name, column in drawn.items()}
        inputs = {k: v for k, v in columns.items() if k != "other_cosine"}
        inside = np.abs(columns["target_cosine"]) < 1
        gst = numpy_reference.gst("adaface", profile="pure", **inputs)
        near = inside & (columns["target_cosine"] > 0)
        found += bool(np.any(gst[near] > 0) and np.any(gst[near] < 0))
    assert found == 1_000


def test_the_uniform_bound_of_i1_is_twice_the_gst_where_the_slope_is_one() -> None:
    (row,) = (r for r in INVARIANTS if (r.reading, r.loss) == ("uniformly", "cosface"))
    tighter = replace(row, claim=row.claim - Rational(101, 100) * Abs(gst))
    assert decide(tighter, 0).name == "REFUTED"


@pytest.mark.parametrize(
    ("words", "edge"),
    [
        ("c < 0.8137916810", acos(Rational("0.8137916810"))),
        ("sin theta > 0.0447", acos(sqrt(1 - Rational("0.0447") ** 2))),
    ],
)
def test_a_number_in_the_words_of_a_domain_is_its_edge(
    words: str, edge: object
) -> None:
    rows = [row for row in INVARIANTS if words in row.domain]
    assert len(rows) > 2
    for row in rows:
        assert any(part.subs(angle, edge) == 0 for part in row.where)


def test_the_least_sine_is_that_of_a_cosine_clamped_by_a_thousandth() -> None:
    assert (
        f"{float(CLAMPED_SINE.subs(cosine_clamp, Rational(1, 1000))):.4f}" == "0.0447"
    )


def test_a_point_that_was_never_reviewed_is_undecided(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (row,) = (r for r in INVARIANTS if r.reading == "the slope D rises")
    monkeypatch.setattr(verdict, "REVIEWED", 0)
    monkeypatch.setattr(verdict, "ROUNDINGS", 10**12)  # so that nothing is clear
    assert decide(row, 0).undecided > 1_000


@pytest.mark.parametrize("strict", [True, False])
def test_zero_is_a_violation_of_a_strict_claim_alone(strict: bool) -> None:
    row = replace(INVARIANTS[0], claim=S.Zero, strict=strict)
    point = {"scale": 64.0, "margin": 0.5, "rival_cosine": 0.5, "target_cosine": 0.25}
    assert holds_at(row, point) is not strict


def test_where_pieces_that_meet_are_of_two_minds_nothing_is_decided() -> None:
    (row,) = (r for r in INVARIANTS if r.loss == "sphereface")
    bends = replace(row, claim=slope_rate, where=())  # down one arc, up the next
    point = {"scale": 64.0, "multiplier": 4.0, "target_cosine": 0.0}
    assert holds_at(bends, {**point, "rival_cosine": 0.5}) is None


def test_a_witness_lies_in_every_domain() -> None:
    row = INVARIANTS[0]
    assert in_box(row, {"margin": 1.57}) and not in_box(row, {"margin": 1.58})
