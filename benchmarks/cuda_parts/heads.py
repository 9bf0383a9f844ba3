"""A head that only a GPU shows to be wrong."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class OtherOnCuda(nn.Module):
    """CosFace, whose margin is another on CUDA."""

    def __init__(self, s: float = 64.0, m: float = 0.35) -> None:
        super().__init__()
        self.s, self.m = s, m

    def forward(self, cosine: Tensor, labels: Tensor) -> Tensor:
        """Cosines to logits."""
        margin = self.m if cosine.device.type == "cpu" else self.m + 1e-3
        hot = nn.functional.one_hot(labels, cosine.shape[1]).to(cosine)
        return self.s * (cosine - torch.mul(hot, margin))
