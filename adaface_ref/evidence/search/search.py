"""Looks for a counterexample to a claim on one box.

Millions of points are looked at in working precision: low-discrepancy, at the faces and
corners of the box, next to the poles and to every zero that the spec knows or that a
sign change reveals; then the least margins are followed downhill. What looks false goes
to balls, with a share of what looks right, and only balls refute.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from adaface_ref.evidence.problem.problem import Problem
from adaface_ref.evidence.search.axes import Axis, Hint, axis_of
from adaface_ref.evidence.search.candidates import Hunt
from adaface_ref.evidence.search.witness import Witness, witness_of

POINTS = 1_000_000
"""Looked at where nothing else is asked for."""


class Search(NamedTuple):
    """What a search found.

    Args:
        witness: a point at which the claim is certainly false, if one was found.
        points: looked at in working precision.
        premised: of them, where the premise held.
        certified: points that balls decided.
        undecided: points that balls could not decide.
        unasked: points that look false in working precision, or are not finite there,
            about which balls were not asked.
        seed: of the search.
    """

    witness: Witness | None
    points: int
    premised: int
    certified: int
    undecided: int
    unasked: int
    seed: int


def search(
    claim: Problem, seed: int, points: int = POINTS, hints: Sequence[Hint] = ()
) -> Search:
    """Looks for a counterexample; the same arguments give the same result.

    Args:
        claim: a claim on one box.
        seed: any non-negative integer.
        points: to look at in blocks; what is found is followed up with others.
        hints: parts of the box to look at first, such as a proof left open.

    Returns:
        The first witness found, shrunk, or how much was looked at.
    """
    claim, axes = find_axes(claim)
    hunt = Hunt(claim, axes, seed)
    found = hunt.first(hunt.waves(points, hints))
    witness = None if found is None else witness_of(claim, axes, hunt.screen, found)
    return Search(
        witness,
        hunt.points,
        hunt.premised,
        hunt.certified,
        hunt.undecided,
        hunt.unasked if witness is None else 0,
        seed,
    )


def find_axes(claim: Problem) -> tuple[Problem, tuple[Axis, ...]]:
    """The claim with intervals that hold no float fixed at a point, and its axes."""
    axes, fixed, free = [], dict(claim.fixed), {}
    for name, part in claim.free.items():
        axis = axis_of(name, part, claim.loss)
        if axis is None:
            fixed[name] = (part.low + part.high) / 2
        else:
            axes.append(axis)
            free[name] = part
    return claim._replace(fixed=fixed, free=free), tuple(axes)
