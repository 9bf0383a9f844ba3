"""More exact heads, of the losses that exact.py writes one way only."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.exact.heads import at_target, own, turned


class NormFaceHead(nn.Module):
    """Scaled cosines, by einsum, with weights of its own."""

    def __init__(self, feat_dim: int, num_classes: int, scale: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(num_classes, feat_dim))
        self.scale = scale

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to logits."""
        unit, centres = (functional.normalize(v) for v in (features, self.weight))
        return torch.einsum("bd,cd->bc", unit, centres) * self.scale


def sphereface_acos(cosine: Tensor, labels: Tensor, multiplier: int) -> Tensor:
    """By acos of clamped cosines, the sign from the arc's parity."""
    clamped = cosine.clamp(-1 + 1e-7, 1 - 1e-7)
    angle = own(clamped, labels).acos() * multiplier
    arc = (angle.detach() / math.pi).floor().clamp(max=multiplier - 1)
    sign = torch.where(arc % 2 == 0, 1.0, -1.0).to(cosine)
    return 64.0 * at_target(clamped, labels, sign * angle.cos() - 2 * arc)


def combined_by_addition(cosine: Tensor, labels: Tensor) -> Tensor:
    """m1 = 1, by the addition formula, the additive margin by a one-hot."""
    hot = functional.one_hot(labels, cosine.shape[1]).to(cosine)
    margined = at_target(cosine, labels, turned(own(cosine, labels), 0.3))
    return (margined - hot * 0.2) * 64.0


class CurricularFaceHead(nn.Module):
    """As the official head has it, with its buffer t."""

    t: Tensor

    def __init__(self, in_features: int, out_features: int, m: float, s: float) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(in_features, out_features))
        self.register_buffer("t", torch.zeros(1))
        self.m, self.s = m, s

    def forward(self, embbedings: Tensor, label: Tensor) -> Tensor:
        """Embeddings to logits."""
        unit = functional.normalize(embbedings, dim=1)
        cosine = torch.mm(unit, functional.normalize(self.kernel, dim=0))
        target = own(cosine, label)
        margined = turned(target, self.m)
        if self.training and bool(target.isfinite().all()):
            self.t.copy_(target.detach().mean() * 0.01 + 0.99 * self.t)
        plain = target - math.sin(self.m) * self.m
        final = torch.where(target > math.cos(math.pi - self.m), margined, plain)
        modulated = torch.where(cosine > margined, cosine * (self.t + cosine), cosine)
        return at_target(modulated, label, final) * self.s


class MagFaceHead(nn.Module):
    """The norms are the embeddings' own lengths."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(in_features, out_features))

    def forward(self, x: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Embeddings to (logits, norms)."""
        norms = x.norm(dim=1, keepdim=True).clamp(10, 110)
        margin = 0.35 / 100 * (norms - 10) + 0.45
        unit = functional.normalize(x)
        cosine = torch.mm(unit, functional.normalize(self.weight, dim=0))
        return 64.0 * at_target(cosine, target, turned(own(cosine, target), margin)), x


class AdaFaceFactory:
    """A class that is called with cosines and the margin scaler."""

    def __init__(self, margin: float, scale: float) -> None:
        self.margin, self.scale = margin, scale

    def __call__(self, cosine: Tensor, labels: Tensor, margin_scaler: Tensor) -> Tensor:
        """Cosines to logits."""
        angular = -self.margin * margin_scaler
        additive = self.margin + self.margin * margin_scaler
        target = turned(own(cosine, labels), angular[:, None]) - additive[:, None]
        return self.scale * at_target(cosine, labels, target)


EXACT = {
    "NormFaceHead": "normface",
    "sphereface_acos": "sphereface",
    "combined_by_addition": "combined",
    "CurricularFaceHead": "curricularface",
    "MagFaceHead": "magface",
    "AdaFaceFactory": "adaface",
}
"""Each head and its loss."""
