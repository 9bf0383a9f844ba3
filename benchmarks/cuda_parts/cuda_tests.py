"""The tests that are marked cuda."""

from __future__ import annotations

import ast
import importlib.util
import os
import shlex
from collections import Counter
from pathlib import Path

import pytest

from cuda_parts.work import NothingRanError, Work

WORKERS = 8
"""At most; each holds a CUDA context."""

SHOWN = 20
"""Failures that are kept."""


class Outcomes:
    """A pytest plugin that counts outcomes as they come.

    Args:
        work: where they are kept.
    """

    def __init__(self, work: Work) -> None:
        self.work = work
        self.counts = Counter[str]()
        self.failures: dict[str, str] = {}
        self.reasons = Counter[str]()
        self.not_collected: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Counts a test by its call, or by what kept it from being called."""
        if report.when != "call" and report.passed:
            return
        self.counts[report.outcome] += 1
        if report.failed:
            self.failures[report.nodeid] = last_line(report)
        if report.skipped and isinstance(report.longrepr, tuple):
            self.reasons[report.longrepr[2]] += 1
        self.keep()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remembers a file that cannot be imported: its tests never ran."""
        if report.failed:
            self.not_collected[report.nodeid] = last_line(report)
            self.keep()

    def keep(self) -> None:
        """Writes what is known so far."""
        self.work.keep(
            **{name: self.counts[name] for name in ("passed", "failed", "skipped")},
            skipped_because=dict(self.reasons),
            failures=dict(list(self.failures.items())[:SHOWN]),
            not_collected=self.not_collected,
        )


def last_line(report: pytest.TestReport | pytest.CollectReport) -> str:
    """What pytest says at the end of a failure, with the error's own words."""
    lines = [line for line in report.longreprtext.splitlines() if line[:2] == "E "]
    return (lines or report.longreprtext.splitlines() or [""])[-1].strip()[:400]


def files_with_cuda_tests(checkout: Path) -> list[Path]:
    """The files of tests/ with a mark `cuda` or a test that takes the `device`."""
    files = sorted((checkout / "tests").rglob("test_*.py"))
    return [file for file in files if wants_cuda(file.read_text(encoding="utf-8"))]


def wants_cuda(source: str) -> bool:
    """Whether a file of tests has any that run on CUDA.

    Others are left alone: they may import what is not installed.
    """
    return any(
        (isinstance(node, ast.arg) and node.arg == "device")
        or (isinstance(node, ast.Attribute) and ast.unparse(node).endswith("mark.cuda"))
        for node in ast.walk(ast.parse(source))
    )


def options(work: Work) -> list[str]:
    """How pytest is called."""
    given = shlex.split("-m cuda -q -p no:cacheprovider")
    given += ["--continue-on-collection-errors"]
    # What another version of torch or Python deprecates is not asked here.
    for warning in ("DeprecationWarning", "FutureWarning"):
        given += ["-W", f"default::{warning}"]
    if work.rehearse:
        return given
    if importlib.util.find_spec("xdist") is None:
        print("without pytest-xdist: the tests run one after the other", flush=True)
        return given
    workers = min(os.cpu_count() or 1, WORKERS)
    return [*given, "-p", "xdist.plugin", "-n", str(workers)]


def run(work: Work) -> list[str]:
    """Runs them, and says what failed."""
    os.environ.setdefault("HYPOTHESIS_PROFILE", "ci")
    files = [str(file) for file in files_with_cuda_tests(work.checkout)]
    given = options(work)
    work.keep(options=given, files=len(files))
    outcomes = Outcomes(work)
    code = int(pytest.main([*given, *files], plugins=[outcomes]))
    outcomes.keep()
    work.keep(pytest_exit_code=code)
    counts, unexpected = outcomes.counts, []
    if counts["failed"]:
        unexpected.append(f"{counts['failed']} tests failed")
    if outcomes.not_collected:
        unexpected.append(f"not collected: {', '.join(outcomes.not_collected)}")
    if code not in (0, 1):
        unexpected.append(f"pytest ended with exit code {code}")
    if not counts["passed"] and not unexpected:
        raise NothingRanError(f"{counts['skipped']} tests skipped, none ran")
    return unexpected
