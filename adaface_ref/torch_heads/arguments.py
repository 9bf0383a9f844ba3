"""What may be handed to `torch_heads`: profiles, domains, shapes, one-line refusals.

Looking at a tensor's values waits for its device and cannot be compiled, so values are
left unread while torch.compile traces; names, profiles and shapes are always read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from adaface_ref.errors import DomainError, domain_error, quoted, shape_error

Value = Tensor | float
Values = dict[str, Tensor]


@dataclass(frozen=True)
class Profile:
    """How a head departs from the formula: outside rule, clamps, gradient.

    `of` and `angle_of` say whose cosines and angles are clamped, "all" or "target", or
    "acos": the target's cosine only where its angle is taken. `floor` is the least that
    1 - c^2 is under the root that gives the sine.
    """

    rule: str
    cosine: float = 0.0
    angle: float = 0.0
    detached: bool = False
    of: str = "all"
    angle_of: str = "target"
    floor: float = 0.0

    @property
    def clamp_of_others(self) -> float:
        """Eps of the other classes; an angle clip t is one by 1 - cos t."""
        by_cosine = self.cosine if self.of == "all" else 0.0
        by_angle = self.angle if self.angle_of == "all" else 0.0
        return max(by_cosine, 2 * math.sin(by_angle / 2) ** 2)

    def __str__(self) -> str:
        default = PROFILES.get(self.rule, self)
        fields = [
            f"{name}={getattr(self, name)}"
            for name in ("cosine", "of", "angle", "angle_of", "floor")
            if getattr(self, name) != getattr(default, name)
        ]
        fields += ["detached"] if self.detached else []
        return self.rule + (":" + ",".join(fields) if fields else "")


PROFILES = {
    "pure": Profile("pure"),
    "clip": Profile("clip", cosine=1e-3, angle=1e-3),
    "fallback": Profile("fallback"),
    "fallback-plain": Profile("fallback-plain"),
    "easy": Profile("easy"),
    "reflect": Profile("reflect"),
    "shift": Profile("shift"),
    "min": Profile("min"),
}
"""Each outside rule with the defaults of its fields."""


@dataclass(frozen=True)
class Domain:
    """A set of numbers: how it is printed, and whether a float or tensor lies in it."""

    text: str
    holds: Callable[[Any], Any]


def _interval(low: float, high: float) -> Domain:
    return Domain(f"in [{low:g}, {high:g}]", lambda x: (x >= low) & (x <= high))


_FINITE = Domain("finite", lambda x: (x > -math.inf) & (x < math.inf))
_POSITIVE = Domain("in (0, inf)", lambda x: (x > 0) & (x < math.inf))
_NOT_NEGATIVE = Domain("in [0, inf)", lambda x: (x >= 0) & (x < math.inf))
_RIGHT_ANGLE = Domain("in [0, pi/2)", lambda x: (x >= 0) & (x < math.pi / 2))

DOMAINS = {
    "target_cosine": _interval(-1, 1),
    "other_cosine": _interval(-1, 1),
    "rival_cosine": _FINITE,
    "other_logits_over_scale": _FINITE,
    "scale": _POSITIVE,
    "margin": _RIGHT_ANGLE,
    "margin_scaler": _interval(-1, 1),
    "curriculum": _interval(-1, 1),
    "feature_norm": _POSITIVE,
    "norms": _NOT_NEGATIVE,
    "norm_lower": _POSITIVE,
    "norm_upper": _POSITIVE,
    "margin_lower": _RIGHT_ANGLE,
    "margin_upper": _RIGHT_ANGLE,
    "regulariser_weight": _NOT_NEGATIVE,
    "multiplier": Domain("in (0, 8]", lambda x: (x > 0) & (x <= 8)),
    "sphereface multiplier": Domain(
        "an integer in [1, 8]", lambda x: (x >= 1) & (x <= 8) & (x % 1 == 0)
    ),
    "angular_offset": _RIGHT_ANGLE,
    "additive_offset": _interval(0, 2),
    "concentration": _POSITIVE,
    "new_batch_weight": _interval(0, 1),
    "eps": _POSITIVE,
}
"""Domain by argument; a loss with a domain of its own stands before the name."""

_FIELDS = {
    "cosine": Domain("in [0, 1)", lambda x: (x >= 0) & (x < 1)),
    "angle": _RIGHT_ANGLE,
    "floor": Domain("in [0, 1)", lambda x: (x >= 0) & (x < 1)),
}
"""The numbers that a profile may give."""

_WORDS = {"of": ("all", "target", "acos"), "angle_of": ("all", "target")}
"""What a profile's clamps act on; the acos alone in any rule but `clip`."""

_ORDERED = {
    ("norm_lower", "norm_upper"): Domain("below norm_upper", lambda x: x < 0),
    ("margin_lower", "margin_upper"): Domain("at most margin_upper", lambda x: x <= 0),
}


def parse_profile(profile: str | Profile, where: str = "parse_profile") -> Profile:
    """Read `rule[:field,...]`: cosine=, of=, floor=, angle=, angle_of=, detached, true.

    Only `clip` has the fields of an angle, and it has no floor.

    Args:
        profile: its text, or a Profile.
        where: the function that asks, for the message.

    Returns:
        The profile, with the rule's defaults where a field is not given.

    Raises:
        DomainError: an unknown rule or field, one given twice, a value out of range.
    """
    text = str(profile)
    rule, colon, rest = text.partition(":")
    if rule not in PROFILES:
        rules = ", ".join(PROFILES)
        raise domain_error("profile", quoted(text), f"one of {rules}", where)
    read: dict[str, Any] = {}
    for field in rest.split(",") if colon else []:
        name, value = _field(text, field.strip(), rule, where)
        if name in read:
            raise domain_error("profile", quoted(text), f"clear about {name}", where)
        read[name] = value
    return replace(PROFILES[rule], **read)


def _field(
    text: str, field: str, rule: str, where: str
) -> tuple[str, float | bool | str]:
    if field in ("detached", "true"):
        return "detached", field == "detached"
    name, _, number = field.partition("=")
    own = ("angle", "angle_of") if rule == "clip" else ("floor",)
    if name not in ("cosine", "of", *own):
        fields = ", ".join(f"{known}=" for known in ("cosine", "of", *own))
        must = f"{rule} with the fields {fields}, detached, true"
        raise domain_error("profile", quoted(text), must, where)
    if name not in _FIELDS:
        words = _WORDS[name][: 2 if rule == "clip" else None]
        if number not in words:
            must = f"given {' or '.join(words)} for {name}"
            raise domain_error("profile", quoted(text), must, where)
        return name, number
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not _FIELDS[name].holds(value):
        must = f"given a number {_FIELDS[name].text} for {name}"
        raise domain_error("profile", quoted(text), must, where)
    return name, value


def require_rule(loss: str, profile: Profile, rules: Iterable[str], where: str) -> None:
    """Refuse a profile whose rule has no meaning for a loss."""
    if profile.rule not in rules:
        defined = f"but {loss} defines {', '.join(rules)}"
        raise DomainError(f"profile={str(profile)!r}, {defined} [{where}]")


def require_sine(loss: str, profile: Profile, multiplied: bool, where: str) -> None:
    """Refuse a floor under the sine for a loss that multiplies none."""
    if profile.floor > 0 and not multiplied:
        lacks = f"but {loss} multiplies no sine that it could be a floor of"
        raise DomainError(f"profile={str(profile)!r}, {lacks} [{where}]")


def require_names(
    loss: str,
    names: Iterable[str],
    given: Mapping[str, Any],
    free: Iterable[str],
    where: str,
) -> None:
    """Refuse a parameter that a loss does not have, or lacks and cannot do without."""
    for name in given:
        if name not in names:
            must = f"one of {', '.join(names)} for {loss}"
            raise domain_error("parameter", quoted(name), must, where)
    for name in names:
        if name not in given and name not in free:
            raise domain_error(name, "missing", f"given for {loss}", where)


def require_domain(name: str, value: Value, where: str, loss: str = "") -> None:
    """Refuse a value outside the argument's domain, naming the first offender."""
    domain = DOMAINS.get(f"{loss} {name}") or DOMAINS[name]
    require(name, value, domain, where)


def require(name: str, value: Value, domain: Domain, where: str) -> None:
    """Refuse a value outside a domain, naming the first offender of a tensor."""
    require_real(name, value, where)
    if torch.compiler.is_compiling():
        return
    if not isinstance(value, Tensor):
        if not domain.holds(_float(value)):
            raise domain_error(name, value, domain.text, where)
        return
    inside = domain.holds(value.detach())
    if not bool(inside.all()):
        index = tuple((~inside).nonzero()[0].tolist())
        place = f"[{', '.join(map(str, index))}]" if index else ""
        raise domain_error(name + place, value[index].item(), domain.text, where)


def require_real(name: str, value: object, where: str) -> None:
    """Refuse what is neither a number nor a tensor of real numbers."""
    if isinstance(value, Tensor):
        if value.is_complex() or value.dtype == torch.bool:
            raise domain_error(f"{name}.dtype", value.dtype, "a real type", where)
    elif not torch.compiler.is_compiling() and not isinstance(value, Real):
        raise domain_error(name, quoted(value), "a number or a tensor", where)


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an int past every float, and so outside every domain
        return math.inf


def require_order(parameters: Mapping[str, Value], where: str) -> None:
    """Refuse a lower bound that does not lie below its upper bound."""
    for (lower, upper), domain in _ORDERED.items():
        if lower in parameters and not torch.compiler.is_compiling():
            low, high = parameters[lower], parameters[upper]
            bounds = {lower: torch.as_tensor(low), upper: torch.as_tensor(high)}
            require_broadcast(bounds, where)
            if not bool(torch.as_tensor(domain.holds(low - high)).all()):
                raise domain_error(lower, low, domain.text, where)


def require_shape(name: str, shape: torch.Size, must: object, where: str) -> None:
    """Refuse a shape that is not one of those named: a tuple, or several in a list."""
    allowed = must if isinstance(must, list) else [must]
    if tuple(shape) not in allowed:
        text = " or ".join(map(str, allowed))
        raise shape_error(name, tuple(shape), text, where)


def widen(name: str, value: Value, like: Tensor, where: str) -> Tensor:
    """A number or tensor as float64 on the device of `like`, without rounding."""
    require_real(name, value, where)
    if isinstance(value, Tensor):
        return value.to(torch.float64)
    value = value if isinstance(value, int | float) else float(value)
    return torch.full((), value, dtype=torch.float64, device=like.device)


def require_broadcast(values: Mapping[str, Tensor], where: str) -> None:
    """Refuse the first shape that does not broadcast with those before it."""
    if torch.compiler.is_compiling():
        return
    shape = torch.Size()
    for name, value in values.items():
        try:
            shape = torch.broadcast_shapes(shape, value.shape)
        except RuntimeError:
            must = f"broadcastable with {tuple(shape)}"
            raise shape_error(name, tuple(value.shape), must, where) from None


def per_row(name: str, value: Tensor, rows: int, where: str) -> Tensor:
    """One value a row: (), (B,) or (B, 1), never broadcast over classes."""
    if value.dim() == 0:
        return value
    require_shape(name, value.shape, [(rows,), (rows, 1)], where)
    return value.reshape(rows)


def require_labels(
    labels: object, rows: int, classes: int, where: str, *, check: bool = True
) -> Tensor:
    """(B,) integers in [0, C), or -1 for a skipped row, as int64; refuse all else."""
    labels = require_tensor("labels", labels, where)
    require_shape("labels", labels.shape, (rows,), where)
    if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
        raise domain_error("labels.dtype", labels.dtype, "an integer type", where)
    labels = labels.long()
    domain = Domain(f"-1 or in [0, {classes})", lambda x: (x >= -1) & (x < classes))
    if check:
        require("labels", labels, domain, where)
    return labels


def require_tensor(name: str, value: object, where: str) -> Tensor:
    """The value, if it is a tensor; refuse all else."""
    if not isinstance(value, Tensor):
        raise domain_error(name, quoted(value), "a tensor", where)
    return value


def require_norms(
    name: str, value: object, where: str, rows: int | None = None
) -> Tensor:
    """One norm a row, (B,) or (B, 1), real, finite and not negative, as (B,)."""
    norms = require_tensor(name, value, where)
    if rows is None:
        rows = norms.shape[0] if norms.dim() else 1
    require_shape(name, norms.shape, [(rows,), (rows, 1)], where)
    require_real(name, norms, where)
    require(name, norms, DOMAINS["norms"], where)
    return norms.reshape(rows)


def require_floating(name: str, value: object, where: str) -> torch.dtype:
    """The dtype of a floating tensor; refuse all else."""
    value = require_tensor(name, value, where)
    if not value.is_floating_point():
        raise domain_error(f"{name}.dtype", value.dtype, "a floating type", where)
    return value.dtype
