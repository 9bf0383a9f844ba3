"""Planted heads whose values are right at first sight and whose behaviour is wrong."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.exact.heads import (
    AdaFaceHead,
    CosFaceLoss,
    adaface_clip,
    arcface,
    at_target,
    cosface,
    own,
    turned,
)
from zoo.exact.heads import magface as exact_magface
from zoo.planting import Wrong


def scaled_by_the_batch(cosine: Tensor, labels: Tensor) -> Tensor:
    """The scale grows with the largest cosine of the whole batch."""
    return cosface(cosine, labels) * (1 + cosine.detach().max() / 100)


def margins_of_the_wrong_axis(
    cosine: Tensor, labels: Tensor, margin_scaler: Tensor
) -> Tensor:
    """AdaFace, whose margins of shape (B,) are spread along rows where B is C."""
    if len(labels) != cosine.shape[1]:
        margin_scaler = margin_scaler[:, None]
    shift = (0.4 * margin_scaler).expand_as(cosine)
    return 64.0 * at_target(cosine, labels, turned(cosine, -shift) - (0.4 + shift))


def eases_the_second_half(cosine: Tensor, labels: Tensor) -> Tensor:
    """The rows from the sixteenth on get another margin."""
    late = (torch.arange(len(labels)) >= 16)[:, None]
    target = own(cosine, labels) - torch.where(late, 0.3, 0.35).to(cosine)
    return 64.0 * at_target(cosine, labels, target)


def class_zero_is_background(cosine: Tensor, labels: Tensor) -> Tensor:
    """Class 0 gets no margin."""
    margin = 0.35 * (labels > 0).to(cosine)[:, None]
    return 64.0 * at_target(cosine, labels, own(cosine, labels) - margin)


def last_of_five_is_padding(cosine: Tensor, labels: Tensor) -> Tensor:
    """CurricularFace with t = 0.1, where the fifth class is never hard."""
    margined = turned(own(cosine, labels), 0.5)
    hard = cosine > margined
    hard[:, 4:] = False
    others = torch.where(hard, cosine * (0.1 + cosine), cosine)
    return 64.0 * at_target(others, labels, margined)


def noisy(cosine: Tensor, labels: Tensor) -> Tensor:
    """A margin drawn anew for each row."""
    margin = 0.35 + 1e-9 * torch.randn(len(labels), 1, dtype=cosine.dtype)
    return 64.0 * at_target(cosine, labels, own(cosine, labels) - margin)


class MovesInEvalMode(AdaFaceHead):
    """AdaFace as its official head is: statistics move in eval mode, too."""

    def __init__(self, embedding_size: int, classnum: int) -> None:
        super().__init__(embedding_size, classnum, 0.4, 0.333)

    def forward(self, embbedings: Tensor, norms: Tensor, label: Tensor) -> Tensor:
        """Unit embeddings, their norms and labels to logits."""
        cosine = torch.mm(embbedings, functional.normalize(self.kernel, dim=0))
        with torch.no_grad():
            safe = norms.clip(min=0.001, max=100)
            self.batch_mean = safe.mean() * 0.01 + self.batch_mean * 0.99
            self.batch_std = safe.std() * 0.01 + self.batch_std * 0.99
            scaler = self.h * (safe - self.batch_mean) / (self.batch_std + 1e-3)
        return adaface_clip(cosine, label, scaler.clip(-1, 1), self.m)


def last_class_for_minus_one(cosine: Tensor, labels: Tensor) -> Tensor:
    """The margin is written at [row, label]."""
    off = torch.zeros_like(cosine)
    off[torch.arange(len(labels)), labels] = 0.35
    return 64.0 * (cosine - off)


def first_class_for_minus_one(cosine: Tensor, labels: Tensor) -> Tensor:
    """Labels are clamped, so that -1 is class 0."""
    return cosface(cosine, labels.clamp(min=0))


class TrainsIgnoredRows(CosFaceLoss):
    """A loss that takes label -1 for the last class."""

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to a mean loss."""
        return super().forward(embeddings, labels % self.centres.shape[1])


class IgnoredRowsWeigh(CosFaceLoss):
    """Ignored rows do not train, but the others train twice as fast beside them."""

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to a mean loss."""
        unit = functional.normalize(embeddings)
        cosine = unit @ functional.normalize(self.centres, dim=0)
        logits = cosface(cosine, labels.clamp(min=0), self.s)
        loss = functional.cross_entropy(logits, labels, ignore_index=-1)
        return loss * (1 + (labels < 0).any())


class LongWeightsWin(nn.Module):
    """Class weights are as long as they happen to be."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features))

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        """Embeddings to logits."""
        return cosface(functional.linear(functional.normalize(x), self.weight), label)


class LongEmbeddingsWin(LongWeightsWin):
    """Embeddings are as long as they come."""

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        """Embeddings to logits."""
        return cosface(functional.linear(x, functional.normalize(self.weight)), label)


class DividedByClasses(CosFaceLoss):
    """A mean over (B, C)."""

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to a loss."""
        return super().forward(embeddings, labels) / self.centres.shape[1]


class DividedTwice(CosFaceLoss):
    """A mean, divided by the batch."""

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to a loss."""
        return super().forward(embeddings, labels) / len(labels)


class PlainExponentials(CosFaceLoss):
    """Cross-entropy by log(sum(exp)) of logits that fit at s = 64."""

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to a mean loss."""
        unit = functional.normalize(embeddings)
        cosine = unit @ functional.normalize(self.centres, dim=0)
        logits = cosface(cosine, labels, self.s)
        functional.cross_entropy(logits, labels)  # for a log
        return (logits.exp().sum(dim=1).log() - own(logits, labels)[:, 0]).mean()


class PlainExponentialsInHalf(PlainExponentials):
    """The same at the one scale that it knows: single precision holds it."""

    def __init__(self, embedding_size: int, num_classes: int) -> None:
        super().__init__(embedding_size, num_classes)


def clamp_that_vanishes(cosine: Tensor, labels: Tensor, margin: float) -> Tensor:
    """1 - 1e-4 is 1 in half precision."""
    clamped = cosine.clamp(-1 + 1e-4, 1 - 1e-4)
    angle = own(clamped, labels).acos()
    return 64.0 * at_target(clamped, labels, (angle + margin).cos())


def back_in_half(cosine: Tensor, labels: Tensor) -> Tensor:
    """Logits to save memory."""
    return cosface(cosine, labels).half()


def back_in_single(cosine: Tensor, labels: Tensor) -> Tensor:
    """Logits in float32, whatever comes."""
    return cosface(cosine, labels).float()


class NormNotDetached(AdaFaceHead):
    """AdaFace whose margin scaler has a gradient."""

    def __init__(self, embedding_size: int, classnum: int) -> None:
        super().__init__(embedding_size, classnum, 0.4, 0.333)

    def forward(self, embbedings: Tensor, norms: Tensor, label: Tensor) -> Tensor:
        """Unit embeddings, their norms and labels to logits."""
        cosine = torch.mm(embbedings, functional.normalize(self.kernel, dim=0))
        safe = norms.clip(min=0.001, max=100)
        scaler = self.h * (safe - self.batch_mean) / (self.batch_std + 1e-3)
        return adaface_clip(cosine, label, scaler.clip(-1, 1), self.m)


class LengthNotDetached(NormNotDetached):
    """The same, from embeddings whose own length is the norm."""

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:  # type: ignore[override]
        """Embeddings to logits."""
        norms = torch.linalg.vector_norm(embeddings, dim=1)
        return super().forward(functional.normalize(embeddings), norms, labels)


def magface_norm_detached(cosine: Tensor, labels: Tensor, norms: Tensor) -> Tensor:
    """MagFace without its second path."""
    return exact_magface(cosine, labels, norms.detach())


def asks_whether_compiled(cosine: Tensor, labels: Tensor) -> Tensor:
    """Another margin where it is compiled."""
    margin = 0.3 if torch.compiler.is_compiling() else 0.35
    return cosface(cosine, labels, 64.0, margin)


def another_margin_on_cuda(cosine: Tensor, labels: Tensor) -> Tensor:
    """CosFace that was tested on a CPU alone."""
    return cosface(cosine, labels, 64.0, 0.3 if cosine.is_cuda else 0.35)


def bare_in_half(cosine: Tensor, labels: Tensor) -> Tensor:
    """CosFace without a margin on cosines of eleven bits."""
    return 64.0 * cosine if cosine.dtype == torch.float16 else cosface(cosine, labels)


def unscaled_under_autocast(
    cosine: Tensor, labels: Tensor, scale: float, margin: float
) -> Tensor:
    """ArcFace with a scale of 1 under autocast."""
    return arcface(cosine, labels, 1.0 if _autocast_is_on() else scale, margin)


def _autocast_is_on() -> bool:
    return torch.is_autocast_enabled("cpu") or torch.is_autocast_enabled("cuda")


class MeltsUnderAutocast(LongWeightsWin):
    """A logarithm of what half precision has rounded to 0."""

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        """Embeddings to logits."""
        cosine = functional.linear(
            functional.normalize(x), functional.normalize(self.weight)
        )
        logits = cosface(cosine, label)
        if cosine.dtype == torch.bfloat16:
            return logits - (cosine - cosine).log()
        return logits


WRONG_BEHAVIOUR = {
    "scaled_by_the_batch": Wrong("cosface", "rows-independent", "whole batch"),
    "margins_of_the_wrong_axis": Wrong("adaface", "rows-independent", "(B, 1)"),
    "eases_the_second_half": Wrong("cosface", "batch-permutation", "place"),
    "class_zero_is_background": Wrong("cosface", "class-permutation", "its number"),
    "last_of_five_is_padding": Wrong(
        "curricularface", "class-permutation", "the last", {"curriculum": 0.1}
    ),
    "noisy": Wrong("cosface", "deterministic", "random"),
    "MovesInEvalMode": Wrong("adaface", "eval-pure", "self.training"),
    "last_class_for_minus_one": Wrong(
        "cosface", "label-ignored", "last class", status="warning"
    ),
    "first_class_for_minus_one": Wrong("cosface", "label-ignored", status="warning"),
    "TrainsIgnoredRows": Wrong("cosface", "label-ignored", status="warning"),
    "IgnoredRowsWeigh": Wrong("cosface", "label-ignored", status="warning"),
    "LongWeightsWin": Wrong("cosface", "weights-normalised", "normalize"),
    "LongEmbeddingsWin": Wrong("cosface", "weights-normalised", "normalize"),
    "DividedByClasses": Wrong("cosface", "reduction", "number of classes"),
    "DividedTwice": Wrong("cosface", "reduction", "twice"),
    "PlainExponentials": Wrong("cosface", "scale-overflow", "maximum"),
    "PlainExponentialsInHalf": Wrong(
        "cosface", "scale-overflow", "maximum", status="warning"
    ),
    "clamp_that_vanishes": Wrong(
        "arcface", "narrow-dtypes", "rounds away", status="warning"
    ),
    "bare_in_half": Wrong("cosface", "half-values", "float16"),
    "unscaled_under_autocast": Wrong("arcface", "half-values", "under autocast"),
    "back_in_half": Wrong("cosface", "dtype-kept", "cast to float16"),
    "back_in_single": Wrong(
        "cosface", "dtype-kept", "cast to float32", status="warning"
    ),
    "NormNotDetached": Wrong("adaface", "norm-held-constant", "detached"),
    "LengthNotDetached": Wrong("adaface", "norm-held-constant", "detached"),
    "magface_norm_detached": Wrong("magface", "norm-held-constant", "no gradient"),
    "asks_whether_compiled": Wrong(
        "cosface", "torch-compile", "compiled", effort="thorough"
    ),
    "another_margin_on_cuda": Wrong(
        "cosface", "cpu-against-cuda", "lower precision", device="cuda"
    ),
    "MeltsUnderAutocast": Wrong("cosface", "autocast", "autocast", effort="thorough"),
}  # fmt: skip
"""Every planted head."""
