"""Runs the checks of one cell of a port."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from adaface_ref.ports.checks import CHECKS
from adaface_ref.ports.comparison.asker import Asker
from adaface_ref.ports.comparison.evidence import PortEvidence, gather
from adaface_ref.ports.pipe.protocol import DTYPES, PortError, RefusedError
from adaface_ref.report.catalogue import Check
from adaface_ref.report.report import ERROR, FAILED, SKIPPED, WARNING, Outcome
from adaface_ref.report.result import Result

ANNOUNCED = "What the port has is checked."


def run_checks(
    asker: Asker, progress: Callable[[float], None], *, strict: bool = False
) -> tuple[Outcome, ...]:
    """Run every check of a cell.

    Args:
        asker: the port and the cell.
        progress: called with the share done.
        strict: whether warnings are errors.

    Returns:
        An outcome for each check, and one for each dtype in which none was run; where
        the port failed they say so, and its `failure` is set.
    """
    evidence = gather(asker, progress)
    outcomes = [run_check(check, evidence) for check in CHECKS]
    if strict:
        outcomes = [
            replace(o, status=FAILED) if o.status == WARNING else o for o in outcomes
        ]
    detail = "not checked: not announced, or not asked for"
    outcomes += [
        Outcome(dtype, ANNOUNCED, SKIPPED, detail)
        for dtype in DTYPES
        if dtype not in asker.dtypes
    ]
    return tuple(outcomes)


def run_check(check: Check[PortEvidence, Result], evidence: PortEvidence) -> Outcome:
    """Run one check; a port that fails in it, or before, is never a pass.

    Args:
        check: a row of CHECKS.
        evidence: what it looks at.

    Returns:
        The outcome.
    """
    for need in check.row.needs:
        if not need.is_met(evidence):
            detail = f"not checked: {need.lacking}"
            return Outcome(check.id, check.claim, SKIPPED, detail)
    try:
        result = check.row.run(evidence, check.claim)
    except RefusedError as error:
        result = Result(ERROR, f"the port answers an error: {error}")
    except PortError as error:
        result = Result(ERROR, str(error))
    return Outcome(check.id, check.claim, *result)
