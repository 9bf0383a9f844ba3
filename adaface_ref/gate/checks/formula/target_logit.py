"""The logit of the target class is the formula's, within the allowed error.

Why: The logit of a row's own class, scaled and with its margin, is what the softmax
sees. Only the certified oracle can condemn a value, and only past a tolerance that
textbook code keeps.

Breaks: A wrong sign of the angle, degrees for radians, a scale applied before the
additive margin, or swapped branches.

Mend: Compare the inputs of the failure with the formula of the loss (adaface-ref
evaluate).
"""

from __future__ import annotations

from adaface_ref.gate.checks.formula.values import compare_values
from adaface_ref.gate.checks.needs import SHOWS_LOGITS
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.report.catalogue import Row
from adaface_ref.report.result import Result


def judge(evidence: Evidence, claim: str) -> Result:
    """Compare the logits of the target class."""
    return compare_values(evidence, claim, "target-logit")


ROW = Row(
    judge,
    needs=(SHOWS_LOGITS,),
    severity={"error": "", "warning": "where float32 in a float64 call explains it"},
)
