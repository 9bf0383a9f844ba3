"""What a claim says, piece by piece, as comparisons of SymPy expressions with zero.

A claim may speak of several losses, and of one at several points; each such situation
has its pieces, and a case of the claim is one choice of them all. Pieces are
differentiated one by one; `abs` has the slope sign(x), 0 at its kink. Where something
has no value, the comparison that it stands in does not hold, nor does its negation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import NamedTuple

from sympy import (
    Expr,
    Symbol,
    acos,
    cos,
)

from adaface_ref.spec.gst import ABOUT_OTHERS
from adaface_ref.spec.gst import QUANTITIES as DERIVED
from adaface_ref.spec.language import needs
from adaface_ref.spec.language.language import (
    At,
    Call,
    ClaimError,
    Comparison,
    Derivative,
    Expression,
    Join,
    Name,
    Number,
    OfLoss,
    Operation,
    Proposition,
)
from adaface_ref.spec.language.operations import (
    FUNCTIONS,
    MOST_OPERATIONS,
    NEEDS,
    OPERATIONS,
    check_real,
    derivative,
    needs_of_operation,
    plain,
    short,
    size_of,
)
from adaface_ref.spec.language.situations import (
    Option,
    Situation,
    names_of,
    options_of,
    situations_of,
)
from adaface_ref.spec.language.statements import (
    All,
    Atom,
    ClaimCase,
    Relation,
    Some,
    Statement,
)
from adaface_ref.spec.profiles import parse
from adaface_ref.spec.symbols import (
    QUANTITIES,
    angle,
    margin_scaler,
    rival_cosine,
    target_cosine,
)

__all__ = ["All", "Atom", "ClaimCase", "Relation", "Some", "Statement", "claim_cases"]


def claim_cases(
    formula: Proposition,
    loss: str,
    profile: str,
    arcs: int | None = None,
    *,
    through_norm: bool = False,
) -> tuple[ClaimCase, ...]:
    """What a proposition says about a loss under a profile.

    Args:
        formula: a parsed claim.
        loss: a loss id.
        profile: a profile string.
        arcs: SphereFace's multiplier.
        through_norm: whether the margin scaler is clip(h z, -1, 1), so that
            standard_norm and concentration are the inputs.

    Returns:
        Ordered cases; the last one applies everywhere.

    Raises:
        ClaimError: for a loss that the profile is not defined for, or a formula of
            more than MOST_CASES cases.
    """
    parsed = parse(profile)
    others = bool(set(ABOUT_OTHERS) & names_of(formula))
    pieced = {*DERIVED, margin_scaler.name} if through_norm else set(DERIVED)
    start = Situation(loss)
    situations = list(dict.fromkeys(situations_of(formula, start, pieced)))
    options = [
        options_of(row, parsed, arcs, through_norm, others) for row in situations
    ]
    _check_count(options)
    done = []
    for chosen in product(*options):
        reader = _Reader(dict(zip(situations, chosen, strict=True)), parsed.detached)
        done.append(reader.case(formula, start))
    return _without_repeats(done)


def _check_count(options: Sequence[Sequence[Option]]) -> None:
    count = math.prod(map(len, options))
    if count > MOST_CASES:
        must = f"of at most {MOST_CASES} pieces, but has {count}: ask in parts"
        raise ClaimError(f"formula must be {must}")


MOST_CASES = 400
"""Of one formula."""


def _without_repeats(cases: list[ClaimCase]) -> tuple[ClaimCase, ...]:
    """Neighbours at the end that say the same are one."""
    while len(cases) > 1 and cases[-1][1:3] == cases[-2][1:3]:
        del cases[-2]
    return tuple(cases)


class _Meaning(NamedTuple):
    """An expression, and what it rests on.

    Args:
        value: the expression.
        where: the situations whose pieces it has, with their where.
        above: what must not be positive, since no other class is above the rival.
        needs: what it needs to have a value.
    """

    value: Expr
    where: Mapping[Situation, tuple[Expr, ...]] = {}
    above: tuple[Expr, ...] = ()
    needs: tuple[Atom, ...] = ()

    def through(self, meaning: Mapping[Symbol, Expr]) -> _Meaning:
        """The same after a substitution."""

        def replaced(parts: tuple[Expr, ...]) -> tuple[Expr, ...]:
            return tuple(part.xreplace(meaning) for part in parts)

        return _Meaning(
            self.value.xreplace(meaning),
            {key: replaced(parts) for key, parts in self.where.items()},
            replaced(self.above),
            tuple(Atom(n.expression.xreplace(meaning), n.relation) for n in self.needs),
        )

    def needing(self, more: tuple[Atom, ...]) -> _Meaning:
        """The same with more needs."""
        return self._replace(needs=(*self.needs, *more))


class _Reader:
    """Puts a formula together for one choice of pieces."""

    def __init__(self, chosen: Mapping[Situation, Option], detached: bool) -> None:
        self.chosen = chosen
        self.detached = detached
        self.where: dict[Situation, tuple[Expr, ...]] = {}
        self.above: dict[Expr, None] = {}

    def case(self, formula: Proposition, here: Situation) -> ClaimCase:
        """The case of this choice."""
        premise: Statement = All(())
        if isinstance(formula, Join) and formula.word == "implies":
            premise = self.statement(formula.parts[0], here, True)
        statement = self.statement(formula, here, True)
        # No other class lies above the rival cosine, which stands for them all.
        for excess in self.above:
            premise = All((Atom(-excess, ">="), premise))
            statement = Some((Atom(excess, ">"), statement))
        where = tuple(part for parts in self.where.values() for part in parts)
        names = [self.chosen[key].piece.name for key in self.where]
        name = " / ".join(dict.fromkeys(names)) or "core"
        return ClaimCase(where, statement, premise, name)

    def statement(self, node: Proposition, here: Situation, wanted: bool) -> Statement:
        """A proposition, or its negation, as comparisons with zero."""
        if isinstance(node, Comparison):
            return self._atom(node, here, wanted)
        if node.word == "not":
            return self.statement(node.parts[0], here, not wanted)
        if node.word == "iff":
            left, right = node.parts
            pairs = [(True, wanted), (False, not wanted)]
            return Some(
                tuple(
                    All((self.statement(left, here, a), self.statement(right, here, b)))
                    for a, b in pairs
                )
            )
        signs = [wanted] * len(node.parts)
        if node.word == "implies":
            signs[0] = not wanted
        parts = tuple(
            self.statement(part, here, way)
            for part, way in zip(node.parts, signs, strict=True)
        )
        return All(parts) if (node.word == "and") is wanted else Some(parts)

    def _atom(self, node: Comparison, here: Situation, wanted: bool) -> Statement:
        parts = [self._of(side, here) for side in (node.left, node.right)]
        both = _joined(parts, lambda left, right: left - right)
        self.where.update(both.where)
        self.above.update(dict.fromkeys(both.above))
        relation = node.relation if wanted else _NEGATED[node.relation]
        difference = both.value
        if relation in ("<", "<="):
            difference, relation = -difference, relation.replace("<", ">")
        atom = plain(Atom(difference, relation))  # type: ignore[arg-type]
        known = [*map(plain, both.needs), *needs.of_value(atom.expression)]
        check_real([part.expression for part in (atom, *known)])
        doubtful = needs.doubtful(known)
        return All((atom, *doubtful)) if doubtful else atom

    def _of(self, node: Expression, here: Situation) -> _Meaning:
        match node:
            case Number(value):
                return _Meaning(value)
            case Name(name):
                return self._named(name, here)
            case OfLoss(loss, of):
                return self._of(of, here.of(loss))
            case Derivative(of, by):
                inner = self._of(of, here)
                return inner._replace(value=derivative(short(inner.value), by))
            case At(of, values):
                return self._at(node, of, values, here)
            case Operation(operator, left, right):
                parts = [self._of(left, here), self._of(right, here)]
                needed = needs_of_operation(operator, *(p.value for p in parts))
                return _joined(parts, OPERATIONS[operator]).needing(needed)
            case Call(function, arguments):
                parts = [self._of(part, here) for part in arguments]
                need = NEEDS.get(function, lambda *_: ())
                done = _joined(parts, FUNCTIONS[function])
                short(done.value)
                return done.needing(need(parts[0].value))
        raise TypeError(f"{node}, but must be an expression [claim_cases]")

    def _named(self, name: str, here: Situation) -> _Meaning:
        if name == target_cosine.name:
            return _Meaning(cos(angle))
        if name not in DERIVED and not (
            name == margin_scaler.name and here in self.chosen
        ):
            return _Meaning(QUANTITIES[name].symbol)
        option = self.chosen[here]
        where = {here: option.piece.where}
        if name == margin_scaler.name:
            held = option.scaler is margin_scaler
            return _Meaning(option.scaler, {} if held else where)
        value = DERIVED[name](option.piece, self.detached)
        value = value.xreplace({margin_scaler: option.scaler})
        above = (option.piece.other - rival_cosine,) if name in ABOUT_OTHERS else ()
        return _Meaning(value, where, above)

    def _at(
        self,
        node: At,
        of: Expression,
        values: tuple[tuple[str, Expression], ...],
        here: Situation,
    ) -> _Meaning:
        inner = self._of(of, here.at(node))
        meaning: dict[Symbol, Expr] = {}
        given = {name: self._of(value, here) for name, value in values}
        for name, part in given.items():
            if name == target_cosine.name:
                meaning[angle] = acos(part.value)
                given[name] = part.needing(needs.of_cosine(part.value))
            else:
                meaning[QUANTITIES[name].symbol] = part.value
            if name == angle.name:
                given[name] = part.needing(needs.of_angle(part.value))
        short(inner.value, MOST_OPERATIONS // max(map(size_of, meaning.values())))
        parts = [*given.values(), inner.through(meaning)]
        return _joined(parts, lambda *all_of: all_of[-1])


_NEGATED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


def _joined(parts: Sequence[_Meaning], operation: Callable[..., Expr]) -> _Meaning:
    where: dict[Situation, tuple[Expr, ...]] = {}
    for part in parts:
        where |= part.where
    return _Meaning(
        operation(*(part.value for part in parts)),
        where,
        tuple(excess for part in parts for excess in part.above),
        tuple(need for part in parts for need in part.needs),
    )
