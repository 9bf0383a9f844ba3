"""Known ways to get a head's values wrong, as rows, to name the likely cause."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, NamedTuple

import numpy as np

from adaface_ref.faults.parts import (
    Mask,
    Parts,
    Values,
    hard_classes,
    margin_logit,
    modulate,
    right,
    turn_angle,
)
from adaface_ref.numpy_reference.arguments import Array


class Fault(NamedTuple):
    """One way to go wrong.

    Args:
        id: its name.
        words: the likely cause, as a report says it.
        values: what a head with this fault gives.
        needs: the parameter without which a loss cannot have it.
        check: the check that names it; "" for that of the first value that differs.
    """

    id: str
    words: str
    values: Callable[[Parts], Values]
    needs: str = ""
    check: str = ""


def _with(**changes: Callable[[Parts], Array | None]) -> Callable[[Parts], Values]:
    """Values of a head whose parts are changed."""

    def values(p: Parts) -> Values:
        changed: dict[str, Any] = {name: f(p) for name, f in changes.items()}
        return right(p._replace(**changed))

    return values


def _all_classes(p: Parts) -> Values:
    return Values(*margin_logit(p, p.target), *margin_logit(p, p.other))


def _wrong_class(p: Parts) -> Values:
    return Values(p.scale * p.target, p.scale + 0 * p.target, *margin_logit(p, p.other))


def _late_additive(p: Parts) -> Values:
    logit, slope = margin_logit(p._replace(additive=0 * p.additive), p.target)
    return right(p)._replace(logit=logit - p.additive, slope=slope)


def _bare_others(p: Parts) -> Values:
    found = right(p)
    bare = found.other_logit / p.scale, found.other_slope / p.scale
    return found._replace(other_logit=bare[0], other_slope=bare[1])


def _bare_target(p: Parts) -> Values:
    found = right(p)
    return found._replace(logit=found.logit / p.scale, slope=found.slope / p.scale)


def _twice_scaled(p: Parts) -> Values:
    return Values(*(np.asarray(value) * p.scale for value in right(p)[:4]))


def _slope(slope: Callable[[Parts, Array], Array]) -> Callable[[Parts], Values]:
    """The right values but for the derivative of the target logit."""
    return lambda p: right(p)._replace(slope=slope(p, right(p).slope))


def _still_others(p: Parts) -> Values:
    return right(p)._replace(other_slope=0 * p.other)


def _swap_branches(p: Parts) -> Values:
    logit, slope = margin_logit(p, p.target)
    core = p.target > np.cos(np.pi - p.angular)
    plain = p.scale * (p.target - p.additive - p.angular * np.sin(p.angular))
    return right(p)._replace(
        logit=np.where(core, plain, logit), slope=np.where(core, p.scale, slope)
    )


def _from_probability(p: Parts) -> Values:
    found = right(p)
    with np.errstate(over="ignore"):
        return found._replace(weight=1 / (1 + np.exp(found.other_logit - found.logit)))


def _clamp_cosines(eps: float) -> Callable[[Parts], Values]:
    def values(p: Parts) -> Values:
        inside = p._replace(
            target=p.target.clip(eps - 1, 1 - eps), other=p.other.clip(eps - 1, 1 - eps)
        )
        found = right(inside)
        return found._replace(
            slope=np.where(np.abs(p.target) > 1 - eps, 0, found.slope),
            other_slope=np.where(np.abs(p.other) > 1 - eps, 0, found.other_slope),
        )

    return values


def _wide_root(eps: float) -> Callable[[Parts], Values]:
    """The sine from sqrt(1 - c^2 + eps), in the addition formula."""

    def values(p: Parts) -> Values:
        found, c = right(p), p.target
        sine = np.sqrt((1 - c) * (1 + c) + eps)
        logit = c * np.cos(p.angular) - sine * np.sin(p.angular) - p.additive
        slope = np.cos(p.angular) + np.sin(p.angular) * c / sine
        alone = p.multiplier == 1
        return found._replace(
            logit=np.where(alone, p.scale * logit, found.logit),
            slope=np.where(alone, p.scale * slope, found.slope),
        )

    return values


def _scaler(scaler: Callable[[Parts], Array]) -> Callable[[Parts], Values]:
    """Values of an AdaFace head with another margin scaler."""
    return _with(
        angular=lambda p: -p.columns["margin"] * scaler(p),
        additive=lambda p: p.columns["margin"] * (scaler(p) + 1),
    )


def _of_norm(margin: Callable[[Parts, Array], Array]) -> Callable[[Parts], Values]:
    """Values of a MagFace head with another margin; its share of the norms' range."""

    def share(p: Parts) -> Array:
        low, high = p.columns["norm_lower"], p.columns["norm_upper"]
        return np.asarray((p.columns["feature_norm"] - low) / (high - low))

    return _with(angular=lambda p: margin(p, share(p)))


def _between(p: Parts, share: Array) -> Array:
    low, high = p.columns["margin_lower"], p.columns["margin_upper"]
    return np.asarray(low + share * (high - low))


def _hard(
    hard: Callable[[Parts], Mask], level: Callable[[Array], Array]
) -> Callable[[Parts], Values]:
    """Values of a CurricularFace head with other hard classes, or another t."""

    def values(p: Parts) -> Values:
        logit, slope = modulate(p, hard(p), level(p.columns["curriculum"]))
        return right(p)._replace(other_logit=logit, other_slope=slope)

    return values


def _modulation_held(p: Parts) -> Values:
    slope = p.scale * (p.columns["curriculum"] + p.other)
    found = right(p)
    held = np.where(hard_classes(p), slope, found.other_slope)
    return found._replace(other_slope=held)


def _arcs(*, parity: bool, fold: bool) -> Callable[[Parts], Values]:
    """Values of a SphereFace head whose arcs lack a part."""

    def values(p: Parts) -> Values:
        (logit, slope), (_, arc) = margin_logit(p, p.target), turn_angle(p, p.target)
        sign = 1.0 if parity else 1 - 2 * (arc % 2)
        bare = sign * (logit + 2 * p.scale * arc)
        folds = 2 * p.scale * arc if fold else 0.0
        return right(p)._replace(logit=bare - folds, slope=sign * slope)

    return values


FAULTS = (
    Fault("margin-without-effect", "the margin has no effect",
          _with(multiplier=lambda p: 0 * p.multiplier + 1,
                angular=lambda p: 0 * p.angular, additive=lambda p: 0 * p.additive,
                other_form=lambda p: None),
          check="margin-has-effect"),
    Fault("angular-sign", "the angular margin has the wrong sign: cos(theta - a)",
          _with(angular=lambda p: -p.angular)),
    Fault("additive-sign", "the additive margin has the wrong sign: + b for - b",
          _with(additive=lambda p: -p.additive)),
    Fault("margin-twice", "the margin is applied twice",
          _with(angular=lambda p: 2 * p.angular, additive=lambda p: 2 * p.additive)),
    Fault("additive-without-margin", "g_add lacks its + m: m z-hat for m z-hat + m",
          _with(additive=lambda p: p.columns["margin"] * p.scaler), "margin_scaler"),
    Fault("additive-scaler-sign", "g_add has the wrong sign on z-hat: m - m z-hat",
          _with(additive=lambda p: p.columns["margin"] * (1 - p.scaler)),
          "margin_scaler"),
    Fault("additive-without-scaler", "g_add lacks z-hat: m for m z-hat + m",
          _with(additive=lambda p: p.columns["margin"]), "margin_scaler"),
    Fault("angular-without-scaler", "g_angle lacks z-hat: -m for -m z-hat",
          _with(angular=lambda p: -p.columns["margin"]), "margin_scaler"),
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
          _with(angular=lambda p: 0 * p.angular,
                additive=lambda p: p.additive + p.angular)),
    Fault("angular-for-additive", "the margin is added to the angle, "
          "not subtracted from the cosine",
          _with(angular=lambda p: p.angular + p.additive,
                additive=lambda p: 0 * p.additive)),
    Fault("margin-multiplies", "the margin multiplies the angle: cos(m theta)",
          _with(multiplier=lambda p: np.where(p.angular, p.angular, p.multiplier),
                angular=lambda p: 0 * p.angular)),
    Fault("multiplier-left-out", "the angle lacks its multiplier m1",
          _with(multiplier=lambda p: 0 * p.multiplier + 1), "angular_offset"),
    Fault("multiplier-on-the-sum", "m1 multiplies the margin too: cos(m1 (theta + m2))",
          _with(angular=lambda p: p.multiplier * p.angular)),
    Fault("straight-through", "the margin is left out of the gradient: slope 1",
          _slope(lambda p, _: p.scale + 0 * p.target), check="own-gradient"),
    Fault("sine-held-constant", "the sine is held constant: slope cos a",
          _slope(lambda p, slope:
                 np.where(p.multiplier == 1, p.scale * np.cos(p.angular), slope))),
    Fault("gradient-sign", "the gradient of the target has the wrong sign",
          _slope(lambda _, slope: -slope)),
    Fault("gradient-without-scale", "the gradient of the target lacks the scale",
          _slope(lambda p, slope: slope / p.scale)),
    Fault("target-without-gradient", "no gradient reaches the target class",
          _slope(lambda _, slope: 0 * slope)),
    Fault("others-without-gradient", "no gradient reaches the other classes",
          _still_others),
    Fault("swapped-branches", "the branches on cos(pi - m) are swapped",
          _swap_branches),
    Fault("gst-from-probability", "the GST is made from P instead of P - 1",
          _from_probability),
    Fault("scaler-without-concentration", "z-hat lacks h: clip(z) for clip(h z)",
          _scaler(lambda p: (p.unclipped / p.spread).clip(-1, 1)), "margin_scaler"),
    Fault("clip-before-concentration", "z is clipped before h: h clip(z)",
          _scaler(lambda p: p.spread * (p.unclipped / p.spread).clip(-1, 1)),
          "margin_scaler"),
    Fault("missing-scaler-clip", "z-hat is not clipped to [-1, 1]",
          _scaler(lambda p: p.unclipped), "margin_scaler"),
    Fault("scaler-sign", "z-hat has the wrong sign",
          _scaler(lambda p: -p.scaler), "margin_scaler"),
    Fault("scaler-clipped-at-zero", "z-hat is clipped to [0, 1], not to [-1, 1]",
          _scaler(lambda p: p.scaler.clip(min=0)), "margin_scaler"),
    Fault("norm-ends-swapped", "the margin falls with the norm: u_m and l_m swapped",
          _of_norm(lambda p, share: _between(p, 1 - share.clip(0, 1))),
          "feature_norm"),
    Fault("norm-unclipped", "the norm is not clipped to [l_a, u_a]",
          _of_norm(_between), "feature_norm"),
    Fault("margin-without-lower-end", "the margin m(a) lacks its + l_m",
          _of_norm(lambda p, share:
                   _between(p, share.clip(0, 1)) - p.columns["margin_lower"]),
          "feature_norm"),
    Fault("margin-without-norm", "the margin does not follow the norm: l_m for m(a)",
          _of_norm(lambda p, share: _between(p, 0 * share)), "feature_norm"),
    Fault("norm-over-upper-end", "the norm is divided by u_a, not by u_a - l_a",
          _of_norm(lambda p, share: _between(
              p, share.clip(0, 1) * (1 - p.columns["norm_lower"]
                                     / p.columns["norm_upper"]))),
          "feature_norm"),
    Fault("hard-without-t", "hard classes lack t: c c for c (t + c)",
          _hard(hard_classes, lambda t: 0 * t), "curriculum"),
    Fault("hard-with-t-squared", "t is squared: c (t t + c) for c (t + c)",
          _hard(hard_classes, lambda t: t * t), "curriculum"),
    Fault("hard-swapped", "easy classes are modulated, and hard ones are not",
          _hard(lambda p: ~hard_classes(p), lambda t: t), "curriculum"),
    Fault("hard-by-cosine", "classes are hard by c_j > cos(theta), "
          "not by c_j > cos(theta + m)",
          _hard(lambda p: p.other > p.target, lambda t: t), "curriculum"),
    Fault("all-classes-hard", "every other class is taken for hard",
          _hard(lambda p: p.other > -2, lambda t: t), "curriculum"),
    Fault("no-class-hard", "no other class is taken for hard",
          _hard(lambda p: p.other > 2, lambda t: t), "curriculum"),
    Fault("modulation-held", "t + c_j is held constant: slope t + c for t + 2 c",
          _modulation_held, "curriculum"),
    Fault("arc-without-fold", "the arcs lack their - 2 k",
          _arcs(parity=True, fold=False)),
    Fault("arc-without-parity", "the arcs lack their (-1)^k",
          _arcs(parity=False, fold=True)),
    Fault("arcs-left-out", "the arcs are left out: cos(q theta) alone",
          _arcs(parity=False, fold=False)),
    Fault("wide-root", "the eps under the square root is too wide: "
          "sqrt(1 - c^2 + 1e-3)", _wide_root(1e-3)),
    Fault("wider-root", "the eps under the square root is too wide: "
          "sqrt(1 - c^2 + 1e-2)", _wide_root(1e-2)),
    *(
        Fault(f"clamp-{eps:g}", f"cosines are clamped to [-{1 - eps:g}, {1 - eps:g}]: "
              "eps too wide", _clamp_cosines(eps))
        for eps in (2e-3, 1e-2, 5e-2, 1e-1)
    ),
)  # fmt: skip
"""The rows; of several that explain a head as well, the first is named."""


def faults_of(parameters: Collection[str]) -> list[Fault]:
    """The faults that a loss can have.

    Args:
        parameters: the names of the loss's own.

    Returns:
        Rows of FAULTS.
    """
    return [f for f in FAULTS if not f.needs or f.needs in parameters]
