"""What `gate`, `gate --explain` and `replay` do, apart from reading options."""

from __future__ import annotations

import datetime
import os
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from adaface_ref.errors import DomainError
from adaface_ref.gate.apart import Progress, judge_apart
from adaface_ref.gate.baseline import (
    Entry,
    read_baseline,
    settled,
    updated,
    written,
)
from adaface_ref.gate.configuration import Head
from adaface_ref.gate.fields import meant
from adaface_ref.gate.files import require_writable, write_whole
from adaface_ref.gate.formats import (
    github_lines,
    junit,
    report_as_json,
    run_as_json,
    verdict_of,
)
from adaface_ref.gate.replays import FOLDER, store
from adaface_ref.gate.report import Report
from adaface_ref.gate.stored import report_from


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
    one: bool = True


def judge_heads(
    heads: Sequence[Head],
    wishes: Wishes,
    progress: Progress,
) -> tuple[list[Report], list[str]]:
    """Judge heads, write what was asked for but HTML, and say what they came to.

    Args:
        heads: at least one.
        wishes: what to show and write.
        progress: called with what is running and the share done.

    Returns:
        The reports, settled with the baseline, and texts to print.

    Raises:
        DomainError: a user's mistake, found before the work where that is possible.
    """
    names = ("json", "html", "junit", "sarif")
    files = {f"--{name}": getattr(wishes, name) for name in names}
    if wishes.update:
        files["--baseline"] = wishes.baseline
    require_writable(files)
    today = datetime.datetime.now(datetime.UTC).date()
    entries = _entries(wishes, heads)
    kept = _can_keep(wishes.findings)
    reports = []
    for number, head in enumerate(heads):
        reports.append(_judged(head, progress, number, len(heads)))
        if kept:
            store(reports[-1], head, wishes.findings)
    if wishes.update and wishes.baseline is not None:
        entries = updated(entries, reports, wishes.reason, today)
        write_whole(wishes.baseline, written(entries))
    reports = [settled(report, entries, today) for report in reports]
    _write(reports, wishes)
    return reports, _texts(reports, wishes, kept)


def _entries(wishes: Wishes, heads: Sequence[Head]) -> Sequence[Entry]:
    """The baseline; in a run of all heads every entry must be of one of them."""
    file = wishes.baseline
    if file is None or (wishes.update and not file.exists()):
        return ()
    entries = read_baseline(file)
    known = {(head.target, head.loss) for head in heads}
    for number, entry in enumerate(entries, 1):
        if not wishes.one and (entry.target, entry.loss) not in known:
            must = "a head of the configuration, or the entry be removed"
            told = f"entry {number}: target={entry.target}, loss={entry.loss}"
            raise DomainError(f"{file}: {told}, but must be {must}")
    return entries


def _can_keep(folder: Path) -> bool:
    """Whether findings can be kept; only a folder that was asked for must be there."""
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    if place.is_dir() and os.access(place, os.W_OK):
        return True
    if folder == FOLDER:
        return False
    must = "a folder that can be made and written"
    raise DomainError(f"--findings={folder}, but must be {must}")


def _judged(head: Head, progress: Progress, number: int, count: int) -> Report:
    def share(what: str, done: float) -> None:
        prefix = f"{head.target}: " if count > 1 else ""
        progress(prefix + what, (number + done) / count)

    judged = judge_apart(
        head.target, progress=share, **head.limits(), **head.settings()
    )
    if judged.output:
        click.echo(judged.output, err=True)
    return report_from(judged.data)


def _texts(reports: Sequence[Report], wishes: Wishes, kept: bool) -> list[str]:
    """Reports of what does not conform, then one line a head."""
    texts = [
        report.text(80, verbose=wishes.verbose, replay=kept) + "\n" * (not wishes.one)
        for report in reports
        if wishes.one or wishes.verbose or report.exit_code != 0
    ]
    if not wishes.one:
        texts += [f"{r.target} --loss {r.loss}: {r.verdict}" for r in reports]
        texts.append(verdict_of(reports))
    return texts + (github_lines(reports) if wishes.github else [])


def _write(reports: Sequence[Report], wishes: Wishes) -> None:
    if wishes.json is not None:
        text = report_as_json(reports[0]) if wishes.one else run_as_json(reports)
        write_whole(wishes.json, text)
    if wishes.junit is not None:
        write_whole(wishes.junit, junit(reports))
    if wishes.sarif is not None:
        from adaface_ref.gate.checks import CHECKS
        from adaface_ref.gate.sarif import sarif

        explanations = {check.id: check.explanation for check in CHECKS}
        write_whole(wishes.sarif, sarif(reports, explanations))


def explanation(identifier: str) -> str:
    """What `gate --explain` prints.

    Args:
        identifier: the id of a check.

    Returns:
        Its sentence, severity, least effort and explanation.

    Raises:
        DomainError: there is no such check.
    """
    from adaface_ref.gate.checks import CHECKS

    rows: Mapping[str, object] = {check.id: check for check in CHECKS}
    if identifier not in rows:
        hint = meant(identifier, rows)
        raise DomainError(f"--explain={identifier}: there is no such check{hint}")
    check = next(check for check in CHECKS if check.id == identifier)
    facts = f"severity {check.severity}; runs from --effort {check.effort}"
    claim, why = (
        textwrap.fill(text, 80, break_on_hyphens=False)
        for text in (check.claim, check.explanation)
    )
    return "\n".join([check.id, claim, facts, "", why])
