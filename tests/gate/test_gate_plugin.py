"""Judging a head from pytest."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from adaface_ref.gate.checks import CHECKS

ZOO = Path(__file__).parents[1] / "zoo"


def _pytest(*arguments: str, folder: Path = ZOO) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "--pyargs", "adaface_ref.gate"]
    plain = ["-p", "no:cacheprovider", "--head-effort", "quick", *arguments]
    where = {"cwd": folder, "capture_output": True, "text": True, "check": False}
    return subprocess.run([*command, *plain], **where)  # type: ignore[call-overload,no-any-return]


def test_each_check_is_a_test() -> None:
    head = f"{ZOO / 'exact/heads.py'}:cosface"
    given = ("--head", head, "--head-loss", "cosface")
    listed = _pytest(*given, "--collect-only", "-q")
    assert f"{len(CHECKS)} tests collected" in listed.stdout, listed.stdout
    done = _pytest(*given, "-n", "2", "-k", "poles or invariant or statistics")
    assert done.returncode == 0, done.stdout
    assert re.search(r"5 passed, 2 skipped", done.stdout), done.stdout


def test_a_wrong_head_fails_with_the_report() -> None:
    head = f"{ZOO / 'wrong/heads.py'}:swapped_branches"
    done = _pytest("--head", head, "--head-loss", "arcface", "--head-profile", "pure")
    assert done.returncode == 1
    assert "the branches on cos(pi - m) are swapped" in done.stdout


def test_without_a_head_the_tests_skip_with_the_reason() -> None:
    done = _pytest("-rs")
    assert done.returncode == 0
    assert "give --head TARGET --head-loss NAME" in done.stdout


CONFIGURATION = """
[[tool.adaface-ref.head]]
target = "heads.py:right"
loss = "cosface"

[[tool.adaface-ref.head]]
target = "heads.py:cubed"
loss = "cosface"
"""

HEADS = """
def right(cosine, labels):
    lowered = cosine.clone()
    lowered[range(len(labels)), labels] -= 0.35
    return 64.0 * lowered


def cubed(cosine, labels):
    return right(cosine**3, labels)
"""


@pytest.mark.slow
def test_every_configured_head_is_judged(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(CONFIGURATION, encoding="utf-8")
    (tmp_path / "heads.py").write_text(HEADS, encoding="utf-8")
    options = ("-k", "untouched or profile", "-rf")
    done = _pytest(*options, "--rootdir", str(tmp_path), folder=tmp_path)
    assert "1 failed, 3 passed" in done.stdout, done.stdout
    assert "heads.py:cubed-cosface" in done.stdout


def test_a_head_takes_arguments_and_dtypes() -> None:
    head = ("--head", f"{ZOO / 'exact/heads.py'}:cosface", "--head-loss", "cosface")
    given = ("--head-arg", "m=0.2", "--head-dtype", "float64", "--head-seed", "3")
    done = _pytest(*head, *given, "-k", "profile or margin")
    assert "2 passed" in done.stdout, done.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--head-seed", "x"), "--head-seed=x, but must be an integer"),
        (("--head-arg", "m"), "--arg='m', but must be name=value"),
        (("--head-config", "none.toml"), "--config=none.toml: No such file"),
    ],
)
def test_a_mistake_is_one_line(options: tuple[str, ...], message: str) -> None:
    done = _pytest("--head", "a:b", "--head-loss", "cosface", *options)
    assert done.returncode != 0
    assert message in done.stdout + done.stderr
    assert "INTERNALERROR" not in done.stdout + done.stderr
