"""What a formula's operations make of SymPy expressions, and how long they may get."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sympy import (
    Abs,
    Expr,
    Function,
    I,
    Pow,
    S,
    conjugate,
    cos,
    diff,
    exp,
    im,
    log,
    nan,
    oo,
    re,
    sign,
    sin,
    sqrt,
    zoo,
)

from adaface_ref.spec.gst import d_dcosine
from adaface_ref.spec.language import needs
from adaface_ref.spec.language.statements import Atom
from adaface_ref.spec.language.tokens import ClaimError
from adaface_ref.spec.symbols import QUANTITIES, target_cosine

MOST_OPERATIONS = 2_000
"""Of what is differentiated, put in another place, or has a function applied."""


class modulus(Function):  # type: ignore[misc]  # noqa: N801
    """|x| while a claim is put together: SymPy's Abs asks whether x is real."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Expr:
        """The sign of x."""
        return sign_of(self.args[0])


class sign_of(Function):  # type: ignore[misc]  # noqa: N801
    """The sign of x, whose own slope is 0 wherever it has one."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Expr:
        """Zero: kinks are no part of a piece."""
        return S.Zero


OPERATIONS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: a**b,
}


def _largest(*parts: Expr) -> Expr:
    """By halves: each part stands in it as often as there are parts, not 2^parts."""
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    one, other = _largest(*parts[:middle]), _largest(*parts[middle:])
    return (one + other + modulus(one - other)) / 2


def _smallest(*parts: Expr) -> Expr:
    return -_largest(*(-part for part in parts))


FUNCTIONS = {
    "neg": lambda a: -a,
    "abs": modulus,
    "min": _smallest,
    "max": _largest,
    "sqrt": sqrt,
    "exp": exp,
    "log": log,
    "sin": sin,
    "cos": cos,
}

NEEDS: Mapping[str, Callable[[Expr], tuple[Atom, ...]]] = {
    "sqrt": needs.of_root,
    "log": needs.of_log,
}


def needs_of_operation(operator: str, left: Expr, right: Expr) -> tuple[Atom, ...]:
    """What an operation needs to have a value."""
    if operator == "**":
        return needs.of_power(left, right)
    return needs.of_division(right) if operator == "/" else ()


def plain(atom: Atom) -> Atom:
    """The same in terms that SymPy and the rest of the house know."""
    value = atom.expression
    while value.has(modulus, sign_of):
        value = value.replace(modulus, Abs).replace(sign_of, sign)
    # A root is not negative, which SymPy does not say of one that may have no value.
    value = value.replace(_is_modulus_of_root, lambda size: size.args[0])
    return Atom(value, atom.relation)


def _is_modulus_of_root(node: Expr) -> bool:
    root = node.args[0] if isinstance(node, Abs) else None
    return isinstance(root, Pow) and root.exp.is_Rational and root.exp.q == 2


def short(value: Expr, most: int | None = None) -> Expr:
    """The value, unless it has too many operations."""
    if size_of(value) > (MOST_OPERATIONS if most is None else most):
        must = f"of at most {MOST_OPERATIONS} operations, all written out"
        raise ClaimError(f"formula must be {must}")
    return value


def size_of(value: Expr) -> int:
    """One more than its operations."""
    return int(value.count_ops()) + 1


def derivative(value: Expr, by: str) -> Expr:
    """By an input; d/dc is by the target cosine."""
    if by == target_cosine.name:
        return d_dcosine(value)
    return diff(value, QUANTITIES[by].symbol)


def check_real(values: Sequence[Expr]) -> None:
    """Refuses values that are not real and finite, and roots of roots."""
    if any(value.has(zoo, oo, nan, I, re, im, conjugate) for value in values):
        must = "real and finite: it divides by 0, or has a root or log of no number"
        raise ClaimError(f"formula must be {must}")
    if any((2 * node.exp).q != 1 for value in values for node in value.atoms(Pow)):
        raise ClaimError("formula must have no root of a root")
