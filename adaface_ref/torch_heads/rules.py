"""How each rule turns an angle and the margins into the target cosine.

The rule says what stands outside the core, and gives the derivatives with it. Written
from the papers, apart from spec and numpy_reference. Everything is float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class Cosine(NamedTuple):
    """Cosines after the cosine clamp, with what would cancel if taken from them.

    `free` is where no clamp stops the gradient, `stopped` where one stops that of the
    formula alone; `held` is where a floor under 1 - c^2 keeps the sine from following
    the cosine, and `bare` the cosine that a rule sees outside the formula.
    """

    value: Tensor
    sine: Tensor
    bare: Tensor
    free: Tensor
    stopped: Tensor
    held: Tensor


class Piece(NamedTuple):
    """Margined cosine before the additive margin, and its two partial derivatives."""

    value: Tensor
    slope: Tensor
    by_margin: Tensor


def clamp(
    cosine: Tensor, eps: float, floor: float = 0.0, *, of_acos: bool = False
) -> Cosine:
    """Clamp to [-1 + eps, 1 - eps], both ends exact (1 - eps is no float64)."""
    below, above = 1 - cosine, 1 + cosine
    high, low = below < eps, above < eps
    value = torch.where(high, 1 - eps, torch.where(low, eps - 1, cosine))
    below = torch.where(high, eps, torch.where(low, 2 - eps, below))
    above = torch.where(low, eps, torch.where(high, 2 - eps, above))
    square = below * above
    held = square < floor
    square = torch.where(held, floor, square)
    pole = square == 0
    sine = torch.where(pole, 0.0, torch.where(pole, 1.0, square).sqrt())
    past = high | low
    never = torch.zeros_like(past)
    if of_acos:
        return Cosine(value, sine, cosine, ~never, past, held)
    return Cosine(value, sine, value, ~past, never, held)


def pure(cosine: Cosine, margin: Tensor, multiplier: Tensor, _: float) -> Piece:
    """cos(theta + a) by the addition formula; the slope is 1 where a = 0, poles too."""
    c, sine, cos_a, sin_a = cosine.value, cosine.sine, margin.cos(), margin.sin()
    pole = sine == 0
    lever = sin_a * c / torch.where(pole, 1.0, sine)
    slope = cos_a + torch.where(cosine.held, 0.0, lever)
    limit = torch.copysign(torch.full_like(slope, math.inf), sin_a * c)
    slope = torch.where(pole & (margin != 0), limit, slope)
    slope = torch.where(cosine.stopped, 0.0, slope)
    return Piece(c * cos_a - sine * sin_a, slope, -(sine * cos_a + c * sin_a))


def clip(cosine: Cosine, margin: Tensor, multiplier: Tensor, angle: float) -> Piece:
    """theta + a clipped to [angle, pi - angle]; flat where the clip binds."""
    value, slope, by_margin = pure(cosine, margin, multiplier, angle)
    turned = torch.atan2(cosine.sine, cosine.value) + margin
    low, high = turned < angle, turned > math.pi - angle
    end = math.cos(angle)
    return Piece(
        torch.where(low, end, torch.where(high, -end, value)),
        torch.where(low | high, 0.0, slope),
        torch.where(low | high, 0.0, by_margin),
    )


def fallback(cosine: Cosine, margin: Tensor, multiplier: Tensor, _: float) -> Piece:
    """The formula where c > cos(pi - a), else c - a sin(a)."""
    c, sin_a = cosine.bare, margin.sin()
    formula = pure(cosine, margin, multiplier, _)
    inside = c > -margin.cos()
    return Piece(
        torch.where(inside, formula.value, c - margin * sin_a),
        torch.where(inside, formula.slope, 1.0),
        torch.where(inside, formula.by_margin, -(sin_a + margin * margin.cos())),
    )


def _outside(cosine: Cosine, formula: Piece, inside: Tensor) -> Piece:
    """The formula inside, the cosine itself outside."""
    return Piece(
        torch.where(inside, formula.value, cosine.bare),
        torch.where(inside, formula.slope, 1.0),
        torch.where(inside, formula.by_margin, 0.0),
    )


def fallback_plain(
    cosine: Cosine, margin: Tensor, multiplier: Tensor, _: float
) -> Piece:
    """The formula where c > cos(pi - a), else c."""
    formula = pure(cosine, margin, multiplier, _)
    return _outside(cosine, formula, cosine.bare > -margin.cos())


def easy(cosine: Cosine, margin: Tensor, multiplier: Tensor, _: float) -> Piece:
    """The formula where c > 0, else c."""
    return _outside(cosine, pure(cosine, margin, multiplier, _), cosine.bare > 0)


def minimum(cosine: Cosine, margin: Tensor, multiplier: Tensor, _: float) -> Piece:
    """The lesser of the formula and c: the formula where theta < pi - a/2."""
    formula = pure(cosine, margin, multiplier, _)
    return _outside(cosine, formula, cosine.bare > -(margin / 2).cos())


def reflect(cosine: Cosine, margin: Tensor, multiplier: Tensor, _: float) -> Piece:
    """The formula where c > cos(pi - a), else -2 less the formula."""
    value, slope, by_margin = pure(cosine, margin, multiplier, _)
    inside = cosine.bare > -margin.cos()
    return Piece(
        torch.where(inside, value, -2 - value),
        torch.where(inside, slope, -slope),
        torch.where(inside, by_margin, -by_margin),
    )


def shift(cosine: Cosine, margin: Tensor, multiplier: Tensor, _: float) -> Piece:
    """The formula where c > cos(pi - a), else c - (1 + cos(pi - a))."""
    formula, cos_a = pure(cosine, margin, multiplier, _), margin.cos()
    inside = cosine.bare > -cos_a
    return Piece(
        torch.where(inside, formula.value, cosine.bare - (1 - cos_a)),
        torch.where(inside, formula.slope, 1.0),
        torch.where(inside, formula.by_margin, -margin.sin()),
    )


def fold(cosine: Cosine, margin: Tensor, multiplier: Tensor, _: float) -> Piece:
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
    slope = torch.where(cosine.stopped, 0.0, sign * multiplier * slope)
    return Piece(value, slope, torch.zeros_like(value))


def stretch(cosine: Cosine, margin: Tensor, multiplier: Tensor, _: float) -> Piece:
    """cos(m1 theta + m2); at a pole the slope is m1^2 or infinite."""
    c, sine, m1 = cosine.value, cosine.sine, multiplier
    pole = sine == 0
    theta = torch.where(
        pole, (math.pi / 2) * (1 - c), torch.atan2(torch.where(pole, 1.0, sine), c)
    )
    phi = m1 * theta + margin
    slope = m1 * phi.sin() / torch.where(pole, 1.0, sine)
    slope = torch.where(pole, _stretch_at_pole(c, margin, m1), slope)
    slope = torch.where(cosine.stopped, 0.0, slope)
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


Rule = Callable[[Cosine, Tensor, Tensor, float], Piece]
