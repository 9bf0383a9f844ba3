"""The factors that decide an expression's sign, each as short as it gets.

Factors that cannot be zero are dropped (scale, P, 1 - P, exponentials, sin theta), the
logistics of opposite arguments are written by one, and products of sines become sines
of sums where that is shorter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from sympy import Abs, Add, Dummy, Expr, Mul, cos, count_ops, exp, ilcm, log, sin

from adaface_ref.evidence.proof.algebra import (
    expansion_of,
    factor_signs,
    signs_of,
    ways_to_write_sines,
)
from adaface_ref.spec.symbols import angle, log_logistic, logistic

Signs = Mapping[Any, Mapping[str, bool]]
"""By symbol: what SymPy may assume of it on the box, such as {"positive": True}."""

Opaque = dict[Expr, Expr]
"""Symbols that stand for a function's value, and what they stand for."""


def factors_of(value: Expr, signs: Signs) -> tuple[tuple[Expr, ...], bool]:
    """What decides the sign of an expression, and whether it is turned round.

    Args:
        value: an expression in the angle.
        signs: what is known of its inputs.

    Returns:
        Factors whose product has the sign of the expression, or the opposite one,
        wherever the expression has a value.
    """
    return _factors(value, tuple((k, tuple(v.items())) for k, v in signs.items()))


@cache
def _factors(value: Expr, known: Any) -> tuple[tuple[Expr, ...], bool]:
    there = {symbol: _stand_in(symbol, facts) for symbol, facts in known}
    back = {dummy: symbol for symbol, dummy in there.items()}
    best: tuple[Any, list[Expr], bool] | None = None
    for variant, powers in _variants(value.xreplace(there)):
        negative, kept = _strip(variant, powers)
        if best is None or _cost(kept) < best[0]:
            best = _cost(kept), kept, negative
        if not any(part.has(logistic, log_logistic) for part in kept):
            break
    assert best is not None
    _, kept, negative = best
    return tuple(part.xreplace(back) for part in kept), negative


@cache
def _stand_in(node: Expr, facts: tuple[tuple[str, bool], ...]) -> Dummy:
    """A symbol for a node, always the same one: SymPy keeps what it knows of it.

    It has the node's text for a name, by which SymPy sorts.
    """
    return Dummy(str(node), **dict(facts))


_POSITIVE, _NEGATIVE = (("positive", True),), (("negative", True),)


def _variants(value: Expr) -> Iterator[tuple[Expr, Opaque]]:
    """The same expression with its logistics written in different ways."""
    value = value.replace(logistic, lambda x: logistic(expansion_of(x)))
    yield value, {}
    pairs = _opposites(value)
    if pairs:
        yield value.xreplace({b: 1 - a for a, b in pairs}), {}
        yield value.xreplace({a: 1 - b for a, b in pairs}), {}
    if value.has(logistic, log_logistic) and value.has(exp, log):
        rational = write_in_exponentials(value)
        if rational is not None:
            yield rational


def _opposites(value: Expr) -> list[tuple[Expr, Expr]]:
    """logistic(x) and logistic(-x), where both occur."""
    found = []
    waiting: list[Expr] = []
    for node in sorted(value.atoms(logistic), key=str):
        for other in waiting:
            if expansion_of(node.args[0] + other.args[0]) == 0:
                found.append((other, node))
        waiting.append(node)
    return found


LARGEST_POWER = 32
"""Of a symbol that stands for an exponential."""


def write_in_exponentials(value: Expr) -> tuple[Expr, Opaque] | None:
    """Every logistic as E/(1 + E), every exponential as powers of few symbols.

    Args:
        value: an expression of the spec.

    Returns:
        A rational function of positive symbols, and what these stand for; None if its
        powers are too large to be of use.
    """
    plain = value.replace(logistic, lambda x: exp(x) / (1 + exp(x)))
    plain = plain.replace(log_logistic, lambda x: -log(1 + exp(-x)))
    exponents = {node: expansion_of(node.args[0]) for node in plain.atoms(exp)}
    parts = [t.as_coeff_Mul() for e in exponents.values() for t in Add.make_args(e)]
    shares: dict[Expr, int] = {}
    for coefficient, rest in parts:
        shares[rest] = int(ilcm(shares.get(rest, 1), coefficient.q))
    if any(abs(share * shares[rest]) > LARGEST_POWER for share, rest in parts):
        return None
    meanings = {rest: exp(rest / share) for rest, share in shares.items()}
    bases = {rest: _stand_in(node, _POSITIVE) for rest, node in meanings.items()}
    powers = {}
    for node, exponent in exponents.items():
        terms = (term.as_coeff_Mul() for term in Add.make_args(exponent))
        powers[node] = Mul(*(bases[rest] ** (c * shares[rest]) for c, rest in terms))
    back = {bases[rest]: node for rest, node in meanings.items()}
    return plain.xreplace(powers), back


def _strip(value: Expr, powers: Opaque, again: bool = True) -> tuple[bool, list[Expr]]:
    """Whether the factors of known sign are negative, and those of open sign."""
    plain, back = _replace_functions(value)
    back |= powers
    negative, kept = False, []
    for part in factor_signs(plain):
        turned, left = _one_factor(part, back, again)
        negative ^= turned
        kept += left
    return _merge(negative, kept)


def _merge(negative: bool, factors: list[Expr]) -> tuple[bool, list[Expr]]:
    """Each factor once: x x is |x|, and x |x| is x."""
    odd: dict[Expr, bool] = {}
    for part in factors:
        base = part.args[0] if isinstance(part, Abs) else part
        turned = base.could_extract_minus_sign()
        base = -base if turned else base
        if isinstance(part, Abs):
            odd.setdefault(base, False)
        else:
            negative ^= turned
            odd[base] = not odd.get(base, False)
    return negative, [base if once else Abs(base) for base, once in odd.items()]


def _replace_functions(value: Expr) -> tuple[Expr, Opaque]:
    """Logistics, exponentials and the angle's sine as positive symbols."""
    (angle_,) = [s for s in value.free_symbols if s.name == angle.name] or [angle]
    positive = dict.fromkeys((sin(angle_), *value.atoms(logistic, exp)))
    names = {node: _stand_in(node, _POSITIVE) for node in positive}
    names |= {node: _stand_in(node, _NEGATIVE) for node in value.atoms(log_logistic)}
    return value.xreplace(names), {symbol: node for node, symbol in names.items()}


def _one_factor(
    part: Expr, back: Mapping[Expr, Expr], again: bool = True
) -> tuple[bool, list[Expr]]:
    """Whether a factor is negative where its sign is known, and what is left of it."""
    if isinstance(part, Abs):
        _, left = _strip_signed(part.args[0], back, again)
        return False, [Abs(Mul(*left))] if left else []
    return _strip_signed(part, back, again)


def _strip_signed(
    part: Expr, back: Mapping[Expr, Expr], again: bool
) -> tuple[bool, list[Expr]]:
    low, high = signs_of(part)
    if low > 0 or _is_wave_below(part):
        return False, []
    if high < 0 or _is_wave_below(-part):
        return True, []
    whole = part.xreplace(back)
    if not isinstance(part, Add) or not again:
        return False, [whole]
    ways = [_strip(way, {}, False) for way in ways_to_write_sines(part, back)]
    return min([(False, [whole]), *ways], key=lambda way: _cost(way[1]))


def _cost(factors: list[Expr]) -> tuple[int, int]:
    """Operations, and several more for each wave: they are what makes a box loose."""
    waves = set().union(*(part.atoms(sin, cos) for part in factors))
    return sum(map(count_ops, factors)) + 5 * len(waves), len(factors)


def _is_wave_below(part: Expr) -> bool:
    """Such as 1 - cos(theta): positive for every angle between the poles."""
    number, rest = part.as_coeff_Add()
    size, wave = rest.as_coeff_Mul()
    inside = isinstance(wave, cos) and getattr(wave.args[0], "name", "") == angle.name
    return inside and bool(number >= abs(size))
