"""The GST of the target class is the formula's, within the allowed error.

Why: The gradient scaling term (P - 1) df/dc is the push that training applies to a
row's own class: the product in which most ports go wrong.

Breaks: P - 1 by subtraction, which is exactly 0 for easy samples; P for P - 1; a sign;
the scale taken twice; a backward pass that ignores a clamp.

Mend: Take the complement 1 - P as a logistic function of its own, and differentiate
what the forward pass computes.
"""

from __future__ import annotations

from adaface_ref.ports.checks.needs import ANNOUNCES_GST
from adaface_ref.ports.checks.values.comparison import judge_values
from adaface_ref.ports.comparison.evidence import PortEvidence
from adaface_ref.report.catalogue import Row
from adaface_ref.report.result import Result


def judge(evidence: PortEvidence, claim: str) -> Result:
    """Compare the GSTs of the target class."""
    return judge_values(evidence, claim, "gst")


ROW = Row(judge, needs=(ANNOUNCES_GST,))
