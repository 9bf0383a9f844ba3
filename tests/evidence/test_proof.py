"""Proofs by interval: what is true is proved, what is false is left open, and where."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_claims import Drawn, drawn_claims, points_of
from hypothesis import HealthCheck, given, settings
from sympy import Rational

from adaface_ref.evidence.problem.pointwise import holds_at
from adaface_ref.evidence.problem.problem import Problem, box_of, problems_of
from adaface_ref.evidence.proof.branch_and_bound import MOST_BOXES, MOST_LEFT, prove
from adaface_ref.evidence.proof.float_boxes import Boxes, middle_of, middles, preorder


def one(formula: str, loss: str, box: str, profile: str = "pure") -> Problem:
    (claim,) = problems_of(formula, loss, profile, box_of(formula, loss, box))
    return claim


I3 = "scale=64, margin=0.4, rival_cosine=0.5, target_cosine in [-0.9, 0.9999]"
RISES, PEAK = (
    "diff(abs(gst), target_cosine) > 0",
    "scale=64, margin=0.5, rival_cosine=0.5",
)
ANY = "scale in (0, inf), margin in [0, 1.57], rival_cosine in (-inf, inf)"

TRUE = {
    "no sign change for low norms": (
        "gst <= 0",
        "adaface",
        f"{I3}, margin_scaler in [-1, 0]",
        "pure",
    ),
    "no sign change under clip": (
        "gst <= 0",
        "adaface",
        f"{I3}, margin_scaler in [-1, 1]",
        "clip",
    ),
    "the gst rises up to its peak": (
        RISES,
        "arcface",
        f"{PEAK}, target_cosine in [-0.8, 0.81]",
        "pure",
    ),
    "an identity on an infinite box": (
        "gst == -scale*complement*slope",
        "adaface",
        f"{ANY}, margin_scaler in [-1, 1]",
        "pure",
    ),
    "a bound that is reached at a corner": (
        "target_logit <= 1 - 2*margin",
        "adaface",
        "margin in [0, 1.57], margin_scaler=1",
        "pure",
    ),
    "a bound that is reached at a pole": (
        "abs(slope) <= multiplier**2",
        "sphereface",
        "multiplier=4",
        "pure",
    ),
    "a strict bound at an open end": ("angle > 0", "arcface", "", "pure"),
    "a premise that excludes the rest": (
        "implies(angle < pi - margin, gst < 0)",
        "arcface",
        ANY,
        "pure",
    ),
    "a premise that never holds": (
        "implies(probability > 1, gst > 0)",
        "arcface",
        PEAK,
        "pure",
    ),
    "a logistic of an infinite input": (
        "probability*target_cosine**2 < 2",
        "arcface",
        f"{ANY}, target_cosine in [0, 1)",
        "pure",
    ),
}
FALSE = {
    "the sign changes for high norms": (
        "gst <= 0",
        "adaface",
        f"{I3}, margin_scaler in [-1, 1]",
        "pure",
    ),
    "the gst falls past its peak": (
        RISES,
        "arcface",
        f"{PEAK}, target_cosine in [-0.8, 0.8139]",
        "pure",
    ),
    "an infinite end is no minus infinite one": (
        "rival_cosine <= 0",
        "arcface",
        "rival_cosine in (-inf, inf)",
        "pure",
    ),
    "nor far out": (
        "rival_cosine*margin < 1e300",
        "arcface",
        "rival_cosine in (-inf, inf), margin in [0, 1]",
        "pure",
    ),
    "a closed end belongs to the box": (
        "rival_cosine < 1",
        "arcface",
        "rival_cosine in [0, 1]",
        "pure",
    ),
    "a root of a negative number": (
        "sqrt(target_cosine) >= 0",
        "arcface",
        PEAK,
        "pure",
    ),
    "a quotient with a pole inside": (
        "1/target_cosine**2 > 0",
        "arcface",
        PEAK,
        "pure",
    ),
    "the logarithm of nothing": (
        "exp(log(rival_cosine)) == rival_cosine",
        "arcface",
        "rival_cosine in [0, 1]",
        "pure",
    ),
    "an angle past half a turn": (
        "at(probability, angle=2*angle) > 0",
        "arcface",
        PEAK,
        "pure",
    ),
    "an equality but for one factor": (
        "gst == -scale*complement*slope*(1 + 1e-15)",
        "arcface",
        PEAK,
        "pure",
    ),
    "what no box can tell apart": (
        "target_cosine*(1 - target_cosine) < 0.25",
        "normface",
        "target_cosine in [0, 1)",
        "pure",
    ),
}


@pytest.mark.parametrize("row", TRUE.values(), ids=TRUE.keys())
def test_a_true_claim_is_proved(row: tuple[str, str, str, str]) -> None:
    proof = prove(one(*row))
    assert proof.is_complete and proof.volume == 0 and not proof.open_boxes


@pytest.mark.parametrize("row", FALSE.values(), ids=FALSE.keys())
def test_a_false_claim_is_left_open(row: tuple[str, str, str, str]) -> None:
    proof = prove(one(*row), "quick")
    assert not proof.is_complete and proof.open_boxes


def test_what_is_left_open_is_where_the_claim_is_false() -> None:
    claim = one(*FALSE["the gst falls past its peak"])
    proof = prove(claim)
    (name,) = proof.open_boxes[0]
    low, high = (Rational(end) for end in proof.open_boxes[0][name])
    at = {"angle": low + (high - low) / 2}
    asked = claim._replace(free={"angle": claim.free["target_cosine"]})
    assert holds_at(asked, at) is False


def test_what_is_left_open_has_the_volume_of_what_is_false() -> None:
    claim = one(
        "rival_cosine + margin <= 1",
        "arcface",
        "rival_cosine in [0, 1], margin in [0, 1]",
    )
    assert prove(claim).volume == pytest.approx(0.5, abs=0.01)


def test_more_effort_leaves_less_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MOST_BOXES, "quick", 500)
    claim = one(*FALSE["the sign changes for high norms"])
    quick, normal = prove(claim, "quick"), prove(claim, "normal")
    assert quick.volume > normal.volume > 0
    assert quick.boxes <= 500 < normal.boxes <= MOST_BOXES["normal"]


def test_the_largest_boxes_left_open_are_named() -> None:
    proof = prove(one(*FALSE["the sign changes for high norms"]))
    sizes = [
        (box["angle"][1] - box["angle"][0])
        * (box["margin_scaler"][1] - box["margin_scaler"][0])
        for box in proof.open_boxes
    ]
    assert len(sizes) <= MOST_LEFT and sizes == sorted(sizes, reverse=True)


def test_a_clause_without_inputs_is_decided_at_once() -> None:
    box = "margin=0.5, scale=64, rival_cosine=0.5, target_cosine=0.5"
    assert prove(one("97 < abs(gst) or gst > -98", "arcface", box)).is_complete
    assert not prove(one("gst > 0", "arcface", box)).is_complete


def test_the_same_claim_has_the_same_trees() -> None:
    claim = one(*TRUE["the gst rises up to its peak"])
    assert prove(claim) == prove(claim)


def test_a_tree_is_written_in_preorder() -> None:
    levels = [np.frombuffer(row, np.uint8) for row in (b"a", b"b.", b".?")]
    assert preorder(levels) == "ab.?."


def test_a_box_is_halved_where_it_is_widest_against_the_whole() -> None:
    whole = Boxes.whole([(0.0, 8.0), (0.0, 1.0)])
    part = Boxes.whole([(0.0, 1.0), (0.0, 0.5)])
    assert part.widest(whole).tolist() == [1]


def test_a_box_between_neighbouring_floats_is_not_halved() -> None:
    whole = Boxes.whole([(1.0, 1.0000000000000002)])
    assert whole.widest(whole).tolist() == [-1]


INFINITE = [(-3.0, 5.0), (0.0, float("inf")), (8.0, float("inf"))]
INFINITE += [(float("-inf"), -2.0), (float("-inf"), float("inf")), (-1e308, 1e308)]


@pytest.mark.parametrize(("start", "stop"), INFINITE)
def test_the_middle_of_one_interval_is_that_of_many(start: float, stop: float) -> None:
    part = Boxes.whole([(start, stop)])
    assert middles(part.low, part.high)[0, 0] == middle_of(start, stop)


@settings(
    max_examples=30,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(drawn=drawn_claims())
def test_what_is_proved_fails_nowhere(drawn: Drawn) -> None:
    claim = drawn.problem()
    if claim is None or not prove(claim, "quick").is_complete:
        return
    for point in points_of(claim):
        assert holds_at(claim, point) is not False, point
