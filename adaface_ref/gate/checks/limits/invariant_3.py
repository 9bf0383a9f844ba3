"""The GST is never above 0, but where the profile has it so.

Why: A GST above 0 pushes a sample away from its own class. In the printed AdaFace
formula that happens for high norms near c = 1, and in ArcFace past theta = pi - m;
`clip` and the fallbacks avoid it.

Breaks: Where the profile itself has it so, nothing is broken, and it is a warning;
anywhere else the margin's sign is wrong.

Mend: To be rid of it choose a profile without it; to keep it, accept = ["sign-change"].
"""

from __future__ import annotations

import numpy as np

from adaface_ref.gate.checks.limits.grid import judge_on_grid
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.measured.invariant_grid import positive, wrong_sign
from adaface_ref.report.catalogue import Row
from adaface_ref.report.report import OK, WARNING
from adaface_ref.report.result import Result


def judge(evidence: Evidence, claim: str) -> Result:
    """Compare the GST's sign with the slope's, then tell where it is above 0."""
    grid = evidence.grid
    bad, compared = wrong_sign(grid)
    result = judge_on_grid(evidence, claim, bad, compared, "g is never above 0")
    up = positive(grid)
    if result.status != OK or not up.any():
        return result
    easiest = float(np.abs(grid.rows.cosines[up, 0]).min())
    where = f"g > 0 at {int(up.sum())} grid points, all of |c| >= {easiest:.4f}"
    return Result(WARNING, f"{where}, as `{evidence.session.profile}` has it", compared)


ROW = Row(
    judge,
    severity={"error": "", "warning": "where the profile itself has it so"},
    accept="sign-change",
)
