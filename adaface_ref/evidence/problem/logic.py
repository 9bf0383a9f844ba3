"""Statements in any logic, and their truth and margins over arrays of floats."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from typing import Any

import numpy as np
from sympy import Number

from adaface_ref.spec.language.cases import All, Atom, Some, Statement

ROUNDING = 8 * 2.0**-53
"""An equality of floats holds up to so much of the sum of its terms' sizes."""

TRUE, FALSE = All(()), Some(())


def atoms_of(statement: Statement) -> tuple[Atom, ...]:
    """Its comparisons, in reading order."""
    if isinstance(statement, Atom):
        return (statement,)
    return tuple(atom for part in statement.parts for atom in atoms_of(part))


Decide = Callable[[Any, str], Any]


def evaluate(
    statement: Statement, values: Iterator[Any], decide: Decide, both: Any, either: Any
) -> Any:
    """A statement from the values of its atoms, in any logic.

    Args:
        statement: a statement.
        values: the values of its atoms, in reading order.
        decide: a value and its relation to zero, as a truth of that logic.
        both: what joins the truths of `All`, from a list.
        either: what joins those of `Some`.

    Returns:
        A truth of that logic.
    """
    if isinstance(statement, Atom):
        return decide(next(values), statement.relation)
    parts = [evaluate(p, values, decide, both, either) for p in statement.parts]
    return (both if isinstance(statement, All) else either)(parts)


def settle(statement: Statement) -> Statement:
    """A statement in which comparisons of numbers are decided."""
    if isinstance(statement, Atom):
        value, relation = statement.expression, statement.relation
        if not isinstance(value, Number):
            return statement
        ways = {">": value > 0, ">=": value >= 0, "==": value == 0, "!=": value != 0}
        return TRUE if bool(ways[relation]) else FALSE
    kind = type(statement)
    neutral, absorbing = (TRUE, FALSE) if kind is All else (FALSE, TRUE)
    parts = [settle(part) for part in statement.parts]
    if absorbing in parts:
        return absorbing
    kept = tuple(part for part in parts if part != neutral)
    return kept[0] if len(kept) == 1 else kind(kept)


EQUALITIES = ("==", "!=")
"""Decided by the normalised value; the others by the sign alone."""


def decides(value: Any, relation: str) -> Any:
    """Truths: whether values are related to zero so."""
    if relation == "!=":
        return value != 0
    if relation == "==":
        return np.abs(value) <= ROUNDING
    return value > 0 if relation == ">" else value >= 0


def margin_of(value: Any, relation: str) -> Any:
    """How clearly they are; negative where they are not."""
    if relation == "!=":
        return np.abs(value)
    return ROUNDING - np.abs(value) if relation == "==" else value


def every(parts: Sequence[Any]) -> Any:
    """The truths of `All`."""
    # NumPy's `and` of an array and a scalar takes ten times that of two arrays.
    return reduce(np.logical_and, [p for p in parts if p is not True] or [True])


def some(parts: Sequence[Any]) -> Any:
    """The truths of `Some`."""
    return reduce(np.logical_or, [p for p in parts if p is not False] or [False])


def least(parts: Sequence[Any]) -> Any:
    """The margin of `All`."""
    return reduce(np.minimum, parts, np.inf)


def largest(parts: Sequence[Any]) -> Any:
    """The margin of `Some`."""
    return reduce(np.maximum, parts, -np.inf)
