"""The logit of every other class is the formula's, within the allowed error.

Why: Every other class must get s times its cosine (CurricularFace's hard ones
excepted).

Breaks: The margin is put on every class, the scale is left out on the others, or
CurricularFace's hard classes are told by c_j > cos(theta).

Mend: Apply the margin to the label's own cosine only, and the scale to all logits
afterwards.
"""

from __future__ import annotations

from adaface_ref.ports.checks.needs import ANNOUNCES_OTHER_LOGIT
from adaface_ref.ports.checks.values.comparison import judge_values
from adaface_ref.ports.comparison.evidence import PortEvidence
from adaface_ref.report.catalogue import Row
from adaface_ref.report.result import Result


def judge(evidence: PortEvidence, claim: str) -> Result:
    """Compare the logits of other classes."""
    return judge_values(evidence, claim, "other_logit")


ROW = Row(judge, needs=(ANNOUNCES_OTHER_LOGIT,))
