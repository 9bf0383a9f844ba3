"""The probability is the formula's, within the allowed error.

Why: The probability P of the row's own class weighs its gradient. The rival cosine
stands for all other classes.

Breaks: A softmax without its maximum taken off, which overflows at scale 64; a rival
that gets the margin, too; natural for binary logarithms.

Mend: Take 1 / (1 + exp(x)) of the difference x of the rival's logit and the target's,
with the sign of x chosen so that exp cannot overflow.
"""

from __future__ import annotations

from adaface_ref.ports.checks.needs import ANNOUNCES_PROBABILITY
from adaface_ref.ports.checks.values.comparison import judge_values
from adaface_ref.ports.comparison.evidence import PortEvidence
from adaface_ref.report.catalogue import Row
from adaface_ref.report.result import Result


def judge(evidence: PortEvidence, claim: str) -> Result:
    """Compare the probabilities."""
    return judge_values(evidence, claim, "probability")


ROW = Row(judge, needs=(ANNOUNCES_PROBABILITY,))
