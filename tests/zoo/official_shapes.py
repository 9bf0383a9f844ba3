"""Heads with the faithful shape of public ones, faults and all."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.exact.heads import adaface_clip


class OfficialAdaFace(nn.Module):
    """AdaFace's own head: kernel (D, C), norms (B, 1), statistics with their faults."""

    batch_mean: Tensor
    batch_std: Tensor

    def __init__(
        self,
        embedding_size: int = 512,
        classnum: int = 70722,
        m: float = 0.4,
        h: float = 0.333,
        s: float = 64.0,
        t_alpha: float = 1.0,
    ) -> None:
        super().__init__()
        self.classnum = classnum
        self.kernel = nn.Parameter(torch.Tensor(embedding_size, classnum))
        self.kernel.data.uniform_(-1, 1).renorm_(2, 1, 1e-5).mul_(1e5)
        self.m, self.h, self.s = m, h, s
        self.eps, self.t_alpha = 1e-3, t_alpha
        self.register_buffer("t", torch.zeros(1))
        self.register_buffer("batch_mean", torch.ones(1) * 20)
        self.register_buffer("batch_std", torch.ones(1) * 100)

    def update(self, safe_norms: Tensor) -> None:
        """Moves the statistics, in eval mode and for a batch of one, too."""
        mean = safe_norms.mean().detach()
        std = safe_norms.std().detach()
        self.batch_mean = mean * self.t_alpha + (1 - self.t_alpha) * self.batch_mean
        self.batch_std = std * self.t_alpha + (1 - self.t_alpha) * self.batch_std

    def forward(self, embeddings: Tensor, norms: Tensor, label: Tensor) -> Tensor:
        """Unit embeddings, their norms (B, 1) and labels to logits."""
        kernel = self.kernel / self.kernel.norm(2, 0, True)
        cosine = torch.mm(embeddings, kernel)
        cosine = cosine.clamp(-1 + self.eps, 1 - self.eps)
        safe_norms = torch.clip(norms, min=0.001, max=100).clone().detach()
        with torch.no_grad():
            self.update(safe_norms)
        scaler = (safe_norms - self.batch_mean) / (self.batch_std + self.eps)
        scaler = torch.clip(scaler * self.h, -1, 1)
        hot = torch.zeros_like(cosine).scatter_(1, label.reshape(-1, 1), 1.0)
        theta_m = cosine.acos() + hot * (-self.m * scaler)
        margined = theta_m.clip(min=self.eps, max=math.pi - self.eps).cos()
        return (margined - hot * (self.m + self.m * scaler)) * self.s


class RepairedAdaFace(OfficialAdaFace):
    """The same, with every fault repaired."""

    def update(self, safe_norms: Tensor) -> None:
        """Moves the statistics in training, by two good norms or more."""
        good = safe_norms[~safe_norms.isnan()]
        if self.training and len(good) > 1:
            super().update(good)

    def forward(self, embeddings: Tensor, norms: Tensor, label: Tensor) -> Tensor:
        """Norms in either shape."""
        return super().forward(embeddings, norms.reshape(-1, 1), label)


class NamelessAdaFace(nn.Module):
    """Exact; no name says what it keeps."""

    first: Tensor
    second: Tensor

    def __init__(self, embedding_size: int, classnum: int) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(embedding_size, classnum))
        self.register_buffer("first", torch.tensor(100.0))
        self.register_buffer("second", torch.tensor(20.0))

    def forward(self, embeddings: Tensor, norms: Tensor, label: Tensor) -> Tensor:
        """Unit embeddings, norms in either shape and labels to logits."""
        cosine = torch.mm(embeddings, functional.normalize(self.kernel, dim=0))
        safe = norms.detach().reshape(-1, 1).clip(0.001, 100)
        good = safe[~safe.isnan()]
        if self.training and len(good) > 1:
            self.second = torch.lerp(self.second, good.mean(), 0.01)
            self.first = torch.lerp(self.first, good.std(), 0.01)
        scaler = 0.333 * (safe - self.second) / (self.first + 1e-3)
        return adaface_clip(cosine, label, scaler.clip(-1, 1)[:, 0], 0.4)


class OfficialCurricularFace(nn.Module):
    """CurricularFace's own head: t moves in eval mode, too."""

    t: Tensor

    def __init__(
        self, in_features: int, out_features: int, m: float = 0.5, s: float = 64.0
    ) -> None:
        super().__init__()
        self.m, self.s = m, s
        self.cos_m, self.sin_m = math.cos(m), math.sin(m)
        self.threshold, self.mm = math.cos(math.pi - m), math.sin(math.pi - m) * m
        self.kernel = nn.Parameter(torch.randn(in_features, out_features))
        self.register_buffer("t", torch.zeros(1))

    def followed(self, target: Tensor, cosine: Tensor) -> Tensor:
        """What t follows."""
        return target.mean()

    def update(self, target: Tensor, cosine: Tensor) -> None:
        """Moves t by each batch."""
        self.t = self.followed(target, cosine) * 0.01 + (1 - 0.01) * self.t

    def forward(self, embeddings: Tensor, label: Tensor) -> Tensor:
        """Embeddings and labels to logits."""
        cosine = torch.mm(
            functional.normalize(embeddings), functional.normalize(self.kernel, dim=0)
        ).clamp(-1, 1)
        target = cosine.gather(1, label.view(-1, 1))
        sine = (1.0 - target.square()).clamp(min=torch.finfo(cosine.dtype).tiny).sqrt()
        turned = target * self.cos_m - sine * self.sin_m
        hard = cosine > turned
        margined = torch.where(target > self.threshold, turned, target - self.mm)
        with torch.no_grad():
            self.update(target, cosine)
        others = torch.where(hard, cosine * (self.t + cosine), cosine)
        return self.s * others.scatter(1, label.view(-1, 1), margined)


class RepairedCurricularFace(OfficialCurricularFace):
    """The same, with t held in eval mode and NaN kept out."""

    def update(self, target: Tensor, cosine: Tensor) -> None:
        """Moves t in training, by good rows."""
        good = ~target[:, 0].isnan()
        if self.training and good.any():
            super().update(target[good], cosine[good])


EXACT_STATISTICS = {
    "RepairedAdaFace": "adaface",
    "NamelessAdaFace": "adaface",
    "RepairedCurricularFace": "curricularface",
}
"""Exact heads with statistics, and their losses."""
