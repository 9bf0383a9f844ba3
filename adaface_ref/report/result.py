"""What the run of a check gives."""

from __future__ import annotations

from typing import NamedTuple

from adaface_ref.report.report import Finding


class Result(NamedTuple):
    """What a check found, as the fields of an Outcome."""

    status: str
    detail: str
    compared: int = 0
    ratio: float | None = None
    findings: tuple[Finding, ...] = ()
    shown: int = 1
