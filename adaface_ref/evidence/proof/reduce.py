"""Comparisons with zero, written as plainly as their signs allow.

A product is judged by its factors, |x| by x and -x, the sign of a sine and of a
difference of cosines by the angles. The oracle holds what is left to the original.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

from sympy import (
    Abs,
    Add,
    Expr,
    I,
    Integer,
    S,
    acos,
    cos,
    count_ops,
    nan,
    oo,
    pi,
    sin,
    zoo,
)

from adaface_ref.evidence.problem.logic import FALSE, TRUE
from adaface_ref.evidence.proof.algebra import expansion_of, signs_of
from adaface_ref.evidence.proof.factors import Signs, factors_of
from adaface_ref.spec.language.cases import All, Atom, Relation, Some, Statement
from adaface_ref.spec.symbols import angle

Between = Callable[[Expr, Expr, Expr], bool]
"""Whether an expression lies between two numbers everywhere on the box."""

MOST_WORK = 6_000
"""Operations of all that is factored for one claim; above it nothing is proved."""


class TooManyClauses(Exception):  # noqa: N818
    """A claim of so many parts that a proof is out of reach."""


def join(kind: type[All] | type[Some], parts: Iterable[Statement]) -> Statement:
    """`All` or `Some` of parts, flattened, with what is constant left out."""
    neutral, absorbing = (TRUE, FALSE) if kind is All else (FALSE, TRUE)
    done: dict[Statement, None] = {}
    for part in parts:
        for one in part.parts if isinstance(part, kind) else (part,):
            if one == absorbing or negate(one) in done:
                return absorbing
            if one != neutral:
                done[one] = None
    unique = tuple(done)
    return unique[0] if len(unique) == 1 else kind(unique)


@cache
def negate(statement: Statement) -> Statement:
    """The negation of a statement of order alone: no `==`, no `!=`."""
    if isinstance(statement, Atom):
        other: Relation = ">=" if statement.relation == ">" else ">"
        return Atom(-statement.expression, other)
    kind = Some if isinstance(statement, All) else All
    return join(kind, [negate(part) for part in statement.parts])


def opposite(statement: Statement) -> Statement:
    """The negation of any statement."""
    if not isinstance(statement, Atom):
        kind = Some if isinstance(statement, All) else All
        return join(kind, [opposite(part) for part in statement.parts])
    if statement.relation in ("==", "!="):
        other: Relation = "!=" if statement.relation == "==" else "=="
        return Atom(statement.expression, other)
    return negate(statement)


class Reducer:
    """Writes statements plainly, given what is known of the free inputs.

    Args:
        signs: what is known of each.
        lies_between: decides ranges of angles.
    """

    def __init__(self, signs: Signs, lies_between: Between) -> None:
        self.signs = signs
        self.lies_between = lies_between
        self._done: dict[Expr, Statement] = {}
        self._work = 0

    def plain(self, statement: Statement) -> Statement:
        """An equivalent statement on the box, the poles left out, of order alone."""
        if isinstance(statement, Atom):
            return self._atom(statement.expression, statement.relation)
        parts = [self.plain(part) for part in statement.parts]
        return join(type(statement), parts)

    def _atom(self, value: Expr, relation: Relation) -> Statement:
        """Everything is said by `>`, so that negations look like what they negate."""
        if value.has(zoo, oo, nan, I):
            return FALSE
        if relation == ">":
            return self._is_positive(value)
        if relation == ">=":
            return negate(self._is_positive(-value))
        factors, _ = factors_of(value, self.signs)
        not_zero = join(All, [self._is_not_zero(part) for part in factors])
        return not_zero if relation == "!=" else negate(not_zero)

    def _is_not_zero(self, value: Expr) -> Statement:
        return join(Some, (self._sign(value), self._sign(-value)))

    def _is_positive(self, value: Expr) -> Statement:
        if value not in self._done:
            self._work += count_ops(value)
            if self._work > MOST_WORK:
                raise TooManyClauses("the claim is too long to be proved")
            factors, negative = factors_of(value, self.signs)
            self._done[value] = self._product(list(factors), negative)
        return self._done[value]

    def _product(self, factors: list[Expr], negative: bool) -> Statement:
        """Whether a product, or minus a product, is positive, by its factors' signs."""
        if not factors:
            return FALSE if negative else TRUE
        first, *rest = factors
        if not rest:
            return self._sign(-first if negative else first)
        ways = ((first, negative), (-first, not negative))
        return join(
            Some,
            [
                join(All, (self._sign(one), self._product(rest, turned)))
                for one, turned in ways
            ],
        )

    def _sign(self, value: Expr) -> Statement:
        """Whether one factor is positive."""
        low, high = signs_of(value)
        if low > 0:
            return TRUE
        if high <= 0 or _never_positive(value):
            return FALSE
        flat = expansion_of(value)
        for size in _moduli(flat):
            share = flat.coeff(size)
            rest = expansion_of(flat - share * size)
            kind = None if rest.has(size) or share.has(size) else self._split(share)
            if kind is not None:
                ways = (rest + share * size.args[0], rest - share * size.args[0])
                return join(kind, map(self._is_positive, ways))
        value = _normal(value)
        return (
            self._sign_of_sine(value)
            or self._order_of_angles(value)
            or Atom(value, ">")
        )

    def _split(self, share: Expr) -> type[All] | type[Some] | None:
        """r + k |x| is positive where both of r + k x, r - k x are, or either is."""
        factors, negative = factors_of(share, self.signs)
        return None if factors else All if negative else Some

    def _sign_of_sine(self, value: Expr) -> Statement | None:
        """sin(u) > 0 is 0 < u < pi where u stays within [-3, 6]."""
        minus = value.could_extract_minus_sign()
        sine = -value if minus else value
        if not isinstance(sine, sin):
            return None
        turn = sine.args[0]
        if not self.lies_between(turn, Integer(-3), Integer(6)):
            return None
        ends: Relation = ">=" if minus else ">"
        inside = All(tuple(Atom(_normal(end), ends) for end in (turn, pi - turn)))
        return negate(inside) if minus else inside

    def _order_of_angles(self, value: Expr) -> Statement | None:
        """cos(theta) > cos(u) is theta < u where u stays within [0, pi]."""
        slope = value.coeff(cos(angle))
        if not (slope.is_positive or slope.is_negative) or slope.free_symbols:
            return None
        rest = expansion_of((value - slope * cos(angle)) / -slope)
        border = None if rest.has(angle) else self._angle_of(rest)
        if border is None:
            return None
        ahead = border - angle if slope.is_positive else angle - border
        return Atom(_normal(ahead), ">")

    def _angle_of(self, cosine: Expr) -> Expr | None:
        """The angle with this cosine, if it is known to be one."""
        if isinstance(cosine, cos) and self.lies_between(cosine.args[0], S.Zero, pi):
            return cosine.args[0]
        if isinstance(-cosine, cos) and self.lies_between(
            (-cosine).args[0], S.Zero, pi
        ):
            return pi - (-cosine).args[0]
        if cosine.is_number and self.lies_between(cosine, Integer(-1), Integer(1)):
            return acos(cosine)
        return None


def _moduli(flat: Expr) -> Iterable[Abs]:
    """The |x| in a sum, the plainest first."""
    return sorted(flat.atoms(Abs), key=lambda node: (node.count_ops(), str(node)))


def _normal(value: Expr) -> Expr:
    """Divided by the size of its first coefficient, so that equals look equal."""
    if not isinstance(value, Add):
        return value
    value = expansion_of(value)
    terms = [t.as_coeff_Mul() for t in Add.make_args(value)]
    named = [(rest, share) for share, rest in terms if rest.free_symbols]
    if not named:
        return value
    _, share = min(named, key=lambda pair: pair[0].sort_key())
    return expansion_of(value / abs(share))


def _never_positive(value: Expr) -> bool:
    """Such as sin(u) - 1: a number and a wave that is no larger."""
    number, rest = value.as_coeff_Add()
    size, wave = rest.as_coeff_Mul()
    return isinstance(wave, (sin, cos)) and bool(-number >= abs(size))
