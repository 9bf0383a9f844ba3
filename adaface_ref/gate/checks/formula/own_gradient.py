"""The gradient is that of the head's own forward.

Why: A detached margin leaves the forward right and the slope D at 1 everywhere:
training then follows another loss than the one that is printed. Some maintainers do it
deliberately.

Breaks: A margin that is computed without gradient, or written in place into detached
logits.

Mend: Compute the margined logit with autograd on and choose it with torch.where; or,
where it is meant, pin the profile (--profile fallback:detached) or put accept =
["detached"] into the configuration.
"""

from __future__ import annotations

import numpy as np

from adaface_ref.gate.checks.needs import FITS_A_PROFILE
from adaface_ref.gate.measured.evidence import Evidence, probe_finding
from adaface_ref.report.catalogue import Row
from adaface_ref.report.report import FAILED, NOTE, OK
from adaface_ref.report.result import Result


def judge(evidence: Evidence, claim: str) -> Result:
    """Tell whether the profile found has a detached slope."""
    identity, pinned = evidence.identity, evidence.session.request.profile
    if "detached" not in identity.profile:
        return Result(OK, "the slope is that of the head's own forward")
    detail = "detached: D is 1 everywhere, the margin is left out of the gradient"
    if pinned:
        return Result(NOTE, f"{detail}; accepted by --profile {pinned}")
    true = identity.profile.replace("detached", "true")
    slope = evidence.session.predict("slope", evidence.probes.rows.columns, true)
    away = np.where(evidence.probes.telling, np.abs(slope - 1), 0)
    index = int(np.argmax(np.where(np.isfinite(away), away, 0)))
    finding = probe_finding(evidence, claim, index, profile=true)
    count = int(evidence.probes.telling.sum())
    return Result(FAILED, detail, count, findings=(finding,))


ROW = Row(
    judge,
    needs=(FITS_A_PROFILE,),
    severity={"error": "", "note": "where the pinned profile is detached"},
    accept="detached",
)
