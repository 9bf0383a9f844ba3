"""Reports as other machines read them: JSON, JUnit, GitHub's annotations."""

from __future__ import annotations

import hashlib
import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from typing import Any

from adaface_ref.report.report import (
    ACCEPTED,
    ERROR,
    FAILED,
    NOTE,
    SKIPPED,
    VERSION,
    WARNING,
    Location,
    Outcome,
    Report,
)

NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document may hold."""

COMMANDS = {
    FAILED: "error",
    ERROR: "error",
    WARNING: "warning",
    ACCEPTED: "notice",
    NOTE: "notice",
}
"""GitHub's name for each status."""


def exit_code_of(reports: Sequence[Report]) -> int:
    """The exit code of a run: 1 before 3 before 0; 3 if nothing was judged."""
    codes = {report.exit_code for report in reports}
    return next((code for code in (1, 3, 0) if code in codes), 3)


def verdict_of(reports: Sequence[Report], noun: str = "heads") -> str:
    """The last line of a run of several heads, or whatever was judged."""
    passed = [report for report in reports if report.exit_code == 0]
    but = sum(any(o.status == ACCEPTED for o in r.outcomes) for r in passed)
    told = f"{len(passed) - but} of {len(reports)} {noun} conform"
    return f"{told}, {but} but for what is accepted" if but else told


def run_as_json(reports: Sequence[Report], noun: str = "heads") -> str:
    """A run of several heads, as report.schema.json has it.

    Args:
        reports: one a head.
        noun: what was judged, for the verdict.

    Returns:
        JSON text.
    """
    data: dict[str, Any] = {
        "version": VERSION,
        "exit_code": exit_code_of(reports),
        "verdict": verdict_of(reports, noun),
        "reports": [report.as_json() for report in reports],
    }
    return json.dumps(data, indent=2, allow_nan=False) + "\n"


def report_as_json(report: Report) -> str:
    """One report as JSON text."""
    return json.dumps(report.as_json(), indent=2, allow_nan=False) + "\n"


def junit(reports: Sequence[Report]) -> str:
    """JUnit XML: a suite a head, a case a check.

    Args:
        reports: one a head.

    Returns:
        The document.
    """
    root = ElementTree.Element("testsuites", name="adaface-ref gate")
    totals = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for report in reports:
        name = f"{report.target} {report.loss}"
        suite = ElementTree.SubElement(root, "testsuite", name=_xml(name))
        statuses = [outcome.status for outcome in report.outcomes]
        counts = {
            "tests": len(statuses),
            "failures": statuses.count(FAILED),
            "errors": statuses.count(ERROR),
            "skipped": statuses.count(SKIPPED),
        }
        for key, count in counts.items():
            suite.set(key, str(count))
            totals[key] += count
        for outcome in report.outcomes:
            _case(suite, _xml(name), report, outcome)
    for key, count in totals.items():
        root.set(key, str(count))
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n'


def _case(
    suite: ElementTree.Element, name: str, report: Report, outcome: Outcome
) -> None:
    case = ElementTree.SubElement(
        suite, "testcase", classname=name, name=_xml(outcome.check), time="0"
    )
    if report.location is not None:
        case.set("file", _xml(report.location.file))
        case.set("line", str(report.location.line))
    tags = {FAILED: "failure", ERROR: "error", SKIPPED: "skipped"}
    if outcome.status in tags:
        detail = _xml(outcome.detail)
        child = ElementTree.SubElement(case, tags[outcome.status], message=detail)
        if outcome.status != SKIPPED:
            child.set("type", outcome.status)
            child.text = _xml(text_of(outcome))
    else:
        out = ElementTree.SubElement(case, "system-out")
        out.text = _xml(f"{outcome.status}: {text_of(outcome)}")


def text_of(outcome: Outcome) -> str:
    """An outcome's detail, and the violations that a text report would show."""
    texts = [finding.text(80) for finding in outcome.findings[: outcome.shown]]
    return "\n\n".join([outcome.detail, *texts])


def place_of(report: Report) -> Location | None:
    """Where a head's source is; its file's first line if only that is known."""
    file, colon, _ = report.target.rpartition(":")
    if report.location is None and colon and file.endswith(".py"):
        return Location(file, 1)
    return report.location


def github_lines(reports: Sequence[Report]) -> list[str]:
    """GitHub's workflow commands, which put each outcome beside the head's source.

    Args:
        reports: one a head.

    Returns:
        Lines to print.
    """
    lines = []
    for report in reports:
        place = place_of(report)
        for outcome in report.outcomes:
            if outcome.status not in COMMANDS:
                continue
            title = f"adaface-ref {outcome.check}"
            marks = [f"title={_property(title)}"]
            if place is not None:
                where = f"file={_property(place.file)},line={place.line}"
                marks.insert(0, where)
            told = f"{report.target} --loss {report.loss}: {outcome.claim}\n"
            message = _escape(told + text_of(outcome))
            command = COMMANDS[outcome.status]
            lines.append(f"::{command} {','.join(marks)}::{message}")
    return lines


GITLAB = {FAILED: "critical", ERROR: "blocker", WARNING: "minor", ACCEPTED: "info"}
"""GitLab's severity of each status."""


def gitlab(reports: Sequence[Report]) -> str:
    """GitLab's code quality report: a list of issues beside the heads' source.

    Args:
        reports: one a head; what has no source in a file stands in none.

    Returns:
        JSON text.
    """
    issues = []
    for report in reports:
        place = place_of(report) or Location(report.target, 1)
        for outcome in report.outcomes:
            if outcome.status not in GITLAB:
                continue
            told = f"{report.target} --loss {report.loss}: {outcome.claim}"
            mark = f"{report.target} {report.loss} {report.profile} {outcome.check}"
            issue = {
                "description": f"{told} {outcome.detail}",
                "check_name": f"adaface-ref {outcome.check}",
                "fingerprint": hashlib.sha256(mark.encode()).hexdigest(),
                "severity": GITLAB[outcome.status],
                "location": {"path": place.file, "lines": {"begin": place.line}},
            }
            issues.append(issue)
    return json.dumps(issues, indent=2) + "\n"


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")


def _xml(text: str) -> str:
    return NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
