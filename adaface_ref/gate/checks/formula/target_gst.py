"""The GST of the target class is the formula's, within the allowed error.

Why: The gradient scaling term (P - 1) df/dc of the own class is the push that training
applies. It can be wrong while the logit is right.

Breaks: Something is detached, clamped or straight-through, a sine is made safe in the
forward only, or a loss uses P for P - 1.

Mend: Differentiate what the forward computes.
"""

from __future__ import annotations

from adaface_ref.gate.checks.formula.values import compare_values
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.report.catalogue import Row
from adaface_ref.report.result import Result


def judge(evidence: Evidence, claim: str) -> Result:
    """Compare the GST of the target class."""
    return compare_values(evidence, claim, "target-gst")


ROW = Row(
    judge,
    severity={"error": "", "warning": "where float32 in a float64 call explains it"},
)
