"""A fault of adaface-ref is told as ours and kept; one of the head is the head's."""

from __future__ import annotations

import re
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch
from called import caller
from zoo.exact import heads as exact

from adaface_ref.choices import EFFORTS
from adaface_ref.gate.checks.runner import run_gate
from adaface_ref.gate.head.settings import Head
from adaface_ref.gate.isolation.parent import judge_apart
from adaface_ref.report.kept_findings import FOLDER
from adaface_ref.report.our_faults import explain_as_ours, keep_faults_in

OURS = "a fault of adaface-ref, not of the head: KeyError: 'on purpose' (adaface_ref/"
FILE = re.compile(r"traceback in (\S+fault-[0-9a-f]{10}\.txt); please report it")

PLACES = {
    "a check": "adaface_ref.gate.measured.values.judge",
    "identification": "adaface_ref.gate.measured.evidence.identify",
    "reading": "adaface_ref.gate.reading.reading._places",
    "opening": "adaface_ref.gate.session.opening.open_door",
}
"""Functions of ours, each of which raises in a test."""


NOTHING: dict[str, torch.Tensor] = {}


def raises() -> Mock:
    """What raises without a line of the test's own."""
    return Mock(side_effect=KeyError("on purpose"))


@pytest.fixture(autouse=True)
def _at_few_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EFFORTS, "quick", 10_000)
    monkeypatch.chdir(tmp_path)
    keep_faults_in(FOLDER)


def _detail(head: object = exact.cosface) -> str:
    """What stopped the first check that did not run."""
    report = run_gate(Head(head, loss="cosface", effort="quick"))
    assert report.exit_code == 3, report.text()
    return next(o.detail for o in report.outcomes if o.status == "error")


def _kept(told: str) -> str:
    """The traceback that a line names."""
    return Path(FILE.findall(" ".join(told.split()))[0]).read_text(encoding="utf-8")


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_fault_of_ours_is_told_as_ours(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, raises())
    detail = _detail()
    assert detail.startswith(OURS)
    assert "Traceback" in _kept(detail) and "KeyError" in _kept(detail)


def looks_up(cosine: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """A head with a fault of its own."""
    return cosine * NOTHING["on purpose"]


class LooksUpBackward(torch.autograd.Function):
    """The same in its backward."""

    @staticmethod
    def forward(ctx, cosine):  # type: ignore[no-untyped-def]
        """The identity."""
        return cosine.clone()

    @staticmethod
    def backward(ctx, gradient):  # type: ignore[no-untyped-def]
        """Never."""
        return NOTHING["on purpose"]


def looks_up_backward(cosine: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """A head whose backward has a fault."""
    return exact.cosface(LooksUpBackward.apply(cosine), labels)  # type: ignore[no-untyped-call]


def writes_over(cosine: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """A head that writes over what its own backward needs."""
    return exact.cosface(cosine, labels).exp().add_(1)


@pytest.mark.parametrize("head", [looks_up, looks_up_backward])
def test_a_fault_of_the_head_is_told_as_the_heads(head: object) -> None:
    detail = _detail(head)
    assert "could not run: running the head: KeyError: 'on purpose' (test_f" in detail
    assert not Path(".adaface-ref").exists()


def test_what_autograd_says_of_a_head_is_told_as_the_heads() -> None:
    assert "running the head: RuntimeError: one of the variables" in _detail(
        writes_over
    )


def _planted(folder: Path, place: str) -> str:
    """An exact head's file, which breaks something of ours when it is imported."""
    module, _, name = place.rpartition(".")
    (folder / "head.py").write_text(
        "from unittest.mock import Mock\n"
        "from zoo.exact.heads import cosface\n"
        f"import {module} as ours\n"
        f"ours.{name} = Mock(side_effect=KeyError('on purpose'))\n"
    )
    return f"{folder / 'head.py'}:cosface"


@pytest.mark.parametrize(
    "place",
    ["adaface_ref.gate.checks.runner._curves", PLACES["opening"]],
    ids=["beside the checks", "opening"],
)
def test_a_fault_of_ours_in_the_heads_process_is_told_as_ours(
    place: str, tmp_path: Path
) -> None:
    keep_faults_in(Path("kept"))
    head = Head(_planted(tmp_path, place), loss="cosface", effort="quick")
    judged = judge_apart(head, lambda *_: None)
    assert judged.exit_code == 3
    assert OURS in " ".join(judged.text.split())
    assert "Traceback" in _kept(judged.text)
    assert [path.parent for path in Path("kept").glob("fault*")] == [Path("kept")]


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("adaface_ref.evidence.verify.verify", "verify"),
        ("adaface_ref.evidence.claims.decide_all", "claims"),
        ("adaface_ref.gate.commands.judge_heads", "gate a:b --loss cosface"),
        ("adaface_ref.ports.commands.judge_command", "port true"),
    ],
)
def test_a_fault_in_a_command_is_one_line_and_exit_code_3(
    place: str,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(place, raises())
    ran = caller(monkeypatch, capsys)(*words.split())
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.count("\n") == 1 and "KeyError: 'on purpose'" in ran.err
    assert "Traceback" in _kept(ran.err)


def test_a_traceback_that_cannot_be_kept_is_told() -> None:
    Path("taken").write_text("a file")
    keep_faults_in(Path("taken"))
    assert "its traceback could not be kept: --findings=" in explain_as_ours(
        KeyError("x")
    )
