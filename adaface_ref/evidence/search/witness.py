"""A counterexample as a person wants to see it: simple, certified, and its neighbour.

Inputs get their recommended values and few digits where the claim still fails, the
cosine following where it must. Every step is confirmed by balls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from flint import ctx
from sympy import Expr

from adaface_ref.evidence.problem.both_sides import BITS, sides_at
from adaface_ref.evidence.problem.pointwise import (
    Exact,
    ball_of,
    holds_at,
    keep_precision,
)
from adaface_ref.evidence.problem.problem import Problem
from adaface_ref.evidence.search.axes import Axis, split
from adaface_ref.evidence.search.downhill import least_on_lines
from adaface_ref.evidence.search.neighbour import border
from adaface_ref.evidence.search.sampling import Places, lines
from adaface_ref.evidence.search.screen import Screen
from adaface_ref.evidence.truth.evaluate import formula
from adaface_ref.evidence.truth.oracle import ball_at
from adaface_ref.evidence.truth.shrink import PLAIN, PLAIN_COSINES, simplest
from adaface_ref.points import COSINES, describe, recommended
from adaface_ref.spec.language.values import printed
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.profiles import CLAMPS

SPREAD = 9
"""Values of an input that are tried to see whether it matters."""

SHOWN = ("gst", "probability")


class Witness(NamedTuple):
    """A point at which a claim is certainly false.

    Args:
        point: every input of the claim: floats, and exact numbers where the box has
            them.
        got: what is shown there, its name and a ball, printed: the loss's quantities,
            and the two sides of what is compared.
        matters: the free inputs that matter: there are values of the box at which the
            claim does not fail, all else being equal.
        others: the free inputs that do not, as far as was tried.
        passes: one input and its nearest float at which the claim holds.
        neighbour: the float next to it, at which it does not.
    """

    point: Mapping[str, Exact]
    got: tuple[tuple[str, str], ...]
    matters: tuple[str, ...]
    others: tuple[str, ...]
    passes: tuple[str, float] | None
    neighbour: float | None

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """The point in decimal and hex, what is there, what matters, what passes."""
        shown = [describe_input(name, value) for name, value in self.point.items()]
        shown += [f"{name} = {ball}" for name, ball in self.got]
        shown.append(f"matters: {', '.join(self.matters) or 'nothing'}")
        if self.others:
            shown[-1] += f"; any {', any '.join(self.others)} in the box will do"
        if self.passes is None or self.neighbour is None:
            return [*shown, "passes: at no float that moving one input would find"]
        name, value = self.passes
        passing = f"passes: {describe({name: value})}"
        return [
            *shown,
            passing,
            f"fails: {describe({name: self.neighbour})}, beside it",
        ]


def describe_input(name: str, value: Exact) -> str:
    """An input in decimal and hex; an exact number as it is."""
    if isinstance(value, Expr):
        return f"{name} = {printed(value)}, exactly"
    return describe({name: value})


def witness_of(
    claim: Problem, axes: Sequence[Axis], screen: Screen, found: Mapping[str, Exact]
) -> Witness:
    """The simplest witness that a counterexample leads to.

    Args:
        claim: a claim on one box.
        axes: of its free inputs.
        screen: the claim in working precision.
        found: free inputs at which balls refute it.

    Returns:
        The witness; the same for the same arguments.
    """
    shrink = _Shrink(claim, axes, found)
    shrink.to_floats()
    shrink.simplify_along_lines(screen)
    point = shrink.simplest()
    matters = [axis.name for axis in axes if shrink.matters(axis, point)]
    others = tuple(axis.name for axis in axes if axis.name not in matters)
    passes = _nearest_pass(shrink, axes, point)
    whole = {**claim.fixed, **point}
    return Witness(
        {name: whole[name] for name in whole if name not in CLAMPS},
        (*quantities_shown(claim, whole), *sides_at(claim, whole)),
        tuple(matters),
        others,
        *(passes or (None, None)),
    )


class _Shrink:
    """Makes a failing point simpler."""

    def __init__(
        self, claim: Problem, axes: Sequence[Axis], found: Mapping[str, Exact]
    ) -> None:
        self.claim, self.point = claim, dict(found)
        self.axes = {axis.name: axis for axis in axes}
        self.usual = recommended(claim.loss)

    def fails(self, point: Mapping[str, Exact]) -> bool:
        """Whether a point lies in the box and balls refute the claim there."""
        inside = all(
            isinstance(value, Expr) or self.axes[name].holds(value)
            for name, value in point.items()
        )
        return inside and holds_at(self.claim, point) is False

    def to_floats(self) -> None:
        """Exact ends become the floats beside them where the claim fails there too."""
        for name, value in self.point.items():
            if isinstance(value, Expr):
                nearest = float(self.axes[name].clip(float(value)))
                trial = {**self.point, name: nearest}
                if self.fails(trial):
                    self.point = trial

    def simplify_along_lines(self, screen: Screen) -> None:
        """Gives inputs plain values, moving along the line to where it still fails."""
        if not self.axes or any(isinstance(v, Expr) for v in self.point.values()):
            return
        along, others = split(tuple(self.axes.values()))
        for axis in others:
            plain = self.plain(axis)
            if self.point[axis.name] == plain[0]:
                continue
            rows = {
                name: np.full((len(plain), 1), value)
                for name, value in self.point.items()
                if name != along.name
            }
            rows[axis.name] = np.asarray(plain)[:, None]
            flat = {name: column[:, 0] for name, column in rows.items()}
            line = lines(along, flat, np.full(len(plain), 0.5))
            line[:, 0] = self.point[along.name]
            points, _ = least_on_lines(screen, Places(rows, along, line).sort_lines())
            for row in range(len(plain)):
                trial = {name: float(column[row]) for name, column in points.items()}
                if self.fails(trial):
                    self.point = trial
                    break

    def plain(self, axis: Axis) -> list[float]:
        """Values inside that read well, the recommended one first."""
        value = self.point[axis.name]
        listed = [self.usual[axis.name]] if axis.name in self.usual else []
        listed += PLAIN_COSINES if axis.name in COSINES else PLAIN
        listed += [float(f"{float(value):.{digits}g}") for digits in (1, 2)]
        listed += [axis.low, axis.high, float(value)]
        return list(dict.fromkeys(filter(axis.holds, map(float, listed))))

    def simplest(self) -> dict[str, Exact]:
        """Shrinks one input at a time, the line's last."""
        exact = {n: v for n, v in self.point.items() if isinstance(v, Expr)}
        floats = {n: v for n, v in self.point.items() if not isinstance(v, Expr)}
        if floats:
            along = split([self.axes[name] for name in floats])[0].name
            floats = {**floats, along: floats.pop(along)}
        small = simplest(
            floats, lambda trial: self.fails({**exact, **trial}), self.claim.loss
        )
        done = {**exact, **small}
        return {name: done[name] for name in self.axes}

    def matters(self, axis: Axis, point: Mapping[str, Exact]) -> bool:
        """Whether the claim holds, or is open, at some other value of one input."""
        values = [float(axis.value_at(share)) for share in np.linspace(0, 1, SPREAD)]
        usual = self.usual.get(axis.name, values[0])
        values += [usual] if axis.holds(usual) else []
        return not all(self.fails({**point, axis.name: value}) for value in values)


def _nearest_pass(
    shrink: _Shrink, axes: Sequence[Axis], point: Mapping[str, Exact]
) -> tuple[tuple[str, float], float] | None:
    """The nearest float of one input at which the claim holds, and its neighbour."""
    along, others = split(axes) if axes else (None, ())
    for axis in (along, *others):
        if axis is None or isinstance(point[axis.name], Expr):
            continue
        start = float(point[axis.name])

        def truth(value: float, name: str = axis.name) -> bool | None:
            return holds_at(shrink.claim, {**point, name: value})

        found = [
            pair
            for end in (axis.low, axis.high)
            if (pair := border(truth, start, end)) is not None
        ]
        if found:
            value, beside = min(found, key=lambda pair: abs(pair[0] - start))
            return (axis.name, value), beside
    return None


def quantities_shown(
    claim: Problem, point: Mapping[str, Exact]
) -> tuple[tuple[str, str], ...]:
    """The loss's quantities at a point as balls, where its inputs suffice for them."""
    found = []
    for name in SHOWN:
        ball = quantity_ball(name, claim, point)
        if ball is not None:
            found.append((name, ball))
    return tuple(found)


def quantity_ball(
    quantity: str, claim: Problem, point: Mapping[str, Exact]
) -> str | None:
    """A quantity of the claim's loss as a printed ball; None without its inputs."""
    arcs = int(point["multiplier"]) if LOSSES[claim.loss].has_arcs else None
    balls = formula(quantity, claim.loss, claim.profile, arcs, "value", "balls")
    with keep_precision():
        ctx.prec = BITS
        inputs: dict[str, Any] = {name: ball_of(v) for name, v in point.items()}
        if "angle" in inputs:
            inputs["target_cosine"] = inputs["angle"].cos()
        if "standard_norm" in inputs and "concentration" in inputs:
            scaler = inputs["standard_norm"] * inputs["concentration"]
            inputs["margin_scaler"] = scaler.min(ball_of(1.0)).max(ball_of(-1.0))
        if not set(balls.arguments) <= set(inputs):
            return None
        value, _ = ball_at(balls, [inputs[name] for name in balls.arguments])
        return str(value.str(20)) if value.is_finite() else None
