"""What a claim says, piece by piece, as comparisons of SymPy expressions with zero.

A claim may speak of several losses, and of one at several points; each such situation
has its pieces, and a case of the claim is one choice of them all. Pieces are
differentiated one by one; `abs` has the slope sign(x), which is enclosed by [-1, 1] at
a kink and so decides nothing there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal, NamedTuple

from sympy import (
    Abs,
    Expr,
    Function,
    I,
    Integer,
    S,
    Symbol,
    acos,
    cos,
    diff,
    exp,
    log,
    nan,
    oo,
    sign,
    sin,
    sqrt,
    zoo,
)

from .claim_language import (
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
from .gst import ABOUT_OTHERS, d_dcosine
from .gst import QUANTITIES as DERIVED
from .losses import LOSSES
from .profiles import Piece, Profile, is_defined, parse, pieces_of
from .symbols import (
    QUANTITIES,
    angle,
    concentration,
    margin_scaler,
    rival_cosine,
    standard_norm,
    target_cosine,
)

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


class _Situation(NamedTuple):
    """A loss, and the `at` forms around the quantity, the outermost first."""

    loss: str
    points: tuple[At, ...]


class _Option(NamedTuple):
    """One piece of a situation, and what the margin scaler is there."""

    piece: Piece
    scaler: Expr


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
    others = bool(set(ABOUT_OTHERS) & _names(formula))
    pieced = {*DERIVED, margin_scaler.name} if through_norm else set(DERIVED)
    named = _situations(formula, _Situation(loss, ()), pieced)
    situations = list(dict.fromkeys(named))
    options = [
        _options(row, parsed, arcs, through_norm, others or None) for row in situations
    ]
    count = 1
    for row in options:
        count *= len(row)
    if count > MOST_CASES:
        must = f"of at most {MOST_CASES} pieces, but has {count}: ask in parts"
        raise ClaimError(f"formula must be {must}")
    start = _Situation(loss, ())
    done = []
    for chosen in product(*options):
        reader = _Reader(dict(zip(situations, chosen, strict=True)), parsed.detached)
        done.append(reader.case(formula, start))
    return _without_repeats(done)


MOST_CASES = 400
"""Of one formula."""


def _without_repeats(cases: list[ClaimCase]) -> tuple[ClaimCase, ...]:
    """Neighbours at the end that say the same are one."""
    while len(cases) > 1 and cases[-1][1:3] == cases[-2][1:3]:
        del cases[-2]
    return tuple(cases)


def _children(node: Any) -> tuple[Any, ...]:
    match node:
        case Operation() | Comparison():
            return (node.left, node.right)
        case Call():
            return node.arguments
        case Join():
            return node.parts
        case Derivative() | OfLoss():
            return (node.of,)
        case At():
            return (node.of, *(value for _, value in node.values))
    return ()


def _names(node: Any) -> set[str]:
    own = {node.name} if isinstance(node, Name) else set()
    return own.union(*map(_names, _children(node)))


def _situations(node: Any, here: _Situation, pieced: set[str]) -> Iterator[_Situation]:
    """Every situation in which a quantity with pieces is named, in reading order."""
    match node:
        case Name(name):
            if name in pieced:
                yield here
        case OfLoss(loss, of):
            yield from _situations(of, here._replace(loss=loss), pieced)
        case At(of, values):
            yield from _situations(of, _moved(here, node), pieced)
            for _, value in values:
                yield from _situations(value, here, pieced)
        case _:
            for child in _children(node):
                yield from _situations(child, here, pieced)


def _moved(here: _Situation, point: At) -> _Situation:
    return here._replace(points=(*here.points, point))


def _options(
    situation: _Situation,
    profile: Profile,
    arcs: int | None,
    through_norm: bool,
    others: bool | None,
) -> list[_Option]:
    row = LOSSES[situation.loss]
    if not is_defined(row, profile):
        raise ClaimError(f"profile={profile} is not defined for {row.id}")
    pieces = pieces_of(row, profile, arcs, others=bool(others))
    if not through_norm or margin_scaler not in row.parameters:
        return [_Option(piece, margin_scaler) for piece in pieces]
    product_ = concentration * standard_norm
    scalers = (
        ((product_ - 1,), Integer(1)),
        ((-1 - product_,), Integer(-1)),
        ((), product_),
    )
    return [
        _Option(_with_scaler(piece, value, where), value)
        for where, value in scalers
        for piece in pieces
    ]


def _with_scaler(piece: Piece, value: Expr, where: tuple[Expr, ...]) -> Piece:
    meaning = {margin_scaler: value}
    return piece._replace(
        where=(*where, *(part.xreplace(meaning) for part in piece.where)),
        target=piece.target.xreplace(meaning),
        other=piece.other.xreplace(meaning),
    )


class _Meaning(NamedTuple):
    """An expression, and the situations whose pieces it rests on, with their where."""

    value: Expr
    where: Mapping[_Situation, tuple[Expr, ...]]
    above: tuple[Expr, ...] = ()

    def through(self, meaning: Mapping[Symbol, Expr]) -> _Meaning:
        """The same after a substitution."""
        where = {
            key: tuple(part.xreplace(meaning) for part in parts)
            for key, parts in self.where.items()
        }
        above = tuple(part.xreplace(meaning) for part in self.above)
        return _Meaning(self.value.xreplace(meaning), where, above)


class _Reader:
    """Puts a formula together for one choice of pieces."""

    def __init__(self, chosen: Mapping[_Situation, _Option], detached: bool) -> None:
        self.chosen = chosen
        self.detached = detached
        self.where: dict[_Situation, tuple[Expr, ...]] = {}
        self.above: dict[Expr, None] = {}

    def case(self, formula: Proposition, here: _Situation) -> ClaimCase:
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

    def statement(self, node: Proposition, here: _Situation, wanted: bool) -> Statement:
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

    def _atom(self, node: Comparison, here: _Situation, wanted: bool) -> Atom:
        left, right = self._of(node.left, here), self._of(node.right, here)
        for part in (left, right):
            self.where.update(part.where)
            self.above.update(dict.fromkeys(part.above))
        relation = node.relation if wanted else _NEGATED[node.relation]
        difference = left.value - right.value
        if relation in ("<", "<="):
            difference, relation = -difference, relation.replace("<", ">")
        difference = difference.replace(modulus, Abs).replace(sign_of, sign)
        if difference.has(zoo, oo, nan, I):
            must = "real and finite: it divides by 0, or has a root or log of no number"
            raise ClaimError(f"formula must be {must}")
        return Atom(difference, relation)  # type: ignore[arg-type]

    def _of(self, node: Expression, here: _Situation) -> _Meaning:
        match node:
            case Number(value):
                return _Meaning(value, {})
            case Name(name):
                return self._named(name, here)
            case OfLoss(loss, of):
                return self._of(of, here._replace(loss=loss))
            case Derivative(of, by):
                inner = self._of(of, here)
                return inner._replace(value=_derivative(inner.value, by))
            case At(of, values):
                return self._at(node, of, values, here)
            case Operation(operator, left, right):
                parts = [self._of(left, here), self._of(right, here)]
                return _joined(parts, _OPERATIONS[operator])
            case Call(function, arguments):
                parts = [self._of(part, here) for part in arguments]
                return _joined(parts, _FUNCTIONS[function])
        raise TypeError(f"{node}, but must be an expression [claim_cases]")

    def _named(self, name: str, here: _Situation) -> _Meaning:
        if name == target_cosine.name:
            return _Meaning(cos(angle), {})
        if name not in DERIVED and not (
            name == margin_scaler.name and here in self.chosen
        ):
            return _Meaning(QUANTITIES[name].symbol, {})
        option = self.chosen[here]
        where = {here: option.piece.where}
        if name == margin_scaler.name:
            plain = option.scaler is margin_scaler
            return _Meaning(option.scaler, {} if plain else where)
        value = DERIVED[name](option.piece, self.detached)
        value = value.xreplace({margin_scaler: option.scaler})
        above = (option.piece.other - rival_cosine,) if name in ABOUT_OTHERS else ()
        return _Meaning(value, where, above)

    def _at(
        self,
        node: At,
        of: Expression,
        values: tuple[tuple[str, Expression], ...],
        here: _Situation,
    ) -> _Meaning:
        inner = self._of(of, _moved(here, node))
        meaning: dict[Symbol, Expr] = {}
        where: dict[_Situation, tuple[Expr, ...]] = {}
        above: tuple[Expr, ...] = ()
        for name, value in values:
            given = self._of(value, here)
            where |= given.where
            above += given.above
            if name == target_cosine.name:
                meaning[angle] = acos(given.value)
            else:
                meaning[QUANTITIES[name].symbol] = given.value
        moved = inner.through(meaning)
        return _Meaning(moved.value, {**where, **moved.where}, above + moved.above)


_NEGATED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}

_OPERATIONS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: a**b,
}


def _largest(*parts: Expr) -> Expr:
    done, *rest = parts
    for part in rest:
        done = (done + part + modulus(done - part)) / 2
    return done


def _smallest(*parts: Expr) -> Expr:
    return -_largest(*(-part for part in parts))


_FUNCTIONS = {
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


def _joined(parts: list[_Meaning], operation: Any) -> _Meaning:
    where: dict[_Situation, tuple[Expr, ...]] = {}
    above: tuple[Expr, ...] = ()
    for part in parts:
        where |= part.where
        above += part.above
    return _Meaning(operation(*(part.value for part in parts)), where, above)


def _derivative(value: Expr, by: str) -> Expr:
    if by == target_cosine.name:
        return d_dcosine(value)
    return diff(value, QUANTITIES[by].symbol)
