"""What a formula is once it is read: a tree of comparisons and expressions."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr


@dataclass(frozen=True)
class Number:
    """An exact number: a rational, or pi."""

    value: Expr


@dataclass(frozen=True)
class Name:
    """A quantity of the vocabulary, or a parameter, by name."""

    name: str


@dataclass(frozen=True)
class Operation:
    """`+ - * / **` of two expressions."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Call:
    """A function of FUNCTIONS; unary minus is the function `neg`."""

    function: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True)
class Derivative:
    """`diff(of, by)`: the partial derivative, piece by piece."""

    of: Expression
    by: str


@dataclass(frozen=True)
class At:
    """`at(of, name=value, ...)`: all substitutions at once."""

    of: Expression
    values: tuple[tuple[str, Expression], ...]


@dataclass(frozen=True)
class OfLoss:
    """`loss(id, of)`: the quantities in it are those of another loss."""

    loss: str
    of: Expression


Expression = Number | Name | Operation | Call | Derivative | At | OfLoss


@dataclass(frozen=True)
class Comparison:
    """`left relation right`, the relation one of `< <= > >= == !=`."""

    relation: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Join:
    """`and` and `or` of two or more, `not` of one, `implies` and `iff` of two."""

    word: str
    parts: tuple[Proposition, ...]


Proposition = Comparison | Join


def parts(tree: Expression | Proposition) -> tuple[Expression | Proposition, ...]:
    """What stands right below a node of a tree, from left to right."""
    match tree:
        case Operation(_, left, right) | Comparison(_, left, right):
            return left, right
        case Call(_, arguments):
            return arguments
        case Derivative(of, _) | OfLoss(_, of):
            return (of,)
        case At(of, values):
            return (of, *(value for _, value in values))
        case Join(_, joined):
            return joined
    return ()
