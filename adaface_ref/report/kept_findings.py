"""Findings kept in a folder, so that one failure can be run again by its ID."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from adaface_ref.errors import DomainError
from adaface_ref.files import read_text, write_whole
from adaface_ref.report.read_back import finding_from
from adaface_ref.report.report import (
    ACCEPTED,
    FAILED,
    NOTE,
    OK,
    WARNING,
    Finding,
    Report,
)
from adaface_ref.report.user_tables import suggest

FOLDER = Path(".adaface-ref")
"""In the working directory; it ignores itself for git."""

VERSION = 1

KINDS = ("head", "port")
"""What can be judged, and judged again."""

Subject = TypeVar("Subject")


@dataclass(frozen=True)
class Kept:
    """One finding, and all that is needed to run its check again.

    Args:
        kind: one of KINDS.
        subject: what was judged, and how, as data.
        check: the id of the check that found it.
        finding: what it found.
        file: where it is kept.
    """

    kind: str
    subject: Any
    check: str
    finding: Finding
    file: Path

    def subject_by(self, read: Callable[[Any], Subject]) -> Subject:
        """What was judged.

        Args:
            read: reads it from data.

        Raises:
            DomainError: the data are not those that `keep` wrote.
        """
        try:
            return read(self.subject)
        except (ValueError, KeyError, TypeError):
            raise _not_kept(self.file) from None


def keep(report: Report, kind: str, subject: Mapping[str, Any], folder: Path) -> None:
    """Keep the findings of a report, whatever was judged.

    Args:
        report: the report.
        kind: one of KINDS.
        subject: what was judged, and how, as data.
        folder: where; made if it is not there.

    Raises:
        DomainError: the folder cannot be written.
    """
    found = [(outcome, data) for outcome in report.as_json()["outcomes"]
             for data in outcome["findings"]]  # fmt: skip
    if not found:
        return
    make_folder(folder)
    for outcome, data in found:
        content = {"version": VERSION, kind: subject, "check": outcome["check"]}
        text = json.dumps({**content, "finding": data}, indent=2) + "\n"
        write_whole(folder / f"{data['id']}.json", text)


def make_folder(folder: Path) -> None:
    """Make the folder of findings, if it is not there; it ignores itself for git.

    Args:
        folder: where.

    Raises:
        DomainError: it cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise DomainError(f"--findings={folder}: {why}") from None
    write_whole(folder / ".gitignore", "*\n")


def recall(identifier: str, folder: Path) -> Kept:
    """Look up a finding, whatever it is about.

    Args:
        identifier: its ID.
        folder: where findings are kept.

    Returns:
        What `keep` wrote.

    Raises:
        DomainError: there is none of that ID.
    """
    known = sorted(path.stem for path in folder.glob("*.json"))
    if identifier not in known:
        if not re.fullmatch(r"[0-9a-f]{10}", identifier):
            must = "ten hexadecimal digits, as the report of gate shows them"
            raise DomainError(f"ID={identifier}, but must be {must} [replay]")
        near = suggest(identifier, known) if 0 < len(known) < 20 else ""
        raise DomainError(f"ID={identifier}: {folder} has no such finding{near}")
    file = folder / f"{identifier}.json"
    text = read_text(file, "ID")
    try:
        data = json.loads(text)
        (kind,) = (kind for kind in KINDS if kind in data)
        finding = finding_from(data["finding"])
        return Kept(kind, data[kind], data["check"], finding, file)
    except (ValueError, KeyError, TypeError):
        raise _not_kept(file) from None


def _not_kept(file: Path) -> DomainError:
    return DomainError(f"{file}: not a finding that gate wrote")


def compare(kept: Kept, report: Report) -> tuple[str, int]:
    """What became of a finding.

    Args:
        kept: the finding, as it was.
        report: what its check came to now.

    Returns:
        What to print, and the exit code: 0 fixed, 1 still fails, 3 not judged.
    """
    check, finding = kept.check, kept.finding
    outcomes = {outcome.check: outcome for outcome in report.outcomes}
    outcome = outcomes.get(check)
    if outcome is None or outcome.status not in (OK, NOTE, ACCEPTED, WARNING, FAILED):
        why = report.outcomes[0].detail if report.outcomes else "no check of that id"
        return f"COULD NOT BE JUDGED: {why}", 3
    if not outcome.findings and outcome.status != FAILED:
        return f"FIXED: {check}: {outcome.detail}", 0
    same = [f for f in outcome.findings if f.inputs == finding.inputs]
    where = "at the same inputs" if same else "though at other inputs"
    texts = [f.text(80) for f in (same or outcome.findings)[:1]]
    return "\n".join([f"STILL FAILS: {check}, {where}", "", *texts]), 1
