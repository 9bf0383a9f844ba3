"""Every value check compared most of its points.

Why: A value check that left out most of its points, at poles or where rounding decides,
says nothing, and silence must not pass. Nor does one that finds nothing wrong because
the head replaced what it compares by: a value that is off must still be found.

Breaks: Heads that answer with NaN or constants, or odd parameters; heads that replace
functions of NumPy.

Mend: Look at the reasons given, and judge in float64.
"""

from __future__ import annotations

from collections import Counter

from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.measured.values import finds_what_is_off
from adaface_ref.report.catalogue import Row
from adaface_ref.report.report import ERROR, FAILED, OK
from adaface_ref.report.result import Result


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
    if not finds_what_is_off(evidence.session):
        detail = "a value that is off is not found: the head replaced what compares it"
        return Result(ERROR, detail, compared)
    return Result(OK, detail, compared)


ROW = Row(judge)
