"""C classes reduce exactly to two: whole batches against the certified truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from budgets import BLOCKS
from hypothesis import given
from hypothesis import strategies as st

from adaface_ref import numpy_reference
from adaface_ref.evidence.truth.agreement import Allowance, Judgement, Question, judge
from adaface_ref.evidence.truth.forms import defined_cells
from adaface_ref.points import Batch, batch, seeds
from adaface_ref.torch_heads import margin_logits

CLASSES = st.sampled_from([2, 3, 10, 1_000])
FEW_CLASSES = st.sampled_from([2, 3, 10])
"""For cross_entropy, whose own sum over a thousand classes loses more than a head."""

cells = pytest.mark.parametrize("cell", defined_cells(), ids="-".join)


def judged(
    cell: tuple[str, str],
    drawn: Batch,
    logits: np.ndarray,
    gst: np.ndarray,
    allowance: Allowance,
) -> list[Judgement]:
    """Target and one other class of every row, each with the rival of its own row."""
    rows = np.arange(drawn.labels.size)
    other = (drawn.labels + 1) % drawn.cosine.shape[1]
    scale = drawn.parameters["scale"]
    rest = logits / scale
    rest[rows, drawn.labels] = -np.inf
    highest = rest.max(axis=1)
    total = np.exp(scale * (rest - highest[:, None])).sum(axis=1)
    columns = {
        **drawn.parameters,
        "target_cosine": drawn.cosine[rows, drawn.labels],
        "other_cosine": drawn.cosine[rows, other],
        "rival_cosine": highest + np.log(total) / scale,
    }
    found = {"gst": gst[rows, drawn.labels], "other_gst": gst[rows, other]}
    return [
        judge(
            Question(quantity, *cell, "float64", allowance),
            columns,
            got,
            certify_all=True,
        )
        for quantity, got in found.items()
    ]


@cells
@BLOCKS
@given(seed=seeds(), classes=CLASSES)
def test_numpy_batch_is_the_two_class_truth_in_every_row(
    cell: tuple[str, str], seed: int, classes: int
) -> None:
    drawn = batch(cell[0], seed, classes=classes)
    got = numpy_reference.batch(
        cell[0], drawn.cosine, drawn.labels, profile=cell[1], **drawn.parameters
    )
    for judgement in judged(cell, drawn, got.logits.copy(), got.gst, "ours"):
        assert not judgement.failures, judgement.failures[0]
        assert judgement.compared > 32


@cells
@BLOCKS
@given(seed=seeds(), classes=FEW_CLASSES)
def test_autograd_through_margin_logits_is_the_two_class_truth(
    cell: tuple[str, str], device: str, seed: int, classes: int
) -> None:
    drawn = batch(cell[0], seed, classes=classes)
    cosine = torch.tensor(drawn.cosine, device=device, requires_grad=True)
    labels = torch.tensor(drawn.labels, device=device)
    given: dict[str, Any] = {
        name: torch.tensor(value, device=device) if np.ndim(value) else value
        for name, value in drawn.parameters.items()
    }
    logits = margin_logits(cell[0], cosine, labels, profile=cell[1], **given)
    torch.nn.functional.cross_entropy(logits, labels, reduction="sum").backward()
    assert cosine.grad is not None
    gst = cosine.grad.cpu().numpy()
    both = judged(cell, drawn, logits.detach().cpu().numpy().copy(), gst, "theirs")
    for judgement in both:
        assert not judgement.failures, judgement.failures[0]
        assert judgement.compared > 32


@pytest.mark.parametrize("classes", [2, 5, 70_722])
def test_a_batch_has_the_shapes_that_a_head_sees(classes: int) -> None:
    drawn = batch("adaface", 0, classes=classes, size=3)
    assert drawn.cosine.shape == (3, classes) and drawn.labels.shape == (3,)
    assert drawn.parameters["margin_scaler"].shape == (3,)
