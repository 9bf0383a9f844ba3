"""Runs the check of a head's kept finding again, in a process of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from adaface_ref.gate.head.settings import Head
from adaface_ref.gate.isolation.parent import Progress, judge_apart
from adaface_ref.report.kept_findings import Kept, compare, keep
from adaface_ref.report.read_back import report_from
from adaface_ref.report.report import Report


def store(report: Report, head: Head, folder: Path) -> None:
    """Keep the findings of a report.

    Args:
        report: a head's.
        head: how it was judged.
        folder: where; made if it is not there.

    Raises:
        DomainError: the folder cannot be written.
    """
    keep(report, "head", head.as_json(), folder)


def replay(kept: Kept, progress: Progress) -> tuple[str, int]:
    """Run the check of one finding again, with its settings, in a process of its own.

    Args:
        kept: the finding.
        progress: as in `run_gate`.

    Returns:
        What to print, and the exit code: 0 fixed, 1 still fails, 3 not judged.

    Raises:
        DomainError: the file was not written by `store`.
    """
    head = replace(kept.subject_by(Head.from_json), select=(kept.check,))
    return compare(kept, report_from(judge_apart(head, progress).data))
