"""Three forms that share no code, against each other: every loss, profile and dtype."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from budgets import BLOCKS
from hypothesis import given

from adaface_ref.choices import DTYPES
from adaface_ref.evidence.truth import oracle
from adaface_ref.evidence.truth.agreement import (
    FIXED_SHARE,
    Judgement,
    Question,
    judge,
    quantities_of,
)
from adaface_ref.evidence.truth.evaluate import evaluate_numpy
from adaface_ref.evidence.truth.forms import (
    Agreement,
    Cell,
    agreements,
    compare,
    defined_cells,
    numpy_values,
    torch_values,
)
from adaface_ref.points import block, corner_count, seeds
from adaface_ref.tolerance import EPSILON

SIZE = 400

CLAMPED = tuple(
    Cell(loss, profile)
    for loss, profile in (
        ("normface", "pure:cosine=1e-7"),
        ("sphereface", "pure:cosine=1e-3"),
        ("cosface", "clip:cosine=1e-4,angle=0.0"),
        ("arcface", "fallback:cosine=1e-7"),
        ("combined", "pure:cosine=1e-4,detached"),
        ("curricularface", "fallback:cosine=1e-4"),
        ("magface", "pure:cosine=1e-7"),
        ("adaface", "clip:cosine=1e-4,angle=1e-2"),
        ("cosface", "pure:cosine=1e-3,of=target"),
        ("arcface", "pure:cosine=1e-6,of=target"),
        ("arcface", "clip:cosine=1e-9,angle=1e-2,angle_of=all"),
        ("arcface", "fallback:cosine=1e-6,of=acos"),
        ("arcface", "fallback-plain:floor=1e-9"),
        ("curricularface", "fallback:floor=1e-4"),
        ("magface", "easy:floor=1e-6,cosine=1e-7,of=acos,detached"),
        ("adaface", "pure:floor=1e-12"),
    )
)
CELLS = (*defined_cells(), *CLAMPED)

cells = pytest.mark.parametrize("cell", CELLS, ids="-".join)


def failures_of(judgements: list[Judgement]) -> str:
    return "\n\n".join(str(j.failures[0]) for j in judgements if j.failures)


@cells
@BLOCKS
@given(seed=seeds())
def test_numpy_reference_is_within_its_tolerance_of_the_spec(
    cell: Cell, seed: int
) -> None:
    columns = block(cell.loss, seed, profile=cell.profile, size=SIZE)
    judgements = [
        compare(
            Question(quantity, cell.loss, cell.profile),
            columns,
            partial(numpy_values, quantity, cell),
            certify_all=True,
        )
        for quantity in quantities_of(cell.loss)
    ]
    assert not failures_of(judgements)
    assert all(j.compared > SIZE // 2 and not j.undecided for j in judgements)


@pytest.mark.parametrize("dtype", DTYPES)
@cells
@BLOCKS
@given(seed=seeds())
def test_torch_is_within_its_tolerance_of_the_spec(
    cell: Cell, dtype: str, device: str, seed: int
) -> None:
    columns = block(cell.loss, seed, profile=cell.profile, size=SIZE, dtype=dtype)
    judgements = [
        compare(
            Question(quantity, cell.loss, cell.profile, dtype),
            columns,
            partial(torch_values, quantity, cell, dtype=dtype, device=device),
            corners=corner_count(cell.loss, cell.profile, dtype),
        )
        for quantity in quantities_of(cell.loss)
    ]
    assert not failures_of(judgements)
    assert all(j.compared > SIZE // 2 for j in judgements)


def test_agreement_covers_numpy_in_float64_and_torch_in_every_dtype() -> None:
    found = list(agreements(Cell("cosface", "pure"), seed=0, size=50))
    forms = [(row.form, row.dtype) for row in found]
    assert forms == [("numpy", "float64"), *(("torch", dtype) for dtype in DTYPES)]
    assert all(row.agrees for row in found)


@pytest.mark.parametrize(("roundings", "fails"), [(3, False), (5, True)])
def test_judge_allows_four_roundings(roundings: int, fails: bool) -> None:
    columns = block("cosface", 3, size=200)
    truth = numpy_values("gst", Cell("cosface", "pure"), columns)
    size = evaluate_numpy("gst", "cosface", "pure", columns, "magnitude")
    place = int(np.flatnonzero(np.abs(truth) > 1e-3)[0])
    wrong = truth.copy()
    wrong[place] += roundings * EPSILON["float64"] * size[place]
    judgement = judge(Question("gst", "cosface", "pure"), columns, wrong)
    assert bool(judgement.failures) == fails


def test_an_undecided_value_is_no_agreement() -> None:
    (numpy, *_) = agreements(Cell("cosface", "pure"), seed=0, size=50)
    first, *rest = numpy.judgements
    assert numpy.agrees
    open_one = first._replace(undecided=1)
    assert not numpy._replace(judgements=(open_one, *rest)).agrees


def test_judge_fails_nan_where_a_value_is_due() -> None:
    columns = block("cosface", 3, size=200)
    values = numpy_values("gst", Cell("cosface", "pure"), columns)
    judgement = judge(Question("gst", "cosface", "pure"), columns, values * np.nan)
    assert judgement.failures and judgement.ratio == np.inf


def test_judge_accepts_either_side_of_a_border_within_rounding() -> None:
    border = float(np.cos(np.pi - 0.5))
    point = {"scale": 64.0, "margin": 0.5, "target_cosine": border}
    question = Question("slope", "arcface", "fallback")
    for cosine in (np.nextafter(border, 1), border, np.nextafter(border, -1)):
        for side in (1.0, 0.0):
            columns = {k: np.asarray([v]) for k, v in point.items()}
            columns["target_cosine"] = np.asarray([cosine])
            core = np.cos(0.5) + cosine * np.sin(0.5) / np.sqrt(1 - cosine**2)
            got = np.asarray([side if side else core])
            assert not judge(question, columns, got, certify_all=True).failures


@pytest.mark.parametrize(("share", "right"), [(0.5, True), (1.1, False)])
def test_judge_accepts_a_subgradient_between_the_sides_of_a_kink(
    share: float, right: bool
) -> None:
    """Where torch.minimum meets a tie: at theta = pi - a/2 the sides are +-1."""
    cosine = float(np.cos(np.pi - 0.25))
    columns = {"scale": 64.0, "margin": 0.5, "target_cosine": cosine}
    question = Question("slope", "arcface", "min")
    judged = judge(question, columns, np.asarray([1 - 2 * share]), certify_all=True)
    assert bool(judged.failures) is not right


def test_judge_refuses_the_wrong_side_away_from_the_border() -> None:
    columns = {
        "scale": np.asarray([64.0]),
        "margin": np.asarray([0.5]),
        "target_cosine": np.asarray([-0.88]),
    }
    question = Question("slope", "arcface", "fallback")
    wrong = judge(question, columns, np.asarray([-0.01]), certify_all=True)
    assert wrong.failures


COSFACE = Cell("cosface", "pure")


GST = Question("gst", *COSFACE)


def test_a_fixed_share_goes_to_the_oracle_whatever_the_prediction() -> None:
    columns = block("cosface", 3, size=200 * FIXED_SHARE)
    judgement = judge(GST, columns, numpy_values("gst", COSFACE, columns))
    assert judgement.certified >= 200


def test_what_the_oracle_cannot_decide_is_not_compared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(oracle, "PRECISIONS", (40,))
    columns = block("cosface", 3, size=200)
    values = numpy_values("gst", COSFACE, columns)
    judgement = judge(GST, columns, values, certify_all=True)
    left = values.size - judgement.certified - judgement.poles
    assert judgement.undecided == left > 100
    assert judgement.compared == judgement.certified


def test_a_form_of_which_nothing_was_compared_does_not_agree() -> None:
    columns = {name: np.zeros(0) for name in block("cosface", 3, size=1)}
    empty = judge(GST, columns, np.zeros(0), certify_all=True)
    assert empty.compared == 0
    assert not Agreement(COSFACE, "numpy", "float64", "cpu", (empty,)).agrees
