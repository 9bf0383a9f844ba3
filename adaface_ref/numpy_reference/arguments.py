"""What the NumPy reference accepts: profiles, domains, shapes; one-line refusals."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adaface_ref.errors import domain_error, quoted, shape_error

Array = NDArray[np.float64]
Parameters = dict[str, Array]


class Profile(NamedTuple):
    """How a head departs from the formula, outside its core.

    `cosine` is the eps of the clamp of cosines to [-1 + eps, 1 - eps], which is `of`
    "all" classes, of the "target" alone, or only of the "acos" that gives its angle
    (any rule but `clip`); `angle` that of the clip of the margined angle to
    [eps, pi - eps] (rule `clip` only), `angle_of` the "target" or "all" classes.
    `gradient` is "true", or "detached" where the margin is kept out of the gradient.
    `floor` is what 1 - c^2 is kept from falling below in the sine that is multiplied by
    sin(a) (an angular margin, and any rule but `clip`).
    """

    rule: str
    cosine: float = 0.0
    angle: float = 0.0
    gradient: str = "true"
    of: str = "all"
    angle_of: str = "target"
    floor: float = 0.0

    @property
    def clamp_of_others(self) -> float:
        """Eps of the clamp of the other classes' cosines."""
        by_cosine = self.cosine if self.of == "all" else 0.0
        # The clip of an angle is one of its cosine: 1 - cos(eps) = 2 sin(eps / 2)^2.
        by_angle = self.angle if self.angle_of == "all" else 0.0
        return max(by_cosine, float(2 * np.sin(by_angle / 2) ** 2))

    def __str__(self) -> str:
        usual, fields = RULES[self.rule], []
        for name in ("cosine", "of", "angle", "angle_of", "floor"):
            value = getattr(self, name)
            fields += [f"{name}={value}"] if value != getattr(usual, name) else []
        fields += ["detached"] if self.gradient == "detached" else []
        return self.rule + (":" + ",".join(fields) if fields else "")


RULES = {
    "pure": Profile("pure"),
    "clip": Profile("clip", cosine=1e-3, angle=1e-3),
    "fallback": Profile("fallback"),
    "fallback-plain": Profile("fallback-plain"),
    "easy": Profile("easy"),
    "reflect": Profile("reflect"),
    "shift": Profile("shift"),
    "min": Profile("min"),
}


Domain = tuple[Callable[[Array], Any], str]
"""A predicate, and the words that follow "must be"."""

SIGNED: Domain = (lambda v: np.abs(v) <= 1, "in [-1, 1]")
QUARTER: Domain = (lambda v: (v >= 0) & (v < np.pi / 2), "in [0, pi/2)")
POSITIVE: Domain = (lambda v: (v > 0) & (v < np.inf), "in (0, inf)")
FINITE: Domain = (np.isfinite, "a finite number")
DOMAINS: dict[str, Domain] = {
    **dict.fromkeys(("cosine", "target_cosine", "other_cosine"), SIGNED),
    **dict.fromkeys(("margin_scaler", "curriculum"), SIGNED),
    **dict.fromkeys(("rival_cosine", "other_logits_over_scale"), FINITE),
    **dict.fromkeys(("scale", "feature_norm", "norm_lower", "norm_upper"), POSITIVE),
    **dict.fromkeys(("margin", "margin_lower", "margin_upper"), QUARTER),
    "angular_offset": QUARTER,
    "additive_offset": (lambda v: (v >= 0) & (v <= 2), "in [0, 2]"),
    "regulariser_weight": (lambda v: (v >= 0) & (v < np.inf), "in [0, inf)"),
    "multiplier": (lambda v: (v > 0) & (v <= 8), "in (0, 8]"),
    "sphereface.multiplier": (
        lambda v: np.isin(v, np.arange(1, 9)),
        "an integer in [1, 8]",
    ),
    "standard_norm": FINITE,
    "concentration": POSITIVE,
}


def check_values(
    argument: str, value: ArrayLike, where: str, domain: Domain | None = None
) -> Array:
    """Return `value` as float64, or name its first element outside the domain."""
    inside, must = domain or DOMAINS[argument]
    given = real_array(value)
    if given is None:
        must = "detached" if getattr(value, "requires_grad", False) else must
        raise domain_error(argument, quoted(value), must, where)
    array = given.astype(np.float64)
    good = np.asarray(inside(array))
    if not good.all():
        index = np.unravel_index(int(np.argmin(good)), good.shape)
        element = np.broadcast_to(given, good.shape)[index].item()
        spot = f"[{', '.join(map(str, index))}]" if index else ""
        raise domain_error(argument + spot, element, must, where)
    return array


def real_array(value: ArrayLike) -> NDArray[Any] | None:
    """`value` as an array, or None where it does not hold real numbers alone."""
    try:
        given = np.asarray(value)
        if given.dtype == object and isinstance(value, Real):  # past int64
            given = np.asarray(float(value))
    except (OverflowError, RuntimeError, TypeError, ValueError):  # ragged, or a tensor
        return None
    # Never parse text, never drop an i.
    return given if given.dtype.kind in "biuf" else None


def parse_profile(text: str | Profile, where: str = "parse_profile") -> Profile:
    """Read a profile such as `clip:cosine=1e-4,angle=1e-3` or `fallback:detached`.

    Args:
        text: rule[:field,...], each field one of cosine=eps, of=target, floor=eps,
            detached, true, and for `clip` angle=eps, angle_of=all in place of floor.
        where: the function to name in an error.

    Raises:
        DomainError: the rule or a field is unknown, repeated, or outside its domain.
    """
    try:
        profile = text if isinstance(text, Profile) else _read_profile(text)
        good = (
            0 <= profile.cosine < 1
            and 0 <= profile.angle < np.pi / 2
            and 0 <= profile.floor < 1
            and (profile.floor == 0 if profile.rule == "clip" else profile.angle == 0)
            and (profile.rule == "clip" or profile.angle_of == "target")
            and profile.of in ("all", "target", *("acos",) * (profile.rule != "clip"))
            and profile.angle_of in ("all", "target")
            and profile.gradient in ("true", "detached")
            and profile.rule in RULES
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        good = False
    if not good:
        must = f"one of {', '.join(RULES)}, then perhaps : and fields cosine=eps, "
        must += "of=target or acos, floor=eps (for clip angle=eps, angle_of=all), "
        must += "detached or true, each once"
        raise domain_error("profile", quoted(text), must, where)
    return profile


def _read_profile(text: str) -> Profile:
    rule, colon, rest = text.partition(":")
    fields = [_read_field(rule, f.strip()) for f in rest.split(",")] if colon else []
    given = dict(fields)
    if len(given) < len(fields):
        raise ValueError(text)
    return RULES[rule]._replace(**given)


def _read_field(rule: str, field: str) -> tuple[str, Any]:
    if field in ("detached", "true"):
        return "gradient", field
    name, value = field.split("=")
    numbers = ("cosine", "angle") if rule == "clip" else ("cosine", "floor")
    words = ("of", "angle_of") if rule == "clip" else ("of",)
    if name in words:
        return name, value
    if name not in numbers:
        raise ValueError(field)
    return name, float(value)


def check_order(p: Parameters, where: str) -> None:
    norms: Domain = (lambda v: v > p["norm_lower"], "above norm_lower")
    check_values("norm_upper", p["norm_upper"], where, norms)
    margins: Domain = (lambda v: v >= p["margin_lower"], "at least margin_lower")
    check_values("margin_upper", p["margin_upper"], where, margins)


def common_shape(p: Parameters, where: str) -> tuple[int, ...]:
    shape: tuple[int, ...] = ()
    for name, value in p.items():
        try:
            shape = np.broadcast_shapes(shape, value.shape)
        except ValueError:
            must = f"broadcastable with {shape}"
            raise shape_error(name, value.shape, must, where) from None
    return shape
