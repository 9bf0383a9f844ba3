"""The gate passes exact heads of every loss and catches every planted wrong one."""

from __future__ import annotations

import zlib
from functools import cache

import pytest
from gate_runs import few_points, outcomes
from zoo.exact.shapes import BY_BLACK_BOX
from zoo.planted import indistinguishable, rows
from zoo.registry import exact, wrong

from adaface_ref import numpy_reference
from adaface_ref.faults.rows import FAULTS
from adaface_ref.gate.checks import CHECKS
from adaface_ref.gate.checks.severity import SEVERITIES
from adaface_ref.report.report import Report
from adaface_ref.torch_heads.modules import HEADS

CELLS = [(loss, rule) for loss, rules in numpy_reference.DEFINED.items()
         for rule in rules]  # fmt: skip

EXACT, WRONG = exact(), wrong()

ROWS = [target for target in WRONG if target.startswith("zoo.planted:")]
"""Planted heads made from rows of FAULTS."""

WITHOUT_A_HEAD = {
    ("own-gradient", "note"),  # by a pinned profile
    ("narrow-dtypes", "failed"),  # by --dtype
}
"""Severities that hang on how a head is judged, and where they are tested."""

ELSEWHERE = ("zoo.wrong.behaviour:", "zoo.wrong.statistics:")
"""Judged by the tests of their checks, with more seeds."""

CONFORMING = [
    target
    for target in EXACT
    if not target.startswith("zoo.exact.profiles:")
    and not target.startswith("adaface_ref.")
    and target.partition(":")[2] not in BY_BLACK_BOX
]
"""Exact heads but ours, and those that the tests of profiles and black boxes judge."""

BY_HAND = [t for t in WRONG if t not in ROWS and not t.startswith(ELSEWHERE)]

NEEDS_QUICK = [target for target in BY_HAND if "ten_thousandth" in target]
"""Bands so narrow that only the points of `quick` are sure to meet them."""


@cache
def _judged(target: str) -> Report:
    """Rows show everywhere, so the fewest points do; others want more."""
    row, points = WRONG[target], 2_000 if target in ROWS else 10_000
    if target in NEEDS_QUICK:
        points = 100_000
    dtypes = ("float64",) if target in ROWS else row.dtypes
    return few_points(
        target,
        row.loss,
        dtypes=dtypes,
        points=points,
        only=row.check,
        effort=row.effort,
        **dict(row.arguments),
    )


@pytest.mark.parametrize("target", CONFORMING)
def test_exact_heads_conform(target: str) -> None:
    """Each with a seed of its own; `zoo.false_alarms` tries hundreds."""
    row, seed = EXACT[target], zlib.crc32(target.encode()) % 100
    arguments = dict(row.arguments)
    report = few_points(target, row.loss, row.profile, seed, points=2_000, **arguments)
    assert report.exit_code == 0, report.text()


def test_there_is_an_exact_head_of_every_loss() -> None:
    assert {row.loss for row in EXACT.values()} == set(numpy_reference.LOSSES)
    assert len(EXACT) >= 20


@pytest.mark.parametrize("target", BY_HAND)
def test_planted_heads_are_caught_by_the_check_and_the_cause_named(target: str) -> None:
    row, report = WRONG[target], _judged(target)
    named = outcomes(report)[row.check]
    assert named.status == row.status, report.text()
    assert report.exit_code == (row.status == "failed")
    if row.cause:
        assert row.cause in named.findings[0].cause


def test_every_check_has_a_planted_head_that_is_named_for_it() -> None:
    assert [
        c.id for c in CHECKS if c.id not in {row.check for row in WRONG.values()}
    ] == []


def test_a_check_is_as_severe_as_planted_heads_show_it() -> None:
    """Each of them is found with its status by the tests here and of behaviour."""
    told = {(c.id, SEVERITIES[level]) for c in CHECKS for level in c.row.severity}
    assert told - WITHOUT_A_HEAD == {(row.check, row.status) for row in WRONG.values()}


def test_a_kill_says_after_how_many_points() -> None:
    outcome = outcomes(_judged("zoo.planted:arcface__angular_sign"))["target-logit"]
    assert outcome.compared == 1024


@pytest.mark.parametrize("target", ROWS)
def test_a_row_is_caught_with_its_own_words_for_the_cause(target: str) -> None:
    outcome = outcomes(_judged(target))[WRONG[target].check]
    assert outcome.status == "failed"
    cause = outcome.findings[0].cause
    assert cause in indistinguishable(target.partition(":")[2])


def test_every_row_of_faults_is_planted_in_some_loss() -> None:
    assert {row.fault.id for row in rows().values()} == {f.id for f in FAULTS}


@pytest.mark.parametrize(("loss", "rule"), CELLS)
def test_our_modules_conform_in_every_profile(loss: str, rule: str) -> None:
    target = f"adaface_ref.torch_heads:{HEADS[loss].__name__}"
    report = few_points(target, loss, rule, dtypes=("float32",), points=2_000)
    assert report.exit_code == 0, report.text()
    assert report.profile == rule


@pytest.mark.parametrize("loss", numpy_reference.LOSSES)
def test_our_logits_conform_with_a_clamp_and_detached(loss: str) -> None:
    rule = numpy_reference.DEFINED[loss][-1]
    target = "adaface_ref.torch_heads:margin_logits"
    profile = f"{rule}:cosine=1e-4,detached"
    report = few_points(target, loss, profile, dtypes=("float64",), points=2_000)
    assert report.exit_code == 0, report.text()
