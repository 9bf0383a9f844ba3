"""What a head's values are made of, and how the formula makes them: for faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adaface_ref import numpy_reference
from adaface_ref.margins import Margins, margins_of, on_columns
from adaface_ref.numpy_reference.arguments import Array
from adaface_ref.spec.losses import LOSSES

Mask = NDArray[np.bool_]


class Parts(NamedTuple):
    """What a head's values are made of; all fields broadcast against each other.

    Args:
        scale, multiplier, angular, additive: of s (cos(k theta + a) - b).
        target, other: cosines.
        scaler: z-hat; 0 where the loss has none.
        unclipped: h z, where the scaler is made from norms.
        spread: h.
        columns: the loss's own parameters.
        folded: whether the arcs of cos(k theta) are joined, as SphereFace has them.
        other_form: the target logit and its derivative at cosines, where the target is
            of no such form; the margins count for nothing then.
    """

    scale: Array
    multiplier: Array
    angular: Array
    additive: Array
    target: Array
    other: Array
    scaler: Array
    unclipped: Array
    spread: Array
    columns: Mapping[str, Array]
    folded: bool
    other_form: Callable[[Array], tuple[Array, Array]] | None = None


class Values(NamedTuple):
    """A head's logits, their derivatives, and the GST of the target."""

    logit: Array
    slope: Array
    other_logit: Array
    other_slope: Array
    weight: Array | None = None  # dL/df of the target, where it is not P - 1


def parts_of(
    loss: str,
    columns: Mapping[str, Array],
    target: Array,
    other: Array,
    *,
    unclipped: Array | None = None,
    spread: float = 1.0,
) -> Parts:
    """The parts of a loss's values.

    Args:
        loss: a loss id.
        columns: its parameters.
        target: the target's cosines.
        other: another class's, or those of all other classes.
        unclipped: h z, where AdaFace's scaler is made from norms.
        spread: h.

    Returns:
        The parts.
    """
    zero, row = np.zeros_like(columns["scale"]), LOSSES[loss]
    has_form = row.angular_margin is not None or row.has_arcs
    multiplier = on_columns(loss, row.multiplier, columns)
    margins = margins_of(loss, columns) or Margins(multiplier, zero, zero)
    return Parts(
        columns["scale"],
        *margins,
        target,
        other,
        columns.get("margin_scaler", zero),
        zero + (np.nan if unclipped is None else unclipped),
        zero + spread,
        columns,
        row.has_arcs,
        None if has_form else partial(_reference, loss, columns),
    )


def _reference(
    loss: str, columns: Mapping[str, Array], cosine: Array
) -> tuple[Array, Array]:
    """The target logit and its derivative, by the reference."""
    given = {name: columns[name] for name in numpy_reference.PARAMETERS[loss]}
    inside = cosine.clip(-1, 1)
    slope = columns["scale"] * numpy_reference.slope(loss, inside, **given)
    return numpy_reference.logit(loss, inside, **given), slope


def turn_angle(p: Parts, cosine: Array) -> tuple[Array, Array]:
    """k theta + a, and the arc of theta that SphereFace folds."""
    angle = p.multiplier * np.arccos(cosine)
    arc = np.minimum(np.floor(angle / np.pi), p.multiplier - 1)
    return angle + p.angular, arc if p.folded else 0 * angle


def margin_logit(p: Parts, cosine: Array) -> tuple[Array, Array]:
    """The margined logit of a cosine, and its derivative."""
    if p.other_form is not None:
        return p.other_form(cosine)
    angle, arc = turn_angle(p, cosine)
    sign = 1 - 2 * (arc % 2)
    value = sign * np.cos(angle) - 2 * arc - p.additive
    sine = np.sqrt((1 - cosine) * (1 + cosine))
    return p.scale * value, p.scale * sign * p.multiplier * np.sin(angle) / sine


def hard_classes(p: Parts) -> Mask:
    """Which other classes CurricularFace takes for hard."""
    return np.asarray(p.other > margin_logit(p, p.target)[0] / p.scale)


def others(p: Parts) -> tuple[Array, Array]:
    """The logits of the other classes, and their derivatives."""
    if "curriculum" not in p.columns:
        return p.scale * p.other, p.scale + 0 * p.other
    return modulate(p, hard_classes(p), p.columns["curriculum"])


def modulate(p: Parts, hard: Mask, level: Array) -> tuple[Array, Array]:
    """CurricularFace's other classes: c (t + c) where they are hard."""
    value = np.where(hard, p.other * (level + p.other), p.other)
    slope = np.where(hard, level + 2 * p.other, 1.0)
    return p.scale * value, p.scale * slope


def right(p: Parts) -> Values:
    """The values of the formula."""
    return Values(*margin_logit(p, p.target), *others(p))
