"""Exact heads that keep their manners in ways of their own; every one must pass."""

from __future__ import annotations

from collections import deque

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.exact.heads import AdaFaceHead, CosFaceLoss, cosface, own, safe_sine


class SummedLoss(CosFaceLoss):
    """CosFace with the sum over the batch."""

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to a loss."""
        unit = functional.normalize(embeddings)
        cosine = unit @ functional.normalize(self.centres, dim=0)
        logits = cosface(cosine, labels, self.s)
        return functional.cross_entropy(logits, labels, reduction="sum")


class LossOfEachRow(CosFaceLoss):
    """CosFace with one value for each row."""

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to losses."""
        unit = functional.normalize(embeddings)
        cosine = unit @ functional.normalize(self.centres, dim=0)
        logits = cosface(cosine, labels, self.s)
        return functional.cross_entropy(logits, labels, reduction="none")


class IgnoresMinusOne(CosFaceLoss):
    """CosFace that leaves rows with label -1 out."""

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to a mean over the rows that count."""
        unit = functional.normalize(embeddings)
        cosine = unit @ functional.normalize(self.centres, dim=0)
        logits = cosface(cosine, labels.clamp(min=0), self.s)
        return functional.cross_entropy(logits, labels, ignore_index=-1)


def no_margin_for_minus_one(cosine: Tensor, labels: Tensor) -> Tensor:
    """CosFace whose one-hot is empty for label -1."""
    hot = labels[:, None] == torch.arange(cosine.shape[1])
    return 64.0 * (cosine - 0.35 * hot.to(cosine))


class DropoutInTraining(nn.Module):
    """CosFace with dropout of embeddings that is off in training, too: p = 0."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(in_features, out_features))
        self.dropout = nn.Dropout(0.0)

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        """Embeddings to logits."""
        unit = functional.normalize(self.dropout(x))
        return cosface(unit @ functional.normalize(self.weight, dim=0), label)


class AdaFaceFromLength(AdaFaceHead):
    """AdaFace whose norms are the embeddings' own length, detached."""

    def __init__(self, embedding_size: int, classnum: int) -> None:
        super().__init__(embedding_size, classnum, 0.4, 0.333)

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:  # type: ignore[override]
        """Embeddings to logits."""
        norms = torch.linalg.vector_norm(embeddings, dim=1).detach()
        return super().forward(functional.normalize(embeddings), norms, labels)


class MagFaceLoss(nn.Module):
    """MagFace to a mean loss, its regulariser added; norms are the embeddings' own."""

    def __init__(self, embedding_size: int, classes: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(classes, embedding_size))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to a mean loss."""
        norms = torch.linalg.vector_norm(embeddings, dim=1, keepdim=True)
        cosine = functional.linear(
            functional.normalize(embeddings), functional.normalize(self.weight)
        )
        norms = norms.clip(10, 110)
        margin = 0.45 + (0.8 - 0.45) * (norms - 10) / (110 - 10)
        target = own(cosine, labels)
        target = target * margin.cos() - safe_sine(target) * margin.sin()
        hot = functional.one_hot(labels, cosine.shape[1]).bool()
        logits = 64.0 * torch.where(hot, target, cosine)
        penalty: Tensor = (norms / 110**2 + 1 / norms).mean()
        return functional.cross_entropy(logits, labels) + 35.0 * penalty


class CountsInEvalMode(CosFaceLoss):
    """A count of calls that nothing depends on."""

    seen: Tensor

    def __init__(self, embedding_size: int, num_classes: int) -> None:
        super().__init__(embedding_size, num_classes)
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to a mean loss."""
        with torch.no_grad():
            self.seen += 1
        return super().forward(embeddings, labels)


class LogsTheLastLosses(CosFaceLoss):
    """Keeps the last three hundred batches, and every mean as a number."""

    def __init__(self, embedding_size: int, num_classes: int) -> None:
        super().__init__(embedding_size, num_classes)
        self.newest: deque[Tensor] = deque(maxlen=300)
        self.means: list[Tensor] = []

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to a mean loss."""
        loss = super().forward(embeddings, labels)
        self.newest.append(embeddings.detach())
        self.means.append(loss.detach())
        return loss


EXACT_BEHAVIOUR = {
    "LogsTheLastLosses": "cosface",
    "CountsInEvalMode": "cosface",
    "SummedLoss": "cosface",
    "LossOfEachRow": "cosface",
    "IgnoresMinusOne": "cosface",
    "no_margin_for_minus_one": "cosface",
    "DropoutInTraining": "cosface",
    "AdaFaceFromLength": "adaface",
    "MagFaceLoss": "magface",
}
"""Each head and its loss."""
