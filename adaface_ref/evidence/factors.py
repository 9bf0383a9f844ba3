"""The factors that decide an expression's sign, each as short as it gets.

Factors that cannot be zero are dropped (scale, P, 1 - P, exponentials, sin theta), the
logistics of opposite arguments are written by one, and products of sines become sines
of sums where that is shorter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from sympy import (
    Abs,
    Add,
    Dummy,
    Expr,
    Mul,
    Poly,
    PolynomialError,
    Pow,
    cos,
    count_ops,
    exp,
    expand,
    expand_trig,
    factor,
    ilcm,
    log,
    sign,
    sin,
    together,
)
from sympy.simplify.fu import TR8

from adaface_ref.spec.symbols import angle, log_logistic, logistic

LARGEST = 3_000
"""Operations; a form with more is left as it is."""

Signs = Mapping[Any, Mapping[str, bool]]
"""By symbol: what SymPy may assume of it on the box, such as {"positive": True}."""


def factors_of(value: Expr, signs: Signs) -> tuple[tuple[Expr, ...], bool]:
    """What decides the sign of an expression, and whether it is turned round.

    Args:
        value: an expression in the angle.
        signs: what is known of its inputs.

    Returns:
        Factors whose product has the sign of the expression, or the opposite one.
    """
    if count_ops(value) > LARGEST:
        return (value,), False
    return _factors(value, tuple((k, tuple(v.items())) for k, v in signs.items()))


@cache
def _factors(value: Expr, known: Any) -> tuple[tuple[Expr, ...], bool]:
    signs = {symbol: dict(facts) for symbol, facts in known}
    there = {symbol: Dummy(symbol.name, **facts) for symbol, facts in signs.items()}
    back = {dummy: symbol for symbol, dummy in there.items()}
    best: tuple[Any, list[Expr], bool] | None = None
    for variant, powers in _variants(value.xreplace(there)):
        negative, kept = _stripped(variant, powers)
        if best is None or _cost(kept) < best[0]:
            best = _cost(kept), kept, negative
    assert best is not None
    _, kept, negative = best
    return tuple(part.xreplace(back) for part in kept), negative


Opaque = dict[Expr, Expr]
"""Symbols that stand for a function's value, and what they stand for."""


def _variants(value: Expr) -> Iterable[tuple[Expr, Opaque]]:
    """The same expression with its logistics written in different ways."""
    value = value.replace(logistic, lambda x: logistic(expand(x)))
    yield value, {}
    pairs = _opposites(value)
    if pairs:
        yield value.xreplace({b: 1 - a for a, b in pairs}), {}
        yield value.xreplace({a: 1 - b for a, b in pairs}), {}
    if value.has(logistic, log_logistic) and value.has(exp, log):
        yield with_exponentials(value)


def _opposites(value: Expr) -> list[tuple[Expr, Expr]]:
    """logistic(x) and logistic(-x), where both occur."""
    found = []
    waiting: list[Expr] = []
    for node in sorted(value.atoms(logistic), key=str):
        for other in waiting:
            if expand(node.args[0] + other.args[0]) == 0:
                found.append((other, node))
        waiting.append(node)
    return found


def with_exponentials(value: Expr) -> tuple[Expr, Opaque]:
    """Every logistic as E/(1 + E), every exponential as powers of few symbols.

    Args:
        value: an expression of the spec.

    Returns:
        A rational function of positive symbols, and what these stand for.
    """
    plain = value.replace(logistic, lambda x: exp(x) / (1 + exp(x)))
    plain = plain.replace(log_logistic, lambda x: -log(1 + exp(-x)))
    exponents = {node: expand(node.args[0]) for node in plain.atoms(exp)}
    parts = [t.as_coeff_Mul() for e in exponents.values() for t in Add.make_args(e)]
    shares: dict[Expr, int] = {}
    for coefficient, rest in parts:
        shares[rest] = int(ilcm(shares.get(rest, 1), coefficient.q))
    bases = {rest: Dummy("E", positive=True) for rest in shares}
    powers = {}
    for node, exponent in exponents.items():
        terms = (term.as_coeff_Mul() for term in Add.make_args(exponent))
        powers[node] = Mul(*(bases[rest] ** (c * shares[rest]) for c, rest in terms))
    back = {bases[rest]: exp(rest / share) for rest, share in shares.items()}
    return plain.xreplace(powers), back


def _stripped(
    value: Expr, powers: Opaque, again: bool = True
) -> tuple[bool, list[Expr]]:
    """Whether the factors of known sign are negative, and those of open sign."""
    plain, back = _without_functions(value)
    back |= powers
    negative, kept = False, []
    for part in _factored(plain):
        turned, left = _one_factor(part, back, again)
        negative ^= turned
        kept += left
    return negative, kept


def _without_functions(value: Expr) -> tuple[Expr, Opaque]:
    """Logistics, exponentials and the angle's sine as positive symbols."""
    (angle_,) = [s for s in value.free_symbols if s.name == angle.name] or [angle]
    names: dict[Expr, Expr] = {
        sin(angle_): Dummy("S", positive=True),
        **{node: Dummy("q", positive=True) for node in value.atoms(logistic)},
        **{node: Dummy("l", negative=True) for node in value.atoms(log_logistic)},
        **{node: Dummy("E", positive=True) for node in value.atoms(exp)},
    }
    return value.xreplace(names), {symbol: node for node, symbol in names.items()}


def _factored(value: Expr) -> list[Expr]:
    value = value.replace(Abs, lambda x: Abs(factor(together(x))))
    try:
        whole = factor(together(value))
    except PolynomialError:
        whole = together(value)
    done: list[Expr] = []
    for part in Mul.make_args(whole):
        base, exponent = part.as_base_exp()
        if exponent.is_Integer and exponent % 2 == 0:
            done.append(Abs(base))
        elif exponent.is_Integer or base.is_positive:
            done.append(base)
        else:
            done.append(part)
    return done


def _one_factor(
    part: Expr, back: Mapping[Expr, Expr], again: bool = True
) -> tuple[bool, list[Expr]]:
    """Whether a factor is negative where its sign is known, and what is left of it."""
    if isinstance(part, Abs):
        _, left = _signed(part.args[0], back, again)
        return False, [Abs(Mul(*left))] if left else []
    return _signed(part.args[0] if isinstance(part, sign) else part, back, again)


def _signed(
    part: Expr, back: Mapping[Expr, Expr], again: bool
) -> tuple[bool, list[Expr]]:
    if part.is_positive or _is_wave_below(part):
        return False, []
    if part.is_negative or _is_wave_below(-part):
        return True, []
    whole = part.xreplace(back)
    if not isinstance(part, Add) or not again:
        return False, [whole]
    ways = [_stripped(way, {}, False) for way in _with_other_sines(part, back)]
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


def _with_other_sines(part: Expr, back: Mapping[Expr, Expr]) -> list[Expr]:
    """A sum with the coefficient of every power of the opaque symbols rewritten."""
    opaque = [
        s for s in back if s in part.free_symbols and not isinstance(back[s], sin)
    ]
    sines = {s: node for s, node in back.items() if isinstance(node, sin)}
    try:
        terms = Poly(part, *opaque).terms() if opaque else [((), part)]
    except PolynomialError:
        return []
    found = []
    for rewritten in (_in_sums, _in_powers):
        done = [
            rewritten(coefficient.xreplace(sines))
            * Mul(*(Pow(s, k) for s, k in zip(opaque, powers, strict=False)))
            for powers, coefficient in terms
        ]
        found.append(Add(*done).xreplace(back))
    return found


def _in_sums(value: Expr) -> Expr:
    """Products of sines as sines of sums, where that is shorter."""
    return min(factor(value), factor(TR8(expand(value))), key=count_ops)


def _in_powers(value: Expr) -> Expr:
    """Sines of multiples of the angle as the sine times a polynomial in the cosine."""
    (turn,) = [s for s in value.free_symbols if s.name == angle.name] or [angle]
    sine, cosine = Dummy("sine"), Dummy("cosine")
    plain = expand(expand_trig(value)).subs({sin(turn): sine, cos(turn): cosine})
    try:
        terms = Poly(plain, sine).terms()
    except PolynomialError:
        return value
    folded = Add(
        *(k * (1 - cosine**2) ** (n // 2) * sine ** (n % 2) for (n,), k in terms)
    )
    return factor(expand(folded)).subs({sine: sin(turn), cosine: cos(turn)})
