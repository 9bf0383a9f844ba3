"""Planted heads that are right in value, and wrong along the cosine."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.exact.heads import arcface, cosface
from zoo.exact.profiles import arcface_fallback_plain
from zoo.planting import Wrong


def _with_slope(logits: Tensor, share: Tensor | float) -> Tensor:
    """The same logits, whose gradient is a share of their own."""
    return share * logits + ((1 - share) * logits).detach()


def gradient_half_as_large_again(cosine: Tensor, labels: Tensor) -> Tensor:
    """ArcFace that pushes by half as much again as P allows."""
    return _with_slope(arcface(cosine, labels, 64.0, 0.5), 1.5)


def gradient_with_a_floor(cosine: Tensor, labels: Tensor) -> Tensor:
    """ArcFace whose push does not fall below what it is in the middle."""
    return _with_slope(
        arcface(cosine, labels, 64.0, 0.5), torch.exp(-3 * cosine.detach())
    )


def gradient_reversed(cosine: Tensor, labels: Tensor) -> Tensor:
    """CosFace that pushes samples away from their own class."""
    return _with_slope(cosface(cosine, labels), -1.0)


def formula_past_the_end(cosine: Tensor, labels: Tensor) -> Tensor:
    """ArcFace by its formula, whose target logit rises again where theta + m does."""
    return arcface(cosine, labels, 64.0, 0.5)


def plain_past_the_end(cosine: Tensor, labels: Tensor) -> Tensor:
    """ArcFace that goes on with the plain cosine where theta + m is past pi."""
    return arcface_fallback_plain(cosine, labels)


WRONG_LIMITS = {
    "gradient_half_as_large_again": Wrong("arcface", "invariant-1"),
    "gradient_with_a_floor": Wrong("arcface", "invariant-2"),
    "gradient_reversed": Wrong("cosface", "invariant-3"),
    "formula_past_the_end": Wrong("arcface", "invariant-3", status="warning"),
    "plain_past_the_end": Wrong("arcface", "continuity", status="warning"),
}
"""Every planted head."""
