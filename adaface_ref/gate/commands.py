"""What `gate`, `gate --explain` and `replay` do, apart from reading options."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import click

from adaface_ref.errors import DomainError
from adaface_ref.gate.head.settings import Head
from adaface_ref.gate.isolation.parent import Progress, judge_apart
from adaface_ref.gate.replay import store
from adaface_ref.report.baseline import Entry
from adaface_ref.report.catalogue import GATE
from adaface_ref.report.ci_formats import github_lines, verdict_of
from adaface_ref.report.outputs import (
    Wishes,
    apply_baseline,
    baseline_entries,
    can_keep,
    for_machines,
    require_places,
    write_reports,
)
from adaface_ref.report.read_back import report_from
from adaface_ref.report.report import Report

__all__ = ["Wishes", "judge_heads"]


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
    require_places(wishes)
    today = datetime.datetime.now(datetime.UTC).date()
    entries = _entries(wishes, heads)
    kept = can_keep(wishes.findings)
    reports = []
    for number, head in enumerate(heads):
        reports.append(_judged(head, progress, number, len(heads)))
        if kept:
            store(reports[-1], head, wishes.findings)
    reports = apply_baseline(reports, entries, wishes, today)
    write_reports(reports, wishes, GATE)
    return reports, _texts(reports, wishes, kept)


def _entries(wishes: Wishes, heads: Sequence[Head]) -> Sequence[Entry]:
    """The baseline; in a run of all heads every entry must be of one of them."""
    file, entries = wishes.baseline, baseline_entries(wishes)
    known = {(head.target, head.loss) for head in heads}
    for number, entry in enumerate(entries, 1):
        if not wishes.one and (entry.target, entry.loss) not in known:
            must = "a head of the configuration, or the entry be removed"
            told = f"entry {number}: target={entry.target}, loss={entry.loss}"
            raise DomainError(f"{file}: {told}, but must be {must}")
    return entries


def _judged(head: Head, progress: Progress, number: int, count: int) -> Report:
    def share(what: str, done: float) -> None:
        prefix = f"{head.target}: " if count > 1 else ""
        progress(prefix + what, (number + done) / count)

    judged = judge_apart(head, share)
    if judged.output:
        click.echo(judged.output, err=True)
    return report_from(judged.data)


def _texts(reports: Sequence[Report], wishes: Wishes, kept: bool) -> list[str]:
    """Reports of what does not conform, then one line a head; or for machines."""
    machine = for_machines(reports, wishes, GATE)
    if machine is not None:
        return [machine.rstrip("\n")] * bool(machine)
    if wishes.shown == "concise":
        return [f"{r.target} --loss {r.loss}: {r.verdict}" for r in reports]
    texts = [
        report.text(80, verbose=wishes.verbose, replay=kept) + "\n" * (not wishes.one)
        for report in reports
        if wishes.one or wishes.verbose or report.exit_code != 0
    ]
    if not wishes.one:
        texts += [f"{r.target} --loss {r.loss}: {r.verdict}" for r in reports]
        texts.append(verdict_of(reports))
    return texts + (github_lines(reports) if wishes.github else [])
