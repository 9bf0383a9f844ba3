"""Findings kept in a folder, so that one failure can be run again by its ID."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adaface_ref.errors import DomainError
from adaface_ref.report.files import read_text, write_whole
from adaface_ref.report.report import FAILED, NOTE, OK, WARNING, Finding, Report
from adaface_ref.report.user_tables import meant

FOLDER = Path(".adaface-ref")
"""In the working directory; it ignores itself for git."""

VERSION = 1


def keep(report: Report, subject: Mapping[str, Any], folder: Path) -> None:
    """Keep the findings of a report, whatever was judged.

    Args:
        report: the report.
        subject: what was judged, and how: under a key that says what it is.
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
        kept = {"version": VERSION, **subject, "check": outcome["check"]}
        text = json.dumps({**kept, "finding": data}, indent=2) + "\n"
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


def kept(identifier: str, folder: Path) -> dict[str, Any]:
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
        near = meant(identifier, known) if 0 < len(known) < 20 else ""
        raise DomainError(f"ID={identifier}: {folder} has no such finding{near}")
    file = folder / f"{identifier}.json"
    try:
        found = json.loads(read_text(file, "ID"))
    except ValueError as error:
        if isinstance(error, DomainError):
            raise
        found = None
    if not isinstance(found, dict):
        raise not_kept(file)
    return found


def not_kept(file: Path) -> DomainError:
    """The error for a file that `keep` did not write."""
    return DomainError(f"{file}: not a finding that gate wrote")


def compared(check: str, finding: Finding, report: Report) -> tuple[str, int]:
    """What became of a finding.

    Args:
        check: the id of the check that found it.
        finding: what it found.
        report: what the check came to now.

    Returns:
        What to print, and the exit code: 0 fixed, 1 still fails, 3 not judged.
    """
    outcomes = {outcome.check: outcome for outcome in report.outcomes}
    outcome = outcomes.get(check)
    if outcome is None or outcome.status not in (OK, NOTE, WARNING, FAILED):
        told = report.outcomes[0].detail if report.outcomes else "no check of that id"
        return f"COULD NOT BE JUDGED: {told}", 3
    if not outcome.findings and outcome.status != FAILED:
        return f"FIXED: {check}: {outcome.detail}", 0
    same = [f for f in outcome.findings if f.inputs == finding.inputs]
    where = "at the same inputs" if same else "though at other inputs"
    texts = [f.text(80) for f in (same or outcome.findings)[:1]]
    return "\n".join([f"STILL FAILS: {check}, {where}", "", *texts]), 1
