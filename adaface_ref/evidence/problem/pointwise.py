"""Whether a claim holds at one point, by balls at rising precision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple, TypeAlias

from flint import arb, ctx, fmpq
from sympy import Expr, Function, Rational

from adaface_ref.compiler import Compiled, compile_tree
from adaface_ref.evidence.problem.logic import atoms_of, evaluate
from adaface_ref.evidence.problem.problem import Problem
from adaface_ref.evidence.truth.evaluate import BALLS
from adaface_ref.evidence.truth.oracle import PRECISIONS
from adaface_ref.spec.language.cases import ClaimCase
from adaface_ref.spec.symbols import QUANTITIES, angle

Exact: TypeAlias = Any
"""A float as it is, or an exact SymPy number."""

Point = Mapping[str, Exact]
"""Inputs by name: floats as they are, or exact SymPy numbers."""


def ball_decides(value: Any, relation: str) -> bool | None:
    """Whether a ball is related to zero so, for all its points, for none, or open."""
    if not isinstance(value, arb):
        value = arb(value)
    if relation == ">":
        return True if value > 0 else False if value <= 0 else None
    if relation == ">=":
        return True if value >= 0 else False if value < 0 else None
    equal = True if value.is_zero() else None if value.contains(0) else False
    return equal if relation == "==" or equal is None else not equal


def all_of(truths: Sequence[bool | None]) -> bool | None:
    """Three-valued and."""
    return False if False in truths else None if None in truths else True


def some_of(truths: Sequence[bool | None]) -> bool | None:
    """Three-valued or."""
    return True if True in truths else None if None in truths else False


def sign_of_ball(ball: arb) -> arb:
    """The sign of every point of a ball: at a kink both."""
    if ball > 0:
        return arb(1)
    return arb(-1) if ball < 0 else arb(0) if ball.is_zero() else arb(0, 1)


POINT_BALLS: Mapping[str, Any] = {**BALLS, "sign": sign_of_ball}


class CompiledCase(NamedTuple):
    """One case of a claim over balls: its conditions, and its atoms' values."""

    where: Compiled
    values: Compiled
    premises: Compiled
    case: ClaimCase


@cache
def compile_cases(
    cases: tuple[ClaimCase, ...], arguments: tuple[str, ...]
) -> tuple[CompiledCase, ...]:
    """Cases of a claim, compiled to balls over the inputs named.

    Args:
        cases: of a problem.
        arguments: names of inputs; the target cosine stands for the angle.

    Returns:
        One row a case.
    """

    def tree(expressions: Sequence[Expr]) -> Compiled:
        return compile_tree(expressions, arguments, POINT_BALLS)

    return tuple(
        CompiledCase(
            tree(case.where),
            tree([atom.expression for atom in atoms_of(case.statement)]),
            tree([atom.expression for atom in atoms_of(case.premise)]),
            case,
        )
        for case in cases
    )


def holds_at(claim: Problem, point: Point, premise: bool = False) -> bool | None:
    """Whether a claim holds at one point, by balls at rising precision.

    Args:
        claim: a claim on one box.
        point: its free inputs; those that are fixed may be left out.
        premise: whether to ask for the premise instead.

    Returns:
        None where balls cannot tell: at a kink, or at an equality that is no identity.
    """
    inputs = {**claim.fixed, **point}
    names = names_of(inputs)
    rows = compile_cases(claim.cases, names)
    with keep_precision():
        for precision in PRECISIONS:
            ctx.prec = precision
            answer = _answer(rows, balls_of(inputs, names), premise)
            if answer is not None:
                return answer
    return _exact_answer(claim.cases, inputs, premise)


def _exact_answer(
    cases: Sequence[ClaimCase], inputs: Point, premise: bool
) -> bool | None:
    """The same in fractions, where no function stands between inputs and answer."""
    case = cases[0]
    statement = case.premise if premise else case.statement
    atoms = atoms_of(statement)
    if case.where or any(atom.expression.has(Function, angle) for atom in atoms):
        return None
    exact = {QUANTITIES[name].symbol: value for name, value in inputs.items()}
    values = {s: v if isinstance(v, Expr) else Rational(v) for s, v in exact.items()}
    numbers = iter([atom.expression.subs(values) for atom in atoms])
    answer: bool | None
    answer = evaluate(statement, numbers, _fraction_decides, all_of, some_of)
    return answer


def _fraction_decides(value: Any, relation: str) -> bool | None:
    return ball_decides(arb(int(value.p)), relation) if value.is_Rational else None


@contextmanager
def keep_precision() -> Iterator[None]:
    """Gives the balls' precision back as it was."""
    before = ctx.prec
    try:
        yield
    finally:
        ctx.prec = before


def names_of(inputs: Point) -> tuple[str, ...]:
    """Inputs in the order of compiled trees, the angle as its cosine."""
    given = {*inputs, "target_cosine"} if "angle" in inputs else set(inputs)
    return tuple(name for name in QUANTITIES if name in given - {"angle"})


def balls_of(inputs: Point, names: Sequence[str]) -> list[arb]:
    """Balls around inputs, at the precision in force.

    Args:
        inputs: exact values by name.
        names: as `names_of` gives them.

    Returns:
        One ball a name.
    """
    return [
        ball_of(inputs["angle"]).cos()
        if name == "target_cosine" and "angle" in inputs
        else ball_of(inputs[name])
        for name in names
    ]


def ball_of(value: Exact) -> arb:
    """A ball around an exact number, at the precision in force."""
    if isinstance(value, Rational):
        return arb(fmpq(int(value.p), int(value.q)))
    if isinstance(value, Expr):
        return arb(_constant(value)()[0])
    return arb(value)


@cache
def _constant(value: Expr) -> Compiled:
    return compile_tree([value], (), BALLS)


def _answer(
    rows: Sequence[CompiledCase], balls: Sequence[arb], premise: bool
) -> bool | None:
    """The answer of every piece that may hold, if all give the same."""
    answers = set()
    for row in rows:
        signs = row.where(*balls)
        if any(sign <= 0 for sign in signs):
            continue
        statement = row.case.premise if premise else row.case.statement
        values = iter((row.premises if premise else row.values)(*balls))
        answers.add(evaluate(statement, values, ball_decides, all_of, some_of))
        if all(sign > 0 for sign in signs):
            break
    return answers.pop() if len(answers) == 1 else None
