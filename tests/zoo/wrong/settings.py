"""Planted heads that are right at the recommended setting of their arguments alone."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.exact.heads import at_target, own, safe_sine, turned
from zoo.planting import Wrong


def margin_as_a_number(
    cosine: Tensor, labels: Tensor, scale: float, margin: float
) -> Tensor:
    """ArcFace with the cosine and the sine of 0.5 whatever the margin is."""
    return scale * at_target(cosine, labels, turned(own(cosine, labels), 0.5))


def scale_of_the_target(
    cosine: Tensor, labels: Tensor, scale: float = 64.0, margin: float = 0.35
) -> Tensor:
    """CosFace whose other classes are multiplied by 64."""
    logits = 64.0 * cosine
    return at_target(logits, labels, scale * (own(cosine, labels) - margin))


class ZeroIsDefault(nn.Module):
    """CosFace that takes a margin of 0 for none given."""

    def __init__(
        self, embedding_size: int, classes: int, s: float = 64.0, m: float = 0.35
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(classes, embedding_size))
        self.s, self.m = s, m or 0.35

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to logits."""
        cosine = functional.linear(
            functional.normalize(embeddings), functional.normalize(self.weight)
        )
        hot = functional.one_hot(labels, cosine.shape[1]).to(cosine)
        return self.s * (cosine - self.m * hot)


def multiplied_last(
    cosine: Tensor, labels: Tensor, m1: float, m2: float, m3: float
) -> Tensor:
    """cos(m1 (theta + m2)) - m3."""
    target = own(cosine, labels)
    theta = torch.atan2(safe_sine(target), target)
    return 64.0 * at_target(cosine, labels, (m1 * (theta + m2)).cos() - m3)


def threshold_as_a_number(scale: float, margin: float) -> Callable[..., Tensor]:
    """ArcFace, `fallback`, past the recommended margin's threshold."""

    def head(cosine: Tensor, labels: Tensor) -> Tensor:
        target = own(cosine, labels)
        plain = target - margin * math.sin(margin)
        inside = target > math.cos(math.pi - 0.5)
        margined = torch.where(inside, turned(target, margin), plain)
        return scale * at_target(cosine, labels, margined)

    return head


EFFECT = "has no effect"

WRONG_SETTINGS = {
    "margin_as_a_number": Wrong("arcface", "every-setting", EFFECT),
    "scale_of_the_target": Wrong("cosface", "every-setting"),
    "ZeroIsDefault": Wrong("cosface", "every-setting", EFFECT),
    "multiplied_last": Wrong("combined", "every-setting"),
    "threshold_as_a_number": Wrong("arcface", "every-setting"),
}
"""Every planted head."""
