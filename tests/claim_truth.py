"""What a formula says at one point, by mpmath and differences: no claim_cases in it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from mpmath import acos, cos, exp, log, log1p, mp, mpf, sin, sqrt, workdps
from sympy import lambdify

from adaface_ref.spec.gst import QUANTITIES, cases
from adaface_ref.spec.language.language import (
    At,
    Call,
    Comparison,
    Derivative,
    Expression,
    Name,
    Number,
    OfLoss,
    Operation,
    Proposition,
)
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.profiles import parse

Point = Mapping[str, Any]

DIGITS, STEP, SURE = 60, mpf(10) ** -20, mpf(10) ** -8

LOST = mpf(10) ** -40
"""Below this a difference may be what is left of terms that cancel."""

FUNCTIONS = {
    "logistic": lambda x: 1 / (1 + exp(-x)),
    "log_logistic": lambda x: -log1p(exp(-x)),
}


class Unsure(Exception):  # noqa: N818
    """Too close to a kink or a border to tell."""


class NoValue(Exception):  # noqa: N818
    """Such as 1/0."""


def says(node: Proposition, loss: str, profile: str, point: Point) -> bool | None:
    """Whether a formula holds at a point; None where that is too close to tell."""
    with workdps(DIGITS):
        return _Formula(profile).holds(node, loss, point, True)


@cache
def _pieces(quantity: str, loss: str, profile: str, arcs: int | None) -> list[Any]:
    rows = cases(quantity, LOSSES[loss], parse(profile), arcs)
    found = []
    for row in rows:
        trees = (*row.where, *row.terms)
        symbols = sorted(set().union(*(t.free_symbols for t in trees)), key=str)
        compiled = lambdify(symbols, [row.where, row.terms[0]], [FUNCTIONS, "mpmath"])
        found.append(([s.name for s in symbols], compiled))
    return found


def _both(truths: list[bool | None]) -> bool | None:
    return False if False in truths else None if None in truths else True


class _Formula:
    def __init__(self, profile: str) -> None:
        self.profile = profile

    def holds(
        self, node: Proposition, loss: str, point: Point, wanted: bool
    ) -> bool | None:
        """Whether it holds, or does not; of what has no value neither is true."""
        if isinstance(node, Comparison):
            return self._compared(node, loss, point, wanted)
        word, parts = node.word, node.parts
        if word == "not":
            return self.holds(parts[0], loss, point, not wanted)
        if word == "iff":
            left, right = parts
            ways = [(True, wanted), (False, not wanted)]
            both = [
                _both(
                    [
                        self.holds(left, loss, point, a),
                        self.holds(right, loss, point, b),
                    ]
                )
                for a, b in ways
            ]
            return True if True in both else None if None in both else False
        signs = [wanted] * len(parts)
        signs[0] ^= word == "implies"
        truths = [
            self.holds(p, loss, point, s) for p, s in zip(parts, signs, strict=True)
        ]
        if (word == "and") is wanted:
            return _both(truths)
        return True if True in truths else None if None in truths else False

    def _compared(
        self, node: Comparison, loss: str, point: Point, wanted: bool
    ) -> bool | None:
        try:
            left = self.value(node.left, loss, point)
            right = self.value(node.right, loss, point)
        except Unsure:
            return None
        except (NoValue, ZeroDivisionError):
            return False
        gap = left - right
        if abs(gap) <= max(LOST, SURE * (abs(left) + abs(right))):
            return None
        ways = {"<": gap < 0, "<=": gap < 0, ">": gap > 0, ">=": gap > 0, "!=": True}
        return bool(ways.get(node.relation, False)) is wanted

    def value(self, node: Expression, loss: str, point: Point) -> Any:
        """A number; raises NoValue or Unsure."""
        match node:
            case Number(value):
                return mpf(value.p) / value.q if value.is_Rational else +mp.pi
            case Name("target_cosine"):
                return cos(point["angle"])
            case Name(name):
                known = name in QUANTITIES
                return self._quantity(name, loss, point) if known else point[name]
            case OfLoss(other, of):
                return self.value(of, other, point)
            case Operation(operator, left, right):
                parts = [self.value(part, loss, point) for part in (left, right)]
                return _operated(operator, *parts)
            case Call(function, arguments):
                return _called(
                    function, [self.value(a, loss, point) for a in arguments]
                )
            case At(of, values):
                given = {n: self.value(v, loss, point) for n, v in values}
                return self.value(of, loss, _moved(point, given))
            case Derivative(of, by):
                return self._slope(of, by, loss, point)
        raise TypeError(node)

    def _quantity(self, name: str, loss: str, point: Point) -> Any:
        arcs = int(point["multiplier"]) if loss == "sphereface" else None
        for names, compiled in _pieces(name, loss, self.profile, arcs):
            where, value = compiled(*(point[n] for n in names))
            if any(abs(part) < SURE**2 for part in where):
                raise Unsure
            if all(part > 0 for part in where):
                return value
        raise AssertionError("the last piece applies everywhere")

    def _slope(self, of: Expression, by: str, loss: str, point: Point) -> Any:
        here = point["angle"] if by == "target_cosine" else point[by]
        here = cos(here) if by == "target_cosine" else here
        ends = (here - STEP, here, here + STEP)
        low, middle, high = (
            self.value(of, loss, _moved(point, {by: end})) for end in ends
        )
        left, right = (middle - low) / STEP, (high - middle) / STEP
        if abs(left - right) > SURE * (1 + abs(left)):
            raise Unsure
        return (left + right) / 2


def _moved(point: Point, given: Mapping[str, Any]) -> Point:
    moved = {**point, **given}
    if "target_cosine" in given:
        if abs(given["target_cosine"]) > 1:
            raise Unsure  # a formula of the cosine alone may be continued
        moved["angle"] = acos(given["target_cosine"])
    if "angle" in given and not 0 <= given["angle"] <= mp.pi:
        raise NoValue
    return moved


def _operated(operator: str, left: Any, right: Any) -> Any:
    if operator == "/" and abs(right) < STEP:
        raise Unsure
    if operator == "**" and (left < 0 or right < 0):
        if abs(left) < STEP:
            raise Unsure
        if right != int(right):
            raise NoValue
    ways = {
        "+": lambda: left + right,
        "-": lambda: left - right,
        "*": lambda: left * right,
        "/": lambda: left / right,
        "**": lambda: left ** (int(right) if right == int(right) else right),
    }
    return ways[operator]()


def _called(function: str, parts: list[Any]) -> Any:
    first = parts[0]
    if function in ("sqrt", "log"):
        if abs(first) < STEP:
            raise Unsure
        if first < 0:
            raise NoValue
    ways = {"neg": lambda x: -x, "abs": abs, "sqrt": sqrt, "log": log, "exp": exp}
    ways |= {"sin": sin, "cos": cos}
    if function in ("min", "max"):
        return min(parts) if function == "min" else max(parts)
    return ways[function](first)


def point_of(fixed: Point, free: Point) -> Point:
    """A point for `says`, from exact inputs."""
    with workdps(DIGITS):
        point = {n: _number(value) for n, value in {**fixed, **free}.items()}
        return _moved(point, {n: point[n] for n in ("target_cosine",) if n in point})


def _number(value: Any) -> Any:
    exact = value.is_Rational
    return mpf(value.p) / value.q if exact else mpf(str(value.evalf(DIGITS)))
