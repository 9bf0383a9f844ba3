"""Exact heads, written as people write them; every one must pass the gate."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


def at_target(cosine: Tensor, labels: Tensor, margined: Tensor) -> Tensor:
    """The cosines with each row's own class replaced by its margined one (B, 1)."""
    hot = functional.one_hot(labels, cosine.shape[1]).bool()
    return torch.where(hot, margined, cosine)


def own(cosine: Tensor, labels: Tensor) -> Tensor:
    """Each row's target cosine, (B, 1)."""
    return cosine.gather(1, labels[:, None])


def safe_sine(cosine: Tensor) -> Tensor:
    """The sine of an angle, with a finite gradient at the poles."""
    tiny = torch.finfo(cosine.dtype).tiny
    return ((1 - cosine) * (1 + cosine)).clamp(min=tiny).sqrt()


def turned(cosine: Tensor, angle: Tensor | float) -> Tensor:
    """cos(theta + angle) by the addition formula."""
    if isinstance(angle, float):
        angle = torch.tensor(angle, dtype=cosine.dtype)
    return cosine * angle.cos() - safe_sine(cosine) * angle.sin()


def normface(cosine: Tensor, labels: Tensor, scale: float) -> Tensor:
    """Scaled cosines."""
    return scale * cosine


def cosface(cosine: Tensor, labels: Tensor, s: float = 64.0, m: float = 0.35) -> Tensor:
    """A margin taken off by a one-hot."""
    hot = functional.one_hot(labels, cosine.shape[1]).to(cosine)
    return s * (cosine - m * hot)


def cosface_factory(scale: float, margin: float):  # type: ignore[no-untyped-def]
    """A function that makes the head."""

    def head(logits: Tensor, label: Tensor) -> Tensor:
        return at_target(logits, label, own(logits, label) - margin) * scale

    return head


def arcface(cosine: Tensor, labels: Tensor, scale: float, margin: float) -> Tensor:
    """By the addition formula."""
    return scale * at_target(cosine, labels, turned(own(cosine, labels), margin))


def arcface_acos(a: Tensor, b: Tensor, scale: float, margin: float) -> Tensor:
    """By acos of clamped cosines; its arguments' names say nothing."""
    clamped = a.clamp(-1 + 1e-7, 1 - 1e-7)
    angle = own(clamped, b).acos()
    return scale * at_target(clamped, b, (angle + margin).cos())


class ArcFaceFallback(nn.Module):
    """The usual `easy_margin=False`, by the addition formula."""

    def __init__(self, s: float = 64.0, m: float = 0.5) -> None:
        super().__init__()
        self.s, self.m = s, m
        self.threshold, self.plain = math.cos(math.pi - m), m * math.sin(m)

    def forward(self, cosine: Tensor, label: Tensor) -> Tensor:
        """Cosines to logits."""
        target = own(cosine, label)
        margined = torch.where(
            target > self.threshold, turned(target, self.m), target - self.plain
        )
        return at_target(cosine, label, margined) * self.s


class ArcFaceHead(nn.Module):
    """With weights of its own, from embeddings to logits."""

    def __init__(self, in_features: int, out_features: int, margin: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features))
        self.margin = margin

    def forward(self, x: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        """Embeddings to (logits, cosines)."""
        cosine = functional.linear(
            functional.normalize(x), functional.normalize(self.weight)
        )
        target = turned(own(cosine, label), self.margin)
        return 64.0 * at_target(cosine, label, target), cosine


class CosFaceLoss(nn.Module):
    """From embeddings to a loss."""

    def __init__(self, embedding_size: int, num_classes: int, s: float = 64.0) -> None:
        super().__init__()
        self.centres = nn.Parameter(torch.randn(embedding_size, num_classes))
        self.s = s

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to a mean loss."""
        unit = functional.normalize(embeddings)
        cosine = unit @ functional.normalize(self.centres, dim=0)
        return functional.cross_entropy(cosface(cosine, labels, self.s), labels)


def adaface(
    cosine: Tensor, labels: Tensor, margin_scaler: Tensor, margin: float = 0.4
) -> Tensor:
    """The formula everywhere."""
    shift = margin * margin_scaler[:, None]
    target = turned(own(cosine, labels), -shift) - (margin + shift)
    return 64.0 * at_target(cosine, labels, target)


def adaface_clip(
    cosine: Tensor, labels: Tensor, margin_scaler: Tensor, m: float, eps: float = 1e-3
) -> Tensor:
    """As AdaFace's own head has it, the margin scaler given."""
    cosine = cosine.clamp(-1 + eps, 1 - eps)
    shift = m * margin_scaler[:, None]
    angle = (own(cosine, labels).acos() - shift).clip(min=eps, max=math.pi - eps)
    return 64.0 * at_target(cosine, labels, angle.cos() - (m + shift))


class AdaFaceHead(nn.Module):
    """AdaFace's own head with its faults repaired; weights of its own."""

    batch_mean: Tensor
    batch_std: Tensor

    def __init__(self, embedding_size: int, classnum: int, m: float, h: float) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(embedding_size, classnum))
        self.m, self.h = m, h
        self.register_buffer("batch_mean", torch.tensor(20.0))
        self.register_buffer("batch_std", torch.tensor(100.0))

    def forward(self, embbedings: Tensor, norms: Tensor, label: Tensor) -> Tensor:
        """Unit embeddings, their norms and labels to logits."""
        cosine = torch.mm(embbedings, functional.normalize(self.kernel, dim=0))
        with torch.no_grad():
            safe = norms.clip(min=0.001, max=100)
            good = safe[~safe.isnan()]
            if self.training and len(good) > 1:
                self.batch_mean.lerp_(good.mean(), 0.01)
                self.batch_std.lerp_(good.std(), 0.01)
            scaler = self.h * (safe - self.batch_mean) / (self.batch_std + 1e-3)
        return adaface_clip(cosine, label, scaler.clip(-1, 1), self.m)


def magface(cosine: Tensor, labels: Tensor, norms: Tensor) -> Tensor:
    """The formula everywhere, with the official margins."""
    margin = 0.45 + (0.8 - 0.45) * (norms.clip(10, 110)[:, None] - 10) / (110 - 10)
    return 64.0 * at_target(cosine, labels, turned(own(cosine, labels), margin))


def curricularface(
    cosine: Tensor, labels: Tensor, margin: float, curriculum: float
) -> Tensor:
    """The official head with t given: hard classes, and `fallback`."""
    target = own(cosine, labels)
    margined = turned(target, margin)
    hard = cosine > margined
    others = torch.where(hard, cosine * (curriculum + cosine), cosine)
    plain = target - margin * math.sin(margin)
    margined = torch.where(target > math.cos(math.pi - margin), margined, plain)
    return 64.0 * at_target(others, labels, margined)


def sphereface(cosine: Tensor, labels: Tensor) -> Tensor:
    """cos(4 theta) as a polynomial, the arc counted without gradient."""
    target = own(cosine, labels)
    with torch.no_grad():
        arc = (4 * target.clamp(-1, 1).acos() / math.pi).floor().clamp(max=3)
    square = target * target
    polynomial = 8 * square * (square - 1) + 1
    return 64.0 * at_target(cosine, labels, (1 - 2 * (arc % 2)) * polynomial - 2 * arc)


def combined(cosine: Tensor, labels: Tensor, m1: float, m2: float, m3: float) -> Tensor:
    """cos(m1 theta + m2) - m3, cosines clamped."""
    clamped = cosine.clamp(-1 + 1e-7, 1 - 1e-7)
    target = (m1 * own(clamped, labels).acos() + m2).cos() - m3
    return 64.0 * at_target(clamped, labels, target)


EXACT = {
    "normface": "normface",
    "cosface": "cosface",
    "cosface_factory": "cosface",
    "CosFaceLoss": "cosface",
    "arcface": "arcface",
    "arcface_acos": "arcface",
    "ArcFaceFallback": "arcface",
    "ArcFaceHead": "arcface",
    "adaface": "adaface",
    "adaface_clip": "adaface",
    "AdaFaceHead": "adaface",
    "magface": "magface",
    "curricularface": "curricularface",
    "sphereface": "sphereface",
    "combined": "combined",
}
"""Each head and its loss."""
