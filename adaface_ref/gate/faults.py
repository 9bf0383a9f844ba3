"""Known ways to get a head's values wrong, as rows, to name the likely cause."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from adaface_ref.gate.identify import Probes
from adaface_ref.gate.margins import margins_of
from adaface_ref.gate.reading import Array
from adaface_ref.gate.state import DEVIATION, MEAN, POLICY, STD_EPS

CORE = 0.999
"""Probes with a larger |cosine| belong to profiles, not to faults."""

SHARE = 0.9
"""Share of the core's probes that a fault must explain."""


class Parts(NamedTuple):
    """What a head's values are made of; every field broadcasts over the probes."""

    scale: Array
    multiplier: Array
    angular: Array
    additive: Array
    target: Array
    other: Array
    margin: Array
    scaler: Array
    unclipped: Array  # h z, where the scaler is made from norms
    spread: Array  # h


class Values(NamedTuple):
    """A head's logits, their derivatives, and the GST of the target."""

    logit: Array
    slope: Array
    other_logit: Array
    other_slope: Array
    weight: Array | None = None  # dL/df of the target, where it is not P - 1


class Fault(NamedTuple):
    """One way to go wrong.

    Args:
        id: its name.
        words: the likely cause, as a report says it.
        values: what a head with this fault gives.
    """

    id: str
    words: str
    values: Callable[[Parts], Values]


def _margined(p: Parts, cosine: Array) -> tuple[Array, Array]:
    angle = np.arccos(cosine)
    turned = p.multiplier * angle + p.angular
    value = np.cos(turned) - p.additive
    return p.scale * value, p.scale * p.multiplier * np.sin(turned) / np.sin(angle)


def _right(p: Parts) -> Values:
    return Values(*_margined(p, p.target), p.scale * p.other, p.scale + 0 * p.other)


def _with(**changes: Callable[[Parts], Array]) -> Callable[[Parts], Values]:
    """Values of a head whose parts are changed."""
    return lambda p: _right(p._replace(**{k: f(p) for k, f in changes.items()}))


def _all_classes(p: Parts) -> Values:
    return Values(*_margined(p, p.target), *_margined(p, p.other))


def _wrong_class(p: Parts) -> Values:
    return Values(p.scale * p.target, p.scale + 0 * p.target, *_margined(p, p.other))


def _late_additive(p: Parts) -> Values:
    logit, slope = _margined(p._replace(additive=0 * p.additive), p.target)
    return _right(p)._replace(logit=logit - p.additive, slope=slope)


def _bare_others(p: Parts) -> Values:
    return _right(p)._replace(other_logit=p.other, other_slope=1 + 0 * p.other)


def _bare_target(p: Parts) -> Values:
    right = _right(p)
    return right._replace(logit=right.logit / p.scale, slope=right.slope / p.scale)


def _twice_scaled(p: Parts) -> Values:
    return Values(*(np.asarray(value) * p.scale for value in _right(p)[:4]))


def _straight(p: Parts) -> Values:
    return _right(p)._replace(slope=p.scale + 0 * p.target)


def _still_others(p: Parts) -> Values:
    return _right(p)._replace(other_slope=0 * p.other)


def _swapped(p: Parts) -> Values:
    logit, slope = _margined(p, p.target)
    core = p.target > np.cos(np.pi - p.angular)
    plain = p.scale * (p.target - p.additive - p.angular * np.sin(p.angular))
    return _right(p)._replace(
        logit=np.where(core, plain, logit), slope=np.where(core, p.scale, slope)
    )


def _from_probability(p: Parts) -> Values:
    right = _right(p)
    with np.errstate(over="ignore"):
        return right._replace(weight=1 / (1 + np.exp(right.other_logit - right.logit)))


def _clamped(eps: float) -> Callable[[Parts], Values]:
    def values(p: Parts) -> Values:
        inside = p._replace(
            target=p.target.clip(eps - 1, 1 - eps), other=p.other.clip(eps - 1, 1 - eps)
        )
        right = _right(inside)
        return right._replace(
            slope=np.where(np.abs(p.target) > 1 - eps, 0, right.slope),
            other_slope=np.where(np.abs(p.other) > 1 - eps, 0, right.other_slope),
        )

    return values


def _scaled(scaler: Callable[[Parts], Array]) -> Callable[[Parts], Values]:
    """Values of an AdaFace head with another margin scaler."""
    return _with(
        angular=lambda p: -p.margin * scaler(p),
        additive=lambda p: p.margin * scaler(p) + p.margin,
    )


FAULTS = (
    Fault("margin-without-effect", "the margin has no effect",
          _with(angular=lambda p: 0 * p.angular, additive=lambda p: 0 * p.additive)),
    Fault("angular-sign", "the angular margin has the wrong sign: cos(theta - a)",
          _with(angular=lambda p: -p.angular)),
    Fault("additive-sign", "the additive margin has the wrong sign: + b for - b",
          _with(additive=lambda p: -p.additive)),
    Fault("additive-without-margin", "g_add lacks its + m: m z-hat for m z-hat + m",
          _with(additive=lambda p: p.margin * p.scaler)),
    Fault("additive-scaler-sign", "g_add has the wrong sign on z-hat: m - m z-hat",
          _with(additive=lambda p: p.margin - p.margin * p.scaler)),
    Fault("degrees", "the margin is taken for degrees where it is in radians",
          _with(angular=lambda p: np.radians(p.angular))),
    Fault("radians", "the margin is taken for radians where it is in degrees",
          _with(angular=lambda p: np.degrees(p.angular))),
    Fault("margin-on-all-classes", "the margin is put on every class", _all_classes),
    Fault("margin-on-a-non-target", "the margin is put on another class", _wrong_class),
    Fault("late-additive", "the additive margin is subtracted after the scale",
          _late_additive),
    Fault("scale-missing-on-others", "the other classes lack the scale", _bare_others),
    Fault("scale-missing-on-target", "the target class lacks the scale", _bare_target),
    Fault("scale-twice", "the scale is applied twice", _twice_scaled),
    Fault("additive-for-angular", "the margin is subtracted from the cosine, "
          "not added to the angle",
          _with(angular=lambda p: 0 * p.angular, additive=lambda p: p.margin)),
    Fault("angular-for-additive", "the margin is added to the angle, "
          "not subtracted from the cosine",
          _with(angular=lambda p: p.margin, additive=lambda p: 0 * p.additive)),
    Fault("straight-through", "the margin is left out of the gradient: slope 1",
          _straight),
    Fault("others-without-gradient", "no gradient reaches the other classes",
          _still_others),
    Fault("swapped-branches", "the branches on cos(pi - m) are swapped", _swapped),
    Fault("gst-from-probability", "the GST is made from P instead of P - 1",
          _from_probability),
    Fault("scaler-without-concentration", "z-hat lacks h: clip(z) for clip(h z)",
          _scaled(lambda p: (p.unclipped / p.spread).clip(-1, 1))),
    Fault("clip-before-concentration", "z is clipped before h: h clip(z)",
          _scaled(lambda p: p.spread * (p.unclipped / p.spread).clip(-1, 1))),
    Fault("missing-scaler-clip", "z-hat is not clipped to [-1, 1]",
          _scaled(lambda p: p.unclipped)),
    Fault("wide-clamp", "cosines are clamped to [-0.99, 0.99]: eps too wide",
          _clamped(1e-2)),
    Fault("wider-clamp", "cosines are clamped to [-0.95, 0.95]: eps too wide",
          _clamped(5e-2)),
)  # fmt: skip
"""The rows; of several that explain a head, the first is named."""


def likely_cause(probes: Probes) -> str:
    """Name the known fault that explains what a head does.

    Args:
        probes: the head's answers at the probe points.

    Returns:
        The fault's words, or that none is known.
    """
    parts = _parts(probes)
    if parts is None:
        return "none of the known faults can be compared for this loss"
    seen = probes.telling if probes.reading.observed else probes.shown
    core = seen & (np.abs(probes.rows.cosines).max(axis=1) < CORE)
    with np.errstate(all="ignore"):
        right = _right(parts)
    if _explains(probes, right, core):
        return "the core is right: look at where this point lies"
    for fault in FAULTS:
        with np.errstate(all="ignore"):
            values = fault.values(parts)
        if _explains(probes, values, core):
            return fault.words
    if probes.session.loss == "adaface" and "norms" in probes.rows.given:
        return (
            "no known fault gives these values; the policy of the statistics (eps, "
            f"ddof, clip) may differ from {POLICY}"
        )
    return "no known fault gives these values"


def _explains(probes: Probes, values: Values, core: Array) -> bool:
    scale = probes.rows.columns["scale"]
    with np.errstate(over="ignore", invalid="ignore"):
        odds = 1 / (1 + np.exp(values.logit - values.other_logit))
        weight = -odds if values.weight is None else values.weight
        wanted = {
            "logit": values.logit,
            "other_logit": values.other_logit,
            "slope": values.slope / scale,
            "gst": weight * values.slope,
            "other_gst": odds * values.other_slope,
        }
    good = np.ones(len(scale), dtype=bool)
    for name, want in wanted.items():
        good &= probes.agrees(name, want)
    return bool(good[core].mean() >= SHARE) if core.any() else False


def _parts(probes: Probes) -> Parts | None:
    columns = probes.rows.columns
    margins = margins_of(probes.session.loss, columns)
    if margins is None:
        return None
    zero = np.zeros_like(margins.angular)
    spread = probes.session.request.parameters.get("concentration", 1.0)
    steered = probes.session.loss == "adaface" and "norms" in probes.rows.given
    norms = probes.rows.given["norms"] if steered else zero + np.nan
    unclipped = spread * (norms - MEAN) / (DEVIATION + STD_EPS)
    return Parts(
        columns["scale"],
        *margins,
        probes.rows.cosines[:, 0],
        probes.rows.cosines[:, 1],
        columns.get("margin", zero),
        columns.get("margin_scaler", zero),
        unclipped,
        zero + spread,
    )
