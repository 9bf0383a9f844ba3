"""The logit of the target class is the formula's, within the allowed error.

Why: The logit of a row's own class is what the softmax sees. Every point goes to a fast
prediction, what is doubtful to the certified oracle, and only the oracle condemns.

Breaks: A wrong sign of the angle, degrees for radians, a scale before the additive
margin, swapped branches; and acos near c = 1 in single precision, where --stable is
given.

Mend: Paste the request of the failure into the port, and compare with adaface-ref
evaluate at the same inputs; for --stable take cos(theta + a) by the addition formula,
with the sine from sqrt((1 - c)(1 + c)).
"""

from __future__ import annotations

from adaface_ref.ports.checks.needs import ANNOUNCES_LOGIT
from adaface_ref.ports.checks.values.comparison import judge_values
from adaface_ref.ports.comparison.evidence import PortEvidence
from adaface_ref.report.catalogue import Row
from adaface_ref.report.result import Result


def judge(evidence: PortEvidence, claim: str) -> Result:
    """Compare the logits of the target class."""
    return judge_values(evidence, claim, "logit")


ROW = Row(judge, needs=(ANNOUNCES_LOGIT,))
