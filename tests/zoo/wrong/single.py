"""Planted heads that hold a number in float32: a warning, in a float64 call alone."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.planting import Wrong

SCALE = 30.1
"""No float32."""


def scale_in_single(cosine: Tensor, labels: Tensor) -> Tensor:
    """The scale is a float32 tensor: seen in the target's logits."""
    factor = torch.tensor(SCALE, dtype=torch.float32).to(cosine.dtype)
    hot = functional.one_hot(labels, cosine.shape[1])
    return factor * (cosine - 0.35 * hot.to(cosine))


def scale_of_others_in_single(cosine: Tensor, labels: Tensor) -> Tensor:
    """The same, seen in the other classes' logits."""
    return scale_in_single(cosine, labels)


def push_in_single(cosine: Tensor, labels: Tensor) -> Tensor:
    """The same, seen in the target's gradient."""
    return scale_in_single(cosine, labels)


def push_of_others_in_single(cosine: Tensor, labels: Tensor) -> Tensor:
    """The same, seen in the other classes' gradients."""
    return scale_in_single(cosine, labels)


class OneHotInSingle(nn.Module):
    """CosFace whose margin is taken off in float32, on embeddings."""

    def __init__(self, embedding_size: int, classes: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(classes, embedding_size))

    def logits(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to logits."""
        unit = functional.normalize(self.weight)
        cosine = functional.linear(functional.normalize(embeddings), unit)
        return 64.0 * (cosine - 0.35 * functional.one_hot(labels, cosine.shape[1]))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to logits."""
        return self.logits(embeddings, labels)


class LossInSingle(OneHotInSingle):
    """Its loss is computed in float32."""

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to a mean loss."""
        logits = self.logits(embeddings, labels).float()
        return functional.cross_entropy(logits, labels)


OWN = {"scale": SCALE}

WRONG_SINGLE = {
    "scale_in_single": Wrong(
        "cosface", "target-logit", "single", OWN, status="warning"
    ),
    "scale_of_others_in_single": Wrong(
        "cosface", "other-logit", "single", OWN, status="warning"
    ),
    "push_in_single": Wrong("cosface", "target-gst", "single", OWN, status="warning"),
    "push_of_others_in_single": Wrong(
        "cosface", "other-gst", "single", OWN, status="warning"
    ),
    "OneHotInSingle": Wrong("cosface", "whole-values", status="warning"),
    "LossInSingle": Wrong("cosface", "reduction", status="warning"),
}
"""Each head and the check that warns of it."""
