"""How bad a violation is: by its check, its dtype, and what the user accepts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from adaface_ref.report.report import FAILED, NOTE, WARNING, Outcome

SEVERITIES = {"error": FAILED, "warning": WARNING, "note": NOTE}
"""The status of a violation, by its check's severity."""

HALF = frozenset({"float16", "bfloat16"})
"""Findings in these alone are warnings, unless the dtype was asked for."""


def graded(
    outcome: Outcome,
    severity: str,
    *,
    asked: Collection[str] = (),
    profile: str = "",
    strict: bool = False,
    accepted: bool = False,
    of_values: bool = False,
) -> Outcome:
    """Give a violation the status that it has for this user.

    Args:
        outcome: what a check came to.
        severity: what a violation of the check is, a key of SEVERITIES.
        asked: the dtypes that the user asked for.
        profile: the profile judged.
        strict: whether warnings are errors.
        accepted: whether the user accepts what the check tells of.
        of_values: whether the check judges values, in half precision too.

    Returns:
        The outcome, with its status changed where it must be.
    """
    if outcome.status not in (FAILED, WARNING):
        return outcome
    if accepted and _by_choice(outcome, profile):
        detail = f"{outcome.detail}; accepted by the configuration"
        return replace(outcome, status=NOTE, detail=detail)
    status = outcome.status
    if status == FAILED:
        status = SEVERITIES[severity]
        dtypes = {finding.dtype for finding in outcome.findings}
        half = dtypes and dtypes <= HALF - set(asked)
        if status == FAILED and half and not of_values:
            status = WARNING
    if strict and status == WARNING:
        status = FAILED
    return replace(outcome, status=status)


def _by_choice(outcome: Outcome, profile: str) -> bool:
    """A jump that no profile has, or a wrong sign, is a violation: nobody's choice."""
    return outcome.status == WARNING or "detached" in profile
