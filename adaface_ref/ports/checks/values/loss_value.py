"""The loss value is the formula's, within the allowed error.

Why: The loss value is -ln P, and MagFace's regulariser. Textbook code subtracts the
target logit from a log-sum-exp, and is allowed what that loses.

Breaks: The logarithm of a probability that underflowed, a log-sum-exp that leaves the
target class out, or a mean taken over classes.

Mend: Take log1p(exp(x)) of the difference x of the rival's logit and the target's, and
x + log1p(exp(-x)) where x is positive.
"""

from __future__ import annotations

from adaface_ref.ports.checks.needs import ANNOUNCES_LOSS_VALUE
from adaface_ref.ports.checks.values.comparison import judge_values
from adaface_ref.ports.comparison.evidence import PortEvidence
from adaface_ref.report.catalogue import Row
from adaface_ref.report.result import Result


def judge(evidence: PortEvidence, claim: str) -> Result:
    """Compare the loss values."""
    return judge_values(evidence, claim, "loss_value")


ROW = Row(judge, needs=(ANNOUNCES_LOSS_VALUE,))
