"""Running statistics follow the official policy.

Why: AdaFace's margin follows (norm - mean) / (std + eps) with a running mean and std,
and CurricularFace's hard classes follow a running mean of the target cosines. The
official policy: norms clipped to [0.001, 100], unbiased std, eps 0.001, h z clipped to
[-1, 1], everything detached, updated in training only and before it is used. A head
with another policy trains with other margins than the paper's and is not comparable
with it. The weight of the new batch is configuration (0.01 in training, 1 by the
official constructor's default) as long as it is what the constructor was given; so are
the start values; eps and the clip are, where they are given with --arg.

Breaks: std(correction=0) or var, lerp the wrong way round, the update written below its
use, clip written before the multiplication by h, a missing torch.no_grad or `if
self.training`.

Mend: Write the update as new = w * batch + (1 - w) * old under torch.no_grad, first
thing in training.
"""

from __future__ import annotations

import math

from adaface_ref.gate.checks.needs import (
    KEEPS_STATISTICS,
    LOSS_KEEPS_STATISTICS,
    MAKES_STATISTICS,
)
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.session.session import Session
from adaface_ref.gate.statistics.departures import Case, differences, words
from adaface_ref.gate.statistics.model import Model
from adaface_ref.gate.statistics.policy import Policy
from adaface_ref.gate.statistics.scenario import Scenario, history_finding
from adaface_ref.report.catalogue import Row
from adaface_ref.report.report import FAILED, OK, Finding
from adaface_ref.report.result import Result


def judge(evidence: Evidence, claim: str) -> Result:
    """Compare the head's policy with the official one.

    Args:
        evidence: the head.
        claim: the check's sentence.

    Returns:
        The result, with one finding a difference.

    Raises:
        SubjectError: the head raised.
    """
    session = evidence.session
    policy, found = session.policy, []
    assert policy is not None
    rows = differences(session, policy)
    for row in rows:
        scenario, cause = row.shown(Case(session, policy)), words(row, policy)
        found.append(_finding(session, policy, claim, scenario, cause))
    if not rows:
        return Result(OK, policy.sentence(), len(policy.moving))
    told = "; ".join(finding.cause for finding in found)
    return Result(FAILED, told, len(policy.moving), None, tuple(found), len(found))


def _finding(
    session: Session, policy: Policy, claim: str, scenario: Scenario, cause: str
) -> Finding:
    """A history that goes wrong, beside what it must come to."""
    expected: float | str = "a number that follows the batch"
    allowed = math.nan
    if policy.steerable:
        model = Model(session, policy, session.profile)
        for step in scenario.steps:
            model.step(step)
        expected, allowed = model.read(scenario), model.allowed(scenario)
    return history_finding(session, claim, scenario, cause, expected, allowed)


ROW = Row(judge, needs=(LOSS_KEEPS_STATISTICS, MAKES_STATISTICS, KEEPS_STATISTICS))
