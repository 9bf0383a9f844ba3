"""One case, checked, and the terms that every quantity is made of."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from adaface_ref.errors import DomainError, domain_error, quoted
from adaface_ref.numpy_reference.arguments import (
    DOMAINS,
    Array,
    Parameters,
    Profile,
    check_order,
    check_values,
    common_shape,
    parse_profile,
)
from adaface_ref.numpy_reference.losses import LOSSES, Row, clip_norm
from adaface_ref.numpy_reference.rules import Target, formula, other_angle, target_angle

# Poles divide by zero, a removable one multiplies 0 by inf before `where` replaces it,
# and far tails overflow or underflow to their limits: all meant.
quiet = np.errstate(all="ignore")


class Case(NamedTuple):
    """One validated question: the loss's row, the profile, the numbers, their shape."""

    row: Row
    profile: Profile
    p: Parameters
    shape: tuple[int, ...]

    def answer(self, value: Array) -> Array:
        out: Array = np.empty(self.shape)
        out[...] = value
        return out[()]  # a 0-d answer becomes a scalar


def case_of(where: str, loss: str, given: dict[str, Any], **cosines: ArrayLike) -> Case:
    if not isinstance(loss, str) or loss not in LOSSES:
        raise domain_error("loss", quoted(loss), f"one of {', '.join(LOSSES)}", where)
    row, parameters = LOSSES[loss], dict(given)
    profile = parse_profile(parameters.pop("profile", "pure"), where)
    if profile.rule not in row.pieces:
        defined = f"{loss} defines {', '.join(row.pieces)}"
        raise DomainError(f"profile={str(profile)!r}, but {defined} [{where}]")
    if profile.floor > 0 and row.pieces["pure"] is not formula:
        lacks = f"{loss} multiplies no sine that it could be a floor of"
        raise DomainError(f"profile={str(profile)!r}, but {lacks} [{where}]")
    for name in sorted(parameters.keys() - row.parameters.keys()):
        must = f"left out: {loss} takes {', '.join(row.parameters)}"
        raise domain_error(name, parameters[name], must, where)
    p = {name: check_values(name, value, where) for name, value in cosines.items()}
    for name in row.parameters:
        domain = DOMAINS.get(f"{loss}.{name}", DOMAINS[name])
        if name not in parameters:
            raise domain_error(name, "missing", domain[1], where)
        p[name] = check_values(name, parameters[name], where, domain)
    shape = common_shape(p, where)
    if "feature_norm" in p:
        check_order(p, where)
    return Case(row, profile, p, shape)


def target_of(case: Case) -> Target:
    row, profile, p, _ = case
    at = target_angle(p["target_cosine"], profile)
    value, slope, per_margin = row.pieces[profile.rule](at, row.margins(p))
    if profile.gradient == "detached":
        slope, per_margin = np.ones_like(slope), np.zeros_like(per_margin)
    return Target(value, np.where(at.inside, slope, 0.0), per_margin)


def other_of(case: Case) -> tuple[Array, Array]:
    row, profile, p, _ = case
    at = other_angle(p["other_cosine"], profile)
    value, slope = row.other(at, target_angle(p["target_cosine"], profile), p)
    if profile.gradient == "detached":
        slope = np.ones_like(slope)
    return value, np.where(at.inside, slope, 0.0)


def weigh(scale: Array, target: Array, rival: Array, level: Array, by: Array) -> Array:
    """s (1 - P) exp(s (level - n)) times `by`, with P never formed.

    (1 - P) e^(s (level - n)) = e^(s (level - max(F, n))) / (1 + e^-|x|). The exponent
    is split in two, so that only the result itself can be subnormal.
    """
    half = np.exp(scale * (level - np.maximum(target, rival)) / 2)
    both = 1 + np.exp(-np.abs(scale * (target - rival)))
    value = (scale * half / both) * (by * half)
    return np.where(np.isinf(by), by, value) + 0.0  # no -0


def probability_at(x: Array) -> Array:
    small = np.exp(-np.abs(x))
    return np.asarray(np.where(x < 0, small, 1.0) / (1 + small))


def loss_at(x: Array, p: Parameters) -> Array:
    value = np.maximum(-x, 0) + np.log1p(np.exp(-np.abs(x)))
    if "feature_norm" not in p:
        return np.asarray(value)
    norm = clip_norm(p)
    pull = norm / p["norm_upper"] ** 2 + 1 / norm
    return np.asarray(value + p["regulariser_weight"] * pull)


def rival_of(other: Array, scale: Array) -> Array:
    top = np.argmax(other, axis=-1, keepdims=True)
    highest = np.take_along_axis(other, top, axis=-1)
    rest = np.exp(scale * (other - highest))
    np.put_along_axis(rest, top, 0.0, -1)
    rival: Array = highest + np.log1p(rest.sum(axis=-1, keepdims=True)) / scale
    return rival


def logit_difference(case: Case) -> Array:
    x: Array = case.p["scale"] * (target_of(case).cosine - case.p["rival_cosine"])
    return x
