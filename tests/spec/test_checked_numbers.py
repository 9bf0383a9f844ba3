"""Numbers that were derived by hand with thirty digits and more, kept for ever."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from adaface_ref import numpy_reference, torch_heads
from adaface_ref.evidence.truth.oracle import enclosure

ARC = {"scale": 64.0, "margin": 0.5, "rival_cosine": 0.5}
ADA = {"scale": 64.0, "margin": 0.4, "margin_scaler": 1.0, "rival_cosine": 0.5}
HARD = {**ADA, "margin_scaler": -1.0}


def value(quantity: str, loss: str, profile: str, **point: float) -> float:
    return float(enclosure(quantity, loss, profile, point))


def share_of_peak(point: dict[str, float], peak: float, cosine: float) -> float:
    top = value("gst", "adaface", "pure", **{**point, "target_cosine": peak})
    return value("gst", "adaface", "pure", **{**point, "target_cosine": cosine}) / top


def printed(number: float, text: str) -> bool:
    digits = len(text.partition(".")[2])
    return f"{number:.{digits}f}" == text


def test_arcface_gst_peaks_at_0_81379() -> None:
    assert printed(
        -value("gst", "arcface", "pure", **ARC, target_cosine=0.8137916811), "97.55398"
    )
    for side in (0.8137916810, 0.8137916812):
        rate = value("gst_rate", "arcface", "pure", **ARC, target_cosine=side)
        assert (rate < 0) == (side < 0.8137916811)


def test_arcface_gst_has_its_local_minimum_at_0_99956848() -> None:
    rates = [
        value("gst_rate", "arcface", "pure", **ARC, target_cosine=cosine)
        for cosine in (0.9995684892, 0.9995684894)
    ]
    assert rates[0] > 0 > rates[1]


def test_arcface_gst_at_the_decision_boundary_is_54_6_percent_of_its_peak() -> None:
    boundary = math.cos(math.acos(0.5) - 0.5)
    gst = value("gst", "arcface", "pure", **ARC, target_cosine=boundary)
    assert printed(-gst, "53.26355") and printed(-gst / 97.55398, "0.545991")


@pytest.mark.parametrize(
    ("cosine", "share"), [(0.0, "0.685"), (-0.5, "0.518"), (-0.9, "0.087")]
)
def test_a_hard_low_norm_sample_still_has_a_large_gst(
    cosine: float, share: str
) -> None:
    assert printed(share_of_peak(HARD, 0.7476710, cosine), share)


@pytest.mark.parametrize(
    ("cosine", "gst"),
    [(0.5, "-44.56"), (0.9375, "8.196"), (0.99, "115.958"), (0.999, "497.924")],
)
def test_adaface_gst_changes_sign_for_high_norms(cosine: float, gst: str) -> None:
    assert printed(value("gst", "adaface", "pure", **ADA, target_cosine=cosine), gst)


@pytest.mark.parametrize(("cosine", "gst"), [(0.999, "0.0748"), (0.99999, "2.13")])
def test_adaface_gst_near_1_is_small_when_the_rival_is_far(
    cosine: float, gst: str
) -> None:
    far = {**ADA, "rival_cosine": 0.0, "target_cosine": cosine}
    assert printed(abs(value("gst", "adaface", "pure", **far)), gst)


def test_arcface_gst_does_not_vanish_as_p_goes_to_1() -> None:
    near = {
        "scale": 32.0,
        "margin": 0.5,
        "rival_cosine": 0.5,
        "target_cosine": 1 - 2**-53,
    }
    assert printed(value("probability", "arcface", "pure", **near), "0.999994343")
    assert printed(-value("gst", "arcface", "pure", **near), "5824.03")


@pytest.mark.parametrize(
    ("loss", "profile", "threshold", "jump"),
    [
        ("arcface", "fallback", -math.cos(0.5), "-7.50690"),
        ("arcface", "fallback-plain", -math.cos(0.5), "7.83472"),
        ("arcface", "easy", 0.0, "30.68323"),
        ("arcface", "reflect", -math.cos(0.5), "0.00000"),
        ("arcface", "shift", -math.cos(0.5), "0.00000"),
        ("arcface", "min", -math.cos(0.25), "0.00000"),
        ("cosface", "easy", 0.5, "32.00000"),
    ],
)
def test_profiles_jump_by_so_much_where_they_leave_the_formula(
    loss: str, profile: str, threshold: float, jump: str
) -> None:
    above, below = (
        value("logit", loss, profile, scale=64.0, margin=0.5, target_cosine=c)
        for c in (threshold + 1e-15, threshold - 1e-15)
    )
    assert printed(abs(below - above), jump.removeprefix("-"))
    assert (below < above - 1) == jump.startswith("-")


@pytest.mark.parametrize(("loss", "threshold"), [("arcface", 0.0), ("cosface", 0.5)])
def test_easy_leaves_the_threshold_itself_bare(loss: str, threshold: float) -> None:
    given = {"scale": 64.0, "margin": 0.5, "target_cosine": threshold}
    one = torch.tensor([threshold], dtype=torch.float64)
    named: dict[str, Any] = {**given, "profile": "easy"}
    found = [
        value("logit", loss, "easy", **given),
        numpy_reference.logit(loss, **named),
        float(torch_heads.logit(loss, **{**named, "target_cosine": one})),
    ]
    assert found == [64 * threshold] * 3


@pytest.mark.parametrize("cosine", [1e-300, -1e-20])
def test_one_arc_of_sphereface_keeps_every_digit_next_to_0(cosine: float) -> None:
    given = {"scale": 1.0, "multiplier": 1.0}
    assert numpy_reference.logit("sphereface", cosine, **given) == cosine


@pytest.mark.parametrize("profile", ["fallback", "fallback-plain", "easy", "shift"])
def test_the_slope_is_1_outside_the_core(profile: str) -> None:
    assert value("slope", "arcface", profile, margin=0.5, target_cosine=-0.9) == 1


def test_the_slope_of_reflect_stays_positive() -> None:
    slope = value("slope", "arcface", "reflect", margin=0.5, target_cosine=-0.9)
    assert slope == -value("slope", "arcface", "pure", margin=0.5, target_cosine=-0.9)
    assert slope > 0


@pytest.mark.parametrize(
    ("angle", "sign"),
    [(math.pi - 0.501, 1), (math.pi - 0.499, -1), (math.pi - 0.251, -1)],
)
def test_the_slope_of_min_changes_sign_at_pi_minus_margin(
    angle: float, sign: int
) -> None:
    point = {"margin": 0.5, "target_cosine": math.cos(angle)}
    assert value("slope", "arcface", "min", **point) * sign > 0


@pytest.mark.parametrize("angle", [math.pi - 0.249, math.pi - 0.001])
def test_the_slope_of_min_is_1_past_pi_minus_half_the_margin(angle: float) -> None:
    point = {"margin": 0.5, "target_cosine": math.cos(angle)}
    assert value("slope", "arcface", "min", **point) == 1


def test_cosface_gst_is_half_the_scale_at_the_boundary() -> None:
    point = {"scale": 64.0, "margin": 0.25, "rival_cosine": 0.5, "target_cosine": 0.75}
    assert value("gst", "cosface", "pure", **point) == -32.0


def test_the_slope_of_a_clamped_adaface_stays_below_9_62219() -> None:
    edge = {**ADA, "margin_scaler": -1.0, "target_cosine": 0.999}
    slope = value("slope", "adaface", "pure", **edge)
    assert printed(slope, "9.62219")
