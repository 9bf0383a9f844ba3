"""Runs one check on a head."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

import torch

from adaface_ref.choices import EFFORTS
from adaface_ref.gate.checks.severity import graded
from adaface_ref.gate.guarding.errors import what_stopped
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.report.catalogue import Check
from adaface_ref.report.report import (
    ACCEPTED,
    ERROR,
    FAILED,
    SKIPPED,
    WARNING,
    Outcome,
)
from adaface_ref.report.result import Result


def run_check(check: Check[Evidence, Result], evidence: Evidence) -> Outcome:
    """Run one check; what stops it is an error, never a pass.

    Args:
        check: a row of CHECKS.
        evidence: what it looks at.

    Returns:
        The outcome.
    """
    row, head, session = check.row, evidence.head, evidence.session
    order = list(EFFORTS)
    if order.index(row.effort) > order.index(head.effort):
        reason = f"skipped: runs at --effort {row.effort} only"
        return Outcome(check.id, check.claim, SKIPPED, reason)
    try:
        with _one_thread():
            lacking = next((n.lacking for n in row.needs if not n.is_met(evidence)), "")
            if lacking:
                reason = f"skipped: {lacking}"
                return Outcome(check.id, check.claim, SKIPPED, reason)
            result = row.run(evidence, check.claim)
    except Exception as error:
        return Outcome(check.id, check.claim, ERROR, what_stopped(error))
    outcome = graded(
        Outcome(check.id, check.claim, *result),
        next(iter(row.severity)),
        asked=session.dtypes,
        profile=session.profile,
        strict=head.strict,
        accepted=row.accept in head.accept,
        of_values=row.of_values,
    )
    if outcome.status in (FAILED, WARNING) and check.id in head.accept:
        detail = f"accepted by the configuration ({outcome.detail})"
        return replace(outcome, status=ACCEPTED, detail=detail)
    return outcome


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Run on one thread: batches of some rows wait longer for a second."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
