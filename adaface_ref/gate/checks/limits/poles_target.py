"""Gradients are finite where the target cosine is +-1 or just past it.

Why: In single precision about a third of all products of a unit vector with itself give
a cosine of exactly 1, and over a quarter give more. One NaN ruins every weight.

Breaks: The derivative of acos and of sqrt(1 - c^2) is infinite at +-1 and NaN beyond. A
clamp to exactly [-1, 1] does not help.

Mend: Clamp to [-1 + eps, 1 - eps], or take the sine from sqrt((1 - c)(1 + c)) with a
floor above 0.
"""

from __future__ import annotations

from adaface_ref.gate.checks.limits.poles import judge_poles
from adaface_ref.gate.checks.needs import REACHES_POLES
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.report.catalogue import Row
from adaface_ref.report.result import Result


def judge(evidence: Evidence, claim: str) -> Result:
    """Put the target's cosine at and just past either pole."""
    return judge_poles(evidence, claim, target=True)


ROW = Row(judge, needs=(REACHES_POLES,))
