"""The slope is the formula's, within the allowed error.

Why: The slope is the derivative of the target logit by its cosine, divided by the
scale: what the margin makes of the push on a sample. A port that writes its backward
pass by hand can have it wrong while the logit is right.

Breaks: A clamp that the backward pass does not know, a straight-through margin, a sine
from sqrt(1 - c*c) near the poles, or the scale left in.

Mend: Differentiate what the forward pass computes: sin(theta + a) / sin(theta), which
is cos a + c sin a / sin(theta), and 0 where a clamp holds the cosine.
"""

from __future__ import annotations

from adaface_ref.ports.checks.needs import ANNOUNCES_SLOPE
from adaface_ref.ports.checks.values.comparison import judge_values
from adaface_ref.ports.comparison.evidence import PortEvidence
from adaface_ref.report.catalogue import Row
from adaface_ref.report.result import Result


def judge(evidence: PortEvidence, claim: str) -> Result:
    """Compare the slopes."""
    return judge_values(evidence, claim, "slope")


ROW = Row(judge, needs=(ANNOUNCES_SLOPE,))
