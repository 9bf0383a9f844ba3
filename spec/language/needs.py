"""Where an expression has a value: nothing is divided by 0, roots and logs are real.

A comparison of what has no value neither holds nor fails, and a claim that rests on it
does not hold there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

from sympy import Dummy, Expr, Pow, Symbol, acos, log, pi, sin

from adaface_ref.spec.language.statements import Atom
from adaface_ref.spec.profiles import CLAMPS
from adaface_ref.spec.symbols import (
    POSITIVE,
    QUANTITIES,
    angle,
    norm_lower,
    norm_upper,
)


def of_division(base: Expr) -> tuple[Atom, ...]:
    """What 1/base needs."""
    return (Atom(base, "!="),)


def of_root(base: Expr) -> tuple[Atom, ...]:
    """What the square root needs."""
    return (Atom(base, ">="),)


def of_log(base: Expr) -> tuple[Atom, ...]:
    """What the logarithm needs."""
    return (Atom(base, ">"),)


def of_cosine(value: Expr) -> tuple[Atom, ...]:
    """What an angle with this cosine needs."""
    return (Atom(value + 1, ">="), Atom(1 - value, ">="))


def of_angle(value: Expr) -> tuple[Atom, ...]:
    """What an angle between two vectors needs."""
    return (Atom(value, ">="), Atom(pi - value, ">="))


def of_power(base: Expr, exponent: Expr) -> tuple[Atom, ...]:
    """What a power with a numeric exponent needs."""
    if exponent.is_Integer:
        return of_division(base) if exponent.is_negative else ()
    return of_log(base) if exponent.is_negative else of_root(base)


def of_value(value: Expr) -> Iterator[Atom]:
    """What every power, logarithm and arc cosine in an expression needs."""
    for node in sorted(value.atoms(Pow, log, acos), key=str):
        if isinstance(node, Pow):
            yield from of_power(*node.as_base_exp())
        else:
            yield from (of_log if isinstance(node, log) else of_cosine)(node.args[0])


def doubtful(needs: Iterable[Atom]) -> tuple[Atom, ...]:
    """Those that the domains of the inputs do not grant, once each.

    Args:
        needs: as the functions above give them.

    Returns:
        Atoms that a claim has to say too.
    """
    return tuple(dict.fromkeys(need for need in needs if not _is_granted(need)))


_SINE = Dummy("sine", positive=True)


@cache
def _as_positive(symbol: Symbol) -> Symbol:
    """A symbol that SymPy knows to be positive, where the quantity is."""
    row = QUANTITIES.get(symbol.name)
    known = row is not None and row.domain.is_subset(POSITIVE)
    return Dummy(symbol.name, positive=True) if known else symbol


_CLAMPS = {QUANTITIES[name].symbol for name in CLAMPS}
_SPREADS = (norm_upper - norm_lower, norm_lower - norm_upper)


def _is_granted(need: Atom) -> bool:
    value, relation = need.expression, need.relation
    if value in _SPREADS or value.free_symbols <= _CLAMPS:
        return bool(value.free_symbols) or _holds(value, relation)
    known = {symbol: _as_positive(symbol) for symbol in value.free_symbols}
    return _holds(value.xreplace({**known, sin(angle): _SINE}), relation)


def _holds(value: Expr, relation: str) -> bool:
    known = {
        ">": value.is_positive,
        ">=": value.is_nonnegative,
        "!=": value.is_nonzero,
    }
    return bool(known[relation])
