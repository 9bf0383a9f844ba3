"""At a fixed angle the GST goes to 0 as P goes to 1.

Why: At a fixed angle the push must vanish as the sample gets easy, P going to 1.

Breaks: The GST is made from P, P - 1 is formed with cancellation, or a regulariser is
added that does not vanish.

Mend: Use cross-entropy on logits.
"""

from __future__ import annotations

from adaface_ref.gate.checks.limits.grid import judge_on_grid
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.measured.invariant_grid import not_vanishing
from adaface_ref.report.catalogue import Row
from adaface_ref.report.result import Result


def judge(evidence: Evidence, claim: str) -> Result:
    """Compare |GST| with its bound."""
    bad, compared = not_vanishing(evidence.grid)
    return judge_on_grid(evidence, claim, bad, compared, "|g| <= s (1 - P) |D|")


ROW = Row(judge)
