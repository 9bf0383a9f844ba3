"""Gradients are finite where another class's cosine is +-1 or just past it.

Why: Two classes' weights may point the same way, and a mislabelled sample lies on
another class's weight. One NaN ruins every weight, in classes that get no margin, too.

Breaks: A head takes acos of the whole matrix and selects with torch.where: NaN comes
through the branch that it throws away, since 0 times infinity is NaN.

Mend: Take acos of the label's column only, or clamp before it.
"""

from __future__ import annotations

from adaface_ref.gate.checks.limits.poles import judge_poles
from adaface_ref.gate.checks.needs import REACHES_POLES
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.report.catalogue import Row
from adaface_ref.report.result import Result


def judge(evidence: Evidence, claim: str) -> Result:
    """Put another class's cosine at and just past either pole."""
    return judge_poles(evidence, claim, target=False)


ROW = Row(judge, needs=(REACHES_POLES,))
