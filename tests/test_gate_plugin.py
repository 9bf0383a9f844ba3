"""Judging a head from pytest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ZOO = Path(__file__).parent / "zoo"


def _pytest(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "--pyargs", "adaface_ref.gate"]
    plain = ["-p", "no:cacheprovider", "--head-effort", "quick", *arguments]
    where = {"cwd": ZOO, "capture_output": True, "text": True, "check": False}
    return subprocess.run([*command, *plain], **where)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize("workers", ["0", "2"])
def test_each_check_is_a_test(workers: str) -> None:
    head = f"{ZOO / 'exact.py'}:cosface"
    done = _pytest("--head", head, "--head-loss", "cosface", "-n", workers)
    assert done.returncode == 0, done.stdout
    assert "15 passed, 1 skipped" in done.stdout


def test_a_wrong_head_fails_with_the_report() -> None:
    head = f"{ZOO / 'wrong.py'}:swapped_branches"
    done = _pytest("--head", head, "--head-loss", "arcface", "--head-profile", "pure")
    assert done.returncode == 1
    assert "the branches on cos(pi - m) are swapped" in done.stdout


def test_without_a_head_the_tests_skip_with_the_reason() -> None:
    done = _pytest("-rs")
    assert done.returncode == 0
    assert "give --head TARGET --head-loss NAME" in done.stdout
