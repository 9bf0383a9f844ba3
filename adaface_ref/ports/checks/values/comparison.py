"""What comparing one quantity with the formula came to."""

from __future__ import annotations

from adaface_ref.ports.comparison.cause import likely_cause
from adaface_ref.ports.comparison.evidence import PortEvidence
from adaface_ref.ports.comparison.findings import value_finding
from adaface_ref.ports.comparison.values import PortTally
from adaface_ref.ports.pipe.protocol import PortError
from adaface_ref.report.report import ERROR, FAILED, OK
from adaface_ref.report.result import Result

DEPENDENT = "points of a batch are not independent"
"""The cause, where a point is right by itself and wrong in its batch."""

NOT_LOOKED_FOR = "not looked for: the port failed"


def judge_values(evidence: PortEvidence, claim: str, quantity: str) -> Result:
    """Tell what comparing a quantity at many points came to.

    Args:
        evidence: the port and the cell.
        claim: the check's sentence.
        quantity: that is compared.

    Returns:
        The result; a port that failed is never a pass.
    """
    tally, port = evidence.tallies[quantity], evidence.asker.port
    words = f"{tally.compared} values compared"
    if tally.failure is not None:
        cause = _cause(evidence, tally)
        found = value_finding(claim, evidence.asker.cell, quantity, tally, cause)
        detail = f"{words} before it was off; {cause}"
        return Result(FAILED, detail, tally.compared, tally.ratio, (found,))
    error = str(port.failure or "") or tally.error
    if not error and not tally.suffices:
        error = f"only {tally.compared} of {tally.asked} values could be judged"
    if error:
        return Result(ERROR, error, tally.compared)
    detail = f"{words}, largest error {tally.ratio:.2g} of the allowed"
    left = {"at poles": tally.poles, "undecided": tally.undecided}
    more = ", ".join(f"{count} {where}" for where, count in left.items() if count)
    detail += f"; left out: {more}" if more else ""
    return Result(OK, detail, tally.compared, tally.ratio)


def _cause(evidence: PortEvidence, tally: PortTally) -> str:
    """The likely cause of a wrong value."""
    if evidence.asker.port.failure is not None:
        return NOT_LOOKED_FOR
    if not tally.alone:
        return f"by itself this point is right, so {DEPENDENT}"
    try:
        return likely_cause(evidence.asker, tally.dtype)
    except PortError:
        return NOT_LOOKED_FOR
