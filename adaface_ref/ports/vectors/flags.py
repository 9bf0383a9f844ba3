"""What is special about a row of test vectors, and the fault that it is there for."""

from __future__ import annotations

import math

from adaface_ref.evidence.truth.agreement import INPUTS
from adaface_ref.evidence.truth.oracle import enclosure
from adaface_ref.evidence.truth.point import limit_at_pole
from adaface_ref.ports.vectors.question import RowQuestion
from adaface_ref.tolerance import SMALLEST_NORMAL

FLAGS = {
    "pole": "c = +-1, where the value is the one-sided limit, maybe infinite: an "
    "answer must not be NaN (0 * infinity, or sqrt(1 - c^2) in a denominator)",
    "near-pole": "|c| > 0.999: sqrt(1 - c*c) cancels, and an eps that is too wide "
    "shows",
    "kink": "two pieces of the profile meet within rounding: `also` is right, too",
    "dead-zone": "the slope is exactly 0: a missing or straight-through clamp shows",
    "reversed": "the GST is positive, more of the cosine would cost: abs() or a clamp "
    "that the profile does not have shows",
    "easy-sample": "P > 1 - 2^-24: P - 1 is exactly 0 in single precision",
    "hard-sample": "P < 2^-24: |g| is near s |D|, not near 0",
    "subnormal": "the value is subnormal in float64: flushing, or a lost exponent",
    "past-threshold": "the profile departs from the formula: a wrong outside rule "
    "shows",
    "core": "the profile is the formula, away from the poles: wrong margins show",
}
"""What each flag means, and the fault that it is there to catch."""


def flags_of(question: RowQuestion, value: float, pole: bool) -> list[str]:
    """What is special about a row.

    Args:
        question: what the row asks.
        value: its true value, rounded.
        pole: whether the value is a limit.

    Returns:
        Keys of FLAGS.
    """
    _, profile, quantity, point = question
    at = {name: point[name] for name in INPUTS[quantity]}
    cosine = point["target_cosine"]
    core = profile == "pure" or all(
        _limit(name, question) == _limit(name, question, "pure")
        for name in ("logit", quantity)
    )
    found = {
        "pole": pole,
        "near-pole": not pole and abs(cosine) > 0.999,
        "dead-zone": quantity in ("gst", "slope") and _limit("slope", question) == 0,
        "reversed": quantity == "gst" and 0 < value < math.inf,
        "subnormal": 0 < abs(value) < SMALLEST_NORMAL["float64"],
        "past-threshold": not core,
        "core": core and abs(cosine) <= 0.999,
    }
    if "rival_cosine" in at:
        found["easy-sample"] = _value("complement", question) < 2**-24
        found["hard-sample"] = _value("probability", question) < 2**-24
    return [flag for flag in FLAGS if found.get(flag)]


def _value(quantity: str, question: RowQuestion, profile: str = "") -> float:
    ball = enclosure(
        quantity, question.loss, profile or question.profile, question.point, 128
    )
    return float(ball)


def _limit(quantity: str, question: RowQuestion, profile: str = "") -> float:
    """The value, at a pole its one-sided limit."""
    profile = profile or question.profile
    value = _value(quantity, question, profile)
    if math.isfinite(value):
        return value
    return limit_at_pole(quantity, question.loss, profile, question.point)
