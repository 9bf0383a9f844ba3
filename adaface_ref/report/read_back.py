"""A report from its JSON form: the inverse of `Report.as_json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adaface_ref.report.curve import curve_from
from adaface_ref.report.report import Finding, Location, Outcome, Report

NAMES = ("nan", "inf", "-inf")
"""Numbers that JSON lacks."""


def report_from(data: Mapping[str, Any]) -> Report:
    """Read a report back.

    Args:
        data: what `Report.as_json` gave.

    Returns:
        The report; every float is the same to the bit.
    """
    place = data["location"]
    return Report(
        data["target"],
        data["loss"],
        data["identity"],
        data["profile"],
        data["reading"],
        tuple(data["arguments"]),
        dict(data["settings"]),
        tuple(_outcome(outcome) for outcome in data["outcomes"]),
        None if place is None else Location(**place),
        tuple(curve_from(curve) for curve in data["curves"]),
        data["rests_on"],
        data["unseen"],
    )


def _outcome(data: Mapping[str, Any]) -> Outcome:
    ratio = data["ratio"]
    return Outcome(
        data["check"],
        data["claim"],
        data["status"],
        data["detail"],
        data["compared"],
        None if ratio is None else float(ratio),
        tuple(finding_from(finding) for finding in data["findings"]),
        data["shown"],
    )


def finding_from(data: Mapping[str, Any]) -> Finding:
    """Read one finding back.

    Args:
        data: an item of "findings" in a report's JSON form.

    Returns:
        The finding.
    """
    expected = data["expected"]
    return Finding(
        data["claim"],
        {name: float.fromhex(value["hex"]) for name, value in data["inputs"].items()},
        data["dtype"],
        float(data["got"]),
        expected if _is_words(expected) else float(expected),
        float(data["error"]),
        float(data["allowed"]),
        data["cause"],
        data["snippet"],
    )


def _is_words(value: float | str) -> bool:
    return isinstance(value, str) and value not in NAMES
