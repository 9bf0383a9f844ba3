"""The head is the loss in one known profile.

Why: Public heads agree with the formula in the core and depart outside it in one of a
few known ways: a fallback past theta = pi - m, an easy margin, a clamp of the cosines.
The gate finds the one that explains every probe. Where a profile is pinned, the head
must have that one, so that an upgrade cannot change the rule unseen.

Breaks: A wrong value somewhere: a margin in the wrong unit, a wrong sign, a clamp that
is too wide.

Mend: Look at the first probe that departs, or pin the profile that you mean.
"""

from __future__ import annotations

import numpy as np

from adaface_ref.gate.measured.evidence import Evidence, probe_finding
from adaface_ref.report.catalogue import Row
from adaface_ref.report.report import FAILED, OK
from adaface_ref.report.result import Result


def judge(evidence: Evidence, claim: str) -> Result:
    """Look for the profile that explains every probe."""
    identity, pinned = evidence.identity, evidence.session.request.profile
    count = int(evidence.probes.telling.sum())
    if pinned and identity.fits and identity.profile != pinned:
        detail = f"pinned `{pinned}`, but it is {identity.sentence}"
        index = int(np.argmax(evidence.probes.off(pinned)))
        finding = probe_finding(evidence, claim, index, profile=pinned)
        return Result(FAILED, detail, count, findings=(finding,))
    if not identity.fits:
        finding = probe_finding(evidence, claim, identity.departs or 0)
        return Result(FAILED, identity.sentence, count, findings=(finding,))
    return Result(OK, f"`{identity.profile}` at {count} probes", count)


ROW = Row(judge)
