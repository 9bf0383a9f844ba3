"""The head changes nothing but its result: no seed, default or flag.

Why: A head that seeds a generator makes every shuffle and dropout after it repeat
itself; one that sets a default dtype, device or gradient mode changes code that it has
never seen. All of it shows far from where it was done. What the imports of libraries
usually change (warnings.filters) is mentioned and no fault. Each change is undone at
once, so that no other check is affected by it.

Breaks: A line of a script (torch.manual_seed, torch.set_default_dtype, np.seterr)
stands at the head of the module, or in the constructor.

Mend: Move it into the script's main function; use torch.Generator,
torch.random.fork_rng, torch.no_grad and dtype arguments where only the head is meant.
"""

from __future__ import annotations

from adaface_ref.gate.guarding.guard import changes
from adaface_ref.gate.guarding.settings import (
    FAILS,
    GENERATORS,
    SETTINGS,
    TOLERATED,
    WARNS,
)
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.report.catalogue import Row
from adaface_ref.report.report import FAILED, OK, WARNING
from adaface_ref.report.result import Result


def judge(evidence: Evidence, claim: str) -> Result:
    """Tell what importing, building and running the head changed.

    Args:
        evidence: the head, run at the probes at least.
        claim: the check's sentence.

    Returns:
        Failed, a warning, or what is usual.
    """
    count = len((*GENERATORS, *SETTINGS))
    for severity, status in ((FAILS, FAILED), (WARNS, WARNING)):
        found = [change.text for change in changes() if change.severity == severity]
        if found:
            return Result(status, "changed: " + "; ".join(found), count)
    usual = {change.name: None for change in changes() if change.severity == TOLERATED}
    told = f", but by import: {', '.join(usual)}" if usual else ""
    return Result(OK, f"none of {count}{told}", count)


ROW = Row(
    judge,
    severity={
        "error": "",
        "warning": "where it is bad manners, such as np.seterr",
    },
)
