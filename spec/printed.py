"""Closed forms as the papers and the thread print them.

Each row is proven equal to the derived form by the tests: symbolically, and by
evaluation in balls at a thousand points. The one printed form that is not equal,
AdaFace's eq. 18, stands beside its correction.
"""

from __future__ import annotations

from typing import NamedTuple

from sympy import Expr, Integer, cos, exp, sin

from adaface_ref.spec.losses import norm_margin
from adaface_ref.spec.symbols import (
    additive_margin,
    additive_offset,
    angle,
    angular_margin,
    angular_offset,
    feature_norm,
    margin,
    margin_lower,
    margin_scaler,
    margin_upper,
    multiplier,
    norm_lower,
    norm_upper,
    other_cosine,
    regulariser_weight,
    rival_cosine,
    scale,
    segment,
)


class Printed(NamedTuple):
    """One closed form.

    Args:
        id: its name here.
        loss: the loss it speaks of.
        quantity: what it is, a key of the gst module's QUANTITIES, or "rising".
        value: as printed, in the angle.
        source: where.
    """

    id: str
    loss: str
    quantity: str
    value: Expr
    source: str


def _two_class(target: Expr) -> Expr:
    """The softmax of two classes, as printed, with its exponentials."""
    return exp(scale * target) / (exp(scale * target) + exp(scale * rival_cosine))


def _printed_gst(target: Expr, factor: Expr) -> Expr:
    return (_two_class(target) - 1) * scale * factor


g_angle = -margin * margin_scaler
g_add = margin * margin_scaler + margin
_adaface = cos(angle + g_angle) - g_add
_recipe = cos(angle) - margin

EQ18_AS_PRINTED = scale * cos(angle + angular_margin) - additive_margin
"""AdaFace eq. 18 as printed, with g_add outside the scale."""

EQ18_CORRECTED = scale * (cos(angle + angular_margin) - additive_margin)
"""AdaFace eq. 18 with g_add inside, as its author agrees (AdaFace issue 10)."""

EQ19 = {angular_margin: g_angle, additive_margin: g_add}
"""AdaFace eq. 19: the two margins."""

PRINTED: tuple[Printed, ...] = (
    Printed(
        "normface-gst",
        "normface",
        "gst",
        _printed_gst(cos(angle), Integer(1)),
        "AdaFace, arXiv 2204.00964, eq. 12 with f = s cos theta",
    ),
    Printed(
        "cosface-gst",
        "cosface",
        "gst",
        _printed_gst(_recipe, Integer(1)),
        "AdaFace issue 24, recipe: x_m = x - m, prob, gst = (prob - 1) s",
    ),
    Printed(
        "arcface-gst",
        "arcface",
        "gst",
        _printed_gst(
            cos(angle + margin), cos(margin) + cos(angle) * sin(margin) / sin(angle)
        ),
        "AdaFace, arXiv 2204.00964, eq. 15",
    ),
    Printed(
        "adaface-gst",
        "adaface",
        "gst",
        _printed_gst(_adaface, cos(g_angle) + cos(angle) * sin(g_angle) / sin(angle)),
        "AdaFace, arXiv 2204.00964, eqs. 12, 18 (corrected), 19",
    ),
    Printed(
        "adaface-logit",
        "adaface",
        "logit",
        EQ18_CORRECTED.subs(EQ19),
        "AdaFace, arXiv 2204.00964, eqs. 18 (corrected), 19",
    ),
    Printed(
        "combined-slope",
        "combined",
        "slope",
        multiplier * sin(multiplier * angle + angular_offset) / sin(angle),
        "Deng et al., ArcFace, arXiv 1801.07698, by the chain rule",
    ),
    Printed(
        "combined-logit",
        "combined",
        "logit",
        scale * (cos(multiplier * angle + angular_offset) - additive_offset),
        "Deng et al., ArcFace, arXiv 1801.07698",
    ),
    Printed(
        "arcface-slope",
        "arcface",
        "slope",
        sin(angle + margin) / sin(angle),
        "AdaFace, arXiv 2204.00964, the second factor of eq. 15",
    ),
    Printed(
        "sphereface-slope",
        "sphereface",
        "slope",
        (-1) ** segment * multiplier * sin(multiplier * angle) / sin(angle),
        "Liu et al., SphereFace, arXiv 1704.08063, psi differentiated by hand",
    ),
    Printed(
        "adaface-other-gst",
        "adaface",
        "other_gst",
        scale
        * exp(scale * other_cosine)
        / (exp(scale * _adaface) + exp(scale * rival_cosine)),
        "softmax cross-entropy: P_j df_j/dc_j with f_j = s c_j",
    ),
    Printed(
        "magface-norm-gradient",
        "magface",
        "norm_gradient",
        (1 - _two_class(cos(angle + norm_margin)))
        * scale
        * sin(angle + norm_margin)
        * (margin_upper - margin_lower)
        / (norm_upper - norm_lower)
        + regulariser_weight * (1 / norm_upper**2 - 1 / feature_norm**2),
        "Meng et al., MagFace, arXiv 2103.06627, differentiated by hand",
    ),
    Printed(
        "arcface-rising",
        "arcface",
        "rising",
        sin(margin)
        - _two_class(cos(angle + margin))
        * scale
        * sin(angle)
        * sin(angle + margin) ** 2,
        "this project: |g| rises with the cosine where D times this is positive",
    ),
    Printed(
        "adaface-rising",
        "adaface",
        "rising",
        sin(g_angle)
        - _two_class(_adaface) * scale * sin(angle) * sin(angle + g_angle) ** 2,
        "this project: |g| rises with the cosine where D times this is positive",
    ),
)
