"""The quantities of one target, one rival and one other class."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from adaface_ref.errors import domain_error, quoted, shape_error
from adaface_ref.numpy_reference.arguments import Array, check_values, common_shape
from adaface_ref.numpy_reference.cases import (
    case_of,
    logit_difference,
    loss_at,
    other_of,
    probability_at,
    quiet,
    rival_of,
    target_of,
    weigh,
)
from adaface_ref.numpy_reference.losses import norm_margin_slope


@quiet
def logit(loss: str, target_cosine: ArrayLike, **given: Any) -> Array:
    """The target logit f = s F."""
    case = case_of("logit", loss, given, target_cosine=target_cosine)
    return case.answer(case.p["scale"] * target_of(case).cosine)


@quiet
def slope(loss: str, target_cosine: ArrayLike, **given: Any) -> Array:
    """The slope D = dF/dc of the target."""
    case = case_of("slope", loss, given, target_cosine=target_cosine)
    return case.answer(target_of(case).slope)


@quiet
def probability(
    loss: str, target_cosine: ArrayLike, rival_cosine: ArrayLike, **given: Any
) -> Array:
    """The softmax output P of the target."""
    cosines = {"target_cosine": target_cosine, "rival_cosine": rival_cosine}
    case = case_of("probability", loss, given, **cosines)
    return case.answer(probability_at(logit_difference(case)))


@quiet
def gst(
    loss: str, target_cosine: ArrayLike, rival_cosine: ArrayLike, **given: Any
) -> Array:
    """The gradient scaling term of the target, -s (1 - P) D (AdaFace eq. 12)."""
    cosines = {"target_cosine": target_cosine, "rival_cosine": rival_cosine}
    case = case_of("gst", loss, given, **cosines)
    target, rival = target_of(case), case.p["rival_cosine"]
    weight = weigh(case.p["scale"], target.cosine, rival, rival, -target.slope)
    return case.answer(weight)


@quiet
def other_logit(
    loss: str, other_cosine: ArrayLike, target_cosine: ArrayLike, **given: Any
) -> Array:
    """Another class's logit s G; CurricularFace compares it with the target's."""
    cosines = {"other_cosine": other_cosine, "target_cosine": target_cosine}
    case = case_of("other_logit", loss, given, **cosines)
    return case.answer(case.p["scale"] * other_of(case)[0])


@quiet
def other_gst(
    loss: str,
    target_cosine: ArrayLike,
    rival_cosine: ArrayLike,
    other_cosine: ArrayLike,
    **given: Any,
) -> Array:
    """Another class's gradient scaling term P_j s dG/dc_j, for G at most n."""
    cosines = {"target_cosine": target_cosine, "rival_cosine": rival_cosine}
    case = case_of("other_gst", loss, given, other_cosine=other_cosine, **cosines)
    target, rival = target_of(case).cosine, case.p["rival_cosine"]
    return case.answer(weigh(case.p["scale"], target, rival, *other_of(case)))


@quiet
def loss_value(
    loss: str, target_cosine: ArrayLike, rival_cosine: ArrayLike, **given: Any
) -> Array:
    """The loss -ln P, for MagFace with its regulariser lambda (a/u_a^2 + 1/a)."""
    cosines = {"target_cosine": target_cosine, "rival_cosine": rival_cosine}
    case = case_of("loss_value", loss, given, **cosines)
    return case.answer(loss_at(logit_difference(case), case.p))


@quiet
def norm_gradient(
    loss: str, target_cosine: ArrayLike, rival_cosine: ArrayLike, **given: Any
) -> Array:
    """MagFace's dL/d(feature norm), which is 0 outside (norm_lower, norm_upper)."""
    if not isinstance(loss, str) or loss != "magface":
        raise domain_error("loss", quoted(loss), "'magface'", "norm_gradient")
    cosines = {"target_cosine": target_cosine, "rival_cosine": rival_cosine}
    case = case_of("norm_gradient", loss, given, **cosines)
    p, target, rival = case.p, target_of(case), case.p["rival_cosine"]
    by = -target.per_margin * norm_margin_slope(p)
    through_margin = weigh(p["scale"], target.cosine, rival, rival, by)
    norm, upper = p["feature_norm"], p["norm_upper"]
    pull = (norm - upper) * (norm + upper) / (norm * upper) ** 2  # 1/u_a^2 - 1/a^2
    inside = (norm > p["norm_lower"]) & (norm < upper)
    gradient = through_margin + p["regulariser_weight"] * pull
    return case.answer(np.where(inside, gradient, 0.0))


@quiet
def rival_cosine(
    other_logits_over_scale: ArrayLike, scale: ArrayLike, axis: int = -1
) -> Array:
    """The one cosine that stands for all other classes, (1/s) ln sum exp(s G_j).

    Args:
        other_logits_over_scale: the finite G_j of the others, at least one on `axis`.
        scale: s > 0, broadcasts with the result.
        axis: the axis of classes.
    """
    name, where = "other_logits_over_scale", "rival_cosine"
    other, s = (
        check_values(name, other_logits_over_scale, where),
        check_values("scale", scale, where),
    )
    if not isinstance(axis, Integral):
        raise domain_error("axis", quoted(axis), "an integer", where)
    if not -other.ndim <= axis < other.ndim or not other.shape[axis]:
        raise shape_error(name, other.shape, f"with a class on axis {axis}", where)
    other = np.moveaxis(other, axis, -1)
    common_shape({name: other[..., 0], "scale": s}, where)
    return rival_of(*np.broadcast_arrays(other, s[..., None]))[..., 0]


@quiet
def margin_scaler(standard_norm: ArrayLike, concentration: ArrayLike) -> Array:
    """AdaFace's z-hat = clip(h z, -1, 1), for any finite z and h > 0 (eq. 16)."""
    p = {
        "standard_norm": check_values("standard_norm", standard_norm, "margin_scaler"),
        "concentration": check_values("concentration", concentration, "margin_scaler"),
    }
    common_shape(p, "margin_scaler")
    scaled: Array = np.clip(p["concentration"] * p["standard_norm"], -1.0, 1.0)
    return scaled
