"""The comparison of one quantity with the formula's."""

from __future__ import annotations

from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.measured.values import SINGLE, findings
from adaface_ref.report.report import ERROR, FAILED, OK, WARNING
from adaface_ref.report.result import Result


def compare_values(evidence: Evidence, claim: str, quantity: str) -> Result:
    """Tell what comparing a quantity at many points came to.

    Args:
        evidence: the head.
        claim: the check's sentence.
        quantity: a key of `evidence.tallies`.

    Returns:
        The result.
    """
    tally = evidence.tallies[quantity]
    detail = f"{tally.compared} points, worst {tally.ratio:.2g} of the allowed error"
    if tally.failed:
        found = findings(evidence.session, claim, tally, evidence.cause)
        detail = f"{tally.compared} points, worst {tally.ratio:.3g} times the allowed"
        single = all(finding.cause == SINGLE for finding in found)
        status = WARNING if single else FAILED
        return Result(status, detail, tally.compared, tally.ratio, tuple(found))
    if tally.undecided:
        return Result(ERROR, f"could not decide {tally.undecided} points")
    if not tally.compared:
        return Result(FAILED, "nothing was compared")
    return Result(OK, detail, tally.compared, tally.ratio)
