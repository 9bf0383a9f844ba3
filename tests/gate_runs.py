"""Gate runs shared by tests: few points, each run made once."""

from __future__ import annotations

from functools import cache

import pytest

from adaface_ref.choices import EFFORTS
from adaface_ref.gate.checks.calling import many_calls
from adaface_ref.gate.checks.runner import run_gate
from adaface_ref.gate.head.settings import Head
from adaface_ref.gate.twin import comparison, given_cosines
from adaface_ref.gate.twin.drawn_inputs import SHAPES
from adaface_ref.report.report import Outcome, Report


@cache
def few_points(
    target: str,
    loss: str,
    profile: str = "auto",
    seed: int = 0,
    dtypes: tuple[str, ...] = ("float32", "float64"),
    points: int = 10_000,
    only: str | None = None,
    effort: str = "quick",
    **arguments: float,
) -> Report:
    """Judge a head at a tenth of the points of `quick`, or at so many.

    With `only`, by one check at its own sizes up to a thousand classes. Else at 129 and
    in sixty calls: tests of these checks, and every run of the command, have 70,000
    classes and 400 calls.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(EFFORTS, effort, points)
        classes, rows = (129, 129) if only is None else (1000, 300)
        fewer = tuple(s for s in SHAPES if s.classes <= classes and s.rows <= rows)
        for module in (comparison, given_cosines):
            patch.setattr(module, "SHAPES", fewer)
        if only is None:
            patch.setattr(many_calls, "CALLS", 60)
        return run_gate(
            Head(
                target,
                loss=loss,
                profile=profile,
                dtypes=dtypes,
                seed=seed,
                effort=effort,
                select=() if only is None else (only,),
                arguments=arguments,
            )
        )


def outcomes(report: Report) -> dict[str, Outcome]:
    """What each check came to, by its id."""
    return {outcome.check: outcome for outcome in report.outcomes}


def failed(report: Report) -> list[str]:
    """The ids of the checks that failed."""
    return [outcome.check for outcome in report.outcomes if outcome.status == "failed"]
