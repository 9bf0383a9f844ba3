"""Comparisons with zero, written as plainly as their signs allow.

A product is judged by its factors, |x| by x and -x, the sign of a sine and of a
difference of cosines by the angles. The oracle holds what is left to the original.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sympy import (
    Abs,
    Add,
    Expr,
    Integer,
    S,
    acos,
    cos,
    expand,
    pi,
    sin,
)

from adaface_ref.spec.claim_cases import All, Atom, Relation, Some, Statement
from adaface_ref.spec.symbols import angle

from .factors import Signs, factors_of

Between = Callable[[Expr, Expr, Expr], bool]
"""Whether an expression lies between two numbers everywhere on the box."""

TRUE, FALSE = All(()), Some(())


def joined(kind: type[All] | type[Some], parts: Iterable[Statement]) -> Statement:
    """`All` or `Some` of parts, flattened, with what is constant left out."""
    neutral, absorbing = (TRUE, FALSE) if kind is All else (FALSE, TRUE)
    done: list[Statement] = []
    for part in parts:
        if part == absorbing:
            return absorbing
        if part != neutral:
            done += part.parts if isinstance(part, kind) else (part,)
    unique = tuple(dict.fromkeys(done))
    return unique[0] if len(unique) == 1 else kind(unique)


def negated(statement: Statement) -> Statement:
    """The negation of a statement of order alone: no `==`, no `!=`."""
    if isinstance(statement, Atom):
        other: Relation = ">=" if statement.relation == ">" else ">"
        return Atom(-statement.expression, other)
    kind = Some if isinstance(statement, All) else All
    return joined(kind, [negated(part) for part in statement.parts])


def opposite(statement: Statement) -> Statement:
    """The negation of any statement."""
    if not isinstance(statement, Atom):
        kind = Some if isinstance(statement, All) else All
        return joined(kind, [opposite(part) for part in statement.parts])
    if statement.relation in ("==", "!="):
        other: Relation = "!=" if statement.relation == "==" else "=="
        return Atom(statement.expression, other)
    return negated(statement)


class Reducer:
    """Writes statements plainly, given what is known of the free inputs.

    Args:
        signs: what is known of each.
        between: decides ranges of angles.
    """

    def __init__(self, signs: Signs, between: Between) -> None:
        self.signs = signs
        self.between = between

    def plain(self, statement: Statement) -> Statement:
        """An equivalent statement on the box, the poles left out, of order alone."""
        if isinstance(statement, Atom):
            return self._atom(statement.expression, statement.relation)
        parts = [self.plain(part) for part in statement.parts]
        return joined(type(statement), parts)

    def _atom(self, value: Expr, relation: Relation) -> Statement:
        factors, negative = factors_of(value, self.signs)
        if relation == "==":
            return joined(Some, [self._zero(part) for part in factors])
        if relation == "!=":
            return negated(self._atom(value, "=="))
        return self._product(list(factors), negative, relation)

    def _zero(self, value: Expr) -> Statement:
        ways = (self._sign(value, ">="), self._sign(-value, ">="))
        return joined(All, ways)

    def _product(
        self, factors: list[Expr], negative: bool, relation: Relation
    ) -> Statement:
        """Whether a product, or minus a product, is positive, by its factors' signs."""
        if not factors:
            return FALSE if negative else TRUE
        first, *rest = factors
        if not rest:
            return self._sign(-first if negative else first, relation)
        ways = [
            joined(
                All, (self._sign(one, relation), self._product(rest, turned, relation))
            )
            for one, turned in ((first, negative), (-first, not negative))
        ]
        if relation == ">=":
            ways += [self._zero(part) for part in factors]
        return joined(Some, ways)

    def _sign(self, value: Expr, relation: Relation) -> Statement:
        """`value relation 0` of one factor."""
        known = self._known(value, relation)
        if known is not None:
            return TRUE if known else FALSE
        for size in _moduli(value):
            if self._is_taken_off(value, size):
                signed = (size.args[0], -size.args[0])
                ways = [self._atom(value.xreplace({size: x}), relation) for x in signed]
                return joined(All, ways)
        value = _normal(value)
        return (
            self._sign_of_sine(value, relation)
            or self._order_of_angles(value, relation)
            or Atom(value, relation)
        )

    def _known(self, value: Expr, relation: Relation) -> bool | None:
        if value.is_positive or (relation == ">=" and value.is_nonnegative):
            return True
        if value.is_negative or (relation == ">" and value.is_nonpositive):
            return False
        return True if relation == ">=" and _never_negative(value) else None

    def _is_taken_off(self, value: Expr, size: Abs) -> bool:
        """Whether it is r - k |x|, k > 0: positive where r - k x and r + k x are."""
        if expand(value).subs(size, 0).has(size):
            return False
        factors, negative = factors_of(expand(value).coeff(size), self.signs)
        return negative and not factors

    def _sign_of_sine(self, value: Expr, relation: Relation) -> Statement | None:
        """sin(u) > 0 is 0 < u < pi where u stays within [-3, 6]."""
        minus = value.could_extract_minus_sign()
        sine = -value if minus else value
        if not isinstance(sine, sin):
            return None
        turn = sine.args[0]
        if not self.between(turn, Integer(-3), Integer(6)):
            return None
        strict = (relation == ">") is not minus
        ends: Relation = ">" if strict else ">="
        inside = All(tuple(Atom(_normal(end), ends) for end in (turn, pi - turn)))
        return negated(inside) if minus else inside

    def _order_of_angles(self, value: Expr, relation: Relation) -> Statement | None:
        """cos(theta) > cos(u) is theta < u where u stays within [0, pi]."""
        slope = value.coeff(cos(angle))
        if not slope.is_number or slope.is_zero:
            return None
        rest = expand((value - slope * cos(angle)) / -slope)
        border = self._angle_of(rest)
        if border is None or rest.has(angle):
            return None
        ahead = border - angle if slope.is_positive else angle - border
        return Atom(_normal(ahead), relation)

    def _angle_of(self, cosine: Expr) -> Expr | None:
        """The angle with this cosine, if it is known to be one."""
        if isinstance(cosine, cos) and self.between(cosine.args[0], S.Zero, pi):
            return cosine.args[0]
        if isinstance(-cosine, cos) and self.between((-cosine).args[0], S.Zero, pi):
            return pi - (-cosine).args[0]
        if cosine.is_number and self.between(cosine, Integer(-1), Integer(1)):
            return acos(cosine)
        return None


def _moduli(value: Expr) -> Iterable[Abs]:
    """The |x| that are terms of a sum, or the whole."""
    terms = Add.make_args(expand(value))
    found = {node for term in terms for node in term.atoms(Abs)}
    return sorted(found, key=lambda node: (node.count_ops(), str(node)))


def _normal(value: Expr) -> Expr:
    """Divided by the size of its first coefficient, so that equals look equal."""
    if not isinstance(value, Add):
        return value
    value = expand(value)
    terms = [t.as_coeff_Mul() for t in Add.make_args(value)]
    named = [(rest, share) for share, rest in terms if rest.free_symbols]
    if not named:
        return value
    _, share = min(named, key=lambda pair: pair[0].sort_key())
    return expand(value / abs(share))


def _never_negative(value: Expr) -> bool:
    """Such as 1 - sin(u): a number and a wave that is no larger."""
    number, rest = value.as_coeff_Add()
    size, wave = rest.as_coeff_Mul()
    return isinstance(wave, (sin, cos)) and bool(number >= abs(size))
