"""A claim on one box, laid out to be decided.

A problem has one exact value or one interval for every input. The poles are left out of
every interval of cosines: a value there is a limit, which no point has.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import NamedTuple

from sympy import Expr, Integer, Rational, pi

from adaface_ref.spec.language.box import Box, Choice, Range, completed, parse_box
from adaface_ref.spec.language.cases import ClaimCase, claim_cases
from adaface_ref.spec.language.inputs import losses_of
from adaface_ref.spec.language.language import ClaimError, parse_formula
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.profiles import CLAMPS, parse
from adaface_ref.spec.symbols import QUANTITIES


class Problem(NamedTuple):
    """A claim on one box.

    Args:
        formula: as written.
        loss: a loss id.
        profile: a profile string.
        fixed: inputs with one value, and the profile's clamps.
        free: inputs with an interval.
        cases: what it says, piece by piece.
    """

    formula: str
    loss: str
    profile: str
    fixed: Mapping[str, Expr]
    free: Mapping[str, Range]
    cases: tuple[ClaimCase, ...]


def box_of(formula: str, loss: str, box: str) -> Box:
    """The box of a claim, every input named.

    Args:
        formula: as written.
        loss: a loss id.
        box: as written.

    Returns:
        The completed box, the poles left out.

    Raises:
        ClaimError: in one line.
    """
    full = completed(parse_box(box), loss, parse_formula(formula))
    return {name: _leave_out_poles(name, part) for name, part in full.items()}


POLES: Mapping[str, tuple[Expr, Expr]] = {
    "target_cosine": (Integer(-1), Integer(1)),
    "angle": (Integer(0), pi),
}


def _leave_out_poles(name: str, part: Range | Choice) -> Range | Choice:
    if name not in POLES:
        return part
    low, high = POLES[name]
    if isinstance(part, Choice):
        if set(part.values) & {low, high}:
            raise ClaimError(
                f"box: {name} is at a pole, where values are limits: give an interval"
            )
        return part
    return Range(
        part.low,
        part.high,
        part.low_open or part.low == low,
        part.high_open or part.high == high,
    )


def problems_of(formula: str, loss: str, profile: str, box: Box) -> tuple[Problem, ...]:
    """A claim on a box, once for each choice of the values that it lists.

    Args:
        formula: as written.
        loss: a loss id.
        profile: a profile string.
        box: as `box_of` gives it.

    Returns:
        One problem, or as many as there are choices.

    Raises:
        ClaimError: in one line.
    """
    choices = {n: p.values for n, p in box.items() if isinstance(p, Choice)}
    free = {n: p for n, p in box.items() if isinstance(p, Range)}
    count = 1
    for values in choices.values():
        count *= len(values)
    if count > MOST_CHOICES:
        must = f"at most {MOST_CHOICES} choices, but has {count}"
        raise ClaimError(f"box must have {must}")
    tree = parse_formula(formula)
    clamps = _clamps(profile)
    through_norm = "standard_norm" in box
    has_arcs = any(LOSSES[named].has_arcs for named in losses_of(tree, loss))
    done = []
    for values in itertools.product(*choices.values()):
        fixed = dict(zip(choices, values, strict=True))
        arcs = int(fixed["multiplier"]) if has_arcs else None
        cases = claim_cases(tree, loss, profile, arcs, through_norm=through_norm)
        done.append(Problem(formula, loss, profile, {**fixed, **clamps}, free, cases))
    return tuple(done)


def box_of_problem(claim: Problem) -> Box:
    """The box of a problem, the profile's clamps left out."""
    return {
        name: claim.free[name] if name in claim.free else Choice((claim.fixed[name],))
        for name in QUANTITIES
        if name in claim.free or (name in claim.fixed and name not in CLAMPS)
    }


MOST_CHOICES = 64
"""Of the values that a box lists, multiplied out."""


def _clamps(profile: str) -> dict[str, Expr]:
    """The profile's clamps as the decimals that stand in its name."""
    return {k: Rational(repr(v)) for k, v in parse(profile).clamps.items()}
