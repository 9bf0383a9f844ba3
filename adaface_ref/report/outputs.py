"""What a run of reports shows and writes: files, baseline, folder of findings."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from adaface_ref.errors import DomainError
from adaface_ref.files import require_writable, write_whole
from adaface_ref.report.baseline import (
    Entry,
    Key,
    baseline_text,
    head_key,
    read_baseline,
    settle,
    update_entries,
)
from adaface_ref.report.catalogue import explanations
from adaface_ref.report.ci_formats import (
    github_lines,
    gitlab,
    junit,
    report_as_json,
    run_as_json,
)
from adaface_ref.report.kept_findings import FOLDER
from adaface_ref.report.report import Report


@dataclass(frozen=True)
class Wishes:
    """What a run shall show and write besides its verdict.

    Args:
        json, html, junit, sarif: files.
        baseline: the file of accepted findings.
        update: whether to write it anew.
        reason: for entries that are new in it.
        findings: where findings are kept for `replay`.
        github: whether to print GitHub's annotations.
        verbose: whether every check gets a line.
        shown: in which form the reports are printed, a word of REPORT_FORMATS.
        one: whether the JSON is one report, not a run.
    """

    json: Path | None = None
    html: Path | None = None
    junit: Path | None = None
    sarif: Path | None = None
    baseline: Path | None = None
    update: bool = False
    reason: str = ""
    findings: Path = FOLDER
    github: bool = False
    verbose: bool = False
    shown: str = "full"
    one: bool = True


def for_machines(
    reports: Sequence[Report], wishes: Wishes, package: str, noun: str = "heads"
) -> str | None:
    """Reports in the form that was asked for, where that is one for machines.

    Args:
        reports: as settled.
        wishes: name the form.
        package: whose checks they are, for their explanations.
        noun: what was judged.

    Returns:
        The text to print; None for a form for people.
    """
    from adaface_ref.report.sarif import sarif

    whole = partial(run_as_json, reports, noun)
    made: dict[str, Callable[[], str]] = {
        "github": lambda: "\n".join(github_lines(reports)),
        "gitlab": lambda: gitlab(reports),
        "json": lambda: report_as_json(reports[0]) if wishes.one else whole(),
        "junit": lambda: junit(reports),
        "sarif": lambda: sarif(reports, explanations(package)),
    }
    return made[wishes.shown]() if wishes.shown in made else None


def require_places(wishes: Wishes) -> None:
    """Refuse, before the work, files that cannot be written.

    Args:
        wishes: what to write.

    Raises:
        DomainError: one of them cannot be written.
    """
    names = ("json", "html", "junit", "sarif")
    files = {f"--{name}": getattr(wishes, name) for name in names}
    if wishes.update:
        files["--baseline"] = wishes.baseline
    require_writable(files)


def baseline_entries(wishes: Wishes) -> Sequence[Entry]:
    """What is accepted before the run.

    Args:
        wishes: names the baseline.

    Returns:
        Its entries; none where there is no baseline, or none yet.

    Raises:
        DomainError: it cannot be read, or holds a mistake.
    """
    file = wishes.baseline
    if file is None or (wishes.update and not file.exists()):
        return ()
    return read_baseline(file)


def can_keep(folder: Path) -> bool:
    """Whether findings can be kept; only a folder that was asked for must be there.

    Args:
        folder: where they would be.

    Raises:
        DomainError: it was asked for, and cannot be written.
    """
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    if place.is_dir() and os.access(place, os.W_OK):
        return True
    if folder == FOLDER:
        return False
    must = "a folder that can be made and written"
    raise DomainError(f"--findings={folder}, but must be {must}")


def apply_baseline(
    reports: Sequence[Report],
    entries: Sequence[Entry],
    wishes: Wishes,
    today: datetime.date,
    key: Key = head_key,
) -> list[Report]:
    """Reports as the baseline settles them; writes it anew where that is asked for.

    Args:
        reports: as judged.
        entries: the baseline before the run.
        wishes: whether to write it anew, and the reason for new entries.
        today: from when new entries count, and to tell what has expired.
        key: what an entry and a report have in common.

    Returns:
        The reports, with what is accepted as notes.
    """
    if wishes.update and wishes.baseline is not None:
        entries = update_entries(entries, reports, wishes.reason, today, key)
        write_whole(wishes.baseline, baseline_text(entries))
    return [settle(report, entries, today, key) for report in reports]


def write_reports(
    reports: Sequence[Report],
    wishes: Wishes,
    package: str,
    noun: str = "heads",
) -> None:
    """Write the files that were asked for.

    Args:
        reports: as settled.
        wishes: names the files.
        package: whose checks they are, for their explanations.
        noun: what was judged.
    """
    if wishes.json is not None:
        whole = run_as_json(reports, noun)
        write_whole(wishes.json, report_as_json(reports[0]) if wishes.one else whole)
    if wishes.junit is not None:
        write_whole(wishes.junit, junit(reports))
    if wishes.sarif is not None:
        from adaface_ref.report.sarif import sarif

        write_whole(wishes.sarif, sarif(reports, explanations(package)))
