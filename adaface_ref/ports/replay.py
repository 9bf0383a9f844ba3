"""A port's findings, kept so that one failure can be run again by its ID."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from adaface_ref.ports.harness import Progress, Wish, judge_port
from adaface_ref.report.kept_findings import compared, keep, not_kept
from adaface_ref.report.read_back import finding_from
from adaface_ref.report.report import Report

KEY = "port"
"""Under which a kept finding says that it is a port's."""


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
        subject = {"command": [*command], "wish": asdict(one)}
        keep(report, {KEY: subject}, folder)


def replay(data: Mapping[str, Any], file: Path, progress: Progress) -> tuple[str, int]:
    """Judge the cell of one finding again, with its settings and points.

    Args:
        data: as `kept_findings.kept` gives it.
        file: where it stands, for a message.
        progress: as in `judge_port`.

    Returns:
        What to print, and the exit code: 0 fixed, 1 still fails, 3 not judged.

    Raises:
        DomainError: the file was not written by `store`, or the port has the cell no
            more.
    """
    try:
        command, wish = data[KEY]["command"], Wish(**data[KEY]["wish"])
        check, finding = data["check"], finding_from(data["finding"])
    except (ValueError, KeyError, TypeError):
        raise not_kept(file) from None
    verdict = judge_port(command, wish, progress)
    return compared(check, finding, (verdict.reports or verdict.all)[0])
