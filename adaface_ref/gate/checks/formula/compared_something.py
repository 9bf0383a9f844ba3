"""Every value check compared most of its points.

Why: A value check that left out most of its points, at poles or where rounding decides,
says nothing, and silence must not pass.

Breaks: Heads that answer with NaN or constants, or odd parameters.

Mend: Look at the reasons given, and judge in float64.
"""

from __future__ import annotations

from collections import Counter

from adaface_ref.gate.measured.evidence import Evidence, Result
from adaface_ref.report.catalogue import Row
from adaface_ref.report.report import FAILED, OK


def judge(evidence: Evidence, claim: str) -> Result:
    """Count what the value checks compared, and why they left points out."""
    tallies = evidence.tallies
    few = {check: tally for check, tally in tallies.items() if not tally.suffices}
    told = few or tallies
    asked = sum(tally.asked for tally in told.values())
    compared = sum(tally.compared for tally in told.values())
    left_out = sum((tally.left_out for tally in told.values()), Counter())
    reasons = ", ".join(f"{n} {reason}" for reason, n in left_out.items())
    detail = f"{compared} of {asked} values" + f"; left out: {reasons}" * bool(reasons)
    if few:
        return Result(FAILED, f"{', '.join(few)}: {detail}", compared)
    return Result(OK, detail, compared)


ROW = Row(judge)
