"""What a claim is made of: comparisons with zero, joined by all and some."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from sympy import Expr

Relation = Literal[">", ">=", "==", "!="]


@dataclass(frozen=True)
class Atom:
    """`expression relation 0`; the expression is in the angle, like all of the spec."""

    expression: Expr
    relation: Relation


@dataclass(frozen=True)
class All:
    """Every part holds; holds if there is none."""

    parts: tuple[Statement, ...]


@dataclass(frozen=True)
class Some:
    """At least one part holds; fails if there is none."""

    parts: tuple[Statement, ...]


Statement = Atom | All | Some


class ClaimCase(NamedTuple):
    """What the claim says where all of `where` are positive; the first that applies.

    Args:
        where: expressions that must be positive.
        statement: what is claimed there.
        premise: what is assumed there: the left of an outermost implies, and that no
            other class lies above the rival cosine; All(()) if nothing is.
        name: the piece.
    """

    where: tuple[Expr, ...]
    statement: Statement
    premise: Statement
    name: str
