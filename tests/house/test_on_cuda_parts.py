"""The parts of the command for a GPU: one that fails or hangs stops no other."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from adaface_ref.torch_heads import HEADS

CHECKOUT = Path(__file__).resolve().parents[2]
BENCHMARKS = CHECKOUT / "benchmarks"

HANGS = "import time\ndef run(work):\n    work.keep(done=1)\n    time.sleep(600)\n"
DEAF = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n" + HANGS
CRASHES = "import os\ndef run(work):\n    print('last words')\n    os._exit(7)\n"
FAILS = "def run(work):\n    return ['2 is not 3']\n"
PASSES = "def run(work):\n    work.keep(answer=42)\n    return []\n"
SEES_NOTHING = (
    "from cuda_parts.work import NothingRanError\n"
    "def run(work):\n    raise NothingRanError('no device')\n"
)
READS = (
    "import json, os, pathlib\ndef run(work):\n"
    "    work.keep(seen=json.loads(pathlib.Path(os.environ['RESULT']).read_text()))\n"
    "    return []\n"
)

Planted = Callable[..., dict[str, Any]]


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Planted:
    """Runs parts whose modules are given as text, in their order."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    on_cuda: Any = importlib.import_module("on_cuda")
    monkeypatch.setattr("cuda_parts.limited.GRACE", 1.0)
    folder, file = tmp_path / "laid_out", tmp_path / "result.json"
    on_cuda.lay_out(CHECKOUT, folder)
    env = {**on_cuda.environment(folder, rehearse=True), "RESULT": str(file)}

    def run(seconds: float = 120, *, rehearse: bool = True, **sources: str) -> Any:
        for name, text in sources.items():
            (folder / f"{name}.py").write_text(text, encoding="utf-8")
        until = time.monotonic() + seconds
        run = on_cuda.Run(file, folder, env, rehearse, until)
        parts = [on_cuda.Part(name, name, 1, "planted") for name in sources]
        on_cuda.run_parts(run, parts, {})
        return json.loads(file.read_text(encoding="utf-8"))

    return run


def test_a_part_that_crashes_is_survived(planted: Planted) -> None:
    result = planted(crashes=CRASHES, passes=PASSES)
    first, second = result["parts"].values()
    assert (first["status"], second["status"]) == ("crashed", "passed")
    assert "last words" in first["output"]
    assert second["figures"] == {"answer": 42}
    assert result["as_expected"] is False


@pytest.mark.parametrize("source", [HANGS, DEAF], ids=["hangs", "hangs, deaf"])
def test_a_part_that_hangs_is_ended(planted: Planted, source: str) -> None:
    result = planted(seconds=16, hangs=source, passes=PASSES)
    first, second = result["parts"].values()
    assert (first["status"], second["status"]) == ("timed out", "passed")
    assert first["figures"] == {"done": 1}, "what was found before is kept"


def test_what_is_not_expected_fails(planted: Planted) -> None:
    result = planted(fails=FAILS)
    assert result["parts"]["fails"]["status"] == "failed"
    assert result["parts"]["fails"]["unexpected"] == ["2 is not 3"]
    assert result["as_expected"] is False


@pytest.mark.parametrize("rehearse", [True, False])
def test_a_part_that_sees_nothing_is_no_pass(planted: Planted, rehearse: bool) -> None:
    result = planted(rehearse=rehearse, sees_nothing=SEES_NOTHING)
    assert result["parts"]["sees_nothing"]["status"] == "nothing ran"
    assert result["as_expected"] is rehearse


def test_the_result_is_written_after_each_part(planted: Planted) -> None:
    seen = planted(passes=PASSES, reads=READS)["parts"]["reads"]["figures"]["seen"]
    statuses = [row["status"] for row in seen["parts"].values()]
    assert statuses == ["passed", "started"] and seen["as_expected"] is False


SOURCE = """
import pytest
pytestmark = pytest.mark.cuda
def test_right(): pass
def test_wrong(): assert 2 == 3
def test_skipped(): pytest.skip("no such thing")
"""


def test_outcomes_are_counted(
    tmp_path: Path, planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = tmp_path / "checkout"
    (checkout / "tests").mkdir(parents=True)
    text = '[tool.pytest.ini_options]\nmarkers = ["cuda"]\n'
    (checkout / "pyproject.toml").write_text(text, encoding="utf-8")
    for name, source in (("test_a", SOURCE), ("test_b", "import no_such" + SOURCE)):
        (checkout / "tests" / f"{name}.py").write_text(source, encoding="utf-8")
    monkeypatch.setattr("on_cuda.CHECKOUT", checkout)
    source = "from cuda_parts.cuda_tests import run\n"
    row = planted(rehearse=False, counted=source)["parts"]["counted"]
    figures = row["figures"]
    assert row["status"] == "failed", row
    assert [figures[name] for name in ("passed", "failed", "skipped")] == [1, 1, 1]
    assert figures["failures"] == {"tests/test_a.py::test_wrong": "E   assert 2 == 3"}
    assert figures["skipped_because"] == {"Skipped: no such thing": 1}
    assert list(figures["not_collected"]) == ["tests/test_b.py"]


@pytest.mark.parametrize(
    ("shares", "worst"),
    [((0.25, 0.5), 0.5), ((0.5, "inf"), "inf"), (("nan", "inf", 2.0), "nan")],
)
def test_the_worst_share_may_be_no_number(
    monkeypatch: pytest.MonkeyPatch, shares: tuple[float | str, ...], worst: float | str
) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    verify: Any = importlib.import_module("cuda_parts.verify")
    assert verify.worst_of(shares) == worst


def test_a_head_that_does_not_fit_leaves_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    speed: Any = importlib.import_module("cuda_parts.speed")

    def too_large(length: int, classes: int) -> None:
        raise torch.cuda.OutOfMemoryError("4 GiB more than there are")

    heads = {"arcface": too_large, "cosface": HEADS["cosface"]}
    monkeypatch.setattr(speed, "HEADS", heads)
    rows = dict(speed.rows(speed.SMALL, torch.float32, "cpu"))
    assert rows["arcface"] == {
        "error": "OutOfMemoryError: 4 GiB more than there are",
    }
    assert rows["plain"]["finite"] and rows["cosface"]["finite"]


@pytest.mark.slow
def test_no_file_with_cuda_tests_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    cuda_tests: Any = importlib.import_module("cuda_parts.cuda_tests")
    command = ["pytest", "-m", "cuda", "--collect-only", "-q", "-p", "no:cacheprovider"]
    ran = subprocess.run(
        [sys.executable, "-P", "-m", *command],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    collected = {line.partition("::")[0] for line in ran.stdout.splitlines()}
    files = {name for name in collected if name.endswith(".py")}
    chosen = cuda_tests.files_with_cuda_tests(CHECKOUT)
    assert files == {file.relative_to(CHECKOUT).as_posix() for file in chosen}
