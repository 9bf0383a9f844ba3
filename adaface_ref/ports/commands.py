"""What `adaface-ref port` does, apart from reading options."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from adaface_ref.errors import DomainError
from adaface_ref.ports.harness import CONVERSATION, Progress, Verdict, Wish, judge_port
from adaface_ref.ports.replay import store
from adaface_ref.report.baseline import Entry, cell_key
from adaface_ref.report.catalogue import PORTS
from adaface_ref.report.ci_formats import exit_code_of, github_lines
from adaface_ref.report.outputs import (
    Wishes,
    apply_baseline,
    baseline_entries,
    can_keep,
    require_places,
    write_reports,
)
from adaface_ref.report.report import ERROR, Report


def judge_command(
    command: Sequence[str], wish: Wish, wishes: Wishes, progress: Progress
) -> tuple[int, list[str]]:
    """Judge a port, write what was asked for, and say what it came to.

    Args:
        command: program and arguments.
        wish: what to judge it by.
        wishes: what to show and write.
        progress: called with what is running and the share done.

    Returns:
        The exit code, and texts to print.

    Raises:
        DomainError: a user's mistake.
    """
    require_places(wishes)
    entries: Sequence[Entry] = baseline_entries(wishes)
    kept = can_keep(wishes.findings)
    verdict = judge_port(command, wish, progress)
    if kept:
        store(verdict.reports, command, wish, wishes.findings)
    _require_known(entries, verdict, wish, wishes)
    today = datetime.datetime.now(datetime.UTC).date()
    reports = apply_baseline(verdict.all, entries, wishes, today, cell_key)
    write_reports(reports, wishes, PORTS, "cells")
    return exit_code_of(reports), _texts(verdict, reports, wishes, kept)


def _require_known(
    entries: Sequence[Entry], verdict: Verdict, wish: Wish, wishes: Wishes
) -> None:
    """In a run of all cells every entry of the baseline must be of one of them."""
    known = {cell_key(report) for report in verdict.reports}
    if not known or wish.losses or wish.profiles:
        return
    for number, entry in enumerate(entries, 1):
        if cell_key(entry) not in known:
            place = f"entry {number}: {' '.join(cell_key(entry))}"
            must = "a cell that the port announces, or the entry be removed"
            raise DomainError(f"{wishes.baseline}: {place}, but must be {must}")


def _texts(
    verdict: Verdict, reports: Sequence[Report], wishes: Wishes, kept: bool
) -> list[str]:
    """Reports of what does not conform, one line a cell, what is not checked."""
    cells = [report for report in reports if report.loss != CONVERSATION]
    texts = [
        report.text(80, verbose=wishes.verbose, replay=kept) + "\n"
        for report in cells
        if wishes.verbose or report.exit_code == 1
    ]
    if verdict.printed and any(report.exit_code == 3 for report in reports):
        texts.append(f"the port's standard error ends in:\n{verdict.printed}")
    texts += [f"not checked, since not announced: {line}" for line in verdict.gaps]
    texts += [f"{r.target} {r.loss} {r.profile}: {_line(r)}" for r in cells]
    texts += [
        f"{report.target}: {_line(report)}"
        for report in reports
        if report.loss == CONVERSATION and report.exit_code
    ]
    conform = sum(report.exit_code == 0 for report in cells)
    if cells:
        texts.append(f"{conform} of {len(cells)} cells conform")
    return texts + (github_lines(reports) if wishes.github else [])


def _line(report: Report) -> str:
    """The verdict, with the reason where nothing could be judged."""
    stuck = [o.detail for o in report.outcomes if o.status == ERROR]
    if not stuck:
        return report.verdict
    words = f"{report.verdict}: " if report.exit_code == 1 else "COULD NOT BE JUDGED: "
    return words + stuck[0]
