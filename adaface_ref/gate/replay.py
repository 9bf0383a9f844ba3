"""Runs the check of one kept finding again, in a process of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from adaface_ref.gate.head.settings import Head
from adaface_ref.gate.isolation.parent import Progress, judge_apart
from adaface_ref.report.kept_findings import compared, keep, kept, not_kept
from adaface_ref.report.read_back import finding_from, report_from
from adaface_ref.report.report import Finding, Report


@dataclass(frozen=True)
class Stored:
    """One finding, and all that is needed to run it again.

    Args:
        head: the head, with its settings.
        check: the id of the check that found it.
        finding: what it found.
    """

    head: Head
    check: str
    finding: Finding


def store(report: Report, head: Head, folder: Path) -> None:
    """Keep the findings of a report.

    Args:
        report: a head's.
        head: how it was judged.
        folder: where; made if it is not there.

    Raises:
        DomainError: the folder cannot be written.
    """
    keep(report, {"head": head.as_json()}, folder)


def recall(identifier: str, folder: Path) -> Stored:
    """Look up a head's finding.

    Args:
        identifier: its ID.
        folder: where findings are kept.

    Returns:
        The finding.

    Raises:
        DomainError: there is none of that ID.
    """
    data = kept(identifier, folder)
    try:
        return Stored(
            Head.from_json(data["head"]), data["check"], finding_from(data["finding"])
        )
    except (ValueError, KeyError, TypeError):
        raise not_kept(folder / f"{identifier}.json") from None


def replay(stored: Stored, progress: Progress) -> tuple[str, int]:
    """Run the check of one finding again, with its settings, in a process of its own.

    Args:
        stored: the finding.
        progress: as in `run_gate`.

    Returns:
        What to print, and the exit code: 0 fixed, 1 still fails, 3 not judged.
    """
    judged = judge_apart(replace(stored.head, select=(stored.check,)), progress)
    return compared(stored.check, stored.finding, report_from(judged.data))
