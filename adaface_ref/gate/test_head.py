"""One test for each check: `pytest --pyargs adaface_ref.gate --head TARGET ...`."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adaface_ref.errors import DomainError
from adaface_ref.gate.checks import CHECKS
from adaface_ref.gate.checks.execution import run_check
from adaface_ref.gate.checks.runner import open_evidence
from adaface_ref.gate.configuration import (
    Configuration,
    chosen,
    find_configuration,
    read_configuration,
)
from adaface_ref.gate.guarding.errors import what_stopped
from adaface_ref.gate.guarding.guard import run_of_its_own
from adaface_ref.gate.head.settings import Head
from adaface_ref.gate.head.target import resolve
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.plugin import settings_of
from adaface_ref.report.baseline import Entry, read_baseline, settle
from adaface_ref.report.catalogue import Check
from adaface_ref.report.report import ERROR, FAILED, SKIPPED, Report, number
from adaface_ref.report.result import Result

REASON = "no head to judge: give --head TARGET --head-loss NAME, or configure one"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One set of tests for each head, named by its target and loss."""
    if "head" not in metafunc.fixturenames:
        return
    config = metafunc.config
    try:
        heads = _heads(config)
    except DomainError as error:
        raise pytest.UsageError(str(error)) from None
    skipped = pytest.param(None, marks=pytest.mark.skip(reason=REASON), id="no-head")
    rows = [pytest.param(head, id=f"{head.target}-{head.loss}") for head in heads]
    if len(rows) == 1:
        rows = [pytest.param(heads[0], id=heads[0].loss)]
    metafunc.parametrize("head", rows or [skipped], scope="module", indirect=True)


def _configuration(config: pytest.Config) -> Configuration:
    file = config.getoption("head_config")
    if file:
        return read_configuration(Path(file))
    return find_configuration(config.rootpath)


def _heads(config: pytest.Config) -> tuple[Head, ...]:
    given = settings_of(config)
    target, found = config.getoption("head"), _configuration(config)
    if not target and not found.heads and not config.getoption("head_config"):
        return ()
    return chosen(found, target, given)


@pytest.fixture(scope="module")
def head(request: pytest.FixtureRequest) -> Head:
    """One head to judge."""
    found: Head = request.param
    return found


@pytest.fixture(scope="module")
def baseline(request: pytest.FixtureRequest) -> tuple[Entry, ...]:
    """The configuration's accepted findings."""
    file = _configuration(request.config).baseline
    try:
        return () if file is None else read_baseline(file)
    except DomainError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="module")
def evidence(head: Head) -> Iterator[Evidence]:
    """The head, opened once for all checks, in a run of its own."""
    with run_of_its_own():
        try:
            found = open_evidence(resolve(head.target), head)
        except DomainError as error:
            pytest.fail(str(error), pytrace=False)
        except Exception as error:
            pytest.fail(what_stopped(error, "opening the head"), pytrace=False)
        yield found


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_head(
    check: Check[Evidence, Result],
    head: Head,
    evidence: Evidence,
    baseline: tuple[Entry, ...],
) -> None:
    """The head passes the check."""
    ran = run_check(check, evidence)
    profile, name = evidence.session.profile, evidence.session.target.name
    report = Report(name, head.loss, "", profile, "", (), {}, (ran,))
    mine = [entry for entry in baseline if entry.check == check.id]
    today = datetime.datetime.now(datetime.UTC).date()
    outcome, *problems = settle(report, mine, today).outcomes
    if problems:
        outcome = replace(outcome, status=FAILED, detail=problems[0].detail)
    if outcome.status == SKIPPED:
        pytest.skip(outcome.detail)
    if outcome.status == ERROR:
        pytest.fail(outcome.detail, pytrace=False)
    if outcome.status == FAILED:
        texts = [finding.text(80) for finding in outcome.findings[: outcome.shown]]
        ratio = "" if outcome.ratio is None else number(outcome.ratio, "float32")
        lines = [outcome.claim, f"{outcome.detail} {ratio}".rstrip(), *texts]
        pytest.fail("\n".join(lines), pytrace=False)
