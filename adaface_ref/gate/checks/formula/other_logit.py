"""The logit of every other class is the formula's, within the allowed error.

Why: Every other class must get s times its cosine (CurricularFace's hard ones
excepted).

Breaks: The margin is put on all classes, the scale is left out on the others, or a
one-hot is shifted.

Mend: Apply the margin to the label's column only, and the scale to the whole matrix
afterwards.
"""

from __future__ import annotations

from adaface_ref.gate.checks.formula.values import compare_values
from adaface_ref.gate.checks.needs import SHOWS_LOGITS
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.report.catalogue import Row
from adaface_ref.report.result import Result


def judge(evidence: Evidence, claim: str) -> Result:
    """Compare the logits of every other class."""
    return compare_values(evidence, claim, "other-logit")


ROW = Row(
    judge,
    needs=(SHOWS_LOGITS,),
    severity={"error": "", "warning": "where float32 in a float64 call explains it"},
)
