"""What has to be proved of a claim: clauses of comparisons over its free inputs.

On every point of the box at least one literal of each clause must hold. A clause says
at once what is claimed and what is assumed (a premise, a piece's border, the ends of
the box: each stands in it negated), and so uses strictness without a guard band.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product
from typing import NamedTuple

from sympy import Add, Expr, Integer, Max, Min, Mul, Symbol, acos, cos, pi

from adaface_ref.evidence.problem.logic import TRUE
from adaface_ref.evidence.problem.problem import Problem
from adaface_ref.evidence.proof.enclosures import range_over
from adaface_ref.evidence.proof.factors import Signs
from adaface_ref.evidence.proof.reduce import Reducer, TooManyClauses, join, negate
from adaface_ref.spec.language.box import Range
from adaface_ref.spec.language.cases import All, Atom, ClaimCase, Some, Statement
from adaface_ref.spec.symbols import QUANTITIES, angle

MOST_CLAUSES = 2_000
"""Of one claim; above it nothing is proved."""


class Literal(NamedTuple):
    """`expression > 0`, or `>= 0` if it is not strict."""

    expression: Expr
    strict: bool

    def __str__(self) -> str:
        return f"{self.expression} {'>' if self.strict else '>='} 0"


Clause = tuple[Literal, ...]


class Side(NamedTuple):
    """One free input of a proof.

    Args:
        name: the input; the target cosine is proved in the angle.
        low: exact lower end.
        high: exact upper end.
        low_open: whether the lower end itself is left out.
        high_open: whether the upper end is.
    """

    name: str
    low: Expr
    high: Expr
    low_open: bool
    high_open: bool


class PlainCase(NamedTuple):
    """A case over the free inputs alone, every sign as plain as it gets.

    Args:
        where: where it applies, unless an earlier one does.
        statement: what is claimed there.
        premise: what is assumed there.
    """

    where: Statement
    statement: Statement
    premise: Statement


def sides_of(claim: Problem) -> tuple[Side, ...]:
    """The free inputs of a claim, cosines of the target as angles."""
    return tuple(_side(name, part) for name, part in claim.free.items())


def _side(name: str, part: Range) -> Side:
    if name != "target_cosine":
        return Side(name, part.low, part.high, part.low_open, part.high_open)
    return Side("angle", acos(part.high), acos(part.low), part.high_open, part.low_open)


def plain_cases(claim: Problem) -> tuple[PlainCase, ...]:
    """A claim's cases with its fixed inputs put in and every sign made plain.

    Args:
        claim: a claim on one box.

    Returns:
        Cases over the free inputs, equivalent on the box.
    """
    return _plain_cases(claim.cases, tuple(claim.fixed.items()), sides_of(claim))


@cache
def _plain_cases(
    cases: tuple[ClaimCase, ...],
    fixed: tuple[tuple[str, Expr], ...],
    sides: tuple[Side, ...],
) -> tuple[PlainCase, ...]:
    values = _values_of(dict(fixed))
    reducer = Reducer(_signs(sides), _Ranges(sides).lies_between)

    def plain(statement: Statement) -> Statement:
        return reducer.plain(_put_in_values(statement, values))

    return tuple(
        PlainCase(
            join(All, [plain(Atom(part, ">")) for part in case.where]),
            plain(case.statement),
            plain(case.premise),
        )
        for case in cases
    )


def cases_to_sweep(claim: Problem) -> tuple[ClaimCase, ...]:
    """A claim's cases with factors of known sign dropped, in sines and cosines still.

    Args:
        claim: a claim on one box.

    Returns:
        Cases over the same inputs, equivalent on the box.
    """
    values = _values_of(claim.fixed)
    reducer = Reducer(_signs(sides_of(claim)), lambda *_: False)
    done = []
    for case in claim.cases:
        where = [compare_cosines(part.xreplace(values)) for part in case.where]
        if any(part.is_nonpositive for part in where):
            continue
        kept = tuple(part for part in where if not part.is_positive)
        statement = _compare_cosines_in(
            reducer.plain(_put_in_values(case.statement, values))
        )
        done.append(case._replace(where=kept, statement=statement))
    return tuple(done)


def _compare_cosines_in(statement: Statement) -> Statement:
    if isinstance(statement, Atom):
        return Atom(compare_cosines(statement.expression), statement.relation)
    return type(statement)(tuple(map(_compare_cosines_in, statement.parts)))


def compare_cosines(value: Expr) -> Expr:
    """An expression of the same sign without the angle, where it compares angles.

    Args:
        value: an expression in the angle.

    Returns:
        A difference of cosines for k theta + r; anything else as it is.
    """
    slope = value.coeff(angle)
    rest = value - slope * angle
    if not (slope.is_number and rest.is_number) or slope.is_zero:
        return value
    border = -rest / slope
    if border.is_negative:
        return Integer(1) if slope.is_positive else Integer(-1)
    if (border - pi).is_positive:
        return Integer(-1) if slope.is_positive else Integer(1)
    above = cos(angle) - cos(border)
    return above if slope.is_negative else -above


def _values_of(fixed: Mapping[str, Expr]) -> dict[Symbol, Expr]:
    values = {QUANTITIES[name].symbol: value for name, value in fixed.items()}
    cosine = values.pop(QUANTITIES["target_cosine"].symbol, None)
    if cosine is not None and angle not in values:
        values[angle] = acos(cosine)
    return values


def _put_in_values(statement: Statement, values: Mapping[Symbol, Expr]) -> Statement:
    if isinstance(statement, Atom):
        return Atom(statement.expression.xreplace(values), statement.relation)
    return type(statement)(tuple(_put_in_values(p, values) for p in statement.parts))


def clauses_of(claim: Problem) -> tuple[Clause, ...]:
    """What has to be proved of a claim.

    Args:
        claim: a claim on one box.

    Returns:
        Distinct clauses over the free inputs; none if every sign is manifest.

    Raises:
        TooManyClauses: for more than MOST_CLAUSES, or expressions that are too long.
    """
    found: dict[Clause, None] = {}
    earlier: list[Statement] = []
    for case in plain_cases(claim):
        before = [_leave_out_shared(where, case.where) for where in earlier]
        applied = [where for where in before if isinstance(where, Atom)]
        parts = (case.statement, negate(case.where), *applied)
        if TRUE not in before:
            for clause in _clauses(join(Some, parts)):
                found[clause] = None
        earlier.append(case.where)
        if case.where == TRUE:
            break
    return tuple(clause for clause in found if not _is_certain(clause))


def _leave_out_shared(earlier: Statement, here: Statement) -> Statement:
    """Where an earlier case applies, among the points where another one would."""
    known = set(here.parts if isinstance(here, All) else (here,))
    parts = earlier.parts if isinstance(earlier, All) else (earlier,)
    return join(All, [part for part in parts if part not in known])


def _is_certain(clause: Clause) -> bool:
    """Whether it says something or its opposite."""
    return any(Literal(-one.expression, not one.strict) in clause for one in clause)


def outside(side: Side) -> tuple[Literal, ...]:
    """That the input lies outside its interval: false, and so part of any clause."""
    symbol = QUANTITIES[side.name].symbol
    ends = (
        (side.low - symbol, side.low_open, side.low),
        (symbol - side.high, side.high_open, side.high),
    )
    return tuple(
        Literal(beyond, not is_open) for beyond, is_open, end in ends if end.is_finite
    )


def _clauses(statement: Statement) -> list[Clause]:
    """Conjunctive normal form."""
    if isinstance(statement, Atom):
        return [(Literal(statement.expression, statement.relation == ">"),)]
    parts = [_clauses(part) for part in statement.parts]
    if isinstance(statement, All):
        return [clause for part in parts for clause in part]
    count = 1
    for part in parts:
        count *= len(part)
        if count > MOST_CLAUSES:
            raise TooManyClauses(f"more than {MOST_CLAUSES} clauses")
    return [
        tuple(dict.fromkeys(literal for clause in choice for literal in clause))
        for choice in product(*parts)
    ]


def _signs(sides: Sequence[Side]) -> Signs:
    """What SymPy may assume of the free inputs."""
    return {QUANTITIES[side.name].symbol: _facts(side) for side in sides}


def _facts(side: Side) -> dict[str, bool]:
    if side.low.is_positive or (side.low.is_zero and side.low_open):
        return {"positive": True}
    if side.high.is_negative or (side.high.is_zero and side.high_open):
        return {"negative": True}
    if side.low.is_zero:
        return {"nonnegative": True}
    return {"nonpositive": True} if side.high.is_zero else {"real": True}


class _Ranges:
    """Where expressions lie on the box: exact where they are simple, else by balls."""

    def __init__(self, sides: Sequence[Side]) -> None:
        self.sides = sides
        self.ends = {QUANTITIES[s.name].symbol: (s.low, s.high) for s in sides}

    def lies_between(self, value: Expr, low: Expr, high: Expr) -> bool:
        """Whether low <= value <= high everywhere on the box."""
        exact = self._ends_of(value)
        if exact is not None:
            return bool(
                (exact[0] - low).is_nonnegative and (high - exact[1]).is_nonnegative
            )
        found, limits = range_over(value, self.sides), (float(low), float(high))
        return bool(found.low >= limits[0] and found.high <= limits[1])

    def _ends_of(self, value: Expr) -> tuple[Expr, Expr] | None:
        if value.is_number:
            return value, value
        if value in self.ends:
            ends = self.ends[value]
            return ends if all(end.is_finite for end in ends) else None
        if not isinstance(value, (Add, Mul)):
            return None
        parts = [self._ends_of(part) for part in value.args]
        if None in parts:
            return None
        kept = [part for part in parts if part is not None]
        if isinstance(value, Add):
            return Add(*(low for low, _ in kept)), Add(*(high for _, high in kept))
        corners = [Mul(*corner) for corner in product(*kept)]
        return Min(*corners), Max(*corners)
