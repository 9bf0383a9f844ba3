"""The baseline accepts what it names, for as long as it says, and nothing else."""

from __future__ import annotations

import datetime
import json
from dataclasses import replace
from pathlib import Path

import pytest
from made_reports import FAILING, PASSING, POLE, STUCK, VALUE, outcome, report

from adaface_ref.errors import DomainError
from adaface_ref.report.baseline import (
    Entry,
    baseline_text,
    entries_of,
    read_baseline,
    settle,
    update_entries,
)
from adaface_ref.report.ci_formats import verdict_of

TODAY = datetime.date(2027, 1, 31)
ALL = entries_of(FAILING, "known, issue 12", TODAY)


def _statuses(entries: list[Entry]) -> dict[str, str]:
    found = settle(FAILING, entries, TODAY)
    return {outcome.check: outcome.status for outcome in found.outcomes}


def test_what_is_accepted_is_told_as_that() -> None:
    found = settle(FAILING, ALL, TODAY)
    names = "poles-target, target-logit"
    told = (
        f"CONFORMS but for what is accepted: {names}, with 1 warning(s) and 1 note(s)"
    )
    assert found.verdict == told
    assert found.outcomes[0].status == "accepted"
    assert verdict_of([found, PASSING]) == (
        "1 of 2 heads conform, 1 but for what is accepted"
    )
    assert "accepted until 2027-05-01: known, issue 12" in found.outcomes[0].detail


def test_what_is_not_accepted_still_fails() -> None:
    assert _statuses(ALL[:1])["target-logit"] == "failed"


@pytest.mark.parametrize(
    "change",
    [
        {"cause": "another"},
        {"profile": "clip"},
        {"dtypes": ("bfloat16",)},
        {"check": "poles-other"},
    ],
)
def test_another_finding_is_not_accepted(change: dict[str, object]) -> None:
    entry = replace(ALL[0], **change)  # type: ignore[arg-type]
    assert _statuses([entry, ALL[1]])["poles-target"] == "failed"


@pytest.mark.parametrize(("times", "status"), [(1.9, "accepted"), (2.1, "failed")])
def test_a_finding_that_is_twice_as_bad_is_not_accepted(
    times: float, status: str
) -> None:
    worse = replace(VALUE, error=times * VALUE.error)
    grown = replace(
        FAILING,
        outcomes=tuple(
            replace(o, findings=(worse,)) if o.check == "target-logit" else o
            for o in FAILING.outcomes
        ),
    )
    found = settle(grown, ALL, TODAY)
    told = {outcome.check: outcome.status for outcome in found.outcomes}
    assert told["target-logit"] == status


def test_one_finding_of_two_is_not_enough() -> None:
    both = report(outcome("failed", "poles-target", POLE, VALUE))
    assert settle(both, ALL[:1], TODAY).outcomes[0].status == "failed"


def test_an_entry_that_is_no_longer_found_fails() -> None:
    stale = replace(ALL[0], check="profile")
    found = settle(FAILING, [*ALL, stale], TODAY)
    assert found.exit_code == 1 and found.outcomes[-1].check == "baseline"
    assert "no longer found" in found.outcomes[-1].detail


def test_an_entry_of_a_check_that_is_gone_fails() -> None:
    assert "baseline" in _statuses([*ALL, replace(ALL[0], check="no-such")])


@pytest.mark.parametrize(("status", "fails"), [("skipped", False), ("ok", True)])
def test_a_check_that_did_not_run_makes_nothing_stale(status: str, fails: bool) -> None:
    found = settle(report(outcome(status)), ALL[:1], TODAY)
    assert (found.outcomes[-1].check == "baseline") is fails


def test_a_head_that_could_not_be_judged_makes_nothing_stale() -> None:
    entry = replace(ALL[0], target=STUCK.target)
    assert settle(STUCK, [entry], TODAY).exit_code == 3


@pytest.mark.parametrize(("day", "code"), [("2027-01-31", 0), ("2027-01-30", 1)])
def test_an_entry_is_good_through_its_last_day(day: str, code: int) -> None:
    entries = [replace(entry, expires=day) for entry in ALL]
    assert settle(FAILING, entries, TODAY).exit_code == code


def test_an_entry_without_a_reason_accepts_nothing() -> None:
    found = settle(FAILING, entries_of(FAILING, " ", TODAY), TODAY)
    assert found.exit_code == 1
    assert "without a reason" in found.outcomes[-1].detail


def test_entries_of_other_heads_say_nothing() -> None:
    assert settle(PASSING, ALL, TODAY) == PASSING


def test_an_update_keeps_reasons_of_what_is_still_found() -> None:
    old = [replace(ALL[0], reason="mine", expires="2026-01-01")]
    first, second = update_entries(old, [FAILING], "", TODAY)
    assert (first.reason, first.expires) == ("mine", "2026-01-01")
    assert (second.reason, second.expires) == ("", "2027-05-01")


def test_an_update_drops_what_is_no_longer_found() -> None:
    stale = replace(ALL[0], check="profile")
    assert update_entries([stale], [FAILING], "why", TODAY) == entries_of(
        FAILING, "why", TODAY
    )


def test_an_update_keeps_entries_of_heads_that_were_not_judged() -> None:
    other = replace(ALL[0], target="elsewhere:head")
    assert other in update_entries([other], [FAILING], "", TODAY)


def test_an_update_keeps_what_a_stuck_head_cannot_tell() -> None:
    entry = replace(ALL[0], target=STUCK.target)
    assert update_entries([entry], [STUCK], "", TODAY) == [entry]


def test_a_baseline_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "accepted.json"
    file.write_text(baseline_text(ALL), encoding="utf-8")
    assert sorted(read_baseline(file), key=lambda e: e.key) == sorted(
        ALL, key=lambda e: e.key
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"expires": "soon"}, "expires='soon', but must be a day"),
        ({"reasn": "x"}, "unknown key 'reasn', did you mean 'reason'"),
        ({"dtypes": "float32"}, "dtypes='float32', but must be a list of dtypes"),
        ({"check": ""}, "check='', but must be the id of a check"),
    ],
)
def test_a_mistake_in_an_entry_is_one_line(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    data = json.loads(baseline_text(ALL))
    data["accepted"][0].update(change)
    file = tmp_path / "accepted.json"
    file.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(DomainError, match=r"^[^\n]*entry 1: [^\n]*$") as caught:
        read_baseline(file)
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["{", "[]", '{"version": 2}', '{"version": 1}'])
def test_what_is_no_baseline_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "accepted.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DomainError, match=r"accepted\.json: "):
        read_baseline(file)
