"""The commands that count kills and false alarms, and that neither hides a failure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from zoo import false_alarms, kills
from zoo.planting import Wrong
from zoo.registry import Exact

FEW = ["--points", "2000", "--processes", "1"]
HEAD = "zoo.planted:arcface__angular_sign"


def test_a_kill_is_kept_with_its_check_and_points(tmp_path: Path) -> None:
    file = tmp_path / "kills.json"
    assert kills.main([*FEW, "--only", HEAD, "--json", str(file)]) == 0
    kept = json.loads(file.read_text())["kills"][HEAD]
    assert (kept["named"], kept["caught"]) == ("target-logit", True)
    assert kept["points"] == 1024


def test_a_planted_head_that_gets_away_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    harmless = {"zoo.exact.heads:cosface": Wrong("cosface", "target-logit")}
    monkeypatch.setattr(kills, "wrong", lambda: harmless)
    assert kills.main([*FEW, "--json", str(tmp_path / "kills.json")]) == 1
    assert (
        "zoo.exact.heads:cosface: not caught by target-logit" in capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("target", "code"), [("zoo.exact.heads:cosface", 0), (HEAD, 1)]
)
def test_a_false_alarm_is_counted(
    target: str, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    loss = "arcface" if code else "cosface"
    monkeypatch.setattr(false_alarms, "exact", lambda: {target: Exact(loss)})
    assert false_alarms.main([*FEW, "--seeds", "1"]) == code


def test_no_runs_are_no_success() -> None:
    assert false_alarms.main([*FEW, "--only", "no such head"]) == 1


def test_kept_kills_are_all_caught() -> None:
    kept = json.loads(kills.KEPT.read_text())
    assert kept["points"] == 10**5
    assert len(kept["kills"]) >= 60
    assert all(row["caught"] for row in kept["kills"].values())
