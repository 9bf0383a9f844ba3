"""Whatever the steps of training, the statistics are ours, and finite.

Why: Short random histories of a new head (batches of all sizes, a batch of one,
constant norms, eval calls, saving and loading, a batch with NaN or inf) run beside our
own statistics; the shortest one that goes wrong is shown. The last batch of an epoch is
enough to kill a head, as is one overflow under mixed precision.

Breaks: A batch of one has no unbiased std: NaN enters the running std, every logit is
NaN from then on, and the gradient comes back as a finite 0, so that training goes on
with a dead head.

Mend: Update the std from two rows up only, leave norms that are not finite out of the
update, put an eps beside the std, use register_buffer (persistent, the default) for
what is kept, and update only `if self.training`.
"""

from __future__ import annotations

from adaface_ref.gate.checks.needs import (
    KEEPS_STATISTICS,
    LOSS_KEEPS_STATISTICS,
    MAKES_STATISTICS,
    STEERS_STATISTICS,
)
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.statistics.departures import differences
from adaface_ref.gate.statistics.histories import BAD, UPDATE, USE, Broken, broken
from adaface_ref.gate.statistics.scenario import history_finding
from adaface_ref.report.catalogue import Row
from adaface_ref.report.report import FAILED, OK, WARNING
from adaface_ref.report.result import Result

HOW = "of training as they must be"

ATTEMPTS = 6
"""Kinds of failure that one run may tell."""


def judge(evidence: Evidence, claim: str) -> Result:
    """Let random histories of the head run beside our own statistics.

    Args:
        evidence: the head.
        claim: the check's sentence.

    Returns:
        The result, with one finding for each kind of failure: the shortest history.

    Raises:
        SubjectError: the head raised.
    """
    session = evidence.session
    policy = session.policy
    assert policy is not None
    found: list[Broken] = []
    rows, steps = differences(session, policy), 0
    told = {UPDATE, USE} if rows else set()  # by statistics-policy, in one step
    for _ in range(ATTEMPTS):
        known = told | {item.kind for item in found}
        failure, taken = broken(session, policy, session.profile, known)
        steps += taken
        if failure is None:
            break
        found.append(failure)
    if not found:
        how = "finite, saved, still in eval mode; their values: see statistics-policy"
        return Result(OK, f"{steps} steps {how if rows else HOW}", steps)
    findings = tuple(
        history_finding(
            session,
            f"{claim} [{item.kind}]",
            item.scenario,
            item.words or "the statistics are updated in another way",
            item.expected,
            item.allowed,
        )
        for item in found
    )
    detail = ", ".join(item.kind for item in found)
    # What a batch of NaN poisons is fragile, not wrong.
    status = WARNING if {item.kind for item in found} == {BAD} else FAILED
    return Result(status, f"broken by {detail}", steps, None, findings, len(findings))


ROW = Row(
    judge,
    needs=(
        LOSS_KEEPS_STATISTICS,
        MAKES_STATISTICS,
        KEEPS_STATISTICS,
        STEERS_STATISTICS,
    ),
    severity={"error": "", "warning": "where NaN or inf in one batch alone breaks it"},
)
