"""The GST of every other class is the formula's, within the allowed error.

Why: Each other class is pushed away by P_j df_j/dc_j.

Breaks: The other columns are detached, or the loss's own reduction or softmax is not
that of cross-entropy.

Mend: Let the gradient pass through the whole matrix of logits.
"""

from __future__ import annotations

from adaface_ref.gate.checks.formula.values import compare_values
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.report.catalogue import Row
from adaface_ref.report.result import Result


def judge(evidence: Evidence, claim: str) -> Result:
    """Compare the GST of every other class."""
    return compare_values(evidence, claim, "other-gst")


ROW = Row(
    judge,
    severity={"error": "", "warning": "where float32 in a float64 call explains it"},
)
