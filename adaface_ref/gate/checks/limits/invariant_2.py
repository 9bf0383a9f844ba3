"""|GST| rises with the cosine where the rising criterion says so, and nowhere else.

Why: For a positive angular margin |GST| rises with the cosine exactly where sign(D)
(sin a - P s sin(theta) sin(theta + a)^2) is positive, and falls elsewhere. A head that
breaks it weighs hard and easy samples other than the paper says.

Breaks: Mostly a margin of the wrong sign or a wrong scale.

Mend: Compare the sign and the unit of the margin, and the scale, with the paper's.
"""

from __future__ import annotations

from adaface_ref.gate.checks.limits.grid import judge_on_grid
from adaface_ref.gate.checks.needs import IS_ATTACHED, TURNS_THE_TARGET
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.measured.invariant_grid import wrong_rise
from adaface_ref.report.catalogue import Row
from adaface_ref.report.result import Result


def judge(evidence: Evidence, claim: str) -> Result:
    """Compare where |GST| rises with the rising criterion."""
    bad, compared = wrong_rise(evidence.grid)
    return judge_on_grid(
        evidence, claim, bad, compared, "|g| rises and falls as it must"
    )


ROW = Row(judge, needs=(TURNS_THE_TARGET, IS_ATTACHED))
