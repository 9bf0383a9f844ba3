"""Expansion, factors and sines of sums, each expression once, and none that explodes.

What would take too long is left as it stands: a claim is then harder to prove, and
nothing else changes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import cache

from sympy import (
    Abs,
    Add,
    Dummy,
    Expr,
    Mul,
    Poly,
    PolynomialError,
    Pow,
    Rational,
    Symbol,
    cos,
    count_ops,
    expand,
    expand_trig,
    factor,
    sign,
    sin,
    together,
)
from sympy.simplify.fu import TR8

from adaface_ref.spec.symbols import angle

MOST_TERMS = 400
"""Of a sum that is expanded."""

MOST_TO_FACTOR = 300
"""Operations of a sum that is factored: a second or so."""

MOST_BITS = 256
"""Of a number in it: factors are sought among those of its numerator."""


@cache
def expansion_of(value: Expr) -> Expr:
    """Expanded, unless it has too many terms."""
    return expand(value) if _terms(value) <= MOST_TERMS else value


@cache
def _terms(value: Expr) -> int:
    """At most how many terms it has when expanded, all its parts together."""
    if not value.args:
        return 1
    parts = [_terms(part) for part in value.args]
    if isinstance(value, Add):
        return sum(parts)
    if isinstance(value, Mul):
        return math.prod(parts)
    if isinstance(value, Pow) and value.exp.is_Integer:
        power = abs(int(value.exp))
        return math.comb(parts[0] + power - 1, power)
    return max(parts)


LARGEST_MULTIPLE = 16
"""Of the angle, in a sine that is written in powers."""

HIGHEST_POWER = 6
"""Of a wave, in what is rewritten."""

Signs = tuple[int, int]
"""The least and the largest sign that a value may have, of -1, 0 and 1."""


@cache
def signs_of(value: Expr) -> Signs:
    """The signs that a value may have, by those of its parts.

    SymPy knows more of some sums, and takes longer.

    Args:
        value: real wherever it has a value.

    Returns:
        (1, 1) if it is positive, (0, 1) if it is not negative, and so on.
    """
    if isinstance(value, Add) and not value.is_number:
        low, high = zip(*map(signs_of, value.args), strict=True)
        return (
            max(low) if min(low) >= 0 else -1,
            min(high) if max(high) <= 0 else 1,
        )
    if isinstance(value, Mul) and not value.is_number:
        done = (1, 1)
        for part in map(signs_of, value.args):
            ends = [a * b for a in done for b in part]
            done = min(ends), max(ends)
        return done
    if isinstance(value, Pow) and value.exp.is_Integer:
        base = signs_of(value.base)
        return (int(base in ((1, 1), (-1, -1))), 1) if value.exp % 2 == 0 else base
    return (
        1 if value.is_positive else 0 if value.is_nonnegative else -1,
        -1 if value.is_negative else 0 if value.is_nonpositive else 1,
    )


@cache
def factor_signs(value: Expr) -> tuple[Expr, ...]:
    """Factors whose product has the sign of an expression; even powers are moduli."""
    if isinstance(value, Mul):
        return tuple(part for factor_ in value.args for part in factor_signs(factor_))
    if isinstance(value, (Abs, sign)):
        inside = factor_signs(value.args[0])
        return inside if isinstance(value, sign) else tuple(map(Abs, inside))
    base, exponent = value.as_base_exp()
    if exponent.is_Integer and exponent != 1:
        inside = factor_signs(base)
        return tuple(map(Abs, inside)) if exponent % 2 == 0 else inside
    if signs_of(base)[0] > 0:
        return ()
    if not isinstance(value, Add):
        return (value,)
    whole = _product(value)
    return (whole,) if isinstance(whole, Add) else factor_signs(whole)


@cache
def _product(value: Expr) -> Expr:
    """The same value as a product, if it is one and that is soon found."""
    if _is_large(value) or _terms(value) > MOST_TERMS:
        return value
    value = value.replace(Abs, lambda x: Abs(_product(x)))
    try:
        return factor(together(value))
    except PolynomialError:
        return together(value)


def _is_large(value: Expr) -> bool:
    return bool(count_ops(value) > MOST_TO_FACTOR) or any(
        max(int(number.p).bit_length(), int(number.q).bit_length()) > MOST_BITS
        for number in value.atoms(Rational)
    )


def ways_to_write_sines(part: Expr, back: Mapping[Expr, Expr]) -> Iterator[Expr]:
    """A sum with the coefficient of every power of the opaque symbols rewritten.

    Args:
        part: a sum, its functions as symbols.
        back: what the symbols stand for.

    Yields:
        The same sum without the symbols, with sines of sums, then powers of cosines.
    """
    opaque = [
        s for s in back if s in part.free_symbols and not isinstance(back[s], sin)
    ]
    sines = {s: node for s, node in back.items() if isinstance(node, sin)}
    ways = _ways(part.xreplace(sines))
    try:
        terms = Poly(part, *opaque).terms() if opaque and ways else [((), part)]
    except PolynomialError:
        return
    for rewritten in ways:
        done = [
            rewritten(coefficient.xreplace(sines))
            * Mul(*(Pow(s, k) for s, k in zip(opaque, powers, strict=False)))
            for powers, coefficient in terms
        ]
        yield Add(*done).xreplace(back)


def _ways(value: Expr) -> list[Callable[[Expr], Expr]]:
    """How its sines may be rewritten with something to gain."""
    waves = value.atoms(sin, cos)
    powers = [node for node in value.atoms(Pow) if node.base in waves]
    several = len(waves) > 1 or powers
    plain = all(isinstance(node.args[0], Symbol) for node in waves)
    high = any(abs(power.exp) > HIGHEST_POWER for power in powers)
    if not waves or not several or high or _terms(value) > MOST_TERMS:
        return []
    return (
        [_write_in_sums] if plain and not powers else [_write_in_sums, _write_in_powers]
    )


@cache
def _write_in_sums(value: Expr) -> Expr:
    """Products of sines as sines of sums, where that is shorter."""
    ways = (value, TR8(expansion_of(value)))
    return min((way if _is_large(way) else factor(way) for way in ways), key=count_ops)


@cache
def _write_in_powers(value: Expr) -> Expr:
    """Sines of multiples of the angle as the sine times a polynomial in the cosine."""
    (turn,) = [s for s in value.free_symbols if s.name == angle.name] or [angle]
    sine, cosine = Dummy("sine"), Dummy("cosine")
    short, shifts = _shorten_shifts(value, turn)
    plain = expansion_of(expand_trig(short)).subs({sin(turn): sine, cos(turn): cosine})
    if _is_large(plain) or _terms(plain) > MOST_TERMS:
        return value
    try:
        terms = Poly(plain, sine).terms()
    except PolynomialError:
        return value
    folded = Add(
        *(k * (1 - cosine**2) ** (n // 2) * sine ** (n % 2) for (n,), k in terms)
    )
    back = {sine: sin(turn), cosine: cos(turn)}
    return _product(expansion_of(folded)).subs(back).xreplace(shifts)


def _shorten_shifts(value: Expr, turn: Expr) -> tuple[Expr, dict[Expr, Expr]]:
    """Waves of k (turn + shift), each shift as one symbol, and what these stand for.

    A wave of something else is one symbol itself.
    """
    symbols: dict[Expr, Expr] = {}
    waves = {}
    for wave in sorted(value.atoms(sin, cos), key=str):
        times = wave.args[0].coeff(turn)
        if not (times.is_Integer and 0 < abs(times) <= LARGEST_MULTIPLE):
            waves[wave] = symbols.setdefault(wave, Dummy("wave"))
        elif wave.args[0] != times * turn:
            shift = expansion_of(wave.args[0] / times - turn)
            stands = symbols.setdefault(shift, Dummy("shift"))
            waves[wave] = type(wave)(times * turn + times * stands)
    return value.xreplace(waves), {symbol: node for node, symbol in symbols.items()}
