"""The GST of every other class is the formula's, within the allowed error.

Why: Each other class is pushed away by P_j df_j/dc_j.

Breaks: The slope of CurricularFace's hard classes (t + 2 c for t + c), a P_j made from
the rounded P, or the scale left out.

Mend: Take P_j from the logits of the class and the rival, and differentiate the logit
that the forward pass computes.
"""

from __future__ import annotations

from adaface_ref.ports.checks.needs import ANNOUNCES_OTHER_GST
from adaface_ref.ports.checks.values.comparison import judge_values
from adaface_ref.ports.comparison.evidence import PortEvidence
from adaface_ref.report.catalogue import Row
from adaface_ref.report.result import Result


def judge(evidence: PortEvidence, claim: str) -> Result:
    """Compare the GSTs of other classes."""
    return judge_values(evidence, claim, "other_gst")


ROW = Row(judge, needs=(ANNOUNCES_OTHER_GST,))
