"""Exact heads of every profile, written as people write them, safe at the poles."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.exact.heads import adaface_clip, at_target, own, turned

SCALE = 64.0
MARGIN = 0.5


class Exact(NamedTuple):
    """A head that conforms.

    Args:
        loss: its loss.
        profile: what it must be identified as.
        warned: the checks that must warn: a jump, a change of sign, half precision.
    """

    loss: str
    profile: str
    warned: tuple[str, ...] = ()


class ArcFaceEasy(nn.Module):
    """`easy_margin=True`, by one-hot and torch.where."""

    def __init__(self, s: float = SCALE, m: float = MARGIN) -> None:
        super().__init__()
        self.s, self.cos_m, self.sin_m = s, math.cos(m), math.sin(m)

    def forward(self, cosine: Tensor, label: Tensor) -> Tensor:
        """Cosines to logits."""
        tiny = torch.finfo(cosine.dtype).tiny
        sine = ((1.0 - cosine) * (1.0 + cosine)).clamp(min=tiny).sqrt()
        phi = cosine * self.cos_m - sine * self.sin_m
        phi = torch.where(cosine > 0, phi, cosine)
        one_hot = torch.zeros_like(cosine).scatter_(1, label.view(-1, 1), 1)
        return torch.where(one_hot.bool(), phi, cosine) * self.s


def arcface_easy_clamped(cosine: Tensor, labels: Tensor) -> Tensor:
    """The same by acos, cosines clamped by 1e-7."""
    cosine = cosine.clamp(-1 + 1e-7, 1 - 1e-7)
    target = own(cosine, labels)
    margined = torch.where(target > 0, (target.acos() + MARGIN).cos(), target)
    return SCALE * at_target(cosine, labels, margined)


def arcface_fallback(cosine: Tensor, labels: Tensor) -> Tensor:
    """`easy_margin=False`, the usual way past pi - m."""
    target, threshold = own(cosine, labels), math.cos(math.pi - MARGIN)
    plain = target - math.sin(math.pi - MARGIN) * MARGIN
    margined = torch.where(target > threshold, turned(target, MARGIN), plain)
    return SCALE * at_target(cosine, labels, margined)


def arcface_fallback_plain(cosine: Tensor, labels: Tensor) -> Tensor:
    """The bare cosine past pi - m, told by the threshold's difference."""
    target = own(cosine, labels)
    past = target - math.cos(math.pi - MARGIN) <= 0
    margined = torch.where(past, target, turned(target, MARGIN))
    return SCALE * at_target(cosine, labels, margined)


def arcface_reflect(cosine: Tensor, labels: Tensor) -> Tensor:
    """Mirrored at -1 past pi - m, by indexing."""
    rows = torch.arange(len(labels), device=labels.device)
    target = cosine[rows, labels]
    margined = turned(target, MARGIN)
    inside = target > math.cos(math.pi - MARGIN)
    margined = torch.where(inside, margined, -margined - 2)
    return SCALE * at_target(cosine, labels, margined[:, None])


def arcface_shift(cosine: Tensor, labels: Tensor) -> Tensor:
    """The cosine, moved down to meet the formula at pi - m."""
    threshold, drop = math.cos(math.pi - MARGIN), 1.0 + math.cos(math.pi - MARGIN)
    target = own(cosine, labels)
    margined = torch.where(target > threshold, turned(target, MARGIN), target - drop)
    return SCALE * at_target(cosine, labels, margined)


def arcface_min(cosine: Tensor, labels: Tensor) -> Tensor:
    """The lesser of margined and bare cosine."""
    target = own(cosine, labels)
    margined = turned(target, MARGIN)
    return SCALE * at_target(
        cosine, labels, torch.where(margined < target, margined, target)
    )


def arcface_clip(cosine: Tensor, labels: Tensor, eps: float = 1e-4) -> Tensor:
    """As AdaFace's repository has ArcFace: the margin on an angle of every class."""
    cosine = cosine.clamp(-1 + eps, 1 - eps)
    hot = MARGIN * functional.one_hot(labels, cosine.shape[1])
    angle = (cosine.acos() + hot).clip(min=eps, max=math.pi - eps)
    return angle.cos() * SCALE


def arcface_acos(cosine: Tensor, labels: Tensor) -> Tensor:
    """Only the target is kept from the poles, where its angle is taken."""
    angle = own(cosine, labels).clamp(-1 + 1e-6, 1 - 1e-6).acos()
    return SCALE * at_target(cosine, labels, (angle + MARGIN).cos())


def arcface_fallback_acos(cosine: Tensor, labels: Tensor) -> Tensor:
    """As `--explain poles-target` advises; past pi - m the cosine is as it was."""
    target = own(cosine, labels)
    margined = (target.clamp(-1 + 1e-5, 1 - 1e-5).acos() + MARGIN).cos()
    plain = target - math.sin(math.pi - MARGIN) * MARGIN
    inside = target > math.cos(math.pi - MARGIN)
    return SCALE * at_target(cosine, labels, torch.where(inside, margined, plain))


def arcface_clamped_by_its_dtype(cosine: Tensor, labels: Tensor) -> Tensor:
    """Another clamp in each dtype: the spacing of its floats at 1."""
    eps = torch.finfo(cosine.dtype).eps
    cosine = cosine.clamp(-1 + eps, 1 - eps)
    angle = own(cosine, labels).acos()
    return SCALE * at_target(cosine, labels, (angle + MARGIN).cos())


def arcface_floored(cosine: Tensor, labels: Tensor) -> Tensor:
    """1 - c^2 is kept from 0 under the root, by a short number."""
    target = own(cosine, labels)
    sine = ((1 - target) * (1 + target)).clamp(min=1e-12).sqrt()
    margined = target * math.cos(MARGIN) - sine * math.sin(MARGIN)
    plain = target - math.sin(math.pi - MARGIN) * MARGIN
    inside = target > math.cos(math.pi - MARGIN)
    return SCALE * at_target(cosine, labels, torch.where(inside, margined, plain))


def arcface_floored_between(cosine: Tensor, labels: Tensor) -> Tensor:
    """A floor that float32 shows at the poles alone: it has no cosine so near to 1."""
    target = own(cosine, labels)
    sine = (1 - target * target).clamp(min=3e-9).sqrt()
    margined = target * math.cos(MARGIN) - sine * math.sin(MARGIN)
    plain = target - math.sin(math.pi - MARGIN) * MARGIN
    inside = target > math.cos(math.pi - MARGIN)
    return SCALE * at_target(cosine, labels, torch.where(inside, margined, plain))


def arcface_clip_of_all(cosine: Tensor, labels: Tensor) -> Tensor:
    """Every class's angle is clipped far inside the clamp that keeps acos finite."""
    tiny = 1e-12 if cosine.dtype == torch.float64 else 1e-7
    hot = MARGIN * functional.one_hot(labels, cosine.shape[1])
    angle = cosine.clamp(-1 + tiny, 1 - tiny).acos() + hot
    return SCALE * angle.clip(1e-3, math.pi - 1e-3).cos()


def arcface_lesser(cosine: Tensor, labels: Tensor) -> Tensor:
    """torch.minimum, which halves the gradient where both are equal."""
    target = own(cosine, labels)
    margined = (target.clamp(-1 + 1e-6, 1 - 1e-6).acos() + MARGIN).cos()
    return SCALE * at_target(cosine, labels, torch.minimum(margined, target))


def cosface_easy(cosine: Tensor, labels: Tensor, margin: float = 0.35) -> Tensor:
    """No margin where the cosine is not above it."""
    target = own(cosine, labels)
    margined = torch.where(target > margin, target - margin, target)
    return SCALE * at_target(cosine, labels, margined)


def cosface_clamped(cosine: Tensor, labels: Tensor, m: float = 0.35) -> Tensor:
    """As AdaFace's repository has CosFace: a clamp of the cosines only."""
    cosine = cosine.clamp(-1 + 1e-4, 1 - 1e-4)
    hot = functional.one_hot(labels, cosine.shape[1]).to(cosine)
    return SCALE * (cosine - m * hot)


def magface_margin(norms: Tensor) -> Tensor:
    """The official margin of a norm, (B, 1)."""
    return 0.45 + (0.8 - 0.45) / (110 - 10) * (norms.clamp(10, 110)[:, None] - 10)


def magface_easy(cosine: Tensor, labels: Tensor, norms: Tensor) -> Tensor:
    """MagFace's default."""
    target = own(cosine, labels)
    margined = turned(target, magface_margin(norms))
    margined = torch.where(target > 0, margined, target)
    return SCALE * at_target(cosine, labels, margined)


def magface_fallback(cosine: Tensor, labels: Tensor, norms: Tensor) -> Tensor:
    """MagFace with `easy_margin=False`, each row's threshold its own."""
    target, margin = own(cosine, labels), magface_margin(norms)
    threshold = torch.cos(math.pi - margin)
    plain = target - torch.sin(math.pi - margin) * margin
    margined = torch.where(target > threshold, turned(target, margin), plain)
    return SCALE * at_target(cosine, labels, margined)


def magface_fallback_plain(cosine: Tensor, labels: Tensor, norms: Tensor) -> Tensor:
    """The bare cosine past pi - m."""
    target, margin = own(cosine, labels), magface_margin(norms)
    margined = torch.where(target > -margin.cos(), turned(target, margin), target)
    return SCALE * at_target(cosine, labels, margined)


def magface_min(cosine: Tensor, labels: Tensor, norms: Tensor) -> Tensor:
    """The lesser of margined and bare cosine, as Keras has it."""
    target = own(cosine, labels)
    margined = turned(target, magface_margin(norms))
    lesser = torch.where(margined < target, margined, target)
    return SCALE * at_target(cosine, labels, lesser)


def magface_clip(cosine: Tensor, labels: Tensor, norms: Tensor) -> Tensor:
    """Cosines clamped, then the angle clipped."""
    cosine = cosine.clamp(-1 + 1e-3, 1 - 1e-3)
    angle = own(cosine, labels).acos() + magface_margin(norms)
    return SCALE * at_target(cosine, labels, angle.clip(1e-3, math.pi - 1e-3).cos())


def adaface_official(
    cosine: Tensor, labels: Tensor, margin_scaler: Tensor, m: float
) -> Tensor:
    """With the official eps of 1e-3."""
    return adaface_clip(cosine, labels, margin_scaler, m, eps=1e-3)


JUMP, SIGN = ("continuity",), ("invariant-3",)
HALF = ("narrow-dtypes",)
"""An eps of 1e-3 and less vanishes in half precision."""

EXACT_PROFILES = {
    "ArcFaceEasy": Exact("arcface", "easy", JUMP),
    "arcface_easy_clamped": Exact("arcface", "easy:cosine=1e-07", JUMP + HALF),
    "arcface_fallback": Exact("arcface", "fallback", JUMP),
    "arcface_fallback_plain": Exact("arcface", "fallback-plain", JUMP),
    "arcface_reflect": Exact("arcface", "reflect"),
    "arcface_shift": Exact("arcface", "shift"),
    "arcface_min": Exact("arcface", "min", SIGN),
    "arcface_clip": Exact("arcface", "clip:cosine=0.0001,angle=0.0001", HALF),
    "arcface_acos": Exact("arcface", "pure:cosine=1e-06,of=target", SIGN + HALF),
    "arcface_fallback_acos": Exact(
        "arcface", "fallback:cosine=1e-05,of=acos", JUMP + HALF
    ),
    "arcface_clamped_by_its_dtype": Exact(
        "arcface", "pure:cosine=2.220446049250313e-16", SIGN
    ),
    "arcface_floored": Exact("arcface", "fallback:floor=1e-12", JUMP + HALF),
    "arcface_floored_between": Exact("arcface", "fallback:floor=3e-09", JUMP + HALF),
    "arcface_clip_of_all": Exact("arcface", "clip:cosine=1e-12,angle_of=all", HALF),
    "arcface_lesser": Exact("arcface", "min:cosine=1e-06,of=acos", SIGN + HALF),
    "cosface_easy": Exact("cosface", "easy", JUMP),
    "cosface_clamped": Exact("cosface", "pure:cosine=0.0001"),
    "magface_easy": Exact("magface", "easy", JUMP),
    "magface_fallback": Exact("magface", "fallback", JUMP),
    "magface_fallback_plain": Exact("magface", "fallback-plain", JUMP),
    "magface_min": Exact("magface", "min", SIGN),
    "magface_clip": Exact("magface", "clip", HALF),
    "adaface_official": Exact("adaface", "clip", HALF),
}
"""Each head by its name in this file."""
