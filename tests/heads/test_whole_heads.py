"""A head that makes its own cosines is held to a twin in float64."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from gate_runs import failed
from zoo.exact.heads import cosface

from adaface_ref import numpy_reference
from adaface_ref.gate.checks.runner import run_gate
from adaface_ref.gate.head.settings import Head
from adaface_ref.gate.reading.class_weights import layouts
from adaface_ref.gate.reading.results import find_parts
from adaface_ref.gate.twin.drawn_inputs import SHAPES, Shape, draw, draw_upstream
from adaface_ref.gate.twin.gradients import gradients
from adaface_ref.gate.twin.whole_head import Given, Twin
from adaface_ref.torch_heads import margin_logits

CELLS = [
    (loss, rule) for loss, rules in numpy_reference.DEFINED.items() for rule in rules
]
NARROW = [shape for shape in SHAPES if shape.classes < 1000]


def _twin(loss: str, rule: str, shape: Shape, dtype: str, centres: int = 1) -> Twin:
    lengths = (5.0, 120.0) if loss == "magface" else None
    given = draw(shape, 3, dtype, centres=centres, lengths=lengths)
    columns = {}
    if loss == "adaface":
        columns["margin_scaler"] = np.linspace(-1, 1, shape.rows)
    if loss == "magface":
        columns["feature_norm"] = np.linalg.norm(given.embeddings, axis=1)
    fixed = {k: v for k, v in numpy_reference.RECOMMENDED[loss].items()
             if k != "feature_norm"}  # fmt: skip
    made = Given(given.embeddings, given.weights, given.labels, columns)
    return Twin(loss, rule, fixed, dtype, made)


def _autograd(twin: Twin, upstream: np.ndarray) -> list[np.ndarray]:
    """Logits, losses and gradients by torch in the twin's dtype."""
    kind, given = getattr(torch, twin.dtype), twin.given
    leaves = [torch.tensor(v, dtype=kind).requires_grad_()
              for v in (given.embeddings, given.weights)]  # fmt: skip
    unit = torch.nn.functional.normalize
    products = unit(leaves[0]) @ unit(leaves[1], dim=-1).transpose(1, 2)
    labels = torch.tensor(given.labels)
    rows: dict[str, Any] = {
        k: torch.tensor(v, dtype=kind) for k, v in given.columns.items()
    }
    if twin.loss == "magface":
        rows["feature_norm"] = leaves[0].norm(dim=1)
    fixed: dict[str, Any] = {
        k: v for k, v in twin.parameters.items() if k != "regulariser_weight"
    }
    logits = margin_logits(
        twin.loss, products.amax(dim=0), labels, profile=twin.profile, **fixed, **rows
    )
    losses = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
    if twin.loss == "magface":
        norm = rows["feature_norm"].clamp(10, 110)
        losses = losses + twin.parameters["regulariser_weight"] * (
            norm / 110**2 + 1 / norm
        )
    back = torch.autograd.grad((losses * torch.tensor(upstream)).sum(), leaves)
    return [t.detach().double().numpy() for t in (logits, losses, *back)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("loss", "rule"), CELLS)
def test_autograd_stays_within_the_bounds(loss: str, rule: str, dtype: str) -> None:
    for shape in NARROW:
        twin = _twin(loss, rule, shape, dtype)
        upstream = draw_upstream(5, (shape.rows,), dtype)
        logits, losses, rows, weights = _autograd(twin, upstream)
        sound = gradients(twin, upstream, length_is_norm=True)
        assert twin.logits.shares(logits).max() < 1
        assert twin.row_losses.shares(losses).max() < 1
        assert sound.embeddings.shares(rows).max() < 1
        assert sound.weights.shares(weights).max() < 1


def test_the_bounds_are_tight_enough_to_tell_one_part_in_a_million() -> None:
    twin = _twin("arcface", "pure", Shape(33, 11, 8), "float64")
    sound = gradients(twin, np.ones(33), length_is_norm=True)
    for part in (twin.logits, sound.embeddings, sound.weights):
        share = part.shares(part.value * (1 + 1e-6))
        assert np.median(share) > 1


def test_the_gradient_of_weights_is_tangent() -> None:
    twin = _twin("adaface", "clip", Shape(33, 11, 8), "float64")
    sound = gradients(twin, np.ones(33), length_is_norm=True)
    along = (sound.weights.value * twin.given.weights).sum(axis=-1)
    assert np.abs(along).max() < 1e-12 * np.abs(sound.weights.value).max()


def test_the_nearest_of_several_centres_counts() -> None:
    twin = _twin("cosface", "pure", Shape(33, 11, 8), "float64", centres=3)
    _, _, rows, weights = _autograd(twin, np.ones(33))
    sound = gradients(twin, np.ones(33), length_is_norm=True)
    assert sound.weights.shares(weights).max() < 1
    assert sound.embeddings.shares(rows).max() < 1


SHAPES_OF_WEIGHTS = {
    "(C, D)": (5, 7), "(D, C)": (7, 5), "(C K, D)": (15, 7), "(D, C K)": (7, 15),
    "(K, C, D)": (3, 5, 7), "(C, K, D)": (5, 3, 7), "(K, D, C)": (3, 7, 5),
    "(D, C, K)": (7, 5, 3), "(C, D, K)": (5, 7, 3),
}  # fmt: skip


@pytest.mark.parametrize("words", SHAPES_OF_WEIGHTS)
def test_a_layout_gives_back_what_was_written(words: str) -> None:
    head = torch.nn.Module()
    head.weight = torch.nn.Parameter(torch.zeros(SHAPES_OF_WEIGHTS[words]))
    layout = next(row for row in layouts(head, 5, 7) if row.words == words)
    weights = np.random.default_rng(0).normal(size=(layout.centres, 5, 7))
    weights = weights.astype(np.float32).astype(np.float64)
    layout.write(head, weights)
    assert np.array_equal(layout.read(head, 5, 7), weights)
    for place in itertools.product(range(layout.centres), (0, 4), (0, 6)):
        name, index = layout.index_of(head, place, 5, 7)
        assert float(head.get_parameter(name)[index].detach()) == weights[place]


def _loss_and_logits() -> tuple[torch.Tensor, torch.Tensor]:
    logits = torch.randn(4, 3, requires_grad=True) * 64
    return logits.sum(), logits


def test_a_loss_that_can_be_differentiated_is_judged() -> None:
    loss, logits = _loss_and_logits()
    accuracy = torch.tensor(0.5)
    for result, judged in (
        ((loss, logits), "[0]"),
        ((logits, loss), "[1]"),
        ((accuracy, loss), "[1]"),
        ({"loss": loss, "logits": logits}, "['loss']"),
        ({"out": {"logits": logits, "accuracy": accuracy}}, "['out']['logits']"),
        ((logits / 64, logits), "[1]"),
    ):
        assert find_parts(result, 4, 3).judged == judged


def labels_of_sixteen_bits(cosine: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """CosFace; class 65,536 is class 0."""
    return cosface(cosine, labels % 65_536)


class OfEmbeddings(torch.nn.Module):
    """The same from embeddings."""

    def __init__(self, embedding_size: int, classes: int) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.randn(classes, embedding_size))

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Embeddings to logits."""
        unit = torch.nn.functional.normalize
        cosine = torch.nn.functional.linear(unit(embeddings), unit(self.weight))
        return labels_of_sixteen_bits(cosine, labels)


@pytest.mark.parametrize("head", [labels_of_sixteen_bits, OfEmbeddings])
def test_seventy_thousand_classes_are_tried(head: object) -> None:
    """Right at 1000 classes and fewer, and found wrong."""
    chosen = ("whole-values",)
    report = run_gate(Head(head, loss="cosface", effort="quick", select=chosen))
    assert failed(report) == ["whole-values"]
    assert report.outcomes[0].findings[0].inputs["classes"] == 70_000
