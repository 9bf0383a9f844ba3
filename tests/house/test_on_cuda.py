"""The one command for a GPU, rehearsed on a CPU: every part runs and has figures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from adaface_ref.torch_heads import HEADS

CHECKOUT = Path(__file__).resolve().parents[2]
SCRIPT = CHECKOUT / "benchmarks" / "on_cuda.py"

OPTIONAL = ("contourpy", "jsonschema", "matplotlib", "playwright", "sklearn", "yaml")
"""What a machine with a GPU need not have."""


def _call(*arguments: str, paths: tuple[Path, ...] = ()) -> tuple[int, str]:
    """The command's exit code and what it printed, without a GPU."""
    ran = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        env={
            **os.environ,
            "CUDA_VISIBLE_DEVICES": "",
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    return ran.returncode, ran.stdout + ran.stderr


@pytest.mark.slow
def test_a_rehearsal_runs_every_part_without_optional_packages(tmp_path: Path) -> None:
    for name in OPTIONAL:
        text = f"raise ImportError('{name} is not here')\n"
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    file = tmp_path / "result.json"
    code, printed = _call("--rehearse", "--json", str(file), paths=(tmp_path,))
    assert code == 0, printed
    assert "as expected: 4 parts passed" in printed.splitlines()[-1]
    result = json.loads(file.read_text(encoding="utf-8"))
    _check_machine(result)
    assert list(result["parts"]) == list(CHECKED)
    for name, check in CHECKED.items():
        row = result["parts"][name]
        assert row["status"] == ("nothing ran" if name == "tests" else "passed")
        assert row["seconds"] > 0
        check(row["figures"])


def _check_machine(result: dict[str, Any]) -> None:
    assert result["as_expected"] is True and result["rehearsal"] is True
    assert {"command", "commit", "dirty", "started", "minutes"} < set(result)
    machine = result["machine"]
    assert {"device", "driver", "cuda", "python", "packages"} < set(machine)
    assert machine["packages"]["torch"] == torch.__version__


def _check_tests(figures: dict[str, Any]) -> None:
    """Skipped tests are counted, with the reason, and are no pass."""
    assert figures["skipped"] > 800 and figures["passed"] == figures["failed"] == 0
    assert figures["not_collected"] == {}
    assert sum(figures["skipped_because"].values()) == figures["skipped"]


def _check_speed(figures: dict[str, Any]) -> None:
    assert list(figures["heads"]) == ["float32", "bfloat16"]
    for rows in figures["heads"].values():
        assert set(rows) == {"plain", *HEADS}
        assert all(row["ratio_to_plain"] > 0 for row in rows.values())


def _check_gate(figures: dict[str, Any]) -> None:
    assert [row["exit_code"] for row in figures["heads"]] == [0, 1]


def _check_sweeps(figures: dict[str, Any]) -> None:
    assert {row["dtype"] for row in figures["sweeps"]} == {"float16", "bfloat16"}
    assert all(row["holds"] == row["total"] > 30_000 for row in figures["sweeps"])


def _check_verify(figures: dict[str, Any]) -> None:
    assert figures["exit_code"] == 0 and figures["compared"]["torch cpu"] > 1000
    assert 0 < figures["worst_share"] <= 1
    assert sum(figures["verdicts"].values()) > 0


CHECKED = {
    "tests": _check_tests,
    "speed": _check_speed,
    "gate": _check_gate,
    "sweeps": _check_sweeps,
    "verify": _check_verify,
}
"""What the figures of each part must hold."""


@pytest.mark.slow
def test_without_cuda_nothing_is_claimed(tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    code, printed = _call("--json", str(file))
    assert code == 1 and "NOT run: torch sees no CUDA device" in printed
    assert not file.exists()
