"""Checks of running statistics: the policy, and its life in training."""

from __future__ import annotations

import math

from adaface_ref.gate.measured.evidence import Evidence, Result
from adaface_ref.gate.session.session import Session
from adaface_ref.gate.statistics.departures import Case, differences, words
from adaface_ref.gate.statistics.histories import UPDATE, USE, Broken, broken
from adaface_ref.gate.statistics.model import Model
from adaface_ref.gate.statistics.scenario import Scenario, history_finding
from adaface_ref.report.report import FAILED, OK, SKIPPED, Finding

STATEFUL = ("adaface", "curricularface")
"""Losses whose heads keep running statistics."""

HOW = "of training as they must be"

ATTEMPTS = 6
"""Kinds of failure that one run may tell."""


def statistics_policy(evidence: Evidence, claim: str) -> Result:
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
    reason = _why_not(session)
    if reason or session.policy is None:
        return Result(SKIPPED, reason)
    evidence.settle()
    policy, found = session.policy, []
    rows = differences(session, policy)
    for row in rows:
        scenario, cause = row.shown(Case(session, policy)), words(row, policy)
        found.append(_finding(session, claim, scenario, cause))
    if not rows:
        return Result(OK, policy.sentence(), len(policy.moving))
    told = "; ".join(finding.cause for finding in found)
    return Result(FAILED, told, len(policy.moving), None, tuple(found), len(found))


def running_statistics(evidence: Evidence, claim: str) -> Result:
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
    reason = _why_not(session)
    if reason or session.policy is None:
        return Result(SKIPPED, reason)
    policy = session.policy
    if not policy.steerable:
        return Result(SKIPPED, "skipped: no mean and std, or t: see statistics-policy")
    evidence.settle()
    found: list[Broken] = []
    rows, steps = differences(session, policy), 0
    told = {UPDATE, USE} if rows else set()  # by statistics-policy, in one step
    for _ in range(ATTEMPTS):
        known = told | {item.kind for item in found}
        failure, taken = broken(session, policy, known)
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
    return Result(FAILED, f"broken by {detail}", steps, None, findings, len(findings))


def _why_not(session: Session) -> str:
    """Why a head has no statistics to judge, or ""."""
    if session.loss not in STATEFUL:
        return f"skipped: {session.loss} keeps no running statistics"
    if session.policy is not None:
        return ""
    given = [name for name in ("margin_scaler",) if name in session.door.takes]
    if given or session.loss == "curricularface":
        return "skipped: the head is given its statistics and keeps none"
    return "skipped: the head keeps no number that follows the norms"


def _finding(session: Session, claim: str, scenario: Scenario, cause: str) -> Finding:
    """A history that goes wrong, beside what it must come to."""
    policy = session.policy
    expected: float | str = "a number that follows the batch"
    allowed = math.nan
    if policy is not None and policy.steerable:
        model = Model(session, policy)
        for step in scenario.steps:
            model.step(step)
        expected, allowed = model.read(scenario), model.allowed(scenario)
    return history_finding(session, claim, scenario, cause, expected, allowed)
