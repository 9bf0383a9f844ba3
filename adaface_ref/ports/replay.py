"""Judges the cell of a port's kept finding again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from adaface_ref.ports.harness import Progress, Wish, judge_port
from adaface_ref.report.kept_findings import Kept, compare, keep
from adaface_ref.report.report import Report


def store(
    reports: Sequence[Report], command: Sequence[str], wish: Wish, folder: Path
) -> None:
    """Keep the findings of a port's reports.

    Args:
        reports: as judged.
        command, wish: as in `judge_port`.
        folder: where; made if it is not there.

    Raises:
        DomainError: the folder cannot be written.
    """
    for report in reports:
        one = replace(wish, losses=(report.loss,), profiles=(report.profile,))
        keep(report, "port", {"command": [*command], "wish": asdict(one)}, folder)


def replay(kept: Kept, progress: Progress) -> tuple[str, int]:
    """Judge the cell of one finding again, with its settings and points.

    Args:
        kept: the finding.
        progress: as in `judge_port`.

    Returns:
        What to print, and the exit code: 0 fixed, 1 still fails, 3 not judged.

    Raises:
        DomainError: the file was not written by `store`, or the port has the cell no
            more.
    """
    command, wish = kept.subject_by(_command_and_wish)
    verdict = judge_port(command, wish, progress)
    return compare(kept, (verdict.reports or verdict.all)[0])


def _command_and_wish(data: Mapping[str, Any]) -> tuple[Sequence[str], Wish]:
    return data["command"], Wish(**data["wish"])
