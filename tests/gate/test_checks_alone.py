"""Each check says the same alone as among all."""

from __future__ import annotations

from functools import cache

import pytest

from adaface_ref.choices import EFFORTS
from adaface_ref.gate.checks import CHECKS
from adaface_ref.gate.checks.execution import run_check
from adaface_ref.gate.checks.runner import open_evidence
from adaface_ref.gate.head.settings import Head
from adaface_ref.gate.head.target import resolve
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.report.report import Outcome

HEADS = {
    "zoo.exact.shapes:MeanLoss": "cosface",
    "zoo.official_shapes:RepairedAdaFace": "adaface",
    "zoo.wrong.heads:straight_through": "arcface",
}
EXCEPT = ("global-state",)
"""Tells of what the whole run changed, so it hangs on what ran before."""


def _evidence(target: str) -> Evidence:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(EFFORTS, "quick", 1_000)
        head = Head(target, HEADS[target], effort="quick", dtypes=("float32",))
        return open_evidence(resolve(target), head)


@cache
def _among_all(target: str) -> dict[str, Outcome]:
    evidence = _evidence(target)
    return {check.id: run_check(check, evidence) for check in CHECKS}


@pytest.mark.parametrize("target", HEADS)
def test_a_check_says_the_same_alone_as_among_all(target: str) -> None:
    for check in CHECKS:
        if check.id in EXCEPT:
            continue
        alone = run_check(check, _evidence(target))
        among = _among_all(target)[check.id]
        assert (alone.status, alone.detail) == (among.status, among.detail), check.id
