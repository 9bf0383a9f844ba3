"""The norm gradient is the formula's, within the allowed error.

Why: MagFace's margin grows with the feature norm and its regulariser pulls the norm
up: the derivative of the loss by the norm is the sum of both.

Breaks: The regulariser or its weight is left out, the margin is detached from the norm,
or the norm is not held within its two bounds.

Mend: Differentiate -ln P through the margin m(a), and add the weight times the
derivative of g(a) = 1/a + a/u^2.
"""

from __future__ import annotations

from adaface_ref.ports.checks.needs import ANNOUNCES_NORM_GRADIENT, NORM_HAS_GRADIENT
from adaface_ref.ports.checks.values.comparison import judge_values
from adaface_ref.ports.comparison.evidence import PortEvidence
from adaface_ref.report.catalogue import Row
from adaface_ref.report.result import Result


def judge(evidence: PortEvidence, claim: str) -> Result:
    """Compare the gradients by the norm."""
    return judge_values(evidence, claim, "norm_gradient")


ROW = Row(
    judge,
    needs=(
        NORM_HAS_GRADIENT,
        ANNOUNCES_NORM_GRADIENT,
    ),
)
