"""What a violation counts for: by check, dtype, effort and what the user accepts."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from gate_runs import few_points, outcomes
from made_reports import POLE, outcome

from adaface_ref.errors import DomainError
from adaface_ref.gate.checks.execution import run_check
from adaface_ref.gate.checks.runner import run_gate
from adaface_ref.gate.checks.severity import SEVERITIES, graded
from adaface_ref.gate.head.settings import Head
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.report.catalogue import (
    GATE,
    PORTS,
    Check,
    Entry,
    Row,
    catalogue,
    explain,
)
from adaface_ref.report.report import Outcome
from adaface_ref.report.result import Result

HALF = replace(POLE, dtype="bfloat16")


ENTRIES = (*catalogue(GATE), *catalogue(PORTS))
ACCEPTED = {entry.accept: entry.id for entry in ENTRIES if entry.accept}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_every_check_is_explained(entry: Entry) -> None:
    text = entry.text()
    assert entry.claim in " ".join(text.split()) and len(entry.explanation) > 100
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_an_explanation_says_why_what_breaks_it_and_how_to_mend_it(
    entry: Entry,
) -> None:
    heads = [text.partition(":")[0] for text in entry.explanation.split("\n\n")]
    assert heads == ["Why", "Breaks", "Mend"]


def test_every_check_has_a_known_severity() -> None:
    levels = {level for entry in ENTRIES for level in entry.severity}
    assert levels <= set(SEVERITIES)


def test_an_unknown_check_is_met_with_the_nearest() -> None:
    with pytest.raises(DomainError, match="did you mean 'poles-target'"):
        explain("poles-targt", GATE)


@pytest.mark.parametrize("package", [GATE, PORTS])
def test_a_check_is_explained_whoever_is_asked(package: str) -> None:
    for entry in ENTRIES:
        assert explain(entry.id, package).startswith(entry.id)


def test_where_both_have_a_check_that_of_the_one_asked_is_explained() -> None:
    assert "port" in explain("probability", GATE)
    assert explain("target-gst", GATE) != explain("target-gst", PORTS)


@pytest.mark.parametrize(("severity", "status"), SEVERITIES.items())
def test_a_violation_has_the_severity_of_its_check(severity: str, status: str) -> None:
    assert graded(outcome("failed"), severity).status == status


def test_strict_makes_a_warning_an_error() -> None:
    assert graded(outcome("warning"), "error", strict=True).status == "failed"
    assert graded(outcome("failed"), "warning", strict=True).status == "failed"


def test_strict_leaves_notes_alone() -> None:
    assert graded(outcome("failed"), "note", strict=True).status == "note"


@pytest.mark.parametrize(
    ("asked", "status"), [(("float32",), "warning"), (("bfloat16",), "failed")]
)
def test_half_precision_is_a_warning_unless_asked_for(
    asked: tuple[str, ...], status: str
) -> None:
    found = outcome("failed", "poles-target", HALF)
    assert graded(found, "error", asked=asked).status == status


def test_a_finding_in_single_precision_beside_it_stays_an_error() -> None:
    found = outcome("failed", "poles-target", HALF, POLE)
    assert graded(found, "error", asked=("float32",)).status == "failed"


@pytest.mark.parametrize("status", ["ok", "skipped", "error"])
def test_what_is_no_violation_keeps_its_status(status: str) -> None:
    assert graded(outcome(status), "note", strict=True).status == status


@pytest.mark.parametrize("accepted", ["jump", "sign-change"])
def test_only_a_warning_can_be_accepted(accepted: str) -> None:
    check = ACCEPTED[accepted]
    settings: dict[str, Any] = {"strict": True, "accepted": True}
    assert graded(outcome("warning", check), "error", **settings).status == "note"
    assert graded(outcome("failed", check), "error", **settings).status == "failed"


@pytest.mark.parametrize(
    ("profile", "status"), [("pure:detached", "note"), ("pure", "failed")]
)
def test_a_detached_gradient_is_accepted_where_it_is_one(
    profile: str, status: str
) -> None:
    found = outcome("failed", "own-gradient")
    given = graded(found, "error", profile=profile, accepted=True)
    assert given.status == status


def test_a_detached_head_conforms_where_the_configuration_accepts_it() -> None:
    target = "zoo.wrong.heads:straight_through"
    found = few_points(target, "arcface")
    assert outcomes(found)["own-gradient"].status == "failed"
    report = run_gate(
        Head(
            target,
            loss="arcface",
            effort="quick",
            accept=("detached",),
            select=("own-gradient",),
        )
    )
    assert (report.exit_code, outcomes(report)["own-gradient"].status) == (0, "note")


def test_an_unknown_acceptance_is_refused() -> None:
    with pytest.raises(
        DomainError, match=r"accept=\('everything',\), but must be a list of detached"
    ):
        run_gate(Head(print, loss="arcface", accept=("everything",)))


def test_a_check_above_the_effort_is_skipped_with_the_reason() -> None:
    row: Row[Evidence, Result] = Row(lambda *_: Result("ok", ""), effort="thorough")
    check = Check("long", "It holds.", "", row)
    session = SimpleNamespace(dtypes=(), profile="pure")

    def run_at(effort: str) -> Outcome:
        head = Head(print, "arcface", effort=effort)
        evidence: Any = SimpleNamespace(session=session, head=head)
        return run_check(check, evidence)

    found = run_at("normal")
    assert (found.status, found.detail) == (
        "skipped",
        "skipped: runs at --effort thorough only",
    )
    assert run_at("thorough").status == "ok"
