"""How real heads depart from the formula, as ordered pieces.

A piece applies where every expression of its `where` is positive; of several, the
first that applies counts, and the last of a list always does. Where such an expression
is zero two pieces meet, and either is right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple

from sympy import Expr, Integer, S, Symbol, acos, cos, pi, sin, sqrt

from adaface_ref.spec.losses import LOSSES, Loss
from adaface_ref.spec.symbols import (
    QUANTITIES,
    angle,
    angle_clip,
    cosine_clamp,
    multiplier,
    other_cosine,
    segment,
    sine_floor,
)

__all__ = [
    "CLAMPS",
    "RULES",
    "Piece",
    "Profile",
    "Rule",
    "is_defined",
    "parse",
    "pieces_of",
]

ALL, TARGET, ACOS = "all", "target", "acos"
"""What a clamp acts on: every class, the target alone, or its angle's acos alone."""

FIELDS: dict[str, tuple[str, ...] | Symbol] = {
    "cosine": cosine_clamp,
    "of": (ALL, TARGET, ACOS),
    "angle": angle_clip,
    "angle_of": (TARGET, ALL),
    "floor": sine_floor,
}
"""Each field of a profile: the words that it may have, or the symbol of its number."""

OF_CLIP = ("angle", "angle_of")
"""Fields that only the rule `clip` has."""

CLAMPS = tuple(kind.name for kind in FIELDS.values() if isinstance(kind, Symbol))
"""The names of the quantities that a profile fixes: no box may give them."""


class Profile(NamedTuple):
    """What a head does outside the core: a rule, its clamps, and its gradient.

    Args:
        rule: a key of RULES.
        cosine: cosines are clamped to [-1 + cosine, 1 - cosine] first.
        angle: the margined angle is clipped to [angle, pi - angle]; `clip` only.
        detached: the margin is computed without gradient, so that the slope is 1.
        of: which cosines are clamped: those of all classes, the target's alone, or
            the target's only where its angle is taken, so that what a rule puts outside
            the formula, and a detached gradient, see the cosine as it is.
        angle_of: whose angles are clipped: of the target alone, or of all classes.
        floor: in cos theta cos a - sin theta sin a the sine is the root of 1 - c^2, or
            of `floor` where that is larger; losses with an angular margin only.
    """

    rule: str
    cosine: float = 0.0
    angle: float = 0.0
    detached: bool = False
    of: str = ALL
    angle_of: str = TARGET
    floor: float = 0.0

    @property
    def clamps(self) -> dict[str, float]:
        """The numbers of the profile, by the names of the quantities in CLAMPS."""
        return dict(zip(CLAMPS, (self.cosine, self.angle, self.floor), strict=True))

    def __str__(self) -> str:
        default = _defaults(self.rule)
        fields = [
            f"{name}={getattr(self, name)}"
            for name in FIELDS
            if getattr(self, name) != getattr(default, name)
        ]
        fields += ["detached"] if self.detached else []
        return self.rule + (":" + ",".join(fields) if fields else "")


class Piece(NamedTuple):
    """One piece of a loss: what holds where all of `where` are positive.

    Args:
        where: the expressions that must be positive.
        target: the target logit / scale there, in the angle.
        other: another class's logit / scale there.
        regulariser: what is added to the loss value there.
        clamped: whether a clamp binds the target cosine, so that its slope is 0
            even where the gradient is detached.
        other_clamped: the same for the other class's cosine.
        name: what a report calls it.
    """

    where: tuple[Expr, ...]
    target: Expr
    other: Expr = S.Zero
    regulariser: Expr = S.Zero
    clamped: bool = False
    other_clamped: bool = False
    name: str = "core"


@dataclass(frozen=True)
class Rule:
    """One rule for the region where the margined angle leaves [0, pi].

    Args:
        id: its name.
        words: one sentence.
        seen_in: public heads that follow it.
        pieces: the target's pieces, before any cosine clamp.
        only: ids of the losses for which alone it is defined; none for every loss.
        leaves_at: where it leaves the formula, as a report says it, if anywhere.
    """

    id: str
    words: str
    seen_in: str
    pieces: Callable[[Loss], tuple[Piece, ...]]
    only: tuple[str, ...] = ()
    leaves_at: str = ""

    @property
    def losses(self) -> tuple[str, ...]:
        """Ids of the losses for which it is defined."""
        return self.only or tuple(LOSSES)

    def threshold(self, loss: Loss) -> Expr | None:
        """The target cosine down to which the formula holds, if that is a cosine."""
        first = self.pieces(loss)[0]
        if not first.where:
            return None
        end = cos(angle) - first.where[0]
        return None if angle in end.free_symbols else end


def _pure(loss: Loss) -> tuple[Piece, ...]:
    return (Piece((), loss.target),)


def _clip(loss: Loss) -> tuple[Piece, ...]:
    if loss.angular_margin in (None, 0):
        return _pure(loss)
    margined = angle + loss.angular_margin
    below, above = angle_clip, pi - angle_clip
    return (
        Piece((below - margined,), cos(below) - loss.additive_margin, name="low angle"),
        Piece(
            (margined - above,), cos(above) - loss.additive_margin, name="high angle"
        ),
        Piece((), loss.target),
    )


def _fallback(loss: Loss) -> tuple[Piece, ...]:
    a, b = loss.angular_margin, loss.additive_margin
    return (
        Piece((cos(angle) - cos(pi - a),), loss.target),
        Piece((), cos(angle) - b - a * sin(a), name="fallback"),
    )


def _fallback_plain(loss: Loss) -> tuple[Piece, ...]:
    return (
        Piece((cos(angle) - cos(pi - loss.angular_margin),), loss.target),
        Piece((), cos(angle), name="plain"),
    )


def _easy(loss: Loss) -> tuple[Piece, ...]:
    # ArcFace subtracts nothing and departs at c = 0, CosFace at c = m.
    return (
        Piece((cos(angle) - loss.additive_margin,), loss.target),
        Piece((), cos(angle), name="easy"),
    )


def _reflect(loss: Loss) -> tuple[Piece, ...]:
    return (
        Piece((cos(angle) - cos(pi - loss.angular_margin),), loss.target),
        Piece((), -2 - loss.target, name="reflected"),
    )


def _shift(loss: Loss) -> tuple[Piece, ...]:
    threshold = cos(pi - loss.angular_margin)
    return (
        Piece((cos(angle) - threshold,), loss.target),
        Piece((), cos(angle) - (1 + threshold), name="shifted"),
    )


def _min(loss: Loss) -> tuple[Piece, ...]:
    # cos(theta + a) < cos(theta) exactly before theta = pi - a/2.
    margin = loss.angular_margin or Integer(0)
    return (
        Piece((cos(angle) - cos(pi - margin / 2),), loss.target),
        Piece((), cos(angle), name="plain"),
    )


_SHIFTS = ("normface", "cosface", "arcface", "magface", "adaface")

_ROWS = (
    Rule(
        "pure",
        "The formula everywhere.",
        "fast-reid, several ports",
        _pure,
    ),
    Rule(
        "clip",
        "Cosines clamped, then the margined angle clipped.",
        "AdaFace head.py",
        _clip,
        _SHIFTS,
    ),
    Rule(
        "fallback",
        "Past theta = pi - a the cosine less a sin a.",
        "pytorch-metric-learning, CurricularFace",
        _fallback,
        ("arcface", "curricularface", "magface"),
        leaves_at="theta = pi - a",
    ),
    Rule(
        "fallback-plain",
        "Past theta = pi - a the cosine.",
        "catalyst, FaceX-Zoo",
        _fallback_plain,
        ("arcface", "magface"),
        leaves_at="theta = pi - a",
    ),
    Rule(
        "easy",
        "Where c <= b the cosine: past theta = pi/2 without an additive margin.",
        "MagFace default, FaceX-Zoo MV_Softmax",
        _easy,
        ("cosface", "arcface", "magface"),
        leaves_at="c = b",
    ),
    Rule(
        "reflect",
        "Past theta = pi - a the formula mirrored at -1.",
        "Keras_insightface",
        _reflect,
        ("arcface",),
        leaves_at="theta = pi - a",
    ),
    Rule(
        "shift",
        "Past theta = pi - a the cosine less 1 + cos(pi - a).",
        "wespeaker",
        _shift,
        ("arcface",),
        leaves_at="theta = pi - a",
    ),
    Rule(
        "min",
        "The lesser of the formula and the cosine, which is less past pi - a/2.",
        "Keras MagFace",
        _min,
        ("arcface", "magface"),
        leaves_at="theta = pi - a/2",
    ),
)

RULES: dict[str, Rule] = {row.id: row for row in _ROWS}


def _defaults(rule: str) -> Profile:
    return Profile(rule, 1e-3, 1e-3) if rule == "clip" else Profile(rule)


def parse(text: str) -> Profile:
    """Reads the one string form: `clip`, `clip:cosine=1e-4,angle=0`, `pure:detached`.

    Args:
        text: a rule, and after a colon its fields, separated by commas.

    Returns:
        The profile, unnamed fields at the rule's defaults.

    Raises:
        ValueError: in one line, what is wrong.
    """
    rule, colon, rest = str(text).partition(":")
    if rule not in RULES:
        known = ", ".join(RULES)
        raise ValueError(f"profile={text!r}, but must begin with one of {known}")
    given: dict[str, Any] = {}
    for item in rest.split(",") if colon else ():
        name, value = _field(rule, item.strip())
        if name in given:
            raise ValueError(f"profile={text!r}, but must give {name} once")
        given[name] = value
    return _defaults(rule)._replace(**given)


def _field(rule: str, item: str) -> tuple[str, float | bool | str]:
    if item in ("detached", "true"):
        return "detached", item == "detached"
    names = [name for name in FIELDS if _has(rule, name)]
    name, _, value = item.partition("=")
    if name not in names:
        known = ", ".join(f"{name}=" for name in names)
        raise ValueError(
            f"profile field {item!r}, but must be {known}, detached or true"
        )
    kind = FIELDS[name]
    if isinstance(kind, tuple):
        words = kind[:2] if rule == "clip" else kind
        if value not in words:
            known = " or ".join(words)
            raise ValueError(f"profile field {item!r}, but must be {known}")
        return name, value
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    end = QUANTITIES[kind.name].domain.end
    if not 0 <= number < float(end):
        raise ValueError(f"profile field {item!r}, but must be a number in [0, {end})")
    return name, number


def _has(rule: str, field: str) -> bool:
    """Whether a rule has a field: `clip` has an angle clip, which leaves no sine."""
    return (rule == "clip") == (field in OF_CLIP) or field in ("cosine", "of")


def is_defined(loss: Loss, profile: Profile) -> bool:
    """Whether the profile's rule, and its floor if it has one, have a meaning here."""
    if profile.floor > 0 and not (loss.shifts_angle and loss.angular_margin != 0):
        return False
    return loss.id in RULES[profile.rule].losses


@cache
def pieces_of(
    loss: Loss, profile: Profile, arcs: int | None = None, *, others: bool = True
) -> tuple[Piece, ...]:
    """A loss under a profile, piece by piece.

    The clamps stand in it as the symbols `cosine_clamp`, `angle_clip`, `sine_floor`.

    Args:
        loss: a row of LOSSES.
        profile: a profile that is defined for it.
        arcs: SphereFace's multiplier q, whose arcs are separate pieces.
        others: whether the pieces of another class's cosine are wanted too.

    Returns:
        Ordered pieces; the last one applies everywhere.

    Raises:
        ValueError: for SphereFace without its number of arcs.
    """
    pieces: tuple[Piece, ...] = ()
    for where, formula, name in _formulas(loss, profile):
        found = _with_others(formula, RULES[profile.rule].pieces(formula), others)
        pieces += tuple(_beyond(piece, where, name) for piece in found)
    for symbol, interval in loss.clipped.items():
        pieces = _bounded(pieces, symbol, interval)
    if loss.has_arcs:
        pieces = _arcs(pieces, arcs)
    if others and profile.angle > 0 and profile.angle_of == ALL:
        end = cos(angle_clip)
        pieces = _bounded(pieces, other_cosine, (-end, end), _hold_other)
    if profile.cosine > 0 and profile.of != ACOS:
        pieces = _clamped(pieces, others and profile.of == ALL)
    return pieces


def _formulas(
    loss: Loss, profile: Profile
) -> Iterator[tuple[tuple[Expr, ...], Loss, str]]:
    """Where the formula's angle or sine is held, the loss with it, and a name."""
    free: list[tuple[tuple[Expr, ...], Expr, str]] = [((), loss.target, "")]
    if profile.floor > 0:
        # By the addition formula, whose sine alone is kept from 0.
        margin = loss.angular_margin
        turned = cos(angle) * cos(margin) - sqrt(sine_floor) * sin(margin)
        below = sine_floor - sin(angle) ** 2
        free.insert(0, ((below,), turned - loss.additive_margin, "sine floor"))
    found = list(free)
    if profile.cosine > 0 and profile.of == ACOS:
        for sign, name in ((1, "acos above"), (-1, "acos below")):
            end = sign * (1 - cosine_clamp)
            found[:0] = [
                (
                    (
                        sign * (cos(angle) - end),
                        *(w.subs(angle, acos(end)) for w in where),
                    ),
                    target.subs(angle, acos(end)),
                    ", ".join(filter(None, (name, other))),
                )
                for where, target, other in free
            ]
    for where, target, name in found:
        yield where, replace(loss, target=target), name


def _with_others(
    loss: Loss, pieces: tuple[Piece, ...], others: bool
) -> tuple[Piece, ...]:
    done = []
    for piece in pieces:
        soft = piece._replace(other=loss.other, regulariser=loss.norm_regulariser)
        if others and loss.hard_other is not None:
            hard = _beyond(soft, (other_cosine - loss.target,), "hard")
            done.append(hard._replace(other=loss.hard_other))
        done.append(soft)
    return tuple(done)


def _substituted(piece: Piece, old: Symbol, new: Expr) -> Piece:
    return piece._replace(
        where=tuple(expression.subs(old, new) for expression in piece.where),
        target=piece.target.subs(old, new),
        other=piece.other.subs(old, new),
        regulariser=piece.regulariser.subs(old, new),
    )


def _beyond(piece: Piece, where: tuple[Expr, ...], name: str) -> Piece:
    if not where:
        return piece
    words = name if piece.name == "core" else f"{piece.name}, {name}"
    return piece._replace(where=(*where, *piece.where), name=words)


def _bounded(
    pieces: tuple[Piece, ...],
    symbol: Symbol,
    interval: tuple[Expr, Expr],
    mark: Callable[[Piece], Piece] = lambda piece: piece,
) -> tuple[Piece, ...]:
    """Clips one input to an interval; `mark` flags the pieces where that binds."""
    lower, upper = interval
    quantity = cos(angle) if symbol is angle else symbol
    edges = (
        (lower, lower - quantity, f"{symbol} below"),
        (upper, quantity - upper, f"{symbol} above"),
    )
    bound = [
        _beyond(
            _substituted(p, symbol, acos(edge) if symbol is angle else edge),
            (past,),
            name,
        )
        for edge, past, name in edges
        for p in pieces
    ]
    return (*map(mark, bound), *pieces)


def _clamped(pieces: tuple[Piece, ...], others: bool) -> tuple[Piece, ...]:
    interval = (cosine_clamp - 1, 1 - cosine_clamp)
    pieces = _bounded(pieces, angle, interval, lambda p: p._replace(clamped=True))
    if not others:
        return pieces
    return _bounded(pieces, other_cosine, interval, _hold_other)


def _hold_other(piece: Piece) -> Piece:
    return piece._replace(other_clamped=True)


def _arcs(pieces: tuple[Piece, ...], arcs: int | None) -> tuple[Piece, ...]:
    if arcs is None:
        raise ValueError("multiplier=None, but must be an integer [pieces_of]")
    done = []
    for k in range(arcs - 1, -1, -1):
        for piece in pieces:
            target = piece.target.subs({segment: k, multiplier: arcs})
            row = piece._replace(target=target)
            past = angle - k * pi / arcs
            done.append(_beyond(row, (past,), f"arc {k}") if k else row)
    return tuple(done)
