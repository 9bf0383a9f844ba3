"""The float64 reference: every quantity, written from the papers in stable form.

Written on its own: three forms agree to some purpose only if they share nothing. With
F the margined target cosine, G another class's cosine after its loss and n the rival
cosine, x = s (F - n) and P = 1/(1 + e^-x). All functions take scalars or arrays that
broadcast, return float64, and take as keywords `profile` ("pure" unless given) and
every one of PARAMETERS[loss]. At c = +-1 a slope is its one-sided limit. They raise
DomainError for a value outside its domain, an undefined cell and a missing or unknown
parameter, and ShapeError for shapes that do not broadcast.

Sources: F. Wang et al., NormFace (arXiv 1704.06369); W. Liu et al., SphereFace (arXiv
1704.08063); H. Wang et al., CosFace (arXiv 1801.09414); J. Deng et al., ArcFace (arXiv
1801.07698, also the combined margin); Y. Huang et al., CurricularFace (arXiv
2004.00288); Q. Meng et al., MagFace (arXiv 2103.06627); M. Kim, A. K. Jain, X. Liu,
AdaFace (arXiv 2204.00964: logit eq. 18, with g_add inside the scale; margins eq. 19).
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adaface_ref.errors import DomainError, domain_error, quoted, shape_error
from adaface_ref.numpy_reference.arguments import (
    DOMAINS,
    Array,
    Domain,
    Parameters,
    Profile,
    check_order,
    checked,
    common_shape,
    parse_profile,
    real_array,
)

# Poles divide by zero, a removable one multiplies 0 by inf before `where` replaces it,
# and far tails overflow or underflow to their limits: all meant.
_quiet = np.errstate(all="ignore")


class _Angle(NamedTuple):
    """A clamped cosine, its sine, whether the clamp left it alone, and eps_t."""

    cosine: Array
    sine: Array
    inside: NDArray[np.bool_]
    clip: float


class _Margins(NamedTuple):
    """The three margins of cos(multiplier * theta + angular) - additive."""

    multiplier: Array
    angular: Array
    additive: Array


class _Target(NamedTuple):
    """F, its slope dF/dc and, for MagFace's rules, dF/d(angular margin)."""

    cosine: Array
    slope: Array
    per_margin: Array = np.asarray(0.0)


def _angle(cosine: Array, profile: Profile) -> _Angle:
    # 1 - |c| is exact where it matters; the sine of the clamped angle is that of the
    # exact 1 - eps, which float64 need not hold.
    eps = profile.cosine
    inside = 1 - np.abs(cosine) >= eps
    clamped = np.where(inside, cosine, np.copysign(1 - eps, cosine))
    sine = np.sqrt(np.where(inside, (1 - cosine) * (1 + cosine), eps * (2 - eps)))
    return _Angle(clamped, sine, inside, profile.angle)


# Pieces: how a rule turns the angle and the margins into F and its derivatives.


def _additive(at: _Angle, margins: _Margins) -> _Target:
    return _Target(at.cosine - margins.additive, np.ones_like(at.cosine))


def _formula(at: _Angle, margins: _Margins) -> _Target:
    cos_a, sin_a = np.cos(margins.angular), np.sin(margins.angular)
    value = (at.cosine * cos_a - at.sine * sin_a) - margins.additive
    lever = np.where(sin_a == 0, 0.0, sin_a * (at.cosine / at.sine))
    return _Target(value, cos_a + lever, -(at.sine * cos_a + at.cosine * sin_a))


def _clip(at: _Angle, margins: _Margins) -> _Target:
    plain = _formula(at, margins)
    angle = np.arctan2(at.sine, at.cosine) + margins.angular
    low, high = angle < at.clip, angle > np.pi - at.clip
    edge = np.where(low, np.cos(at.clip), -np.cos(at.clip)) - margins.additive
    return _Target(
        np.where(low | high, edge, plain.cosine),
        np.where(low | high, 0.0, plain.slope),
        np.where(low | high, 0.0, plain.per_margin),
    )


def _fallback(at: _Angle, margins: _Margins) -> _Target:
    plain, angular = _formula(at, margins), margins.angular
    core = at.cosine > -np.cos(angular)  # c > cos(pi - a)
    cos_a, sin_a = np.cos(angular), np.sin(angular)
    return _Target(
        np.where(core, plain.cosine, at.cosine - angular * sin_a),
        np.where(core, plain.slope, 1.0),
        np.where(core, plain.per_margin, -(sin_a + angular * cos_a)),
    )


def _cosine(core: NDArray[np.bool_], plain: _Target, cosine: Array) -> _Target:
    """The margined target on the core, the bare cosine elsewhere."""
    return _Target(
        np.where(core, plain.cosine, cosine),
        np.where(core, plain.slope, 1.0),
        np.where(core, plain.per_margin, 0.0),
    )


def _fallback_plain(at: _Angle, margins: _Margins) -> _Target:
    core = at.cosine > -np.cos(margins.angular)  # theta + a < pi
    return _cosine(core, _formula(at, margins), at.cosine)


def _easy(at: _Angle, margins: _Margins) -> _Target:
    return _cosine(at.cosine > 0, _formula(at, margins), at.cosine)


def _easy_additive(at: _Angle, margins: _Margins) -> _Target:
    core = at.cosine > margins.additive
    return _cosine(core, _additive(at, margins), at.cosine)


def _min(at: _Angle, margins: _Margins) -> _Target:
    # cos(theta + a) - c = -2 sin(theta + a/2) sin(a/2)
    core = at.cosine > -np.cos(margins.angular / 2)
    return _cosine(core, _formula(at, margins), at.cosine)


def _reflect(at: _Angle, margins: _Margins) -> _Target:
    plain = _formula(at, margins)
    core = at.cosine > -np.cos(margins.angular)
    return _Target(
        np.where(core, plain.cosine, -2 - plain.cosine),
        np.where(core, plain.slope, -plain.slope),
    )


def _shift(at: _Angle, margins: _Margins) -> _Target:
    plain, cos_a = _formula(at, margins), np.cos(margins.angular)
    core = at.cosine > -cos_a
    return _Target(
        np.where(core, plain.cosine, at.cosine - (1 - cos_a)),
        np.where(core, plain.slope, 1.0),
    )


def _sphere(at: _Angle, margins: _Margins) -> _Target:
    multiplier = margins.multiplier
    phase = multiplier * np.arctan2(at.sine, at.cosine)
    fold = np.minimum(np.floor(phase / np.pi), multiplier - 1)
    cosine = np.where(multiplier == 1, at.cosine, np.cos(phase))  # relative at c = 0
    value = (1 - 2 * (fold % 2)) * cosine - 2 * fold
    # sin(q theta)/sin(theta) is the Chebyshev polynomial U_{q-1}, and (-1)^k its sign.
    slope = multiplier * np.abs(_chebyshev(at.cosine, multiplier - 1))
    return _Target(value, slope)


def _chebyshev(cosine: Array, degree: Array) -> Array:
    """The Chebyshev polynomial of the second kind, by its recurrence."""
    before, now = np.zeros_like(cosine), np.ones_like(cosine)
    result = now
    for step in range(1, int(np.max(degree, initial=0)) + 1):
        before, now = now, 2 * cosine * now - before
        result = np.where(degree >= step, now, result)
    return result


def _combined(at: _Angle, margins: _Margins) -> _Target:
    multiplier, angular, additive = margins
    phase = multiplier * np.arctan2(at.sine, at.cosine) + angular
    slope = multiplier * np.sin(phase) / at.sine
    slope = np.where(at.sine == 0, _combined_pole(at.cosine, margins), slope)
    return _Target(np.cos(phase) - additive, slope)


def _combined_pole(end: Array, margins: _Margins) -> Array:
    """The limit of the slope at c = `end` = +-1: m1^2 where removable, else infinite.

    At c = -1 the phase is m1 pi + m2; whole multiples of pi are taken off exactly.
    """
    multiplier, angular, _ = margins
    turns = np.where(end < 0, np.rint(multiplier), 0.0)
    rest = np.where(end < 0, np.pi * (multiplier - turns), 0.0) + angular
    size = np.where(rest == 0, end * multiplier**2, np.copysign(np.inf, np.sin(rest)))
    return np.where(turns % 2 == 0, size, -size)


# Margins of each loss, and what it does to the other classes: (G, dG/dc_j).

_ZERO, _ONE = np.float64(0.0), np.float64(1.0)


def _margins(
    angular: Any = _ZERO, additive: Any = _ZERO, multiplier: Any = _ONE
) -> _Margins:
    return _Margins(multiplier, angular, additive)


def _clipped_norm(p: Parameters) -> Array:
    return np.clip(p["feature_norm"], p["norm_lower"], p["norm_upper"])


def _norm_margin_slope(p: Parameters) -> Array:
    rise = p["margin_upper"] - p["margin_lower"]
    return np.asarray(rise / (p["norm_upper"] - p["norm_lower"]))


def _norm_margin(p: Parameters) -> Array:
    above = _clipped_norm(p) - p["norm_lower"]
    return np.asarray(p["margin_lower"] + _norm_margin_slope(p) * above)


def _same(other: _Angle, target: _Angle, p: Parameters) -> tuple[Array, Array]:
    return other.cosine, np.ones_like(other.cosine)


def _curricular(other: _Angle, target: _Angle, p: Parameters) -> tuple[Array, Array]:
    bar = _formula(target, _margins(p["margin"])).cosine
    hard, curriculum = other.cosine > bar, p["curriculum"]
    value = np.where(hard, other.cosine * (curriculum + other.cosine), other.cosine)
    return value, np.where(hard, curriculum + 2 * other.cosine, 1.0)


Piece = Callable[[_Angle, _Margins], _Target]


Values = dict[str, float | None]


class _Row(NamedTuple):
    """A loss: its parameters with recommended values, its margins, its pieces."""

    parameters: Values
    margins: Callable[[Parameters], _Margins]
    pieces: dict[str, Piece]
    other: Callable[[_Angle, _Angle, Parameters], tuple[Array, Array]] = _same


_S: Values = {"scale": 64.0}
_NORMS: Values = {"feature_norm": 60.0, "norm_lower": 10.0, "norm_upper": 110.0}
_RISE: Values = {"margin_lower": 0.45, "margin_upper": 0.8, "regulariser_weight": 35.0}
_OFFSETS: Values = {"multiplier": 1.0, "angular_offset": 0.3, "additive_offset": 0.2}

_ADDITIVE: dict[str, Piece] = {"pure": _additive, "clip": _additive}
_ANGULAR: dict[str, Piece] = {"pure": _formula, "clip": _clip}
_FALLBACK: dict[str, Piece] = {"fallback": _fallback}
_LESSER: dict[str, Piece] = {
    "fallback-plain": _fallback_plain,
    "easy": _easy,
    "min": _min,
}
_CONTINUED: dict[str, Piece] = {"reflect": _reflect, "shift": _shift}

_LOSSES = {
    "normface": _Row(_S, lambda p: _margins(), _ADDITIVE),
    "sphereface": _Row(
        _S | {"multiplier": 4.0},
        lambda p: _margins(multiplier=p["multiplier"]),
        {"pure": _sphere},
    ),
    "cosface": _Row(
        _S | {"margin": 0.35},
        lambda p: _margins(additive=p["margin"]),
        _ADDITIVE | {"easy": _easy_additive},
    ),
    "arcface": _Row(
        _S | {"margin": 0.5},
        lambda p: _margins(p["margin"]),
        _ANGULAR | _FALLBACK | _LESSER | _CONTINUED,
    ),
    "combined": _Row(
        _S | _OFFSETS,
        lambda p: _margins(p["angular_offset"], p["additive_offset"], p["multiplier"]),
        {"pure": _combined},
    ),
    "curricularface": _Row(
        _S | {"margin": 0.5, "curriculum": 0.0},
        lambda p: _margins(p["margin"]),
        {"pure": _formula} | _FALLBACK,
        _curricular,
    ),
    "magface": _Row(
        _S | _NORMS | _RISE,
        lambda p: _margins(_norm_margin(p)),
        _ANGULAR | _FALLBACK | _LESSER,
    ),
    "adaface": _Row(
        _S | {"margin": 0.4, "margin_scaler": None},
        lambda p: _margins(
            -p["margin"] * p["margin_scaler"], p["margin"] * (1 + p["margin_scaler"])
        ),
        _ANGULAR,
    ),
}

LOSSES = tuple(_LOSSES)
"""The ids of the losses, in the order of every table."""

RECOMMENDED = {
    loss: {name: value for name, value in row.parameters.items() if value is not None}
    for loss, row in _LOSSES.items()
}
"""Recommended values; adaface's margin_scaler belongs to the sample and has none."""

PARAMETERS = {loss: tuple(row.parameters) for loss, row in _LOSSES.items()}
"""The names of each loss's parameters."""

DEFINED = {loss: tuple(row.pieces) for loss, row in _LOSSES.items()}
"""The rules each loss defines."""


class _Case(NamedTuple):
    """One validated question: the loss's row, the profile, the numbers, their shape."""

    row: _Row
    profile: Profile
    p: Parameters
    shape: tuple[int, ...]

    def answer(self, value: Array) -> Array:
        out: Array = np.empty(self.shape)
        out[...] = value
        return out[()]  # a 0-d answer becomes a scalar


def _case(where: str, loss: str, given: dict[str, Any], **cosines: ArrayLike) -> _Case:
    if not isinstance(loss, str) or loss not in LOSSES:
        raise domain_error("loss", quoted(loss), f"one of {', '.join(LOSSES)}", where)
    row, parameters = _LOSSES[loss], dict(given)
    profile = parse_profile(parameters.pop("profile", "pure"), where)
    if profile.rule not in row.pieces:
        defined = f"{loss} defines {', '.join(row.pieces)}"
        raise DomainError(f"profile={str(profile)!r}, but {defined} [{where}]")
    for name in sorted(parameters.keys() - row.parameters.keys()):
        must = f"left out: {loss} takes {', '.join(row.parameters)}"
        raise domain_error(name, parameters[name], must, where)
    p = {name: checked(name, value, where) for name, value in cosines.items()}
    for name in row.parameters:
        domain = DOMAINS.get(f"{loss}.{name}", DOMAINS[name])
        if name not in parameters:
            raise domain_error(name, "missing", domain[1], where)
        p[name] = checked(name, parameters[name], where, domain)
    shape = common_shape(p, where)
    if "feature_norm" in p:
        check_order(p, where)
    return _Case(row, profile, p, shape)


# The quantities.


def _target(case: _Case) -> _Target:
    row, profile, p, _ = case
    at = _angle(p["target_cosine"], profile)
    value, slope, per_margin = row.pieces[profile.rule](at, row.margins(p))
    if profile.gradient == "detached":
        slope, per_margin = np.ones_like(slope), np.zeros_like(per_margin)
    return _Target(value, np.where(at.inside, slope, 0.0), per_margin)


def _other(case: _Case) -> tuple[Array, Array]:
    row, profile, p, _ = case
    at = _angle(p["other_cosine"], profile)
    value, slope = row.other(at, _angle(p["target_cosine"], profile), p)
    if profile.gradient == "detached":
        slope = np.ones_like(slope)
    return value, np.where(at.inside, slope, 0.0)


def _weigh(scale: Array, target: Array, rival: Array, level: Array, by: Array) -> Array:
    """s (1 - P) exp(s (level - n)) times `by`, with P never formed.

    (1 - P) e^(s (level - n)) = e^(s (level - max(F, n))) / (1 + e^-|x|). The exponent
    is split in two, so that only the result itself can be subnormal.
    """
    half = np.exp(scale * (level - np.maximum(target, rival)) / 2)
    both = 1 + np.exp(-np.abs(scale * (target - rival)))
    value = (scale * half / both) * (by * half)
    return np.where(np.isinf(by), by, value) + 0.0  # no -0


def _probability(x: Array) -> Array:
    small = np.exp(-np.abs(x))
    return np.asarray(np.where(x < 0, small, 1.0) / (1 + small))


def _loss_value(x: Array, p: Parameters) -> Array:
    value = np.maximum(-x, 0) + np.log1p(np.exp(-np.abs(x)))
    if "feature_norm" not in p:
        return np.asarray(value)
    norm = _clipped_norm(p)
    pull = norm / p["norm_upper"] ** 2 + 1 / norm
    return np.asarray(value + p["regulariser_weight"] * pull)


def _rival(other: Array, scale: Array) -> Array:
    top = np.argmax(other, axis=-1, keepdims=True)
    highest = np.take_along_axis(other, top, axis=-1)
    rest = np.exp(scale * (other - highest))
    np.put_along_axis(rest, top, 0.0, -1)
    rival: Array = highest + np.log1p(rest.sum(axis=-1, keepdims=True)) / scale
    return rival


def _x(case: _Case) -> Array:
    x: Array = case.p["scale"] * (_target(case).cosine - case.p["rival_cosine"])
    return x


@_quiet
def logit(loss: str, target_cosine: ArrayLike, **given: Any) -> Array:
    """The target logit f = s F."""
    case = _case("logit", loss, given, target_cosine=target_cosine)
    return case.answer(case.p["scale"] * _target(case).cosine)


@_quiet
def slope(loss: str, target_cosine: ArrayLike, **given: Any) -> Array:
    """The slope D = dF/dc of the target."""
    case = _case("slope", loss, given, target_cosine=target_cosine)
    return case.answer(_target(case).slope)


@_quiet
def probability(
    loss: str, target_cosine: ArrayLike, rival_cosine: ArrayLike, **given: Any
) -> Array:
    """The softmax output P of the target."""
    cosines = {"target_cosine": target_cosine, "rival_cosine": rival_cosine}
    case = _case("probability", loss, given, **cosines)
    return case.answer(_probability(_x(case)))


@_quiet
def gst(
    loss: str, target_cosine: ArrayLike, rival_cosine: ArrayLike, **given: Any
) -> Array:
    """The gradient scaling term of the target, -s (1 - P) D (AdaFace eq. 12)."""
    cosines = {"target_cosine": target_cosine, "rival_cosine": rival_cosine}
    case = _case("gst", loss, given, **cosines)
    target, rival = _target(case), case.p["rival_cosine"]
    weight = _weigh(case.p["scale"], target.cosine, rival, rival, -target.slope)
    return case.answer(weight)


@_quiet
def other_logit(
    loss: str, other_cosine: ArrayLike, target_cosine: ArrayLike, **given: Any
) -> Array:
    """Another class's logit s G; CurricularFace compares it with the target's."""
    cosines = {"other_cosine": other_cosine, "target_cosine": target_cosine}
    case = _case("other_logit", loss, given, **cosines)
    return case.answer(case.p["scale"] * _other(case)[0])


@_quiet
def other_gst(
    loss: str,
    target_cosine: ArrayLike,
    rival_cosine: ArrayLike,
    other_cosine: ArrayLike,
    **given: Any,
) -> Array:
    """Another class's gradient scaling term P_j s dG/dc_j, for G at most n."""
    cosines = {"target_cosine": target_cosine, "rival_cosine": rival_cosine}
    case = _case("other_gst", loss, given, other_cosine=other_cosine, **cosines)
    target, rival = _target(case).cosine, case.p["rival_cosine"]
    return case.answer(_weigh(case.p["scale"], target, rival, *_other(case)))


@_quiet
def loss_value(
    loss: str, target_cosine: ArrayLike, rival_cosine: ArrayLike, **given: Any
) -> Array:
    """The loss -ln P, for MagFace with its regulariser lambda (a/u_a^2 + 1/a)."""
    cosines = {"target_cosine": target_cosine, "rival_cosine": rival_cosine}
    case = _case("loss_value", loss, given, **cosines)
    return case.answer(_loss_value(_x(case), case.p))


@_quiet
def norm_gradient(
    loss: str, target_cosine: ArrayLike, rival_cosine: ArrayLike, **given: Any
) -> Array:
    """MagFace's dL/d(feature norm), which is 0 outside (norm_lower, norm_upper)."""
    if not isinstance(loss, str) or loss != "magface":
        raise domain_error("loss", quoted(loss), "'magface'", "norm_gradient")
    cosines = {"target_cosine": target_cosine, "rival_cosine": rival_cosine}
    case = _case("norm_gradient", loss, given, **cosines)
    p, target, rival = case.p, _target(case), case.p["rival_cosine"]
    by = -target.per_margin * _norm_margin_slope(p)
    through_margin = _weigh(p["scale"], target.cosine, rival, rival, by)
    norm, upper = p["feature_norm"], p["norm_upper"]
    pull = (norm - upper) * (norm + upper) / (norm * upper) ** 2  # 1/u_a^2 - 1/a^2
    inside = (norm > p["norm_lower"]) & (norm < upper)
    gradient = through_margin + p["regulariser_weight"] * pull
    return case.answer(np.where(inside, gradient, 0.0))


@_quiet
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
        checked(name, other_logits_over_scale, where),
        checked("scale", scale, where),
    )
    if not isinstance(axis, Integral):
        raise domain_error("axis", quoted(axis), "an integer", where)
    if not -other.ndim <= axis < other.ndim or not other.shape[axis]:
        raise shape_error(name, other.shape, f"with a class on axis {axis}", where)
    other = np.moveaxis(other, axis, -1)
    common_shape({name: other[..., 0], "scale": s}, where)
    return _rival(*np.broadcast_arrays(other, s[..., None]))[..., 0]


@_quiet
def margin_scaler(standard_norm: ArrayLike, concentration: ArrayLike) -> Array:
    """AdaFace's z-hat = clip(h z, -1, 1), for any finite z and h > 0 (eq. 16)."""
    p = {
        "standard_norm": checked("standard_norm", standard_norm, "margin_scaler"),
        "concentration": checked("concentration", concentration, "margin_scaler"),
    }
    common_shape(p, "margin_scaler")
    scaled: Array = np.clip(p["concentration"] * p["standard_norm"], -1.0, 1.0)
    return scaled


class Batch(NamedTuple):
    """What a batch gives: logits, their slopes over the scale and GSTs (B, C),
    probability and loss (B,).
    """

    logits: Array
    slope: Array
    probability: Array
    gst: Array
    loss: Array


@_quiet
def batch(loss: str, cosine: ArrayLike, labels: ArrayLike, **given: Any) -> Batch:
    """Every quantity of a batch, by the exact reduction of C classes to two.

    Args:
        loss: one of LOSSES.
        cosine: (B, C), in [-1, 1], at least two classes.
        labels: (B,), integers in [0, C).
        **given: profile, and parameters that are scalars or one a sample, (B,).
    """
    cosines = checked("cosine", cosine, "batch")
    if cosines.ndim != 2 or cosines.shape[1] < 2:
        raise shape_error("cosine", cosines.shape, "(B, C) with C >= 2", "batch")
    chosen = _labels(labels, *cosines.shape)
    columns = {
        k: v if k == "profile" else _column(k, v, chosen) for k, v in given.items()
    }
    target_cosine = np.take_along_axis(cosines, chosen, 1)
    named = {"target_cosine": target_cosine, "other_cosine": cosines}
    case = _case("batch", loss, columns, **named)
    scale, target, (other, by) = case.p["scale"], _target(case), _other(case)
    own = np.arange(cosines.shape[1]) == chosen
    rival = _rival(np.where(own, -np.inf, other), scale)
    level, factor = np.where(own, rival, other), np.where(own, -target.slope, by)
    x = scale * (target.cosine - rival)
    return Batch(
        scale * np.where(own, target.cosine, other),
        np.where(own, target.slope, by),
        _probability(x)[:, 0],
        _weigh(scale, target.cosine, rival, level, factor),
        _loss_value(x, case.p)[:, 0],
    )


def _labels(labels: ArrayLike, size: int, classes: int) -> NDArray[np.intp]:
    whole: Domain = (
        lambda v: (v >= 0) & (v < classes) & (v % 1 == 0),
        f"an integer in [0, {classes})",
    )
    array = checked("labels", labels, "batch", whole)
    if array.shape != (size,):
        raise shape_error("labels", array.shape, f"({size},)", "batch")
    return array[:, None].astype(np.intp)


def _column(name: str, value: ArrayLike, chosen: NDArray[np.intp]) -> ArrayLike:
    array = real_array(value)
    if array is None:
        return value  # for _case to refuse, with its domain
    if array.shape not in ((), chosen.shape[:1]):
        must = f"() or {chosen.shape[:1]}"
        raise shape_error(name, array.shape, must, "batch")
    return array[:, None] if array.ndim else array
