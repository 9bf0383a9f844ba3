"""Hostile heads: each gets a finding or exit code 3, and none a pass, a hang or more."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from gate_runs import failed, outcomes
from zoo import exact
from zoo.hostile import (
    AT_IMPORT,
    DESTRUCTIVE,
    ILL_MANNERED,
    MEDDLING,
    UNUSABLE,
    WRONG,
    Hostile,
)

from adaface_ref.gate import check_head
from adaface_ref.gate.apart import Judged, judge_apart
from adaface_ref.gate.report import Report
from adaface_ref.gate.runner import run_gate
from adaface_ref.gate.session import EFFORTS

HOSTILE = Path(exact.__file__).with_name("hostile.py")
LIMIT = 3.0
"""Seconds for a head that hangs."""


def _apart(target: str, limit: float = 60.0, memory: float = 2.0) -> Judged:
    """Judge in a process of its own."""
    return judge_apart(
        target, limit=limit, memory_limit=memory, progress=lambda *_: None,
        loss="cosface", seed=0, effort="quick",
    )  # fmt: skip


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[[object], Report]:
    """Judge in this process, at few points."""
    monkeypatch.setitem(EFFORTS, "quick", 10_000)
    return lambda head: run_gate(head, loss="cosface", effort="quick")


@pytest.mark.parametrize("name", DESTRUCTIVE)
def test_a_destructive_head_ends_only_itself(name: str) -> None:
    hangs = DESTRUCTIVE[name].words == "no report within"
    judged = _apart(f"zoo.hostile:{name}", LIMIT if hangs else 60)
    assert judged.exit_code == 3
    assert DESTRUCTIVE[name].words in " ".join(judged.text.split())
    assert "COULD NOT BE JUDGED" in judged.text


@pytest.mark.parametrize("name", AT_IMPORT)
def test_an_import_that_does_harm_is_not_judged(name: str, tmp_path: Path) -> None:
    source, words = AT_IMPORT[name]
    file = tmp_path / "head.py"
    file.write_text(source, encoding="utf-8")
    judged = _apart(f"{file}:head", LIMIT if name == "loops" else 60)
    assert judged.exit_code == 3
    assert words in " ".join(judged.text.split())
