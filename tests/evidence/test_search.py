"""The search refutes what is false in a millionth of its box, and nothing true."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from sympy import Expr, Rational

from adaface_ref.evidence.problem.pointwise import holds_at
from adaface_ref.evidence.problem.problem import Problem, box_of, problems_of
from adaface_ref.evidence.search.axes import axis_of, float_ends
from adaface_ref.evidence.search.neighbour import float_of, ordinal
from adaface_ref.evidence.search.sampling import rows_of
from adaface_ref.evidence.search.screen import Screen
from adaface_ref.evidence.search.search import Search, search
from adaface_ref.evidence.search.witness import Witness
from adaface_ref.spec.language.box import Range

SEEDS = range(3)
POINTS = 200_000


def one(formula: str, loss: str, box: str, profile: str = "pure") -> Problem:
    (claim,) = problems_of(formula, loss, profile, box_of(formula, loss, box))
    return claim


SUBTLE = {
    # A triangle next to c = 1, n = -1.
    "normface": ("gst < -2e-54", "rival_cosine in [-1, 1]"),
    # Next to the poles: D = q^2 (1 - (q^2 - 1) theta^2 / 6 + ...).
    "sphereface": ("slope < 15.9999", "multiplier=4"),
    # A simplex at c = 1, m = n = 0.
    "cosface": (
        "complement > 1e-27",
        "margin in [0, 0.5], rival_cosine in [0, 1]",
    ),
    # Past theta = pi - m, which is inside the box for the largest m alone.
    "arcface": (
        "gst <= 0",
        "margin in [0, 0.5], target_cosine in [-0.8777, 1], rival_cosine in [-1, 1]",
    ),
    # c = 1 and both offsets 0.
    "combined": (
        "target_logit < 0.9999995",
        "angular_offset in [0, 0.3], additive_offset in [0, 1]",
    ),
    # Hard negatives below -t/2.
    "curricularface": (
        "other_gst >= 0",
        "curriculum in [0, 1], other_cosine in [-0.001, 1], rival_cosine in [0, 1]",
    ),
    # The least norm, at c = 1.
    "magface": ("target_logit < 0.90044", "feature_norm in [1, 200]"),
    # P reaches 1/2 at n = 1 - 2m, c = cos m alone.
    "adaface": (
        "probability < 1/2",
        "margin_scaler=1, rival_cosine in [0.1999999, 0.9], scale in [16, 128]",
    ),
}
"""Claims that are false in less than 10^-5 of their box."""

TRUE = (
    ("gst <= 0", "adaface", "rival_cosine in [-1, 1]", "clip"),
    ("gst <= 0", "arcface", "margin in [0, 1.5], rival_cosine in [-1, 1]", "fallback"),
    (
        "probability <= 1/2",
        "adaface",
        "margin_scaler=1, rival_cosine in [0.2, 0.9], scale in [16, 128]",
        "pure",
    ),
    ("gst == -scale * complement * slope", "adaface", "scale in [1, 512]", "pure"),
    ("abs(slope) <= multiplier**2", "sphereface", "multiplier in {2, 4}", "pure"),
    ("diff(probability, target_cosine) > 0", "cosface", "scale in [1, 512]", "pure"),
    ("implies(angle < pi - margin, gst < 0)", "arcface", "margin in [0, 1.5]", "pure"),
    ("slope_rate > 0", "arcface", "margin in [0.001, 1.5]", "pure"),
)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("loss", SUBTLE)
def test_a_subtly_false_claim_about_each_loss_is_refuted(loss: str, seed: int) -> None:
    claim = one(SUBTLE[loss][0], loss, SUBTLE[loss][1])
    witness = search(claim, seed, POINTS).witness
    assert witness is not None and holds_at(claim, free_part(claim, witness)) is False


def free_part(claim: Problem, witness: Witness) -> dict[str, float | Expr]:
    return {name: witness.point[name] for name in claim.free}


@pytest.mark.parametrize("loss", SUBTLE)
def test_subtly_false_means_a_volume_below_a_hundred_thousandth(loss: str) -> None:
    claim = one(SUBTLE[loss][0], loss, SUBTLE[loss][1])
    rng, size = np.random.default_rng(0), 400_000
    ends = {name: float_ends(part) for name, part in claim.free.items()}
    ends = {n: (max(low, -1.0), min(high, 512.0)) for n, (low, high) in ends.items()}
    columns = {name: rng.uniform(*limits, size) for name, limits in ends.items()}
    assert np.count_nonzero(Screen(claim).fails(columns)) <= 4


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("row", TRUE, ids=lambda row: f"{row[0]} {row[1]}")
def test_a_true_claim_is_never_refuted(
    row: tuple[str, str, str, str], seed: int
) -> None:
    formula, loss, box, profile = row
    for claim in problems_of(formula, loss, profile, box_of(formula, loss, box)):
        result = search(claim, seed, POINTS)
        assert result.witness is None
        assert result.points >= POINTS and result.certified >= 1_000


def test_an_identity_that_balls_cannot_decide_is_undecided() -> None:
    claim = one("probability + complement == 1", "arcface", "margin in [0, 1]")
    result = search(claim, 0, POINTS)
    assert result.witness is None and result.undecided >= 300


FALSE = {
    "at a peak inside the box": (
        "abs(gst) < 97.553978",
        "arcface",
        "rival_cosine=0.5, target_cosine in [-0.95, 0.99]",
    ),
    "where five kinks meet": (
        "abs(target_cosine - 0.3) + abs(rival_cosine - 0.2) + abs(margin - 0.123)"
        " + abs(scale - 37) + abs(margin_scaler + 0.7) > 1e-7",
        "adaface",
        "margin in [0, 1.5], rival_cosine in [-1, 1], scale in [1, 128]",
    ),
    "under a premise of volume 10^-9": (
        "implies(abs(probability - 1/2) < 1e-9, slope <= 1.3)",
        "arcface",
        "margin in [0, 0.5], rival_cosine in [-1, 0.5], target_cosine in [-1, 0.8]",
    ),
    "by one part in 10^9": (
        "gst == -(1 + 1e-9) * scale * complement * slope",
        "adaface",
        "",
    ),
    "with a derivative of 10^-40": (
        "diff(probability, target_cosine) >= 0",
        "arcface",
        "target_cosine in [-0.95, -0.9], rival_cosine in [0.5, 1]",
    ),
    "next to a pole in the angle": (
        "slope < 10**12",
        "arcface",
        "angle in (0, 1)",
    ),
    "where the probability is exactly one half": (
        "probability != 1/2",
        "normface",
        "rival_cosine in [-1, 1]",
    ),
    "across two parameters": (
        "implies(probability > 0.9, abs(gst) < 19.5)",
        "adaface",
        "margin in [0, 0.5], rival_cosine in [0, 1], target_cosine in [-0.95, 0.9],"
        " scale in [16, 128]",
    ),
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("place", FALSE)
def test_a_claim_that_is_false_in_one_place_is_refuted(place: str, seed: int) -> None:
    assert search(one(*FALSE[place]), seed, POINTS).witness is not None


def test_same_seed_same_result() -> None:
    claim = one(*FALSE["across two parameters"])
    assert search(claim, 7, POINTS) == search(claim, 7, POINTS)


def test_counts_are_the_same_for_the_same_seed() -> None:
    claim = one("gst <= 0", "adaface", "", "clip")
    assert search(claim, 3, POINTS) == search(claim, 3, POINTS)


@pytest.mark.parametrize("loss", SUBTLE)
def test_the_float_that_passes_is_next_to_one_that_fails(loss: str) -> None:
    claim = one(SUBTLE[loss][0], loss, SUBTLE[loss][1])
    witness = search(claim, 0, POINTS).witness
    assert witness is not None and witness.passes is not None
    (name, passes), beside = witness.passes, witness.neighbour
    point = free_part(claim, witness)
    assert beside is not None
    assert beside in (math.nextafter(passes, way) for way in (-math.inf, math.inf))
    assert holds_at(claim, {**point, name: passes}) is True
    assert holds_at(claim, {**point, name: beside}) is False


@pytest.mark.parametrize("loss", SUBTLE)
def test_a_witness_lies_in_the_exact_box(loss: str) -> None:
    claim = one(SUBTLE[loss][0], loss, SUBTLE[loss][1])
    witness = search(claim, 1, POINTS).witness
    assert witness is not None
    for name, value in free_part(claim, witness).items():
        assert_inside(claim.free[name], value)


def assert_inside(part: Range, value: float | Expr) -> None:
    exact = value if isinstance(value, Expr) else Rational(Fraction(value))
    assert exact > part.low if part.low_open else exact >= part.low
    assert exact < part.high if part.high_open else exact <= part.high


def test_inputs_that_do_not_matter_are_named() -> None:
    claim = one("gst <= 0", "adaface", "scale in [16, 128], rival_cosine in [0, 1]")
    witness = search(claim, 0, POINTS).witness
    assert witness is not None
    assert witness.matters == ("margin_scaler", "target_cosine")
    text = "matters: margin_scaler, target_cosine; any scale, any rival_cosine in the"
    assert text in str(witness)


def test_a_witness_is_written_with_few_digits() -> None:
    claim = one(SUBTLE["adaface"][0], "adaface", SUBTLE["adaface"][1])
    witness = search(claim, 0, POINTS).witness
    assert witness is not None
    assert witness.point["scale"] == 64.0 and witness.point["target_cosine"] == 0.921


def test_a_witness_shows_decimal_hex_and_balls() -> None:
    claim = one("gst <= 0", "adaface", "margin_scaler=1, rival_cosine=0.5")
    text = str(search(claim, 0, POINTS).witness)
    assert "target_cosine = 0.9375 (0x1.e000000000000p-1)" in text
    assert "gst = [8.196031374241473" in text and "passes: target_cosine = " in text


def test_a_claim_without_free_inputs_is_decided_at_its_point() -> None:
    box = "margin_scaler=1, rival_cosine=0.5, target_cosine=0.9375"
    result = search(one("gst <= 0", "adaface", box), 0, POINTS)
    assert result.witness is not None and result.points == 1


def test_an_interval_without_floats_is_looked_at_too() -> None:
    box = "margin in [0.1, 0.1000000000000000000000001], target_cosine in [0.9, 1]"
    assert search(one("gst > 0", "arcface", box), 0, POINTS).witness is not None


def test_a_premise_that_holds_nowhere_is_seen() -> None:
    claim = one("implies(probability > 2, gst > 0)", "arcface", "")
    result = search(claim, 0, POINTS)
    assert result.witness is None and result.premised == 0


def test_a_hint_is_looked_at_first() -> None:
    formula = "abs(target_cosine - 0.3123) * 10**9 + abs(gst) * 0 > 1"
    claim = one(formula, "arcface", "rival_cosine in [-1, 1]")
    hint = {"target_cosine": (0.3122999, 0.3123001)}
    result: Search = search(claim, 0, 1, [hint])
    assert result.witness is not None and result.points < 60_000


@pytest.mark.parametrize("row", TRUE, ids=lambda row: f"{row[0]} {row[1]}")
def test_working_precision_agrees_with_balls_away_from_zeros(
    row: tuple[str, str, str, str],
) -> None:
    formula, loss, box, profile = row
    claim = problems_of(
        formula.replace("<=", ">"), loss, profile, box_of(formula, loss, box)
    )
    screen = Screen(claim[0])
    axes = [axis_of(n, part, loss) for n, part in claim[0].free.items()]
    kept = [axis for axis in axes if axis is not None]
    block = rows_of(kept, screen.fixed, 5, 0, 64).block()
    points = block.points(np.arange(64) * 256 + 2 * np.arange(64))
    clear = np.abs(screen.margin(points)) > 1e-6
    failing = screen.fails(points)
    for index in np.flatnonzero(clear & np.isfinite(screen.margin(points))):
        point = {name: float(column[index]) for name, column in points.items()}
        assert holds_at(claim[0], point) is not bool(failing[index])


def test_ends_of_an_interval_are_the_floats_inside() -> None:
    low, high = float_ends(Range(Rational(1, 10), Rational(7, 10)))
    assert low >= Fraction(1, 10) > Fraction(math.nextafter(low, 0))
    assert high <= Fraction(7, 10) < Fraction(math.nextafter(high, 1))


@pytest.mark.parametrize("value", [0.0, -0.5, 0.9375, 5e-324, -1e300])
def test_floats_are_numbered_in_order(value: float) -> None:
    assert float_of(ordinal(value)) == value
    assert float_of(ordinal(value) + 1) == math.nextafter(value, math.inf)
