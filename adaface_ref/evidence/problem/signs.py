"""The sign of an expression as a product of what can change sign.

Factors that are positive everywhere are left out, and a sum is measured by its terms,
so that neither underflow nor a common factor matters.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from sympy import Add, Expr, Integer, Mul, Pow, Symbol, exp, sin

from adaface_ref.spec.symbols import QUANTITIES, angle, log_logistic, logistic

SMALLEST = 2.0**-1074
"""Added to a sum that is divided by: 0/0 is 0 there."""


class Product(NamedTuple):
    """The sign of an expression, as a product: each factor the sum of its terms."""

    factors: tuple[tuple[Expr, ...], ...]

    @property
    def trees(self) -> tuple[Expr, ...]:
        """All terms, in order."""
        return tuple(term for terms in self.factors for term in terms)

    def normalise(self, values: Iterator[Any]) -> Any:
        """The product of its factors, a sum divided by its terms' absolute values."""
        result: Any = 1.0
        for terms in self.factors:
            parts = [next(values) for _ in terms]
            value = sum(parts[1:], parts[0])
            if len(parts) > 1:
                value = value / (sum(map(np.abs, parts)) + SMALLEST)
            result = result * value
        return result


def is_positive(factor: Expr) -> bool:
    """Whether an expression of the spec is positive, the poles left out."""
    if isinstance(factor, Symbol):
        domain = QUANTITIES[factor.name].domain if factor.name in QUANTITIES else None
        return domain is not None and domain.start == 0 and bool(domain.left_open)
    if isinstance(factor, Pow):
        return is_positive(factor.base) or _is_negative_even(factor.exp)
    if isinstance(factor, Mul):
        return all(map(is_positive, factor.args))
    if isinstance(factor, (logistic, exp)):
        return True
    if isinstance(factor, sin):
        return factor.args[0] is angle
    return factor.is_number and factor.is_positive is True


def _is_negative_even(exponent: Expr) -> bool:
    return bool(exponent.is_Integer and exponent < 0 and exponent % 2 == 0)


def product_of(expression: Expr) -> Product:
    """An expression's sign; the factors that are positive are left out."""
    factors, negative = [], False
    for factor in Mul.make_args(expression):
        if factor.is_number and factor.is_negative:
            factors += [] if factor == -1 else [-factor]
            negative = not negative
        elif isinstance(factor, log_logistic):
            negative = not negative
        elif not is_positive(factor):
            factors.append(_upright(factor))
    kept = [factor for factor in factors if not is_positive(factor)] or [Integer(1)]
    if negative:
        kept[0] = -kept[0]
    return Product(tuple(Add.make_args(factor) for factor in kept))


def _upright(factor: Expr) -> Expr:
    """1/x has the sign of x."""
    if isinstance(factor, Pow) and factor.exp.is_Integer and factor.exp < 0:
        return factor.base
    return factor
