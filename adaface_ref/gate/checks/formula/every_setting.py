"""At other settings of its own arguments the head is the loss, too.

Why: Nobody trains every run with the recommended margin and scale. A number that is
written where the argument belongs shows only where the argument has another value: the
scale, no margin, a margin that float32 does not hold. Each argument that means a
parameter is set to several values, the others at the recommended ones, then all of them
are drawn at once; the head's own defaults are one of the settings.

Breaks: cos(m) computed from 0.5 whatever m is, `m or 0.5` for a margin of 0, a scale
that multiplies the target alone, m1 (theta + m2) in place of m1 theta + m2.

Mend: Use the argument wherever its recommended value stands.
"""

from __future__ import annotations

from adaface_ref.gate.checks.needs import (
    FITS_A_PROFILE,
    NOT_COMPILED,
    TAKES_SETTINGS,
)
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.measured.values import SINGLE, findings
from adaface_ref.report.catalogue import Row
from adaface_ref.report.report import FAILED, OK, SKIPPED, WARNING
from adaface_ref.report.result import Result

SHOWN = 2
"""Refused settings that are named."""


def judge(evidence: Evidence, claim: str) -> Result:
    """Judge the head at other settings."""
    if any(tally.failed for tally in evidence.tallies.values()):
        return Result(SKIPPED, "skipped: wrong at the recommended setting already")
    found = evidence.tried
    names = ", ".join(found.names)
    left = f"; refused: {'; '.join(found.refused[:SHOWN])}" * bool(found.refused)
    left += ", ..." * (len(found.refused) > SHOWN)
    if found.session is not None:
        usual = evidence.session.request.parameters
        there = found.session.request.parameters
        changed = [f"{n} = {there[n]:g}" for n in found.names if there[n] != usual[n]]
        cause = found.cause or "no known fault gives these values"
        made = findings(found.session, claim, found.tally, cause)
        detail = f"wrong at {', '.join(changed)} ({found.check})"
        return Result(FAILED, detail, found.tally.compared, None, tuple(made), 1)
    if not found.settings:
        return Result(SKIPPED, f"skipped: no setting was accepted{left}")
    if found.single:
        detail = f"{SINGLE}: at {found.single[0]}"
        return Result(WARNING, detail, found.settings)
    return Result(OK, f"{found.settings} settings of {names}{left}", found.settings)


ROW = Row(
    judge,
    needs=(FITS_A_PROFILE, TAKES_SETTINGS, NOT_COMPILED),
    severity={"error": "", "warning": "where float32 in a float64 call explains it"},
)
