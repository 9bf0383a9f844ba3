"""Gate runs shared by tests: few points, each run made once."""

from __future__ import annotations

from functools import cache

import pytest

from adaface_ref.gate.report import Report
from adaface_ref.gate.runner import run_gate
from adaface_ref.gate.session import EFFORTS


@cache
def few_points(
    target: str, loss: str, profile: str = "auto", seed: int = 0, **arguments: float
) -> Report:
    """Judge a head at a tenth of the points of `quick`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(EFFORTS, "quick", 10_000)
        return run_gate(
            target,
            loss=loss,
            profile=profile,
            seed=seed,
            effort="quick",
            arguments=arguments,
        )


def failed(report: Report) -> list[str]:
    """The ids of the checks that failed."""
    return [outcome.check for outcome in report.outcomes if outcome.status == "failed"]
