"""What an invariant came to on the head's grid."""

from __future__ import annotations

from adaface_ref.gate.measured.evidence import Evidence, finding_at
from adaface_ref.gate.measured.invariant_grid import Indices
from adaface_ref.report.report import FAILED, OK, SKIPPED
from adaface_ref.report.result import Result


def judge_on_grid(
    evidence: Evidence, claim: str, bad: Indices, compared: int, detail: str
) -> Result:
    """Tell where an invariant is broken.

    Args:
        evidence: the head.
        claim: the check's sentence.
        bad: where on the grid, the worst first.
        compared: at how many points it was looked for.
        detail: what is said where it holds.

    Returns:
        The result, with a finding at the worst point.
    """
    if not compared:
        return Result(SKIPPED, "skipped: the profile promises nothing on the grid")
    if not len(bad):
        return Result(OK, f"{detail} ({compared} grid points)", compared)
    grid = evidence.grid
    index = int(bad[0])
    want = float(grid.expected[index])
    row = grid.rows.take(index)
    cause = evidence.cause
    allowed, session = float(grid.slack[index]), evidence.session
    finding = finding_at(session, claim, row, "gst", want, allowed, cause)
    text = f"violated at {len(bad)} of {compared} grid points"
    return Result(FAILED, text, compared, findings=(finding,))
