"""Planted heads that are right at the recommended setting, and wrong at another."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from zoo.exact.heads import AdaFaceHead, at_target, own, turned
from zoo.planting import Wrong

ARCFACE, COSFACE = 0.5, 0.35


def arcface_of_known_margin(
    cosine: Tensor, labels: Tensor, scale: float = 64.0, margin: float = 0.5
) -> Tensor:
    """The sine and the cosine of the margin are numbers written down."""
    return scale * at_target(cosine, labels, turned(own(cosine, labels), ARCFACE))


def cosface_of_known_margin(
    cosine: Tensor, labels: Tensor, scale: float = 64.0, margin: float = 0.35
) -> Tensor:
    """The margin is a number written down."""
    return scale * at_target(cosine, labels, own(cosine, labels) - COSFACE)


def cosface_of_squares(
    cosine: Tensor, labels: Tensor, s: float = 64.0, m: float = 0.35
) -> Tensor:
    """The margin is squared, and divided by the usual one."""
    return s * at_target(cosine, labels, own(cosine, labels) - m * m / COSFACE)


def cosface_zero_is_none(
    cosine: Tensor, labels: Tensor, s: float = 64.0, m: float = 0.35
) -> Tensor:
    """A margin of 0 is taken for none given."""
    return s * at_target(cosine, labels, own(cosine, labels) - (m or COSFACE))


def arcface_degrees_above_one(
    cosine: Tensor, labels: Tensor, scale: float = 64.0, margin: float = 0.5
) -> Tensor:
    """A margin of 0.9 and more is taken for degrees."""
    used = math.radians(margin) if margin > 0.9 else margin
    return scale * at_target(cosine, labels, turned(own(cosine, labels), used))


def arcface_held_below(
    cosine: Tensor, labels: Tensor, scale: float = 64.0, margin: float = 0.5
) -> Tensor:
    """The margin is clamped at the usual one."""
    used = min(margin, ARCFACE)
    return scale * at_target(cosine, labels, turned(own(cosine, labels), used))


def cosface_known_scale_of_the_target(
    cosine: Tensor, labels: Tensor, s: float = 64.0, m: float = 0.35
) -> Tensor:
    """The target's logit has the usual scale whatever is asked."""
    return at_target(s * cosine, labels, 64.0 * (own(cosine, labels) - m))


def normface_known_scale(cosine: Tensor, labels: Tensor, scale: float = 64.0) -> Tensor:
    """The scale is a number written down."""
    return 64.0 * cosine


class ArcFaceOldThreshold(nn.Module):
    """The fallback's threshold follows from the default margin."""

    def __init__(self, scale: float = 64.0, margin: float = 0.5) -> None:
        super().__init__()
        self.scale, self.margin = scale, margin
        self.threshold = math.cos(math.pi - ARCFACE)

    def forward(self, cosine: Tensor, labels: Tensor) -> Tensor:
        """Cosines to logits."""
        mine = own(cosine, labels)
        outside = mine - math.sin(self.margin) * self.margin
        inside = turned(mine, self.margin)
        chosen = torch.where(mine > self.threshold, inside, outside)
        return self.scale * at_target(cosine, labels, chosen)


def combined_m1_first(
    cosine: Tensor,
    labels: Tensor,
    s: float = 64.0,
    m1: float = 1.0,
    m2: float = 0.3,
    m3: float = 0.2,
) -> Tensor:
    """cos(m1 (theta + m2)) - m3."""
    angle = torch.acos(own(cosine, labels))
    return s * at_target(cosine, labels, torch.cos(m1 * (angle + m2)) - m3)


def combined_without_m1(
    cosine: Tensor,
    labels: Tensor,
    s: float = 64.0,
    m1: float = 1.0,
    m2: float = 0.3,
    m3: float = 0.2,
) -> Tensor:
    """m1 is dropped."""
    return s * at_target(cosine, labels, turned(own(cosine, labels), m2) - m3)


def sphereface_always_four(
    cosine: Tensor, labels: Tensor, s: float = 64.0, m: int = 4
) -> Tensor:
    """The multiplier is a number written down."""
    angle = torch.acos(own(cosine, labels))
    k = (4 * angle / math.pi).floor().detach()
    target = (1 - 2 * (k % 2)) * torch.cos(4 * angle) - 2 * k
    return s * at_target(cosine, labels, target)


def arcface_margin_in_single(
    cosine: Tensor, labels: Tensor, scale: float = 64.0, margin: float = 0.5
) -> Tensor:
    """The margin is held in float32, which holds the usual one."""
    used = torch.tensor(margin, dtype=torch.float32).to(cosine)
    mine = own(cosine, labels)
    return scale * at_target(cosine, labels, torch.cos(mine.acos() + used))


def cosface_of_whole_scales(
    cosine: Tensor, labels: Tensor, scale: float = 64.0, margin: float = 0.35
) -> Tensor:
    """What follows the point of the scale is cut off."""
    return int(scale) * at_target(cosine, labels, own(cosine, labels) - margin)


class AdaFaceKnownSpread(AdaFaceHead):
    """h is a number written down."""

    def __init__(self, embedding_size: int, classnum: int, m: float, h: float) -> None:
        super().__init__(embedding_size, classnum, m, 0.333)


IDLE, CHECK = "has no effect", "every-setting"

WRONG_SETTINGS = {
    "arcface_of_known_margin": Wrong("arcface", CHECK, IDLE),
    "cosface_of_known_margin": Wrong("cosface", CHECK, IDLE),
    "normface_known_scale": Wrong("normface", CHECK, IDLE),
    "combined_without_m1": Wrong("combined", CHECK, IDLE),
    "sphereface_always_four": Wrong("sphereface", CHECK, IDLE),
    "cosface_of_squares": Wrong("cosface", CHECK),
    "cosface_zero_is_none": Wrong("cosface", CHECK, "those of margin = 0.35"),
    "arcface_degrees_above_one": Wrong("arcface", CHECK),
    "arcface_held_below": Wrong("arcface", CHECK, "those of margin = 0.5"),
    "cosface_known_scale_of_the_target": Wrong("cosface", CHECK),
    "ArcFaceOldThreshold": Wrong("arcface", CHECK),
    "arcface_margin_in_single": Wrong("arcface", CHECK, status="warning"),
    "cosface_of_whole_scales": Wrong("cosface", CHECK),
    "combined_m1_first": Wrong("combined", CHECK),
    "AdaFaceKnownSpread": Wrong("adaface", CHECK),
}
"""Every planted head."""
