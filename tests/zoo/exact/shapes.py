"""Exact heads in every shape, which must pass however they are read, and wrong ones."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.exact.heads import (
    AdaFaceHead,
    arcface,
    at_target,
    cosface,
    own,
    safe_sine,
    turned,
)

unit = functional.normalize


class ByRows(nn.Module):
    """CosFace with weights (C, D)."""

    margin = 0.35

    def __init__(self, in_features: int, num_labels: int, s_: float = 64.0) -> None:
        super().__init__()
        self.s = s_
        self.weight = nn.Parameter(torch.randn(num_labels, in_features))

    def cosine(self, x: Tensor) -> Tensor:
        """Cosines of embeddings with the weights."""
        return functional.linear(unit(x), unit(self.weight))

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        """Embeddings to logits."""
        return cosface(self.cosine(x), label, self.s, self.margin)


class LabelsFirst(ByRows):
    """Labels, then embeddings."""

    def forward(self, label: Tensor, x: Tensor) -> Tensor:  # type: ignore[override]
        """Embeddings to logits."""
        return cosface(self.cosine(x), label, self.s, self.margin)


class HandsOn(ByRows):
    """Hands its arguments on to its parent."""

    def __init__(self, margin: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.margin = margin


class ByColumns(ByRows):
    """Weights (D, C), in a tuple of logits and cosines."""

    def __init__(self, feat_dim: int, class_num: int, gamma: float) -> None:
        super().__init__(feat_dim, class_num, gamma)
        self.weight = nn.Parameter(torch.randn(feat_dim, class_num))

    def cosine(self, x: Tensor) -> Tensor:
        """Cosines of embeddings with the weights."""
        return unit(x) @ unit(self.weight, dim=0)

    def forward(self, x: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """Embeddings to logits and cosines."""
        cosine = self.cosine(x)
        return cosface(cosine, label, self.s), cosine


class ByEinsum(ByRows):
    """The product as an einsum."""

    def cosine(self, x: Tensor) -> Tensor:
        """Cosines of embeddings with the weights."""
        return torch.einsum("bd,cd->bc", unit(x), unit(self.weight))


class ByElements(ByRows):
    """The product element by element."""

    def cosine(self, x: Tensor) -> Tensor:
        """Cosines of embeddings with the weights."""
        return (unit(x)[:, None] * unit(self.weight)).sum(-1)


class BySimilarity(ByRows):
    """torch's own cosine similarity."""

    def cosine(self, x: Tensor) -> Tensor:
        """Cosines of embeddings with the weights."""
        return functional.cosine_similarity(x[:, None], self.weight[None], dim=-1)


class ByBatches(ByRows):
    """A batched product, one for each embedding."""

    def cosine(self, x: Tensor) -> Tensor:
        """Cosines of embeddings with the weights."""
        weight = unit(self.weight).expand(len(x), -1, -1)
        return torch.bmm(weight, unit(x)[:, :, None])[..., 0]


class DividedLater(ByRows):
    """Normalised after the product, so that the product is not the cosine."""

    def cosine(self, x: Tensor) -> Tensor:
        """Cosines of embeddings with the weights."""
        lengths = x.norm(dim=1, keepdim=True) * self.weight.norm(dim=1)
        cosine: Tensor = functional.linear(x, self.weight) / lengths
        return cosine


class AnotherProductFirst(ByRows):
    """Another (B, C) product comes first, of which the logits know nothing."""

    def __init__(self, in_features: int, num_labels: int) -> None:
        super().__init__(in_features, num_labels)
        self.auxiliary = nn.Linear(in_features, num_labels)
        self.seen = torch.zeros(())

    def cosine(self, x: Tensor) -> Tensor:
        """Cosines of embeddings with the weights."""
        self.seen = self.auxiliary(x).detach().mean() if self.training else self.seen
        return super().cosine(x)


class OfLinear(nn.Module):
    """nn.Linear without a bias holds the weights."""

    def __init__(self, embedding_size: int, n_classes: int, m: float) -> None:
        super().__init__()
        self.m = m
        self.classes = nn.Linear(embedding_size, n_classes, bias=False)

    def forward(self, features: Tensor, targets: Tensor) -> Tensor:
        """Embeddings to logits."""
        cosine = functional.linear(unit(features), unit(self.classes.weight))
        return cosface(cosine, targets, m=self.m)


class MeanLoss(ByElements):
    """A mean loss by nn.CrossEntropyLoss."""

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        """Embeddings to a loss."""
        loss: Tensor = nn.CrossEntropyLoss()(super().forward(x, label), label)
        return loss


class LossOfEachRow(ByRows):
    """One loss a row, with the logits in a log-softmax."""

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        """Embeddings to losses."""
        shares = functional.log_softmax(super().forward(x, label), dim=1)
        return -own(shares, label)[:, 0]


class SumOfLosses(ByRows):
    """The sum of losses."""

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        """Embeddings to a loss."""
        logits = super().forward(x, label)
        return functional.cross_entropy(logits, label, reduction="sum")


def function_of_weights(
    x: Tensor, weight: Tensor, label: Tensor, s: float = 64.0, m: float = 0.5
) -> Tensor:
    """ArcFace as a function of embeddings, class weights (D, C) and labels."""
    cosine = unit(x) @ functional.normalize(weight, dim=0)
    margined = turned(own(cosine, label), m)
    return functional.cross_entropy(s * at_target(cosine, label, margined), label)


def log_probabilities(cosine: Tensor, labels: Tensor) -> Tensor:
    """CosFace's logits less their logsumexp: right up to a number a row."""
    hot = functional.one_hot(labels, cosine.shape[1])
    return (64.0 * (cosine - 0.35 * hot)).log_softmax(1)


class UnseenLogits(ByRows):
    """A loss whose logits go through no function that could be watched."""

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        """Embeddings to a mean loss."""
        logits = super().forward(x, label)
        top = logits.detach().amax(dim=1, keepdim=True)
        total = (logits - top).exp().sum(dim=1).log()
        return (total - own(logits - top, label)[:, 0]).mean()


class UnseenInABox(UnseenLogits, ByElements):
    """The same, with cosines that no leaf can replace."""


class ArcFaceByElements(ByElements):
    """ArcFace's formula everywhere."""

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        """Embeddings to logits."""
        cosine = self.cosine(x)
        return self.s * at_target(cosine, label, turned(own(cosine, label), 0.5))


class AdaFaceByElements(nn.Module):
    """AdaFace's own head but for the product; norms (B, 1)."""

    batch_mean: Tensor
    batch_std: Tensor

    def __init__(self, embedding_size: int, classnum: int, m: float, h: float) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(embedding_size, classnum))
        self.m, self.h = m, h
        self.register_buffer("batch_mean", torch.tensor(20.0))
        self.register_buffer("batch_std", torch.tensor(100.0))

    def forward(self, a: Tensor, norms: Tensor, label: Tensor) -> Tensor:
        """Unit embeddings, their norms and labels to logits."""
        cosine = (a[:, :, None] * unit(self.kernel, dim=0)).sum(dim=1)
        if norms.shape != (len(a), 1):
            raise ValueError("norms must be (B, 1)")
        with torch.no_grad():
            safe = norms.clip(min=1e-3, max=100)
            good = safe[~safe.isnan()]
            if self.training and len(good) > 1:
                self.batch_mean.lerp_(good.mean().to(self.batch_mean), 0.01)
                self.batch_std.lerp_(good.std().to(self.batch_std), 0.01)
            scaler = self.h * (safe - self.batch_mean) / (self.batch_std + 1e-3)
        shift = self.m * scaler.clip(-1, 1)
        cosine = cosine.clamp(-1 + 1e-3, 1 - 1e-3)
        angle = (own(cosine, label).acos() - shift).clip(1e-3, math.pi - 1e-3)
        return 64.0 * at_target(cosine, label, angle.cos() - (self.m + shift))


class MagFaceByElements(nn.Module):
    """MagFace with the embedding's own length, and no product."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features))

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        """Embeddings to logits."""
        length = x.norm(dim=1, keepdim=True)
        cosine = ((x / length)[:, None] * unit(self.weight)).sum(-1)
        share = (length.clip(10, 110) - 10) / (110 - 10)
        margin = 0.45 + (0.8 - 0.45) * share
        target = own(cosine, label)
        sine = safe_sine(target)
        margined = target * margin.cos() - sine * margin.sin()
        return 64.0 * at_target(cosine, label, margined)


WRONG_IN_SHAPES = {
    "MarginOfAnotherSize": "target-logit",
    "MarginOfAnotherSizeInABox": "target-logit",
    "UnseenMarginOfAnotherSize": "target-gst",
    "UnseenMarginOfAnotherSizeInABox": "target-gst",
    "WithBias": "target-logit",
    "DetachedInABox": "own-gradient",
}
"""Heads that are wrong, whichever way they are read, and the check that says so."""


class MarginOfAnotherSize(ByRows):
    """Its margin is not the one it was judged by."""

    margin = 0.34


class MarginOfAnotherSizeInABox(ByElements):
    """The same."""

    margin = 0.34


class UnseenMarginOfAnotherSize(UnseenLogits):
    """The same."""

    margin = 0.34


class UnseenMarginOfAnotherSizeInABox(UnseenInABox):
    """The same."""

    margin = 0.34


class WithBias(ByRows):
    """Adds a bias in its product, which a leaf would hide."""

    def cosine(self, x: Tensor) -> Tensor:
        """Cosines of embeddings with the weights, and 1/8 for the first class."""
        bias = torch.zeros(len(self.weight)).to(x)
        bias[0] = 0.125
        return functional.linear(unit(x), unit(self.weight), bias)


class DetachedInABox(ArcFaceByElements):
    """The margin is worked out without gradient."""

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        """Embeddings to logits."""
        cosine = self.cosine(x)
        margined = super().forward(x, label) / 64.0
        return 64.0 * (cosine + (margined - cosine).detach())


class CombinedMargin(nn.Module):
    """ArcFace as one of the combined margins, on cosines."""

    def __init__(self, s: float, m1: float, m2: float, m3: float) -> None:
        super().__init__()
        self.s, self.m1, self.m2, self.m3 = s, m1, m2, m3

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Cosines to logits."""
        if self.m1 != 1.0 or self.m3 != 0.0:
            raise ValueError("m1 must be 1 and m3 must be 0")
        target = turned(own(logits, labels), self.m2)
        return self.s * at_target(logits, labels, target)


class InShards(nn.Module):
    """CosFace whose class vectors lie in three parameters."""

    def __init__(self, embedding_size: int, classes: int) -> None:
        super().__init__()
        ends = torch.arange(3) + classes
        blocks = [torch.randn(int(end) // 3, embedding_size) for end in ends]
        self.blocks = nn.ParameterList(blocks)

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to logits."""
        parts = [unit(embeddings) @ unit(block).T for block in self.blocks]
        return cosface(torch.cat(parts, dim=1), labels)


class ByLogSumExp(nn.Module):
    """ArcFace's loss without logits; the target's cosine alone is clamped."""

    def __init__(self, embedding_size: int, classes: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(classes, embedding_size))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to a mean loss."""
        rows = unit(embeddings)
        mine = (rows * unit(self.weight[labels])).sum(1).clamp(-1 + 1e-7, 1 - 1e-7)
        margined = 64.0 * torch.cos(mine.acos() + 0.5)
        hot = functional.one_hot(labels, len(self.weight)).bool()
        all_others = (64.0 * rows @ unit(self.weight).T).masked_fill(hot, -1e30)
        others = all_others.logsumexp(dim=1)
        return (torch.logaddexp(others, margined) - margined).mean()


class AdaFaceMeanLoss(AdaFaceHead):
    """AdaFace with running statistics, to a mean loss."""

    def forward(self, embbedings: Tensor, norms: Tensor, label: Tensor) -> Tensor:
        """Unit embeddings, their norms and labels to a loss."""
        return functional.cross_entropy(
            super().forward(embbedings, norms, label), label
        )


class HookedArcFace(nn.Module):
    """ArcFace with a hook that looks at what is given by position."""

    def __init__(self, embedding_size: int, classes: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(classes, embedding_size))
        self.register_forward_pre_hook(lambda _, given: (given[0] * 1, *given[1:]))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to logits."""
        return arcface(unit(embeddings) @ unit(self.weight).T, labels, 64.0, 0.5)


class CosFaceCrossEntropy(nn.CrossEntropyLoss):
    """CosFace on cosines, in the place of a loss of torch."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Cosines to a loss."""
        return super().forward(cosface(input, target), target)


def less_their_largest(cosine: Tensor, labels: Tensor, scale: float) -> Tensor:
    """NormFace; each row's logits less the largest of them."""
    logits = scale * cosine
    return logits - logits.amax(dim=1, keepdim=True)


@torch.compile(backend="aot_eager", dynamic=True)
def compiled_ahead(cosine: Tensor, labels: Tensor) -> Tensor:
    """ArcFace, forward and backward compiled together."""
    return arcface(cosine.clamp(-1 + 1e-6, 1 - 1e-6), labels, 64.0, 0.5)


EXACT_SHAPES = {
    "InShards": "cosface",
    "ByLogSumExp": "arcface",
    "AdaFaceMeanLoss": "adaface",
    "HookedArcFace": "arcface",
    "CosFaceCrossEntropy": "cosface",
    "less_their_largest": "normface",
}
"""Heads in shapes of their own."""

BY_LEAF = (
    "ByRows",
    "LabelsFirst",
    "HandsOn",
    "ByColumns",
    "ByEinsum",
    "DividedLater",
    "OfLinear",
    "LossOfEachRow",
    "SumOfLosses",
    "UnseenLogits",
)
"""CosFace heads that a leaf of cosines reads."""

BY_BLACK_BOX = {
    "ByElements": "cosface",
    "BySimilarity": "cosface",
    "ByBatches": "cosface",
    "AnotherProductFirst": "cosface",
    "MeanLoss": "cosface",
    "UnseenInABox": "cosface",
    "ArcFaceByElements": "arcface",
    "AdaFaceByElements": "adaface",
    "MagFaceByElements": "magface",
}
"""Heads that must be read as black boxes."""

OF_FUNCTIONS = {"function_of_weights": "arcface", "log_probabilities": "cosface"}
"""Functions: of embeddings and weights, and to what is no logit but as good as one."""
