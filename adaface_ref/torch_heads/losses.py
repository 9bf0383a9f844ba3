"""The table of losses on tensors, and the formulas that its rows are made of.

Written from the papers, apart from spec and numpy_reference. Everything is float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from adaface_ref.column import Column
from adaface_ref.errors import domain_error, quoted
from adaface_ref.torch_heads.arguments import (
    Profile,
    Value,
    Values,
    parse_profile,
    require_domain,
    require_names,
    require_order,
    require_rule,
)


class Cosine(NamedTuple):
    """Cosines after the cosine clamp, with what would cancel if taken from them."""

    value: Tensor
    sine: Tensor
    free: Tensor


class Piece(NamedTuple):
    """Margined cosine before the additive margin, and its two partial derivatives."""

    value: Tensor
    slope: Tensor
    by_margin: Tensor


def clamp(cosine: Tensor, eps: float) -> Cosine:
    """Clamp to [-1 + eps, 1 - eps], both ends exact (1 - eps is no float64)."""
    below, above = 1 - cosine, 1 + cosine
    high, low = below < eps, above < eps
    value = torch.where(high, 1 - eps, torch.where(low, eps - 1, cosine))
    below = torch.where(high, eps, torch.where(low, 2 - eps, below))
    above = torch.where(low, eps, torch.where(high, 2 - eps, above))
    square = below * above
    pole = square == 0
    sine = torch.where(pole, 0.0, torch.where(pole, 1.0, square).sqrt())
    return Cosine(value, sine, ~(high | low))


def _pure(cosine: Cosine, margin: Tensor, multiplier: Tensor, _: float) -> Piece:
    """cos(theta + a) by the addition formula; the slope is 1 where a = 0, poles too."""
    c, sine, cos_a, sin_a = cosine.value, cosine.sine, margin.cos(), margin.sin()
    pole = sine == 0
    slope = cos_a + sin_a * c / torch.where(pole, 1.0, sine)
    limit = torch.copysign(torch.full_like(slope, math.inf), sin_a * c)
    slope = torch.where(pole & (margin != 0), limit, slope)
    return Piece(c * cos_a - sine * sin_a, slope, -(sine * cos_a + c * sin_a))


def _clip(cosine: Cosine, margin: Tensor, multiplier: Tensor, angle: float) -> Piece:
    """theta + a clipped to [angle, pi - angle]; flat where the clip binds."""
    value, slope, by_margin = _pure(cosine, margin, multiplier, angle)
    turned = torch.atan2(cosine.sine, cosine.value) + margin
    low, high = turned < angle, turned > math.pi - angle
    end = math.cos(angle)
    return Piece(
        torch.where(low, end, torch.where(high, -end, value)),
        torch.where(low | high, 0.0, slope),
        torch.where(low | high, 0.0, by_margin),
    )


def _fallback(cosine: Cosine, margin: Tensor, multiplier: Tensor, _: float) -> Piece:
    """The formula where c > cos(pi - a), else c - a sin(a)."""
    c, sin_a = cosine.value, margin.sin()
    formula = _pure(cosine, margin, multiplier, _)
    inside = c > -margin.cos()
    return Piece(
        torch.where(inside, formula.value, c - margin * sin_a),
        torch.where(inside, formula.slope, 1.0),
        torch.where(inside, formula.by_margin, -(sin_a + margin * margin.cos())),
    )


def _outside(cosine: Cosine, formula: Piece, inside: Tensor) -> Piece:
    """The formula inside, the cosine itself outside."""
    return Piece(
        torch.where(inside, formula.value, cosine.value),
        torch.where(inside, formula.slope, 1.0),
        torch.where(inside, formula.by_margin, 0.0),
    )


def _fallback_plain(
    cosine: Cosine, margin: Tensor, multiplier: Tensor, _: float
) -> Piece:
    """The formula where c > cos(pi - a), else c."""
    formula = _pure(cosine, margin, multiplier, _)
    return _outside(cosine, formula, cosine.value > -margin.cos())


def _easy(cosine: Cosine, margin: Tensor, multiplier: Tensor, _: float) -> Piece:
    """The formula where c > 0, else c."""
    return _outside(cosine, _pure(cosine, margin, multiplier, _), cosine.value > 0)


def _min(cosine: Cosine, margin: Tensor, multiplier: Tensor, _: float) -> Piece:
    """The lesser of the formula and c: the formula where theta < pi - a/2."""
    formula = _pure(cosine, margin, multiplier, _)
    return _outside(cosine, formula, cosine.value > -(margin / 2).cos())


def _reflect(cosine: Cosine, margin: Tensor, multiplier: Tensor, _: float) -> Piece:
    """The formula where c > cos(pi - a), else -2 less the formula."""
    value, slope, by_margin = _pure(cosine, margin, multiplier, _)
    inside = cosine.value > -margin.cos()
    return Piece(
        torch.where(inside, value, -2 - value),
        torch.where(inside, slope, -slope),
        torch.where(inside, by_margin, -by_margin),
    )


def _shift(cosine: Cosine, margin: Tensor, multiplier: Tensor, _: float) -> Piece:
    """The formula where c > cos(pi - a), else c - (1 + cos(pi - a))."""
    formula, cos_a = _pure(cosine, margin, multiplier, _), margin.cos()
    inside = cosine.value > -cos_a
    return Piece(
        torch.where(inside, formula.value, cosine.value - (1 - cos_a)),
        torch.where(inside, formula.slope, 1.0),
        torch.where(inside, formula.by_margin, -margin.sin()),
    )


def _fold(cosine: Cosine, margin: Tensor, multiplier: Tensor, _: float) -> Piece:
    """(-1)^k cos(q theta) - 2k by Chebyshev's T_q and its derivative q U_(q-1).

    T_q loses digits towards theta = 0 and pi, and cos(q theta) next to pi/2.
    """
    c = cosine.value
    first, previous_first = c, torch.ones_like(c)
    second, previous_second = torch.ones_like(c), torch.zeros_like(c)
    value, slope = first, second
    for q in range(2, 9):
        first, previous_first = 2 * c * first - previous_first, first
        second, previous_second = 2 * c * second - previous_second, second
        value = torch.where(multiplier == q, first, value)
        slope = torch.where(multiplier == q, second, slope)
    theta = torch.atan2(cosine.sine, c).detach()
    fold = torch.floor(multiplier * theta / math.pi)
    fold = torch.minimum(fold, multiplier - 1)
    sign = 1 - 2 * (fold % 2)
    near_zero = torch.atan2(cosine.sine, c.abs())
    mirror = torch.where(c < 0, 1 - 2 * (multiplier % 2), 1.0)
    outer = mirror * torch.cos(multiplier * near_zero)
    value = torch.where(c.abs() > 0.9, outer, value)
    value = sign * value - 2 * fold
    return Piece(value, sign * multiplier * slope, torch.zeros_like(value))


def _stretch(cosine: Cosine, margin: Tensor, multiplier: Tensor, _: float) -> Piece:
    """cos(m1 theta + m2); at a pole the slope is m1^2 or infinite."""
    c, sine, m1 = cosine.value, cosine.sine, multiplier
    pole = sine == 0
    theta = torch.where(
        pole, (math.pi / 2) * (1 - c), torch.atan2(torch.where(pole, 1.0, sine), c)
    )
    phi = m1 * theta + margin
    slope = m1 * phi.sin() / torch.where(pole, 1.0, sine)
    slope = torch.where(pole, _stretch_at_pole(c, margin, m1), slope)
    return Piece(phi.cos(), slope, -phi.sin())


def _stretch_at_pole(c: Tensor, margin: Tensor, m1: Tensor) -> Tensor:
    """The limit of m1 sin(m1 theta + m2) / sin(theta) at theta = 0 and pi."""
    turns = torch.where(c > 0, 0.0, m1 % 2)
    parity = torch.where(turns == 1, -1.0, 1.0)
    whole = (turns == 0) | (turns == 1)
    sine = torch.where(whole, parity * margin.sin(), (math.pi * turns + margin).sin())
    infinite = torch.copysign(torch.full_like(sine, math.inf), sine)
    finite = m1 * m1 * parity * torch.where(c > 0, 1.0, -1.0)
    return torch.where(whole & (margin == 0), finite, infinite)


def zero(values: Values) -> Tensor:
    return torch.zeros_like(values["scale"])


def _multiplier(values: Values) -> Tensor:
    return values.get("multiplier", zero(values))


def _margin(values: Values) -> Tensor:
    return values["margin"]


def _adaface_angle(values: Values) -> Tensor:
    return -values["margin"] * values["margin_scaler"]


def _adaface_subtrahend(values: Values) -> Tensor:
    return values["margin"] * (1 + values["margin_scaler"])


def _magface_norm(values: Values) -> Tensor:
    """The norm within its bounds, held constant from the bounds on."""
    norm, lower, upper = (
        values[name] for name in ("feature_norm", "norm_lower", "norm_upper")
    )
    return torch.where(norm <= lower, lower, torch.where(norm >= upper, upper, norm))


def magface_rate(values: Values) -> Tensor:
    rise = values["margin_upper"] - values["margin_lower"]
    return rise / (values["norm_upper"] - values["norm_lower"])


def _magface_angle(values: Values) -> Tensor:
    excess = _magface_norm(values) - values["norm_lower"]
    return values["margin_lower"] + magface_rate(values) * excess


def _magface_regulariser(values: Values) -> Tensor:
    norm, upper = _magface_norm(values), values["norm_upper"]
    return values["regulariser_weight"] * (norm / (upper * upper) + 1 / norm)


Rule = Callable[[Cosine, Tensor, Tensor, float], Piece]


@dataclass(frozen=True)
class Loss:
    """One row: parameters, the outside rules that are defined, and the two margins.

    A rule is handed the clamped cosine, the angular margin and the multiplier, which is
    held constant, and gives the margined cosine before the additive margin.
    """

    parameters: tuple[str, ...]
    rules: dict[str, Rule]
    angular: Callable[[Values], Tensor] = zero
    additive: Callable[[Values], Tensor] = zero
    hard_others: bool = False
    penalty: Callable[[Values], Tensor] = zero
    multiplier: Callable[[Values], Tensor] = _multiplier


_PLAIN: dict[str, Rule] = {"pure": _pure, "clip": _pure}
_ANGULAR: dict[str, Rule] = {"pure": _pure, "clip": _clip, "fallback": _fallback}
_EASY: dict[str, Rule] = {"easy": _pure}  # its additive margin is set aside instead
_LESSER: dict[str, Rule] = {
    "fallback-plain": _fallback_plain,
    "easy": _easy,
    "min": _min,
}
_CONTINUED: dict[str, Rule] = {"reflect": _reflect, "shift": _shift}
_MAGFACE = (
    *("scale", "feature_norm", "norm_lower", "norm_upper"),
    *("margin_lower", "margin_upper", "regulariser_weight"),
)

LOSSES = {
    "normface": Loss(("scale",), _PLAIN),
    "sphereface": Loss(("scale", "multiplier"), {"pure": _fold}),
    "cosface": Loss(("scale", "margin"), _PLAIN | _EASY, additive=_margin),
    "arcface": Loss(("scale", "margin"), _ANGULAR | _LESSER | _CONTINUED, _margin),
    "combined": Loss(
        ("scale", "multiplier", "angular_offset", "additive_offset"),
        {"pure": _stretch},
        lambda values: values["angular_offset"],
        lambda values: values["additive_offset"],
    ),
    "curricularface": Loss(
        ("scale", "margin", "curriculum"),
        {"pure": _pure, "fallback": _fallback},
        _margin,
        hard_others=True,
    ),
    "magface": Loss(
        _MAGFACE, _ANGULAR | _LESSER, _magface_angle, penalty=_magface_regulariser
    ),
    "adaface": Loss(
        ("scale", "margin", "margin_scaler"),
        {"pure": _pure, "clip": _clip},
        _adaface_angle,
        _adaface_subtrahend,
    ),
}
"""Every loss: what it takes and how its margins follow. cos(theta + a) - b at heart."""
PARAMETERS = Column(LOSSES, lambda row: row.parameters)
"""The keyword names of each loss's parameters."""


def bare_piece(
    row: Loss, profile: Profile, cosine: Tensor, margin: Tensor, multiplier: Tensor
) -> Piece:
    """A piece for a known angular margin: no additive margin, gradient as it is."""
    clamped = clamp(cosine, profile.cosine)
    piece = row.rules[profile.rule](clamped, margin, multiplier, profile.angle)
    return piece._replace(slope=torch.where(clamped.free, piece.slope, 0.0))


def whole_piece(row: Loss, profile: Profile, values: Values, cosine: Tensor) -> Piece:
    """The margined target cosine, additive margin included, and its derivatives."""
    margins = row.angular(values), row.multiplier(values)
    piece = bare_piece(row, profile, cosine, *margins)
    (bare, slope, by_margin), taken = piece, subtrahend(row, profile, values, cosine)
    value = bare - taken
    if profile.detached:
        free = clamp(cosine, profile.cosine).free
        slope, by_margin = free.to(slope.dtype), torch.zeros_like(by_margin)
    return Piece(value, slope, by_margin)


def subtrahend(row: Loss, profile: Profile, values: Values, cosine: Tensor) -> Tensor:
    """What is taken off the cosine: b, which `easy` sets aside where c <= b."""
    additive = row.additive(values)
    if profile.rule != "easy":
        return additive
    kept = clamp(cosine.detach(), profile.cosine).value > additive.detach()
    return torch.where(kept, additive, 0.0)


def whole_other(
    row: Loss, profile: Profile, values: Values, other: Tensor, cosine: Tensor
) -> tuple[Tensor, Tensor]:
    """Another class's modified cosine and its slope."""
    clamped = clamp(other, profile.cosine)
    value, slope = clamped.value, torch.ones_like(clamped.value)
    if row.hard_others:
        hard = value > hardness(row, profile, values, cosine)
        curriculum = values["curriculum"]
        slope = torch.where(hard, curriculum + 2 * value, 1.0)
        value = torch.where(hard, value * (curriculum + value), value)
    slope = torch.ones_like(value) if profile.detached else slope
    return value, torch.where(clamped.free, slope, 0.0)


def hardness(row: Loss, profile: Profile, values: Values, cosine: Tensor) -> Tensor:
    """cos(theta + m), which a harder class's cosine exceeds: no fallback in it."""
    margin = row.angular(values)
    return _pure(clamp(cosine, profile.cosine), margin, margin, 0.0).value


def share(amount: Tensor, x: Tensor) -> Tensor:
    """amount / (1 + exp(x)); the exponential in two factors, for subnormal results."""
    positive = x > 0
    half = torch.exp(torch.where(positive, -x, x) / 2)
    shared = torch.where(positive, (amount * half) * half, amount) / (1 + half * half)
    return torch.where(amount.isinf(), amount, shared)


def row_of(loss: str, where: str) -> Loss:
    """The row of a loss that there is."""
    if not isinstance(loss, str) or loss not in LOSSES:
        must = f"one of {', '.join(LOSSES)}"
        raise domain_error("loss", quoted(loss), must, where)
    return LOSSES[loss]


def check_call(
    loss: str,
    profile: str | Profile,
    parameters: dict[str, Value],
    where: str,
    unread: tuple[str, ...],
    *,
    check: bool = True,
) -> tuple[Loss, Profile]:
    """The row and the profile, once names, values and their order are in order."""
    row = row_of(loss, where)
    parsed = parse_profile(profile, where)
    require_rule(loss, parsed, row.rules, where)
    require_names(loss, row.parameters, parameters, unread, where)
    if check:
        for name, value in parameters.items():
            require_domain(name, value, where, loss)
        require_order(parameters, where)
    return row, parsed
