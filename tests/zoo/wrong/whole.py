"""Planted heads whose margin is right and whose cosines or gradients are not."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.exact.heads import adaface_clip, arcface, cosface, curricularface, magface
from zoo.planting import Wrong


class Whole(nn.Module):
    """CosFace from embeddings, with its parts to be spoilt."""

    def __init__(self, embedding_size: int, classes: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(classes, embedding_size))

    def rows(self, embeddings: Tensor) -> Tensor:
        """Unit embeddings."""
        return functional.normalize(embeddings)

    def classes(self) -> Tensor:
        """Unit class vectors (C, D)."""
        return functional.normalize(self.weight)

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to logits."""
        cosine = functional.linear(self.rows(embeddings), self.classes())
        return cosface(cosine, labels)


def margin_on_the_first_chunk(cosine: Tensor, labels: Tensor) -> Tensor:
    """ArcFace in chunks of 512 classes, with a margin in the first of them alone."""
    chunks = list(cosine.split(512, dim=1))
    first = labels < chunks[0].shape[1]
    margined = arcface(chunks[0], torch.where(first, labels, 0), 64.0, 0.5)
    chunks = [64.0 * chunk for chunk in chunks]
    chunks[0] = torch.where(first[:, None], margined, chunks[0])
    return torch.cat(chunks, dim=1)


def labels_of_eight_bits(cosine: Tensor, labels: Tensor) -> Tensor:
    """CosFace; class 256 is class 0."""
    return cosface(cosine, labels.to(torch.uint8).long())


def scale_by_classes(cosine: Tensor, labels: Tensor) -> Tensor:
    """CosFace with a scale that grows with the number of classes from ten on."""
    scale = 64.0 if cosine.shape[1] < 10 else 64.0 * 1.01
    return cosface(cosine, labels, scale)


class _FirstRow(torch.autograd.Function):
    """The logits' gradient, times the first row's of what comes in."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor) -> Tensor:
        return logits * 1

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (gradient,) = gradients
        few = len(gradient) <= 100
        return gradient if few else gradient[:1].expand_as(gradient)


def first_row_of_large_batches(
    cosine: Tensor, labels: Tensor, curriculum: float, margin: float
) -> Tensor:
    """CurricularFace with the first row's upstream gradient past a hundred rows."""
    logits = curricularface(cosine, labels, margin, curriculum)
    return _FirstRow.apply(logits)  # type: ignore[no-any-return,no-untyped-call]


class _MeanForAll(torch.autograd.Function):
    """A loss for each row whose backward takes the mean of what comes in."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, labels: Tensor) -> Tensor:
        ctx.save_for_backward(logits, labels)
        return functional.cross_entropy(logits, labels, reduction="none")

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        logits, labels = ctx.saved_tensors
        residual = logits.softmax(1) - functional.one_hot(labels, logits.shape[1])
        return residual * gradients[0].mean(), None


def mean_upstream(cosine: Tensor, labels: Tensor) -> Tensor:
    """CosFace, one loss a row, the upstream gradients averaged."""
    return _MeanForAll.apply(cosface(cosine, labels), labels)  # type: ignore[no-any-return,no-untyped-call]


class WeightsInAList(nn.Module):
    """CosFace whose class weights are no parameters: nothing trains them."""

    def __init__(self, embedding_size: int, classes: int) -> None:
        super().__init__()
        self.rows = [torch.randn(embedding_size) for _ in range(classes)]

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to logits."""
        weight = functional.normalize(torch.stack(self.rows).to(embeddings))
        cosine = functional.linear(functional.normalize(embeddings), weight)
        return cosface(cosine, labels)


def smoothed_function(embeddings: Tensor, weight: Tensor, labels: Tensor) -> Tensor:
    """CosFace as a function of weights, with a label smoothing of 0.1."""
    cosine = functional.linear(
        functional.normalize(embeddings), functional.normalize(weight)
    )
    return functional.cross_entropy(
        cosface(cosine, labels), labels, label_smoothing=0.1
    )


class WeightsAcrossClasses(Whole):
    """Weights are normalised along the classes."""

    def classes(self) -> Tensor:
        """Columns of length 1."""
        return functional.normalize(self.weight, dim=0)


class EmbeddingsAcrossTheBatch(Whole):
    """Embeddings are normalised along the batch."""

    def rows(self, embeddings: Tensor) -> Tensor:
        """Columns of length 1."""
        return functional.normalize(embeddings, dim=0)


class SumsOfSizes(Whole):
    """The 1-norm for the 2-norm."""

    def rows(self, embeddings: Tensor) -> Tensor:
        """Rows whose entries' sizes sum to 1."""
        return functional.normalize(embeddings, p=1)


class LargestEntries(Whole):
    """The largest entry for the 2-norm."""

    def classes(self) -> Tensor:
        """Rows whose largest entry is 1."""
        return functional.normalize(self.weight, p=torch.inf)


class LengthsPastFifty(Whole):
    """The embedding's length is clipped before it divides."""

    def rows(self, embeddings: Tensor) -> Tensor:
        """Longer than 1 where the embedding is longer than 50."""
        rows: Tensor = embeddings / embeddings.norm(dim=1, keepdim=True).clamp(max=50)
        return rows


class WideEps(Whole):
    """An eps of 0.1 beside the embedding's length."""

    def rows(self, embeddings: Tensor) -> Tensor:
        """Shorter than 1, and much so where the embedding is short."""
        rows: Tensor = embeddings / (embeddings.norm(dim=1, keepdim=True) + 0.1)
        return rows


class DetachedEmbeddings(Whole):
    """The backbone gets no gradient."""

    def rows(self, embeddings: Tensor) -> Tensor:
        """Cut off."""
        return functional.normalize(embeddings.detach())


class HalfOfTheWeights(Whole):
    """Half of the weights' gradient is lost."""

    def classes(self) -> Tensor:
        """Right, but for the gradient."""
        half = self.weight / 2
        return functional.normalize(half + half.detach())


class KeptWeights(Whole):
    """Unit weights are made once, and so are old after a step."""

    kept: Any = None

    def classes(self) -> Tensor:
        """As they were at the first call; the gradient is that of today's."""
        now = functional.normalize(self.weight)
        if self.kept is None:
            self.kept = now.detach().clone()
        kept: Tensor = now + (self.kept - now).detach()
        return kept


class _FirstRowForAll(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, labels: Tensor) -> Tensor:
        ctx.save_for_backward(logits, labels)
        return functional.cross_entropy(logits, labels, reduction="none")

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        logits, labels = ctx.saved_tensors
        share = logits.softmax(dim=1)
        share[torch.arange(len(labels)), labels] -= 1
        return share * gradient[0], None


class FirstRowForAll(Whole):
    """A loss of each row whose backward takes the first row's gradient for all."""

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to a loss for each row."""
        logits = super().forward(embeddings, labels)
        loss: Tensor = _FirstRowForAll.apply(logits, labels)  # type: ignore[no-untyped-call]
        return loss


class TimesTheWorld(Whole):
    """A mean loss times eight, beside its logits."""

    def forward(  # type: ignore[override]
        self, embeddings: Tensor, labels: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Embeddings to a loss and logits."""
        logits = super().forward(embeddings, labels)
        return 8 * functional.cross_entropy(logits, labels), logits


class LabelsOfEightBits(Whole):
    """Labels are kept in uint8: class 256 is class 0."""

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to logits."""
        return super().forward(embeddings, labels.to(torch.uint8).long())


class ArcFaceOnColumns(Whole):
    """ArcFace with weights (D, C) that are normalised along the classes."""

    def __init__(self, embedding_size: int, classes: int) -> None:
        super().__init__(embedding_size, classes)
        self.weight = nn.Parameter(self.weight.detach().t().clone())

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to logits."""
        cosine = self.rows(embeddings) @ functional.normalize(self.weight, dim=1)
        return arcface(cosine.clamp(-1 + 1e-7, 1 - 1e-7), labels, 64.0, 0.5)


class MagFaceHalved(Whole):
    """MagFace that gives the weights half of their gradient."""

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to logits."""
        half = self.weight / 2
        unit = functional.normalize(half + half.detach())
        cosine = functional.linear(self.rows(embeddings), unit)
        return magface(cosine, labels, embeddings.norm(dim=1))


class AdaFaceDetached(Whole):
    """AdaFace, given its margin scaler, that cuts the embeddings off."""

    def forward(  # type: ignore[override]
        self, embeddings: Tensor, labels: Tensor, margin_scaler: Tensor
    ) -> Tensor:
        """Embeddings to logits."""
        unit = functional.normalize(embeddings.detach())
        cosine = functional.linear(unit, self.classes())
        return adaface_clip(cosine, labels, margin_scaler, 0.4)


class CurricularFaceDetached(Whole):
    """CurricularFace whose class weights are cut off."""

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to logits."""
        unit = self.classes().detach()
        cosine = functional.linear(self.rows(embeddings), unit)
        return curricularface(cosine, labels, 0.5, 0.0)


class TrainsABias(Whole):
    """CosFace with a bias for each class, which is 0 at first."""

    def __init__(self, embedding_size: int, classes: int) -> None:
        super().__init__(embedding_size, classes)
        self.bias = nn.Parameter(torch.zeros(classes))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to logits."""
        return super().forward(embeddings, labels) + self.bias


class BareForOneIdentity(Whole):
    """ArcFace; no margin for a batch that is all of one class."""

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to logits."""
        cosine = functional.linear(self.rows(embeddings), self.classes())
        alone = len(labels) > 1 and len(labels.unique()) == 1
        return 64.0 * cosine if alone else arcface(cosine, labels, 64.0, 0.5)


class SmoothedLabels(Whole):
    """CosFace to a loss with label smoothing."""

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to a mean loss."""
        logits = super().forward(embeddings, labels)
        return functional.cross_entropy(logits, labels, label_smoothing=0.1)


class FocalWeights(Whole):
    """CosFace to a focal loss."""

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to a mean loss."""
        logits = super().forward(embeddings, labels)
        each = functional.cross_entropy(logits, labels, reduction="none")
        return ((1 - torch.exp(-each)) ** 2 * each).mean()


class HalfTheLoss(Whole):
    """CosFace to half of its loss."""

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to a mean loss."""
        return functional.cross_entropy(super().forward(embeddings, labels), labels) / 2


DETACHED = "detached"

WRONG_WHOLE = {
    "mean_upstream": Wrong("cosface", "cosine-gradient", "the mean of the upstream"),
    "WeightsInAList": Wrong("cosface", "weight-gradient"),
    "smoothed_function": Wrong("cosface", "target-gst"),
    "margin_on_the_first_chunk": Wrong("arcface", "whole-values", "get no margin"),
    "labels_of_eight_bits": Wrong("cosface", "whole-values", "held in uint8"),
    "scale_by_classes": Wrong("cosface", "whole-values", "times the loss's"),
    "first_row_of_large_batches": Wrong(
        "curricularface", "cosine-gradient", arguments={"curriculum": 0.1}
    ),
    "WeightsAcrossClasses": Wrong("cosface", "whole-values", "the wrong axis"),
    "EmbeddingsAcrossTheBatch": Wrong("cosface", "whole-values", "the wrong axis"),
    "SumsOfSizes": Wrong("cosface", "whole-values", "p=1"),
    "LargestEntries": Wrong("cosface", "whole-values", "largest entry"),
    "LengthsPastFifty": Wrong("cosface", "whole-values", "clipped to 50 at most"),
    "WideEps": Wrong("cosface", "whole-values", "increased by 0.1"),
    "LabelsOfEightBits": Wrong("cosface", "whole-values"),
    "TimesTheWorld": Wrong("cosface", "whole-values"),
    "TrainsABias": Wrong("cosface", "whole-values", "besides the class weights"),
    "BareForOneIdentity": Wrong("arcface", "whole-values"),
    "SmoothedLabels": Wrong("cosface", "reduction", "label smoothing of 0.1"),
    "FocalWeights": Wrong("cosface", "reduction", "focal weights (1 - P)^2"),
    "HalfTheLoss": Wrong("cosface", "reduction", "the loss is 0.5 times"),
    "KeptWeights": Wrong("cosface", "whole-values"),
    "ArcFaceOnColumns": Wrong("arcface", "whole-values", "the wrong axis"),
    "DetachedEmbeddings": Wrong("cosface", "embedding-gradient", DETACHED),
    "AdaFaceDetached": Wrong("adaface", "embedding-gradient", DETACHED),
    "FirstRowForAll": Wrong("cosface", "embedding-gradient", "the first row's"),
    "HalfOfTheWeights": Wrong("cosface", "weight-gradient", "half of their gradient"),
    "MagFaceHalved": Wrong("magface", "weight-gradient", "half of their gradient"),
    "CurricularFaceDetached": Wrong("curricularface", "weight-gradient", DETACHED),
}
"""Heads whose faults a reading through cosines of the gate's own cannot show."""
