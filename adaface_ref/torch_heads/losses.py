"""The table of losses on tensors, and the terms that every quantity is made of.

Written from the papers, apart from spec and numpy_reference. Everything is float64.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from adaface_ref.column import Column
from adaface_ref.errors import domain_error, quoted
from adaface_ref.torch_heads import rules
from adaface_ref.torch_heads.arguments import (
    Profile,
    Value,
    Values,
    parse_profile,
    require_domain,
    require_names,
    require_order,
    require_rule,
    require_sine,
)
from adaface_ref.torch_heads.rules import Cosine, Piece, Rule, clamp


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


_PLAIN: dict[str, Rule] = {"pure": rules.pure, "clip": rules.pure}
_ANGULAR: dict[str, Rule] = {
    "pure": rules.pure,
    "clip": rules.clip,
    "fallback": rules.fallback,
}
# Of an additive margin, which is set aside instead.
_EASY: dict[str, Rule] = {"easy": rules.pure}
_LESSER: dict[str, Rule] = {
    "fallback-plain": rules.fallback_plain,
    "easy": rules.easy,
    "min": rules.minimum,
}
_CONTINUED: dict[str, Rule] = {"reflect": rules.reflect, "shift": rules.shift}
_MAGFACE = (
    *("scale", "feature_norm", "norm_lower", "norm_upper"),
    *("margin_lower", "margin_upper", "regulariser_weight"),
)

LOSSES = {
    "normface": Loss(("scale",), _PLAIN),
    "sphereface": Loss(("scale", "multiplier"), {"pure": rules.fold}),
    "cosface": Loss(("scale", "margin"), _PLAIN | _EASY, additive=_margin),
    "arcface": Loss(("scale", "margin"), _ANGULAR | _LESSER | _CONTINUED, _margin),
    "combined": Loss(
        ("scale", "multiplier", "angular_offset", "additive_offset"),
        {"pure": rules.stretch},
        lambda values: values["angular_offset"],
        lambda values: values["additive_offset"],
    ),
    "curricularface": Loss(
        ("scale", "margin", "curriculum"),
        {"pure": rules.pure, "fallback": rules.fallback},
        _margin,
        hard_others=True,
    ),
    "magface": Loss(
        _MAGFACE, _ANGULAR | _LESSER, _magface_angle, penalty=_magface_regulariser
    ),
    "adaface": Loss(
        ("scale", "margin", "margin_scaler"),
        {"pure": rules.pure, "clip": rules.clip},
        _adaface_angle,
        _adaface_subtrahend,
    ),
}
"""Every loss: what it takes and how its margins follow. cos(theta + a) - b at heart."""
PARAMETERS = Column(LOSSES, lambda row: row.parameters)
"""The keyword names of each loss's parameters."""


def clamped_target(profile: Profile, cosine: Tensor) -> Cosine:
    """The target's cosine under a profile's clamp and floor."""
    return clamp(cosine, profile.cosine, profile.floor, of_acos=profile.of == "acos")


def bare_piece(
    row: Loss, profile: Profile, cosine: Tensor, margin: Tensor, multiplier: Tensor
) -> Piece:
    """A piece for a known angular margin: no additive margin, gradient as it is."""
    clamped = clamped_target(profile, cosine)
    piece = row.rules[profile.rule](clamped, margin, multiplier, profile.angle)
    return piece._replace(slope=torch.where(clamped.free, piece.slope, 0.0))


def whole_piece(row: Loss, profile: Profile, values: Values, cosine: Tensor) -> Piece:
    """The margined target cosine, additive margin included, and its derivatives."""
    margins = row.angular(values), row.multiplier(values)
    piece = bare_piece(row, profile, cosine, *margins)
    (bare, slope, by_margin), taken = piece, subtrahend(row, profile, values, cosine)
    value = bare - taken
    if profile.detached:
        free = clamped_target(profile, cosine).free
        slope, by_margin = free.to(slope.dtype), torch.zeros_like(by_margin)
    return Piece(value, slope, by_margin)


def subtrahend(row: Loss, profile: Profile, values: Values, cosine: Tensor) -> Tensor:
    """What is taken off the cosine: b, which `easy` sets aside where c <= b."""
    additive = row.additive(values)
    if profile.rule != "easy":
        return additive
    kept = clamped_target(profile, cosine.detach()).bare > additive.detach()
    return torch.where(kept, additive, 0.0)


def whole_other(
    row: Loss, profile: Profile, values: Values, other: Tensor, cosine: Tensor
) -> tuple[Tensor, Tensor]:
    """Another class's modified cosine and its slope."""
    clamped = clamp(other, profile.clamp_of_others)
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
    target = clamped_target(profile, cosine)
    return rules.pure(target, margin, margin, 0.0).value


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
    turned = row.angular is not zero and row.rules["pure"] is rules.pure
    require_sine(loss, parsed, turned, where)
    require_names(loss, row.parameters, parameters, unread, where)
    if check:
        for name, value in parameters.items():
            require_domain(name, value, where, loss)
        require_order(parameters, where)
    return row, parsed
