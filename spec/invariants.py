"""The three invariants as stated, each where it is true and where it is not.

I1: the GST goes to 0 as P goes to 1. I2: ArcFace's |GST| rises with the cosine. I3: no
sign change near 1 at m = 0.4. Each row is one reading on one domain with the verdict
that is expected there. A limit is stated as a bound: |g| < 2 s B (1 - P) says that
1 - P <= eps/(2 s B) is enough for |g| < eps, whatever eps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sympy import Abs, Expr, Rational, S, cos, exp, pi, sin, sqrt

from .gst import rising_criterion
from .losses import LOSSES
from .symbols import (
    angle,
    angle_clip,
    complement,
    cosine_clamp,
    feature_norm,
    gst,
    gst_rate,
    margin,
    margin_scaler,
    multiplier,
    norm_lower,
    norm_upper,
    rival_cosine,
    scale,
    slope,
    slope_rate,
    target_logit,
)

Range = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Invariant:
    """One reading of one stated invariant on one domain.

    Args:
        id: I1, I2 or I3.
        reading: what exactly is claimed, in words.
        loss: a loss id.
        profile: a profile string.
        claim: an expression that must be positive, or not negative.
        strict: whether zero is a violation.
        where: the claim is made where all of these are positive.
        domain: the same in words.
        box: what is fixed or narrowed; everything else is free.
        holds: the verdict that is expected.
        formula: the claim as people read it.
    """

    id: Literal["I1", "I2", "I3"]
    reading: str
    loss: str
    profile: str
    claim: Expr
    formula: str
    domain: str
    holds: bool
    strict: bool = True
    where: tuple[Expr, ...] = ()
    box: Mapping[str, float | Range] = field(default_factory=dict)


def slope_bound(loss: str, least_sine: Expr) -> Expr:
    """What |D| cannot exceed where sin(theta) >= least_sine.

    Args:
        loss: a loss id with an angular and an additive margin, or sphereface.
        least_sine: the least sine on the domain.

    Returns:
        |cos a| + |sin a| / least_sine, from D = cos a + c sin a / sin(theta); q^2 for
        SphereFace, whose slope is a Chebyshev polynomial.
    """
    if loss == "sphereface":
        return multiplier**2
    a = LOSSES[loss].angular_margin
    return Abs(cos(a)) + Abs(sin(a)) / least_sine


CLAMPED_SINE = sqrt(cosine_clamp * (2 - cosine_clamp))
"""The least sine of a clamped cosine: 0.0447 at 1e-3."""

_LEAST_SINE = Rational(447, 10000)
_AWAY = sin(angle) - _LEAST_SINE


def _uniform(
    loss: str, profile: str, least_sine: Expr, domain: str, *where: Expr
) -> Invariant:
    bounded = 2 * scale * slope_bound(loss, least_sine) * complement - Abs(gst)
    formula = "|g| < 2 s B (1 - P)"
    return Invariant(
        "I1", "uniformly", loss, profile, bounded, formula, domain, True, where=where
    )


_TAIL = exp(-scale * (target_logit - rival_cosine))
_EASY = {"scale": 32.0, "margin": 0.5, "rival_cosine": 0.5}
_ARC = {"scale": 64.0, "margin": 0.5, "rival_cosine": 0.5}
_ADA = {"scale": 64.0, "margin": 0.4, "rival_cosine": 0.5}
_PEAK = Rational(8137916810, 10**10)
_CRITERION = rising_criterion(LOSSES["arcface"].target)


INVARIANTS: tuple[Invariant, ...] = (
    Invariant(
        "I1",
        "at every fixed angle",
        "arcface",
        "pure",
        scale * Abs(slope) * _TAIL - Abs(gst),
        "|g| < s |D| exp(-x)",
        "0 < theta < pi, theta != pi - m",
        True,
        where=(Abs(slope),),
    ),
    Invariant(
        "I1",
        "at every fixed angle",
        "adaface",
        "pure",
        scale * Abs(slope) * _TAIL - Abs(gst),
        "|g| < s |D| exp(-x)",
        "0 < theta < pi, theta != m z-hat",
        True,
        where=(Abs(slope),),
    ),
    _uniform("normface", "pure", S.One, "everywhere"),
    _uniform("cosface", "pure", S.One, "everywhere"),
    _uniform("sphereface", "pure", S.One, "everywhere"),
    _uniform("arcface", "clip", CLAMPED_SINE, "everywhere"),
    _uniform(
        "magface",
        "clip",
        CLAMPED_SINE,
        "norms inside their clip",
        feature_norm - norm_lower,
        norm_upper - feature_norm,
    ),
    _uniform("adaface", "clip", CLAMPED_SINE, "everywhere"),
    _uniform("arcface", "pure", _LEAST_SINE, "sin theta > 0.0447", _AWAY),
    _uniform("adaface", "pure", _LEAST_SINE, "sin theta > 0.0447", _AWAY),
    Invariant(
        "I1",
        "P near 1 is enough away from the poles",
        "arcface",
        "pure",
        1 - Abs(gst),
        "|g| < 1",
        "1 - P < 1e-5, sin theta > 0.0447; s=32, m=.5, n=0",
        True,
        where=(Rational(1, 10**5) - complement, _AWAY),
        box={**_EASY, "rival_cosine": 0.0},
    ),
    Invariant(
        "I1",
        "P near 1 is enough up to the pole",
        "arcface",
        "pure",
        1 - Abs(gst),
        "|g| < 1",
        "1 - P < 1e-5, 0 < theta < pi; s=32, m=n=.5",
        False,
        where=(Rational(1, 10**5) - complement,),
        box=_EASY,
    ),
    Invariant(
        "I2",
        "the slope D rises",
        "arcface",
        "pure",
        slope_rate,
        "dD/dc > 0",
        "0 < theta < pi, m > 0",
        True,
        where=(margin,),
    ),
    Invariant(
        "I2",
        "|g| rises",
        "arcface",
        "pure",
        -gst_rate,
        "d|g|/dc > 0",
        "theta < pi - m and sin m > P s sin(theta) sin(theta + m)^2",
        True,
        where=(slope, _CRITERION),
    ),
    Invariant(
        "I2",
        "|g| falls",
        "arcface",
        "pure",
        gst_rate,
        "d|g|/dc < 0",
        "theta < pi - m and sin m < P s sin(theta) sin(theta + m)^2",
        True,
        where=(slope, -_CRITERION),
    ),
    Invariant(
        "I2",
        "|g| rises",
        "arcface",
        "pure",
        -gst_rate,
        "d|g|/dc > 0",
        "-cos m < c < 0.8137916810; s=64, m=n=.5",
        True,
        where=(slope, _PEAK - cos(angle)),
        box=_ARC,
    ),
    Invariant(
        "I2",
        "|g| rises",
        "arcface",
        "pure",
        -gst_rate,
        "d|g|/dc > 0",
        "-cos m < c < 1; s=64, m=n=.5",
        False,
        where=(slope,),
        box=_ARC,
    ),
    Invariant(
        "I2",
        "signed g rises",
        "arcface",
        "pure",
        gst_rate,
        "dg/dc > 0",
        "-cos m < c < 0.8137916810; s=64, m=n=.5",
        False,
        where=(slope, _PEAK - cos(angle)),
        box=_ARC,
    ),
    Invariant(
        "I2",
        "|g| rises",
        "arcface",
        "fallback",
        -gst_rate,
        "d|g|/dc > 0",
        "-1 < c < 0.8137916810; s=64, m=n=.5",
        False,
        where=(_PEAK - cos(angle),),
        box=_ARC,
    ),
    Invariant(
        "I3",
        "g is never positive",
        "adaface",
        "clip",
        -gst,
        "g <= 0",
        "everywhere; m=.4",
        True,
        strict=False,
        box={"margin": 0.4},
    ),
    Invariant(
        "I3",
        "g is never positive",
        "adaface",
        "clip",
        -gst,
        "g <= 0",
        "everywhere; every m",
        True,
        strict=False,
    ),
    Invariant(
        "I3",
        "flat near 1",
        "adaface",
        "clip",
        -Abs(gst),
        "g = 0",
        "theta < m z-hat + eps_a; m=.4",
        True,
        strict=False,
        where=(margin * margin_scaler + angle_clip - angle,),
        box={"margin": 0.4},
    ),
    Invariant(
        "I3",
        "g is negative",
        "adaface",
        "pure",
        -gst,
        "g < 0",
        "z-hat <= 0, theta < pi - m |z-hat|; m=.4",
        True,
        where=(pi + margin * margin_scaler - angle,),
        box={"margin": 0.4, "margin_scaler": (-1.0, 0.0)},
    ),
    Invariant(
        "I3",
        "g is never positive",
        "adaface",
        "pure",
        -gst,
        "g <= 0",
        "0 < theta < pi, z-hat > 0; s=64, m=.4, n=.5",
        False,
        strict=False,
        where=(margin_scaler,),
        box=_ADA,
    ),
)
"""Read by `verify`: verdicts are computed, and one that differs from `holds` fails."""
