"""Each check of the gate can fail, and none fails an exact head for its dtype."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from gate_runs import few_points, outcomes
from zoo.exact import heads as exact

from adaface_ref.gate.checks import CHECKS
from adaface_ref.gate.checks.execution import run_check
from adaface_ref.gate.checks.runner import open_evidence, run_gate
from adaface_ref.gate.head.settings import Head
from adaface_ref.gate.head.target import resolve
from adaface_ref.gate.measured import invariant_grid as invariants
from adaface_ref.gate.measured.evidence import Evidence
from adaface_ref.gate.measured.identity import probe
from adaface_ref.gate.measured.invariant_grid import Grid
from adaface_ref.gate.measured.values import HeadTally
from adaface_ref.gate.reading.reading import Array
from adaface_ref.gate.session.session import Rows, Session
from adaface_ref.points import in_dtype
from adaface_ref.report.catalogue import Check, Row
from adaface_ref.report.report import Outcome
from adaface_ref.report.result import Result

COSFACE = "pytorch_metric_learning.losses:CosFaceLoss"
OURS = "adaface_ref.torch_heads:CosFace"
BY_ID = {check.id: check for check in CHECKS}


def _evidence(dtype: str = "float64") -> Evidence:
    """An exact ArcFace head's, with nothing run yet."""
    return open_evidence(
        resolve(exact.arcface),
        Head(
            exact.arcface,
            loss="arcface",
            profile="auto",
            adapter=None,
            device="cpu",
            dtypes=(dtype,),
            seed=0,
            effort="quick",
            arguments={},
        ),
    )


def _outcome(check: str, **found: object) -> Outcome:
    """A check's outcome on an exact head of which some evidence is replaced."""
    evidence = _evidence()
    vars(evidence).update(found)
    return run_check(BY_ID[check], evidence)


@pytest.fixture(scope="module")
def grid() -> Grid:
    """An exact head's."""
    return _evidence().grid


def _altered(found: Grid, gst: Array) -> Grid:
    """The grid of a head that gave another GST."""
    whole = np.stack([gst, -gst], axis=1)
    return replace(found, reading=replace(found.reading, loss_gradient=whole))


def _too_large(gst: Array) -> Array:
    return 1.5 * gst


def _with_plateau(gst: Array) -> Array:
    return gst.clip(min=0.5 * gst.min())


def _with_one_sign_flipped(gst: Array) -> Array:
    return np.where(np.arange(gst.size) == np.argmin(gst), -gst, gst)


ALTERED = [
    ("invariant-1", invariants.not_vanishing, _too_large),
    ("invariant-2", invariants.wrong_rise, _with_plateau),
    ("invariant-3", invariants.wrong_sign, _with_one_sign_flipped),
]


@pytest.mark.parametrize(("check", "find", "alter"), ALTERED)
def test_a_broken_invariant_is_reported(
    check: str,
    find: Callable[[Grid], tuple[Array, int]],
    alter: Callable[[Array], Array],
    grid: Grid,
) -> None:
    broken = _altered(grid, alter(grid.gst))
    bad, compared = find(broken)
    assert 0 < len(bad) < compared
    assert _outcome(check, grid=broken).status == "failed"
    assert len(find(grid)[0]) == 0


def test_a_sign_flipped_in_one_cell_is_found_there(grid: Grid) -> None:
    bad, _ = invariants.wrong_sign(_altered(grid, _with_one_sign_flipped(grid.gst)))
    assert bad.tolist() == [np.argmin(grid.gst)]


def test_nothing_undecided_passes() -> None:
    tallies = {"target-gst": HeadTally(asked=9, compared=7, undecided=2)}
    outcome = _outcome("target-gst", tallies=tallies)
    assert (outcome.status, outcome.detail) == ("error", "could not decide 2 points")


def test_less_than_half_compared_fails_whatever_other_checks_compared() -> None:
    tallies = {
        "target-gst": HeadTally(asked=10, compared=4),
        "logit": HeadTally(90, 90),
    }
    outcome = _outcome("compared-something", tallies=tallies)
    assert outcome.status == "failed"
    assert outcome.detail.startswith("target-gst: 4 of 10 values")


def test_a_run_in_which_all_points_are_left_out_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def at_poles(
        session: Session, dtype: str, size: int, *_: int, **__: object
    ) -> Rows:
        return session.rows(np.tile([1.0, 0.5], (size, 1)), {}, dtype)

    monkeypatch.setattr(Session, "draw", at_poles)
    report = run_gate(Head(exact.cosface, loss="cosface", effort="quick"))
    found = outcomes(report)["compared-something"]
    assert report.exit_code == 1
    assert found.status == "failed"
    assert found.detail.startswith("target-gst, other-gst: 0 of ")


def test_what_was_left_out_is_told() -> None:
    detail = outcomes(few_points("zoo.exact.heads:cosface", "cosface"))[
        "compared-something"
    ]
    words = r"^(\d+) of (\d+) values; left out: \d+ at poles, \d+ where one float64"
    assert re.search(words, detail.detail)


def test_an_unexpected_exception_of_a_check_is_an_error() -> None:
    def crash(evidence: Evidence, claim: str) -> Result:
        raise KeyError("on purpose")

    outcome = run_check(Check("crash", "It runs.", "", Row(crash)), _evidence())
    assert outcome.status == "error"
    assert outcome.detail.startswith("could not run: judging the head: KeyError")


def test_a_run_whose_identification_crashes_could_not_be_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def crash(session: Session) -> None:
        raise KeyError("on purpose")

    monkeypatch.setattr("adaface_ref.gate.measured.evidence.probe", crash)
    assert run_gate(Head(exact.cosface, loss="cosface")).exit_code == 3


@pytest.mark.parametrize(
    ("target", "margin", "dtype", "status"),
    [
        (COSFACE, 0.01, "float32", "ok"),
        (OURS, 0.25, "bfloat16", "skipped"),
        (OURS, 0.05, "float16", "skipped"),
        (OURS, 1e-6, "float64", "ok"),
    ],
)
def test_a_small_margin_conforms(
    target: str, margin: float, dtype: str, status: str
) -> None:
    if target == COSFACE:
        why = "needs adaface-ref[heads]"
        pytest.importorskip("pytorch_metric_learning", reason=why, exc_type=ImportError)
    report = few_points(target, "cosface", dtypes=(dtype,), margin=margin)
    assert report.exit_code == 0, report.text()
    assert outcomes(report)["margin-has-effect"].status == status


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_cosines_are_values_of_the_dtype(dtype: str) -> None:
    evidence = _evidence(dtype)
    for rows in (probe(evidence.session).rows, evidence.grid.rows):
        assert np.array_equal(in_dtype(rows.cosines, dtype), rows.cosines)
