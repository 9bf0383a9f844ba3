"""Hostile heads: each gets a finding or exit code 3, none a pass or a hang."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from gate_runs import failed, outcomes
from zoo.exact import heads as exact
from zoo.hostile import (
    AT_IMPORT,
    DESTRUCTIVE,
    ILL_MANNERED,
    MEDDLING,
    OVERWRITING,
    SPOILING,
    UNUSABLE,
    WRONG,
    Hostile,
)

from adaface_ref.choices import EFFORTS
from adaface_ref.gate.checks.runner import run_gate
from adaface_ref.gate.guarding.settings import GENERATORS, SETTINGS
from adaface_ref.gate.head.settings import Head
from adaface_ref.gate.isolation.parent import Judged, judge_apart
from adaface_ref.report.report import Report

HOSTILE = Path(exact.__file__).parents[1] / "hostile.py"
LIMIT = 1.5
"""Seconds for a head that hangs; what is told of it says so."""


def _apart(target: str, limit: float = 60.0, only: str | None = None) -> Judged:
    """Judge in a process of its own."""
    head = Head(
        target,
        "cosface",
        effort="quick",
        select=() if only is None else (only,),
        time_limit=limit,
        memory_limit=2.0,
    )
    return judge_apart(head, lambda *_: None)


def _when_run(harm: Callable[[], object]) -> object:
    """An exact head that does something whenever it is run."""

    def head(cosine: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        logits = exact.cosface(cosine, labels)
        harm()
        return logits

    return head


def _when_built(harm: Callable[[], object]) -> object:
    """A factory of exact heads that does something whenever it builds one."""

    def make(margin: float) -> object:
        harm()
        return lambda cosine, labels: exact.cosface(cosine, labels, m=margin)

    return make


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[[object], Report]:
    """Judge in this process, at few points."""
    monkeypatch.setitem(EFFORTS, "quick", 10_000)
    return lambda head: run_gate(Head(head, loss="cosface", effort="quick"))


@pytest.mark.parametrize("name", DESTRUCTIVE)
def test_a_destructive_head_ends_only_itself(name: str) -> None:
    hangs = DESTRUCTIVE[name].words == "no report within"
    # One check does, but to shout enough.
    only = None if name == "shouts" else "deterministic"
    judged = _apart(f"zoo.hostile:{name}", LIMIT if hangs else 60, only)
    assert judged.exit_code == 3
    assert DESTRUCTIVE[name].words in " ".join(judged.text.split())
    assert "COULD NOT BE JUDGED" in judged.text


@pytest.mark.parametrize("name", SPOILING)
def test_a_wrong_head_that_spoils_the_judging_does_not_pass(name: str) -> None:
    judged = _apart(f"zoo.hostile:{name}")
    assert judged.exit_code == SPOILING[name].code
    assert SPOILING[name].words in " ".join(judged.text.split())


@pytest.mark.parametrize("name", AT_IMPORT)
def test_an_import_that_does_harm_is_not_judged(name: str, tmp_path: Path) -> None:
    source, words = AT_IMPORT[name]
    file = tmp_path / "head.py"
    file.write_text(source, encoding="utf-8")
    judged = _apart(f"{file}:head", LIMIT if name == "loops" else 60)
    assert judged.exit_code == 3
    assert words in " ".join(judged.text.split())


@pytest.mark.parametrize("name", UNUSABLE)
def test_an_answer_that_is_no_logits_is_told(
    name: str, run: Callable[[object], Report]
) -> None:
    hostile: Hostile = UNUSABLE[name]
    report = run(hostile.head)
    assert report.exit_code == 3
    assert hostile.words in report.outcomes[0].detail


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_answer_fails(name: str, run: Callable[[object], Report]) -> None:
    report = run(WRONG[name].head)
    assert report.exit_code == 1, report.text()
    assert WRONG[name].words in failed(report), report.text()


@pytest.mark.parametrize("name", OVERWRITING)
def test_writing_into_what_is_given_is_a_warning(
    name: str, run: Callable[[object], Report]
) -> None:
    report = run(OVERWRITING[name].head)
    assert report.exit_code == 0, report.text()
    assert outcomes(report)[OVERWRITING[name].words].status == "warning"


@pytest.mark.parametrize("name", ["gives_noise", "gives_rare_noise"])
def test_a_random_head_gets_the_same_report_twice(
    name: str, run: Callable[[object], Report]
) -> None:
    assert run(WRONG[name].head) == run(WRONG[name].head)


@contextlib.contextmanager
def _set(
    change: Callable[[Any], object], value: object, usual: object
) -> Iterator[None]:
    """Something set as a caller of check_head may have it."""
    change(value)
    try:
        yield
    finally:
        change(usual)


def _globals() -> list[Any]:
    """What a head must leave alone, as a caller of check_head sees it."""
    return [repr(row.read()) for row in (*GENERATORS, *SETTINGS)]


@pytest.mark.parametrize("name", MEDDLING)
@pytest.mark.parametrize("make", [_when_run, _when_built])
def test_a_changed_global_is_told(make: Callable[..., object], name: str) -> None:
    harm, words = MEDDLING[name]
    before = _globals()
    two = ("deterministic", "global-state")
    report = run_gate(Head(make(harm), loss="cosface", effort="quick", select=two))
    detail = outcomes(report)["global-state"].detail
    assert failed(report) == ["global-state"], report.text()
    assert f"{words} by {'building' if make is _when_built else 'running'}" in detail
    assert _globals() == before


@pytest.mark.parametrize("name", ILL_MANNERED)
def test_bad_manners_are_a_warning(name: str, run: Callable[[object], Report]) -> None:
    harm, words = ILL_MANNERED[name]
    report = run(_when_run(harm))
    found = outcomes(report)["global-state"]
    assert (report.exit_code, found.status) == (0, "warning"), report.text()
    assert f"{words} by running the head" in found.detail


@pytest.mark.parametrize(
    "state",
    [
        torch.no_grad,
        torch.inference_mode,
        partial(torch.autocast, "cpu", torch.bfloat16),
        partial(torch.device, "meta"),
        partial(_set, torch.set_default_dtype, torch.float64, torch.float32),
        partial(_set, torch.set_default_device, "meta", None),
    ],
    ids=["no_grad", "inference", "autocast", "with device", "dtype", "device"],
)
def test_what_the_caller_has_set_changes_no_report(
    state: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(EFFORTS, "quick", 10_000)
    some = ("target-logit", "deterministic", "copies", "global-state")
    head = Head("zoo.exact.heads:CosFaceLoss", "cosface", effort="quick", select=some)
    plain = run_gate(head)
    with state():
        before = _globals()
        assert run_gate(head) == plain
        assert _globals() == before
