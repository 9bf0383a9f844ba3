"""Judges a head in a process of its own: one that crashes or hangs ends only itself."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from adaface_ref.errors import DomainError

Progress = Callable[[str, float], None]


class Judged(NamedTuple):
    """A report as the other process wrote it.

    Args:
        text: at 80 columns.
        data: as JSON types.
        exit_code: 0, 1 or 3.
    """

    text: str
    data: dict[str, Any]
    exit_code: int


def judge_apart(
    target: str, *, limit: float, progress: Progress, **settings: Any
) -> Judged:
    """Runs the gate in a process of its own.

    Args:
        target: `package.module:name` or `path/file.py:name`.
        limit: seconds after which the head counts as hanging.
        progress: as in `run_gate`.
        settings: the other arguments of `run_gate`.

    Returns:
        The report; exit code 3 if the process ended without one, or hung.

    Raises:
        DomainError: a user's mistake that the process found.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(theirs, target, settings))
    process.start()
    theirs.close()
    until = time.monotonic() + limit
    try:
        for kind, *content in _messages(ours, until):
            if kind == "progress":
                progress(*content)
            elif kind == "mistake":
                raise DomainError(*content)
            else:
                return Judged(*content)
        if time.monotonic() >= until:
            return _no_report(target, settings, f"no report within {limit:g} s")
        process.join()
        how = f"the process ended with exit code {process.exitcode} before its report"
        return _no_report(target, settings, how)
    finally:
        process.kill()
        process.join()


def _messages(pipe: Connection, until: float) -> Iterator[tuple[Any, ...]]:
    """What the process says, until it ends or the time is up."""
    while pipe.poll(max(0.0, until - time.monotonic())):
        try:
            yield pipe.recv()
        except EOFError:
            return


def _run(pipe: Connection, target: str, settings: dict[str, Any]) -> None:
    """In the other process: what the head prints goes to standard error."""
    os.dup2(2, 1)
    from adaface_ref.gate.runner import run_gate

    def progress(what: str, share: float) -> None:
        pipe.send(("progress", what, share))

    try:
        report = run_gate(target, progress=progress, **settings)
    except DomainError as error:
        pipe.send(("mistake", str(error)))
    else:
        text = report.text(width=80)
        pipe.send(("report", text, report.as_json(), report.exit_code))
    pipe.close()


def _no_report(target: str, settings: dict[str, Any], how: str) -> Judged:
    from adaface_ref.gate.report import ERROR, Outcome, Report

    claim = "The head can be imported, built and run."
    outcome = Outcome("run", claim, ERROR, how)
    shown = {"seed": settings["seed"], "effort": settings["effort"]}
    report = Report(target, settings["loss"], "", "", "", (), shown, (outcome,))
    return Judged(report.text(width=80), report.as_json(), report.exit_code)
