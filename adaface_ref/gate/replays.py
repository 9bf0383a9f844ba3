"""Findings kept in a folder, so that one failure can be run again by its ID."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from adaface_ref.errors import DomainError
from adaface_ref.gate.apart import Progress, judge_apart
from adaface_ref.gate.configuration import Head
from adaface_ref.gate.fields import meant
from adaface_ref.gate.files import read_text, write_whole
from adaface_ref.gate.report import FAILED, NOTE, OK, WARNING, Finding, Report
from adaface_ref.gate.stored import finding_from, report_from

FOLDER = Path(".adaface-ref")
"""In the working directory; it ignores itself for git."""

VERSION = 1


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
    keep(report, {"head": asdict(head)}, folder)


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
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise DomainError(f"--findings={folder}: {why}") from None
    write_whole(folder / ".gitignore", "*\n")
    for outcome, data in found:
        kept = {"version": VERSION, **subject, "check": outcome["check"]}
        text = json.dumps({**kept, "finding": data}, indent=2) + "\n"
        write_whole(folder / f"{data['id']}.json", text)


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
        return Stored(_head(data["head"]), data["check"], finding_from(data["finding"]))
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
    head = stored.head
    judged = judge_apart(
        head.target,
        progress=progress,
        **head.limits(),
        **{**head.settings(), "only": stored.check},
    )
    return compared(stored.check, stored.finding, report_from(judged.data))


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


def _head(data: Mapping[str, Any]) -> Head:
    lists = {k: tuple(v) for k, v in data.items() if isinstance(v, list)}
    return Head(**{**data, **lists})
