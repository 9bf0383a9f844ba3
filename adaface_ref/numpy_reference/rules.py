"""How each rule turns an angle and the margins into the target cosine F.

The rule says what stands outside the core, and gives the derivatives with F.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adaface_ref.numpy_reference.arguments import Array, Profile


class Angle(NamedTuple):
    """A clamped cosine and its sine, and what outside rules see.

    `bare` is the cosine outside the formula; `inside` is where no clamp stops its
    gradient, `stopped` where one stops the formula's alone; `held` is where the floor
    under 1 - c^2 holds the sine; `clip` is eps_t.
    """

    cosine: Array
    sine: Array
    bare: Array
    inside: NDArray[np.bool_]
    stopped: NDArray[np.bool_]
    held: NDArray[np.bool_]
    clip: float


class Margins(NamedTuple):
    """The three margins of cos(multiplier * theta + angular) - additive."""

    multiplier: Array
    angular: Array
    additive: Array


class Target(NamedTuple):
    """F, its slope dF/dc and, for MagFace's rules, dF/d(angular margin)."""

    cosine: Array
    slope: Array
    per_margin: Array = np.asarray(0.0)


def target_angle(cosine: Array, profile: Profile) -> Angle:
    at = _clamped(cosine, profile.cosine, profile)
    if profile.of != "acos":
        return at
    everywhere = np.ones_like(at.inside)
    return at._replace(bare=cosine, inside=everywhere, stopped=~at.inside)


def other_angle(cosine: Array, profile: Profile) -> Angle:
    return _clamped(cosine, profile.clamp_of_others, profile)


def _clamped(cosine: Array, eps: float, profile: Profile) -> Angle:
    # 1 - |c| is exact where it matters; the sine of the clamped angle is that of the
    # exact 1 - eps, which float64 need not hold.
    inside = 1 - np.abs(cosine) >= eps
    clamped = np.where(inside, cosine, np.copysign(1 - eps, cosine))
    square = np.where(inside, (1 - cosine) * (1 + cosine), eps * (2 - eps))
    held = square < profile.floor
    sine = np.sqrt(np.where(held, profile.floor, square))
    never = np.zeros_like(inside)
    return Angle(clamped, sine, clamped, inside, never, held, profile.angle)


def additive(at: Angle, margins: Margins) -> Target:
    slope = np.where(at.stopped, 0.0, np.ones_like(at.cosine))
    return Target(at.cosine - margins.additive, slope)


def formula(at: Angle, margins: Margins) -> Target:
    cos_a, sin_a = np.cos(margins.angular), np.sin(margins.angular)
    value = (at.cosine * cos_a - at.sine * sin_a) - margins.additive
    flat = (sin_a == 0) | at.held
    lever = np.where(flat, 0.0, sin_a * (at.cosine / at.sine))
    slope = np.where(at.stopped, 0.0, cos_a + lever)
    return Target(value, slope, -(at.sine * cos_a + at.cosine * sin_a))


def clip(at: Angle, margins: Margins) -> Target:
    plain = formula(at, margins)
    angle = np.arctan2(at.sine, at.cosine) + margins.angular
    low, high = angle < at.clip, angle > np.pi - at.clip
    edge = np.where(low, np.cos(at.clip), -np.cos(at.clip)) - margins.additive
    return Target(
        np.where(low | high, edge, plain.cosine),
        np.where(low | high, 0.0, plain.slope),
        np.where(low | high, 0.0, plain.per_margin),
    )


def fallback(at: Angle, margins: Margins) -> Target:
    plain, angular = formula(at, margins), margins.angular
    core = at.bare > -np.cos(angular)  # c > cos(pi - a)
    cos_a, sin_a = np.cos(angular), np.sin(angular)
    return Target(
        np.where(core, plain.cosine, at.bare - angular * sin_a),
        np.where(core, plain.slope, 1.0),
        np.where(core, plain.per_margin, -(sin_a + angular * cos_a)),
    )


def cosine_outside(core: NDArray[np.bool_], plain: Target, cosine: Array) -> Target:
    """The margined target on the core, the bare cosine elsewhere."""
    return Target(
        np.where(core, plain.cosine, cosine),
        np.where(core, plain.slope, 1.0),
        np.where(core, plain.per_margin, 0.0),
    )


def fallback_plain(at: Angle, margins: Margins) -> Target:
    core = at.bare > -np.cos(margins.angular)  # theta + a < pi
    return cosine_outside(core, formula(at, margins), at.bare)


def easy(at: Angle, margins: Margins) -> Target:
    return cosine_outside(at.bare > 0, formula(at, margins), at.bare)


def easy_additive(at: Angle, margins: Margins) -> Target:
    core = at.bare > margins.additive
    return cosine_outside(core, additive(at, margins), at.bare)


def minimum(at: Angle, margins: Margins) -> Target:
    # cos(theta + a) - c = -2 sin(theta + a/2) sin(a/2)
    core = at.bare > -np.cos(margins.angular / 2)
    return cosine_outside(core, formula(at, margins), at.bare)


def reflect(at: Angle, margins: Margins) -> Target:
    plain = formula(at, margins)
    core = at.bare > -np.cos(margins.angular)
    return Target(
        np.where(core, plain.cosine, -2 - plain.cosine),
        np.where(core, plain.slope, -plain.slope),
    )


def shift(at: Angle, margins: Margins) -> Target:
    plain, cos_a = formula(at, margins), np.cos(margins.angular)
    core = at.bare > -cos_a
    return Target(
        np.where(core, plain.cosine, at.bare - (1 - cos_a)),
        np.where(core, plain.slope, 1.0),
    )


def sphere(at: Angle, margins: Margins) -> Target:
    multiplier = margins.multiplier
    phase = multiplier * np.arctan2(at.sine, at.cosine)
    fold = np.minimum(np.floor(phase / np.pi), multiplier - 1)
    cosine = np.where(multiplier == 1, at.cosine, np.cos(phase))  # relative at c = 0
    value = (1 - 2 * (fold % 2)) * cosine - 2 * fold
    # sin(q theta)/sin(theta) is the Chebyshev polynomial U_{q-1}, and (-1)^k its sign.
    slope = multiplier * np.abs(_chebyshev(at.cosine, multiplier - 1))
    slope = np.where(at.stopped, 0.0, slope)
    return Target(value, slope)


def _chebyshev(cosine: Array, degree: Array) -> Array:
    """The Chebyshev polynomial of the second kind, by its recurrence."""
    before, now = np.zeros_like(cosine), np.ones_like(cosine)
    result = now
    for step in range(1, int(np.max(degree, initial=0)) + 1):
        before, now = now, 2 * cosine * now - before
        result = np.where(degree >= step, now, result)
    return result


def combined(at: Angle, margins: Margins) -> Target:
    multiplier, angular, additive = margins
    phase = multiplier * np.arctan2(at.sine, at.cosine) + angular
    slope = multiplier * np.sin(phase) / at.sine
    slope = np.where(at.sine == 0, _combined_pole(at.cosine, margins), slope)
    slope = np.where(at.stopped, 0.0, slope)
    return Target(np.cos(phase) - additive, slope)


def _combined_pole(end: Array, margins: Margins) -> Array:
    """The limit of the slope at c = `end` = +-1: m1^2 where removable, else infinite.

    At c = -1 the phase is m1 pi + m2; whole multiples of pi are taken off exactly.
    """
    multiplier, angular, _ = margins
    turns = np.where(end < 0, np.rint(multiplier), 0.0)
    rest = np.where(end < 0, np.pi * (multiplier - turns), 0.0) + angular
    size = np.where(rest == 0, end * multiplier**2, np.copysign(np.inf, np.sin(rest)))
    return np.where(turns % 2 == 0, size, -size)
