"""A report as other programs read it, and on one screen."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
from made_reports import FAILING, PASSING, POLE, STUCK, outcome, report

from adaface_ref.gate.head.location import location_of
from adaface_ref.report.ci_formats import (
    exit_code_of,
    github_lines,
    gitlab,
    junit,
    report_as_json,
    run_as_json,
)
from adaface_ref.report.read_back import report_from
from adaface_ref.report.report import Report
from adaface_ref.report.sarif import sarif

RUN = (FAILING, PASSING, STUCK)
SCHEMA = resources.files("adaface_ref.report").joinpath("report.schema.json")

TEXT = {"type": "object", "required": ["text"]}
PLACE = {
    "type": "object",
    "required": ["artifactLocation", "region"],
    "properties": {
        "artifactLocation": {"type": "object", "required": ["uri"]},
        "region": {
            "type": "object",
            "properties": {"startLine": {"type": "integer", "minimum": 1}},
        },
    },
}
RESULT = {
    "type": "object",
    "required": ["ruleId", "ruleIndex", "level", "message"],
    "properties": {
        "level": {"enum": ["none", "note", "warning", "error"]},
        "message": TEXT,
        "locations": {"items": {"properties": {"physicalLocation": PLACE}}},
    },
}
SARIF = {
    "type": "object",
    "required": ["$schema", "version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {},
        "version": {"const": "2.1.0"},
        "runs": {
            "items": {
                "required": ["tool", "results"],
                "properties": {
                    "results": {"items": RESULT},
                    "tool": {
                        "required": ["driver"],
                        "properties": {"driver": {"required": ["name", "rules"]}},
                    },
                },
            }
        },
    },
}
"""What SARIF 2.1.0 requires of the parts that are written here."""


@pytest.mark.parametrize("text", [report_as_json(FAILING), run_as_json(RUN)])
def test_json_follows_its_schema(text: str) -> None:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(text), schema)


@pytest.mark.parametrize("place", [(), ("outcomes", 0), ("outcomes", 0, "findings", 0)])
def test_the_schema_knows_every_property(place: tuple[str | int, ...]) -> None:
    data = json.loads(report_as_json(FAILING))
    part = data
    for key in place:
        part = part[key]
    part["further"] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, json.loads(SCHEMA.read_text("utf-8")))


@pytest.mark.parametrize("one", RUN)
def test_a_report_comes_back_from_its_json(one: Report) -> None:
    again = report_from(json.loads(report_as_json(one)))
    assert repr(again) == repr(one)  # NaN is not equal to itself


def test_an_id_is_the_same_for_the_same_head_check_and_inputs() -> None:
    assert FAILING.finding_id("poles-target", POLE) == FAILING.finding_id(
        "poles-target", replace(POLE, cause="another", got=1.0)
    )


@pytest.mark.parametrize(
    ("one", "finding", "check"),
    [
        (replace(FAILING, target="other"), POLE, "poles-target"),
        (replace(FAILING, loss="cosface"), POLE, "poles-target"),
        (replace(FAILING, profile="clip"), POLE, "poles-target"),
        (FAILING, replace(POLE, dtype="float64"), "poles-target"),
        (FAILING, replace(POLE, inputs={"target_cosine": -1.0}), "poles-target"),
        (FAILING, POLE, "poles-other"),
    ],
)
def test_an_id_tells_findings_apart(one: Report, finding: object, check: str) -> None:
    known = FAILING.finding_id("poles-target", POLE)
    assert one.finding_id(check, finding) != known  # type: ignore[arg-type]


def test_junit_has_a_case_for_each_check() -> None:
    root = ElementTree.fromstring(junit(RUN))
    counts = [root.get(key) for key in ("tests", "failures", "errors", "skipped")]
    assert counts == ["8", "2", "1", "1"]
    cases = root.findall("testsuite/testcase")
    assert [len(case.findall("failure")) for case in cases[:3]] == [1, 1, 0]
    assert cases[0].get("line") == "12"
    assert "target_cosine = 1.0" in (cases[0][0].text or "")


def test_junit_holds_no_character_that_xml_forbids() -> None:
    odd = replace(outcome("failed"), detail="a\x00b\x1b[31m <&> \ud800")
    root = ElementTree.fromstring(junit([report(odd)]))
    message = root.find("testsuite/testcase/failure")
    assert message is not None and "<&>" in (message.get("message") or "")


def test_sarif_has_what_the_standard_requires() -> None:
    data = json.loads(sarif(RUN, {"poles-target": "because"}))
    jsonschema.validate(data, SARIF)
    (run,) = data["runs"]
    rules = run["tool"]["driver"]["rules"]
    levels = [result["level"] for result in run["results"]]
    assert levels == ["error", "error", "warning", "note", "error"]
    assert all(rules[r["ruleIndex"]]["id"] == r["ruleId"] for r in run["results"])
    assert rules[0]["fullDescription"]["text"] == "because"
    assert run["invocations"] == [{"executionSuccessful": False}]


def test_sarif_names_the_head_s_source() -> None:
    first, *_ = json.loads(sarif([FAILING], {}))["runs"][0]["results"]
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "heads.py"
    assert place["region"] == {"startLine": 12}


def test_annotations_are_one_line_each() -> None:
    lines = github_lines(RUN)
    kinds = [line.split(" ")[0] for line in lines]
    assert kinds == ["::error", "::error", "::warning", "::notice", "::error"]
    assert lines[0].startswith("::error file=heads.py,line=12,title=adaface-ref poles")
    assert not any("\n" in line for line in lines)


def test_gitlab_has_an_issue_for_each_violation() -> None:
    issues = json.loads(gitlab(RUN))
    statuses = [o.status for each in RUN for o in each.outcomes]
    told = [s for s in statuses if s in ("failed", "error", "warning")]
    assert len(issues) == len(told)
    first = issues[0]
    assert first["location"]["lines"]["begin"] == 12
    assert {issue["severity"] for issue in issues} <= {"critical", "blocker", "minor"}
    marks = [issue["fingerprint"] for issue in issues]
    assert len(marks) == len(set(marks))


def test_annotations_escape_what_github_reads_as_a_mark() -> None:
    odd = replace(report(outcome("failed")), location=None, target="a%b,c.py:d")
    (line,) = github_lines([odd])
    assert "file=a%25b%2Cc.py,line=1" in line


@pytest.mark.parametrize(
    ("reports", "code"), [(RUN, 1), ((PASSING, STUCK), 3), ((PASSING,), 0), ((), 3)]
)
def test_a_run_is_as_bad_as_its_worst_head(
    reports: tuple[Report, ...], code: int
) -> None:
    assert exit_code_of(reports) == code


def _many(passing: int) -> Report:
    rows = [outcome("ok", f"a-check-of-some-kind-{n}") for n in range(passing)]
    quiet = [outcome("skipped", f"skipped-check-{n}") for n in range(8)]
    return report(*rows, *quiet, outcome("warning"), outcome("note", "own-gradient"))


def test_forty_checks_fit_one_screen() -> None:
    lines = _many(30).text(80).splitlines()
    assert len(lines) <= 24 and max(map(len, lines)) <= 80


def test_verbose_shows_every_check() -> None:
    text = _many(30).text(80, verbose=True)
    assert sum(line.startswith("ok ") for line in text.splitlines()) == 30


def test_what_is_wrong_comes_first() -> None:
    text = report(outcome("ok", "profile"), outcome("failed")).text(80)
    assert text.index("\nfailed") < text.index("\nok ")


def test_a_replay_is_offered_only_for_what_was_stored() -> None:
    known = FAILING.finding_id("poles-target", POLE)
    assert f"adaface-ref replay {known}" in FAILING.text(80, replay=True)
    assert "replay" not in FAILING.text(80)


def test_a_head_is_found_in_its_file() -> None:
    place = location_of(_many)
    assert place is not None and Path(place.file).name == "test_gate_formats.py"


def test_a_head_without_source_has_no_place() -> None:
    assert location_of(len) is None
