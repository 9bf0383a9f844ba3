"""Reports as SARIF 2.1.0, which code scanners show beside the source."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote

from adaface_ref.report.ci_formats import place_of, text_of
from adaface_ref.report.report import (
    ACCEPTED,
    ERROR,
    FAILED,
    NOTE,
    WARNING,
    Location,
    Outcome,
    Report,
)

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"

LEVELS = {
    FAILED: "error",
    ERROR: "error",
    WARNING: "warning",
    ACCEPTED: "note",
    NOTE: "note",
}
"""SARIF's name for each status; what passed or was skipped is no result."""


def sarif(reports: Sequence[Report], explanations: dict[str, str]) -> str:
    """SARIF text: a rule a check, a result a violation.

    Args:
        reports: one a head.
        explanations: by the id of a check.

    Returns:
        The document.
    """
    rules: dict[str, dict[str, Any]] = {}
    results = []
    for report in reports:
        for outcome in report.outcomes:
            rule = {
                "id": outcome.check,
                "shortDescription": {"text": outcome.claim},
                "fullDescription": {
                    "text": explanations.get(outcome.check) or outcome.claim
                },
            }
            rules.setdefault(outcome.check, rule)
            if outcome.status in LEVELS:
                index = list(rules).index(outcome.check)
                results.append(_result(report, outcome, index))
    driver = {
        "name": "adaface-ref",
        "version": version("adaface-ref"),
        "rules": list(rules.values()),
    }
    failed = any(report.exit_code == 3 for report in reports)
    run = {
        "tool": {"driver": driver},
        "invocations": [{"executionSuccessful": not failed}],
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    data = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(data, indent=2, allow_nan=False) + "\n"


def _result(report: Report, outcome: Outcome, index: int) -> dict[str, Any]:
    told = f"{report.target} --loss {report.loss}: {outcome.claim}\n"
    result: dict[str, Any] = {
        "ruleId": outcome.check,
        "ruleIndex": index,
        "level": LEVELS[outcome.status],
        "message": {"text": told + text_of(outcome)},
    }
    place = place_of(report)
    if place is not None:
        result["locations"] = [_location(place)]
    if outcome.findings:
        first = report.finding_id(outcome.check, outcome.findings[0])
        result["partialFingerprints"] = {"adafaceRefFinding/v1": first}
    return result


def _location(place: Location) -> dict[str, Any]:
    path = PurePath(place.file)
    if path.is_absolute():
        artifact: dict[str, Any] = {"uri": Path(path).as_uri()}
    else:
        artifact = {"uri": quote(path.as_posix()), "uriBaseId": "%SRCROOT%"}
    region = {"startLine": place.line}
    return {"physicalLocation": {"artifactLocation": artifact, "region": region}}
