"""Every quantity of a batch of many classes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adaface_ref.errors import shape_error
from adaface_ref.numpy_reference.arguments import (
    Array,
    Domain,
    check_values,
    real_array,
)
from adaface_ref.numpy_reference.cases import (
    case_of,
    loss_at,
    other_of,
    probability_at,
    quiet,
    rival_of,
    target_of,
    weigh,
)


class Batch(NamedTuple):
    """What a batch gives: logits, their slopes over the scale and GSTs (B, C),
    probability and loss (B,).
    """

    logits: Array
    slope: Array
    probability: Array
    gst: Array
    loss: Array


@quiet
def batch(loss: str, cosine: ArrayLike, labels: ArrayLike, **given: Any) -> Batch:
    """Every quantity of a batch, by the exact reduction of C classes to two.

    Args:
        loss: one of LOSSES.
        cosine: (B, C), in [-1, 1], at least two classes.
        labels: (B,), integers in [0, C).
        **given: profile, and parameters that are scalars or one a sample, (B,).
    """
    cosines = check_values("cosine", cosine, "batch")
    if cosines.ndim != 2 or cosines.shape[1] < 2:
        raise shape_error("cosine", cosines.shape, "(B, C) with C >= 2", "batch")
    chosen = _labels(labels, *cosines.shape)
    columns = {
        k: v if k == "profile" else _column(k, v, chosen) for k, v in given.items()
    }
    target_cosine = np.take_along_axis(cosines, chosen, 1)
    named = {"target_cosine": target_cosine, "other_cosine": cosines}
    case = case_of("batch", loss, columns, **named)
    scale, target, (other, by) = case.p["scale"], target_of(case), other_of(case)
    own = np.arange(cosines.shape[1]) == chosen
    rival = rival_of(np.where(own, -np.inf, other), scale)
    level, factor = np.where(own, rival, other), np.where(own, -target.slope, by)
    x = scale * (target.cosine - rival)
    return Batch(
        scale * np.where(own, target.cosine, other),
        np.where(own, target.slope, by),
        probability_at(x)[:, 0],
        weigh(scale, target.cosine, rival, level, factor),
        loss_at(x, case.p)[:, 0],
    )


def _labels(labels: ArrayLike, size: int, classes: int) -> NDArray[np.intp]:
    whole: Domain = (
        lambda v: (v >= 0) & (v < classes) & (v % 1 == 0),
        f"an integer in [0, {classes})",
    )
    array = check_values("labels", labels, "batch", whole)
    if array.shape != (size,):
        raise shape_error("labels", array.shape, f"({size},)", "batch")
    return array[:, None].astype(np.intp)


def _column(name: str, value: ArrayLike, chosen: NDArray[np.intp]) -> ArrayLike:
    array = real_array(value)
    if array is None:
        return value  # for case_of to refuse, with its domain
    if array.shape not in ((), chosen.shape[:1]):
        must = f"() or {chosen.shape[:1]}"
        raise shape_error(name, array.shape, must, "batch")
    return array[:, None] if array.ndim else array
