"""The spec's quantities in a form that a working precision can evaluate.

Exact rewriting, piece by piece: cos(theta + a) by the addition formula, the slope
sin(theta + a)/sin(theta) as cos a + cos(theta) sin a/sin(theta), and a product with a
logistic function as one call of `weighted`, which neither forms P - 1 nor loses bits
where the logistic alone would be subnormal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import NamedTuple

from sympy import (
    Add,
    Expr,
    Function,
    Integer,
    Mul,
    Pow,
    Rational,
    S,
    Symbol,
    cos,
    exp,
    expand,
    sin,
)

from adaface_ref.evidence.truth.agreement import INPUTS
from adaface_ref.spec.gst import cases
from adaface_ref.spec.losses import LOSSES, Loss
from adaface_ref.spec.profiles import RULES, is_defined, parse
from adaface_ref.spec.symbols import QUANTITIES as VOCABULARY
from adaface_ref.spec.symbols import (
    angle,
    logistic,
    multiplier,
    segment,
    target_cosine,
)

QUANTITIES = ("logit", "slope", "probability", "gst", "other_logit", "other_gst")
"""What is exported of every loss and profile."""

sine = Symbol("sine", real=True)


class weighted(Function):  # type: ignore[misc]  # noqa: N801
    """factor * logistic(x) * exp(y), in one call."""

    nargs = 3


class over_sine(Function):  # type: ignore[misc]  # noqa: N801
    """x / sin(theta), and 0 where x is 0."""

    nargs = 2


class turned_ratio(Function):  # type: ignore[misc]  # noqa: N801
    """sin(q theta + a) / sin(theta), with its limits at both poles."""

    nargs = 4


class arcs_below(Function):  # type: ignore[misc]  # noqa: N801
    """How many whole arcs of pi / q lie below the angle, q - 1 at most: steps."""

    nargs = 2
    is_real = True

    def fdiff(self, _argument: int = 1) -> Expr:
        """Flat between its steps."""
        return S.Zero


class arcs_sign(arcs_below):  # noqa: N801
    """(-1)^arcs_below."""


class Branch(NamedTuple):
    """A value, and the expressions that must all be positive for it to apply."""

    where: tuple[Expr, ...]
    value: Expr


class StableFunction(NamedTuple):
    """One function: its name, its arguments and its ordered branches.

    Args:
        name: LOSS_PROFILE_QUANTITY.
        inputs: the cosines that it takes first.
        parameters: the loss's parameters, which follow.
        branches: the last one applies everywhere.
    """

    name: str
    inputs: tuple[str, ...]
    parameters: tuple[str, ...]
    branches: tuple[Branch, ...]

    @property
    def arguments(self) -> tuple[str, ...]:
        """All arguments, in order."""
        return (*self.inputs, *self.parameters)

    def needs(self, symbol: Symbol) -> bool:
        """Whether a symbol stands anywhere in it."""
        parts = [e for b in self.branches for e in (*b.where, b.value)]
        return any(symbol in part.free_symbols for part in parts)


@cache
def function_of(quantity: str, loss: str, profile: str) -> StableFunction:
    """One quantity of a loss under a profile, in stable form.

    Args:
        quantity: one of QUANTITIES.
        loss: a loss id.
        profile: a profile string that is defined for it.

    Returns:
        The function. A detached profile shares those that do not see the gradient.
    """
    parsed = parse(profile)
    if parsed.detached and quantity not in ("slope", "gst", "other_gst"):
        return function_of(quantity, loss, str(parsed._replace(detached=False)))
    row = _with_arcs_counted(LOSSES[loss])
    eps = {
        VOCABULARY[name].symbol: Rational(repr(value))
        for name, value in parsed.clamps.items()
    }
    branches = tuple(
        Branch(tuple(_plain(w, eps) for w in case.where), _plain(case.terms[0], eps))
        for case in cases(quantity, row, parsed)
    )
    names = tuple(symbol.name for symbol in row.parameters)
    return StableFunction(
        f"{loss}_{identifier(profile)}_{quantity}", INPUTS[quantity], names, branches
    )


def identifier(profile: str) -> str:
    """A profile as part of a function's name."""
    return "".join(c if c.isalnum() else "_" for c in profile)


def profiles_of(loss: str, more: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The profiles exported for a loss: every rule, true and detached, and others.

    Args:
        loss: a loss id.
        more: further profile strings, left out where they are not defined.

    Returns:
        Profile strings in canonical form.
    """
    row = LOSSES[loss]
    usual = [parse(rule) for rule, known in RULES.items() if loss in known.losses]
    usual += [profile._replace(detached=True) for profile in usual]
    others = [p for p in map(parse, more) if is_defined(row, p)]
    return tuple(dict.fromkeys(str(profile) for profile in [*usual, *others]))


@cache
def _with_arcs_counted(loss: Loss) -> Loss:
    """SphereFace's number of arcs is counted from the angle: its pieces are one."""
    if segment not in loss.held_constant:
        return loss
    target = loss.target.subs((-1) ** segment, arcs_sign(multiplier, angle))
    target = target.subs(segment, arcs_below(multiplier, angle))
    return replace(loss, held_constant={}, target=target)


def _plain(expression: Expr, eps: Mapping[Symbol, Expr]) -> Expr:
    """The stable form, with eps in numbers and sin and cos of the angle as symbols."""
    form = _stable(expression)
    form = form.subs({cos(angle): target_cosine, sin(angle): sine}).xreplace(dict(eps))
    return form


def _stable(e: Expr) -> Expr:
    """Rewrites exactly; see the module's first lines."""
    if angle not in e.free_symbols and not e.has(logistic):
        return e
    if isinstance(e, logistic):
        return weighted(S.One, _stable(e.args[0]), S.Zero)
    if isinstance(e, Mul) and e.has(logistic):
        return _product_with_logistic(e)
    if isinstance(e, Mul) and _is_over_sine(e):
        return _slope(e)
    if isinstance(e, (Add, Mul)):
        return e.func(*map(_stable, e.args))
    return _by_addition(e)


def _by_addition(e: Expr) -> Expr:
    """cos(theta + a) and sin(theta + a) by the addition formula, a left whole."""
    if not isinstance(e, (cos, sin)) or e.has(multiplier):
        return e
    shift = e.args[0] - angle
    if isinstance(e, cos):
        return cos(angle) * cos(shift) - sin(angle) * sin(shift)
    return sin(angle) * cos(shift) + cos(angle) * sin(shift)


def _product_with_logistic(e: Expr) -> Expr:
    chances = [f for f in e.args if isinstance(f, logistic)]
    powers = [f for f in e.args if isinstance(f, exp)]
    rest = [f for f in e.args if f not in (*chances, *powers)]
    exponent = _stable(sum((f.args[0] for f in powers), S.Zero))
    return weighted(_stable(Mul(*rest)), _stable(chances[0].args[0]), exponent)


def _is_over_sine(e: Expr) -> bool:
    return any(isinstance(f, Pow) and f.base == sin(angle) for f in e.args)


def _slope(e: Expr) -> Expr:
    """-(d/d theta)/sin(theta) of a target: whole where there is a multiplier."""
    above = Mul(
        *(f for f in e.args if not (isinstance(f, Pow) and f.base == sin(angle)))
    )
    if above.has(multiplier):
        (wave,) = above.atoms(sin)
        shift = wave.args[0] - multiplier * angle
        ratio = turned_ratio(multiplier, shift, target_cosine, angle)
        return above.subs(wave, Integer(1)) * ratio
    waves = {wave: _by_addition(wave) for wave in above.atoms(cos, sin)}
    terms = Add.make_args(expand(above.subs(waves), deep=False))
    return Add(*(_over(term) for term in terms))


def _over(term: Expr) -> Expr:
    if sin(angle) in term.args or term == sin(angle):
        return term / sin(angle)
    return over_sine(term, sin(angle))
