"""The gate passes exact heads of every loss and catches every planted wrong one."""

from __future__ import annotations

import pytest
from gate_runs import failed, few_points, outcomes
from zoo.exact import EXACT
from zoo.wrong import WRONG

from adaface_ref import numpy_reference
from adaface_ref.torch_modules import HEADS

CELLS = [(loss, rule) for loss, rules in numpy_reference.DEFINED.items()
         for rule in rules]  # fmt: skip


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", EXACT)
def test_exact_heads_conform(name: str, seed: int) -> None:
    report = few_points(f"zoo.exact:{name}", EXACT[name], seed=seed)
    assert report.exit_code == 0, report.text()


def test_there_is_an_exact_head_of_every_loss() -> None:
    assert set(EXACT.values()) == set(numpy_reference.LOSSES)


@pytest.mark.parametrize("name", WRONG)
def test_planted_heads_are_caught_by_the_check_that_names_them(name: str) -> None:
    wrong = WRONG[name]
    report = few_points(f"zoo.wrong:{name}", wrong.loss, **wrong.arguments)
    assert report.exit_code == 1, report.text()
    assert wrong.check in failed(report), report.text()


@pytest.mark.parametrize("name", [name for name in WRONG if WRONG[name].cause])
def test_likely_causes_are_named(name: str) -> None:
    wrong = WRONG[name]
    report = few_points(f"zoo.wrong:{name}", wrong.loss, **wrong.arguments)
    assert wrong.cause in outcomes(report)[wrong.check].findings[0].cause


@pytest.mark.parametrize(("loss", "rule"), CELLS)
def test_our_modules_conform_in_every_profile(loss: str, rule: str) -> None:
    target = f"adaface_ref.torch_heads:{HEADS[loss].__name__}"
    report = few_points(target, loss, rule)
    assert report.exit_code == 0, report.text()
    assert report.profile == rule


@pytest.mark.parametrize("fields", [":cosine=1e-4", ":detached"])
@pytest.mark.parametrize(("loss", "rule"), CELLS)
def test_our_logits_conform_in_every_profile(loss: str, rule: str, fields: str) -> None:
    target = "adaface_ref.torch_heads:margin_logits"
    report = few_points(target, loss, rule + fields)
    assert report.exit_code == 0, report.text()
