"""How bad a violation is: by its check, its dtype, and what the user accepts."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from adaface_ref.errors import DomainError
from adaface_ref.report.report import FAILED, NOTE, WARNING, Outcome

SEVERITIES = {"error": FAILED, "warning": WARNING, "note": NOTE}
"""The status of a violation, by its check's severity."""

HALF = frozenset({"float16", "bfloat16"})
"""Findings in these alone are warnings, unless the dtype was asked for."""

ACCEPTED = {
    "detached": "own-gradient",
    "jump": "continuity",
    "sign-change": "invariant-3",
}
"""Departures that are somebody's decision, and the check that tells of each."""


def require_accepted(words: Iterable[str]) -> tuple[str, ...]:
    """Refuse to accept what is not a key of ACCEPTED.

    Args:
        words: what the user accepts.

    Returns:
        The same.

    Raises:
        DomainError: for a word that is not known.
    """
    found = tuple(words)
    for word in found:
        if word not in ACCEPTED:
            known = ", ".join(ACCEPTED)
            raise DomainError(f"accept={word}, but must be one of {known} [gate]")
    return found


def graded(
    outcome: Outcome,
    severity: str,
    *,
    asked: Collection[str] = (),
    profile: str = "",
    strict: bool = False,
    accept: Collection[str] = (),
) -> Outcome:
    """Give a violation the status that it has for this user.

    Args:
        outcome: what a check came to.
        severity: the check's, a key of SEVERITIES.
        asked: the dtypes that the user asked for.
        profile: the profile judged.
        strict: whether warnings are errors.
        accept: keys of ACCEPTED.

    Returns:
        The outcome, with its status changed where it must be.
    """
    if outcome.status not in (FAILED, WARNING):
        return outcome
    if _is_accepted(outcome, profile, accept):
        detail = f"{outcome.detail}; accepted by the configuration"
        return replace(outcome, status=NOTE, detail=detail)
    status = outcome.status
    if status == FAILED:
        status = SEVERITIES[severity]
        dtypes = {finding.dtype for finding in outcome.findings}
        if status == FAILED and dtypes and dtypes <= HALF - set(asked):
            status = WARNING
    if strict and status == WARNING:
        status = FAILED
    return replace(outcome, status=status)


def _is_accepted(outcome: Outcome, profile: str, accept: Collection[str]) -> bool:
    """A jump that no profile has, or a wrong sign, is a violation: nobody's choice."""
    by_choice = outcome.status == WARNING or "detached" in profile
    return by_choice and outcome.check in {ACCEPTED[word] for word in accept}
