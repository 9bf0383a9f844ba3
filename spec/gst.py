"""The gradient scaling term by differentiation, once, piece by piece.

Every expression is in the angle; d/dc is -(1/sin theta) d/d theta. The C - 1 other
classes enter through one rival cosine n, which is exact:
sum over j != y of exp(s G_j) = exp(s n).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import NamedTuple

from sympy import (
    Abs,
    Dummy,
    Expr,
    Integer,
    S,
    Symbol,
    cos,
    diff,
    exp,
    expand,
    log,
    pi,
    powsimp,
    sin,
)

from adaface_ref.spec.losses import Loss
from adaface_ref.spec.profiles import Piece, Profile, pieces_of
from adaface_ref.spec.symbols import QUANTITIES as VOCABULARY
from adaface_ref.spec.symbols import (
    angle,
    angle_clip,
    cosine_clamp,
    feature_norm,
    log_logistic,
    logistic,
    other_cosine,
    rival_cosine,
    scale,
)

__all__ = ["QUANTITIES", "Case", "cases"]


class Case(NamedTuple):
    """A quantity on one piece, where all of `where` are positive.

    Its value is the one term; a magnitude has several, added in absolute value.
    """

    where: tuple[Expr, ...]
    terms: tuple[Expr, ...]
    name: str


def d_dcosine(expression: Expr) -> Expr:
    """The derivative with respect to the target cosine, of an expression in the angle.

    Args:
        expression: any expression of this package.

    Returns:
        -(1/sin theta) d/d theta of it.
    """
    return -diff(expression, angle) / sin(angle)


def cross_entropy(target: Expr) -> Expr:
    """-ln P, from the target's logit / scale and the rival cosine.

    Args:
        target: target logit / scale.

    Returns:
        -ln logistic(s (target - n)).
    """
    return -log_logistic(scale * (target - rival_cosine))


def rival_from(others: tuple[Expr, ...]) -> Expr:
    """The rival cosine of a list of other classes: (1/s) ln sum exp(s G_j).

    Args:
        others: their logits / scale.

    Returns:
        The one cosine that stands for them all; at least the largest, and at most
        ln(C - 1)/s above it, where all are equal.
    """
    return log(sum((exp(scale * other) for other in others), S.Zero)) / scale


def share_of_rival(other: Expr) -> Expr:
    """How the rival cosine follows one of its classes, dn/dG_j, by differentiation.

    Args:
        other: G_j, that class's logit / scale.

    Returns:
        exp(s (G_j - n)): the rest of the sum is exp(s n) - exp(s G_j).
    """
    return _SHARE.xreplace({_MINE: other})


def _derived_share() -> Expr:
    rest = Dummy("rest", real=True)
    rate = diff(rival_from((_MINE, rest)), _MINE)
    of_rest = exp(scale * rival_cosine) - exp(scale * _MINE)
    return powsimp(rate.subs(exp(scale * rest), of_rest))


_MINE = Dummy("mine", real=True)
_SHARE = _derived_share()


def _derived_rates() -> tuple[Expr, Expr]:
    entropy = cross_entropy(_TARGET)
    return diff(entropy, _TARGET), diff(entropy, rival_cosine)


_TARGET = Dummy("target", real=True)
_TARGET_RATE, _RIVAL_RATE = _derived_rates()


def _with_respect_to_target(piece: Piece) -> Expr:
    return _TARGET_RATE.xreplace({_TARGET: piece.target})


def _with_respect_to_rival(piece: Piece) -> Expr:
    return _RIVAL_RATE.xreplace({_TARGET: piece.target})


def _slope(piece: Piece, detached: bool) -> Expr:
    if piece.clamped:
        return S.Zero
    return S.One if detached else d_dcosine(piece.target)


def _other_slope(piece: Piece, detached: bool) -> Expr:
    if piece.other_clamped:
        return S.Zero
    return S.One if detached else diff(piece.other, other_cosine)


def _norm_gradient(piece: Piece, detached: bool) -> Expr:
    through_margin = S.Zero if detached else diff(piece.target, feature_norm)
    path = _with_respect_to_target(piece) * through_margin
    return path + diff(piece.regulariser, feature_norm)


QUANTITIES: dict[str, Callable[[Piece, bool], Expr]] = {
    "target_logit": lambda p, _: p.target,
    "logit": lambda p, _: scale * p.target,
    "slope": _slope,
    "slope_rate": lambda p, detached: d_dcosine(_slope(p, detached)),
    "probability": lambda p, _: logistic(scale * (p.target - rival_cosine)),
    "complement": lambda p, _: logistic(-scale * (p.target - rival_cosine)),
    "gst": lambda p, detached: _with_respect_to_target(p) * _slope(p, detached),
    "gst_rate": lambda p, detached: d_dcosine(
        _with_respect_to_target(p) * _slope(p, detached)
    ),
    "other_logit": lambda p, _: scale * p.other,
    "other_gst": lambda p, detached: (
        _with_respect_to_rival(p) * share_of_rival(p.other) * _other_slope(p, detached)
    ),
    "loss_value": lambda p, _: cross_entropy(p.target) + p.regulariser,
    "norm_gradient": _norm_gradient,
}
"""What can be asked of a loss: each from one piece and whether it is detached."""

ABOUT_OTHERS = ("other_logit", "other_gst")
"""The quantities for which another class's own pieces matter."""


@cache
def cases(
    quantity: str, loss: Loss, profile: Profile, arcs: int | None = None
) -> tuple[Case, ...]:
    """One quantity of a loss under a profile, as ordered cases.

    Args:
        quantity: a key of QUANTITIES.
        loss: a row of LOSSES.
        profile: a profile that is defined for it.
        arcs: SphereFace's multiplier.

    Returns:
        Ordered cases; the last one applies everywhere. Neighbours of equal value
        are one case.
    """
    value = QUANTITIES[quantity]
    pieces = pieces_of(loss, profile, arcs, others=quantity in ABOUT_OTHERS)
    done = [Case(p.where, (value(p, profile.detached),), p.name) for p in pieces]
    while len(done) > 1 and done[-1].terms == done[-2].terms:
        del done[-2]
    return tuple(done)


def claim_cases(
    parts: tuple[Expr, ...], loss: Loss, profile: Profile, arcs: int | None = None
) -> tuple[Case, ...]:
    """Expressions about a loss's quantities, as ordered cases.

    Args:
        parts: expressions in which keys of QUANTITIES stand as symbols.
        loss: a row of LOSSES.
        profile: a profile that is defined for it.
        arcs: SphereFace's multiplier.

    Returns:
        Ordered cases whose terms are the parts with the quantities written out.
    """
    names = {symbol.name for part in parts for symbol in part.free_symbols}
    wanted = [name for name in QUANTITIES if name in names]
    others = any(name in ABOUT_OTHERS for name in wanted)
    done = []
    for piece in pieces_of(loss, profile, arcs, others=others):
        meaning = {
            VOCABULARY[name].symbol: QUANTITIES[name](piece, profile.detached)
            for name in wanted
        }
        terms = tuple(part.xreplace(meaning) for part in parts)
        done.append(Case(piece.where, terms, piece.name))
    return tuple(done)


def rising_criterion(target: Expr) -> Expr:
    """Where |g| rises with the target cosine: the sign of D times this.

    Args:
        target: target logit / scale, in the angle.

    Returns:
        (dg/dc) / (-s (1 - P)) times sin(theta)^3, which is positive on (0, pi).
    """
    piece = Piece((), target)
    gst = QUANTITIES["gst"](piece, False)
    complement = logistic(-scale * (target - rival_cosine))
    rate = expand(d_dcosine(gst) / (-scale * complement))
    return expand(rate * sin(angle) ** 3)


WEIGHTS: dict[Symbol, Expr] = {cosine_clamp: Integer(1), angle_clip: pi}
"""What is rounded when a clamp is applied: 1 - eps_c and pi - eps_a, not eps itself."""


def magnitude(value: Expr) -> tuple[Expr, ...]:
    """v and x_i dv/dx_i of every input: what one rounding of each may move.

    Args:
        value: an expression in the angle.

    Returns:
        The terms, whose absolute values are to be added; x = cos theta for the angle.
        At a pole the cosine's own is singular, and means nothing: it is exact there.
    """
    terms = [value]
    for symbol in sorted(value.free_symbols, key=str):
        if symbol is angle:
            terms.append(cos(angle) * d_dcosine(value))
        else:
            terms.append(WEIGHTS.get(symbol, symbol) * diff(value, symbol))
    return tuple(terms)


def textbook_magnitude(
    quantity: str, loss: Loss, profile: Profile, arcs: int | None = None
) -> tuple[Case, ...]:
    """`magnitude`, and what acos, cos, sqrt(1 - c^2) and P - 1 lose on top of it.

    For a sound head written with acos and cos: (|theta| + |a|) |dv/da| for the
    margined angle, |v|/(1 - c^2) for the sine, s |D| for P - 1, s for a logit, and
    |dv/dn| + |dv/dc_j| + |g_j|/(1 - c_j^2) where the other classes are taken through
    acos and cos, too.

    Args:
        quantity: a key of QUANTITIES.
        loss: a row of LOSSES.
        profile: a profile that is defined for it.
        arcs: SphereFace's multiplier.

    Returns:
        The cases of the sum.
    """
    shift = Dummy("shift", real=True)
    value = QUANTITIES[quantity]
    done = []
    others = quantity in ABOUT_OTHERS
    for piece in pieces_of(_shifted(loss, shift), profile, arcs, others=others):
        moving = value(piece, profile.detached)
        still = moving.subs(shift, 0)
        turned = _turned_angle(loss) * diff(moving, shift).subs(shift, 0)
        terms = [*magnitude(still), turned, still / sin(angle) ** 2]
        if quantity == "gst":
            terms.append(scale * _slope(piece, profile.detached).subs(shift, 0))
        if quantity in ("logit", "other_logit"):
            terms.append(scale)
        if loss.angular_margin != 0:
            # Many heads take every class through acos and cos, not the target alone.
            terms += [diff(still, symbol) for symbol in (rival_cosine, other_cosine)]
            if quantity == "other_gst":
                terms.append(still / ((1 - other_cosine) * (1 + other_cosine)))
        where = tuple(expression.subs(shift, 0) for expression in piece.where)
        done.append(Case(where, tuple(terms), piece.name))
    return tuple(done)


def _shifted(loss: Loss, shift: Symbol) -> Loss:
    if not loss.shifts_angle:
        turned = angle + shift / loss.multiplier
        return replace(loss, target=loss.target.subs(angle, turned))
    angular = loss.angular_margin + shift
    target = cos(angle + angular) - loss.additive_margin
    return replace(loss, angular_margin=angular, target=target)


def _turned_angle(loss: Loss) -> Expr:
    if not loss.shifts_angle:
        return loss.multiplier * angle
    return angle + Abs(loss.angular_margin)
