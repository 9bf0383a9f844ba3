"""Heads of every shape are read rightly: by a leaf, as a black box, by a loss alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gate_runs import failed, few_points, outcomes
from zoo.exact.shapes import BY_BLACK_BOX, BY_LEAF, WRONG_IN_SHAPES

from adaface_ref.gate.checks.runner import run_gate
from adaface_ref.gate.guarding.errors import TargetError
from adaface_ref.gate.head.settings import Head
from adaface_ref.gate.reading.black_box import (
    Embedding,
    moved_within_reach,
    within_reach,
)
from adaface_ref.report.report import Report
from adaface_ref.tolerance import EPSILON

BOX = "read as a black box"


def _judged(name: str, loss: str, **arguments: float) -> Report:
    return few_points(f"zoo.exact.shapes:{name}", loss, **arguments)


@pytest.mark.parametrize("name", BY_LEAF)
def test_a_head_with_a_product_is_read_by_a_leaf(name: str) -> None:
    report = _judged(name, "cosface")
    assert report.exit_code == 0, report.text()
    assert report.how.startswith("read through a leaf of cosines")


@pytest.mark.parametrize("name", BY_BLACK_BOX)
def test_a_head_that_no_leaf_reads_is_read_as_a_black_box(name: str) -> None:
    report = _judged(name, BY_BLACK_BOX[name])
    assert report.exit_code == 0, report.text()
    assert report.how.startswith(BOX)


@pytest.mark.parametrize("name", WRONG_IN_SHAPES)
def test_a_wrong_head_is_caught_through_each_reading(name: str) -> None:
    loss = "arcface" if name == "DetachedInABox" else "cosface"
    report = _judged(name, loss)
    assert WRONG_IN_SHAPES[name] in failed(report), report.text()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", ["ByColumns", "ByElements", "LossOfEachRow"])
def test_heads_conform_in_half_precision(name: str, dtype: str) -> None:
    report = few_points(f"zoo.exact.shapes:{name}", "cosface", dtypes=(dtype,))
    assert report.exit_code == 0, report.text()


def test_a_black_box_says_that_it_cannot_reach_poles() -> None:
    found = outcomes(_judged("ByElements", "cosface"))
    for check in ("poles-target", "poles-other"):
        assert found[check].status == "skipped"
        assert "sum c^2 must be below 1" in found[check].detail


def test_points_that_a_black_box_cannot_reach_are_counted() -> None:
    detail = outcomes(_judged("ByElements", "cosface"))["compared-something"].detail
    assert "out of a black box's reach" in detail


def test_logit_checks_of_unseen_logits_are_skipped_with_the_reason() -> None:
    found = outcomes(_judged("UnseenInABox", "cosface"))
    for check in ("target-logit", "other-logit"):
        assert found[check].status == "skipped"
        assert "its logits cannot be seen" in found[check].detail


def test_a_gst_from_a_loss_alone_is_compared() -> None:
    assert outcomes(_judged("UnseenLogits", "cosface"))["target-gst"].compared > 10_000


@pytest.mark.parametrize("dtype", EPSILON)
def test_rows_are_moved_within_reach(dtype: str) -> None:
    cosines = np.array([[0.5, 0.9375], [-0.75, 1.0], [0.9375, -0.5], [0.0, 0.25]])
    moved = moved_within_reach(cosines, dtype)
    assert within_reach(moved, dtype).all()
    assert np.array_equal(moved[:, 0], cosines[:, 0])
    assert np.array_equal(moved[3], cosines[3])


def test_a_target_at_a_pole_is_out_of_reach() -> None:
    assert not within_reach(np.array([[1.0, 0.0], [0.5, 1.0]]), "float64").any()


@pytest.mark.parametrize("normalised", [False, True])
def test_the_gradient_of_embeddings_gives_back_that_of_cosines(
    normalised: bool,
) -> None:
    cosine = torch.tensor([[0.6, -0.3]], dtype=torch.float64, requires_grad=True)
    length = torch.tensor([7.0 if normalised else 1.0], dtype=torch.float64)
    made = Embedding.apply(cosine, length, 5)  # type: ignore[no-untyped-call]
    seen = torch.nn.functional.normalize(made) if normalised else made
    (seen[:, 0].exp() * seen[:, 1]).sum().backward()
    due = np.array([np.exp(0.6) * -0.3, np.exp(0.6)])
    assert cosine.grad is not None
    assert np.allclose(cosine.grad[0].numpy(), due, rtol=4 * EPSILON["float64"])


@pytest.mark.parametrize(
    ("name", "loss", "given", "shown"),
    [
        ("ByRows", "cosface", {"s_": 30.0}, "s_=30.0"),
        ("ByColumns", "cosface", {"gamma": 30.0}, "gamma=30.0"),
        ("HandsOn", "cosface", {"margin": 0.2}, "margin=0.2"),
        ("CombinedMargin", "arcface", {"m2": 0.3}, "m2=0.3"),
    ],
)
def test_an_argument_that_names_a_quantity_is_the_value_judged(
    name: str, loss: str, given: dict[str, float], shown: str
) -> None:
    report = _judged(name, loss, **given)
    assert report.exit_code == 0, report.text()
    assert shown in report.mapping


def test_an_adapter_for_modules_refuses_a_function() -> None:
    with pytest.raises(TargetError, match=r"must be an nn\.Module class"):
        run_gate(Head("zoo.exact.heads:cosface", loss="cosface", adapter="loss"))
