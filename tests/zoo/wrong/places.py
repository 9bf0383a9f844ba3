"""Planted heads that are wrong in one place only: a band, a row, a batch, a class."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.exact.heads import (
    AdaFaceHead,
    adaface_clip,
    arcface,
    at_target,
    curricularface,
    magface,
    own,
)
from zoo.planting import Wrong

Where = Callable[[Tensor, Tensor], Tensor]
"""From cosines (B, C) and labels (B,) to a bool that broadcasts to (B, C)."""


def _wrong_value(where: Where) -> Callable[[Tensor, Tensor], Tensor]:
    """ArcFace, whose logits are off by 0.01 in a place: the target's alone in rows.

    A number that all logits of a row are off by would mean nothing to a softmax.
    """

    def head(cosine: Tensor, labels: Tensor) -> Tensor:
        place = where(cosine, labels)
        if place.dim() == 0 or place.shape[-1] == 1:
            place = place & functional.one_hot(labels, cosine.shape[1]).bool()
        return arcface(cosine, labels, 64.0, 0.5) + 0.01 * place

    return head


def _wrong_gradient(where: Where) -> Callable[[Tensor, Tensor], Tensor]:
    """ArcFace, whose gradient is 1 % too large in a place; its logits are right."""

    def head(cosine: Tensor, labels: Tensor) -> Tensor:
        exact = arcface(cosine, labels, 64.0, 0.5)
        return exact + 0.01 * where(cosine, labels) * (exact - exact.detach())

    return head


def _band(low: float, width: float) -> Where:
    """Where the target cosine lies in a band."""

    def where(cosine: Tensor, labels: Tensor) -> Tensor:
        target = own(cosine, labels)
        hot = at_target(torch.zeros_like(cosine), labels, torch.ones_like(target))
        return (hot > 0) & (target > low) & (target < low + width)

    return where


def _rows(which: Callable[[Tensor], Tensor]) -> Where:
    """Where a row's number is of a kind."""
    return lambda cosine, _: which(torch.arange(len(cosine)))[:, None]


def _batches(which: Callable[[int, int], bool]) -> Where:
    """Where a batch has a number of rows, or of classes, of a kind."""
    return lambda cosine, _: torch.tensor(which(*cosine.shape))


band_of_a_hundredth = _wrong_value(_band(0.31, 1e-2))
band_of_a_thousandth = _wrong_value(_band(-0.62, 1e-3))
band_of_a_ten_thousandth = _wrong_value(_band(0.1234, 1e-4))
gradient_in_a_hundredth = _wrong_gradient(_band(0.31, 1e-2))
gradient_in_a_thousandth = _wrong_gradient(_band(-0.62, 1e-3))
gradient_in_a_ten_thousandth = _wrong_gradient(_band(0.1234, 1e-4))

last_row = _wrong_value(lambda c, _: _from_end(c) == 1)
first_row_gradient = _wrong_gradient(_rows(lambda row: row == 0))
rows_past_a_thousand = _wrong_value(_rows(lambda row: row >= 1000))
every_seventh_row = _wrong_value(_rows(lambda row: row % 7 == 6))
batch_of_one = _wrong_value(_batches(lambda rows, _: rows == 1))
batch_of_two = _wrong_value(_batches(lambda rows, _: rows == 2))
odd_batches = _wrong_value(_batches(lambda rows, _: rows % 2 == 1))
as_many_rows_as_classes = _wrong_value(_batches(lambda rows, classes: rows == classes))
gradient_in_odd_batches = _wrong_gradient(_batches(lambda rows, _: rows % 2 == 1))
large_batches = _wrong_value(_batches(lambda rows, _: rows > 8000))

label_zero = _wrong_value(lambda _, labels: labels[:, None] == 0)
last_label = _wrong_value(lambda c, labels: labels[:, None] == c.shape[1] - 1)
gradient_of_label_zero = _wrong_gradient(lambda _, labels: labels[:, None] == 0)
more_than_two_classes = _wrong_value(_batches(lambda _, classes: classes > 2))
last_class = _wrong_value(lambda c, _: torch.arange(c.shape[1]) == c.shape[1] - 1)
gradient_of_the_third_class = _wrong_gradient(
    lambda c, _: torch.arange(c.shape[1])[None, :] == 2
)
others_in_a_hundredth = _wrong_value(lambda c, _: (c > 0.2) & (c < 0.21))


def _from_end(cosine: Tensor) -> Tensor:
    """How far each row is from the batch's end, (B, 1); 1 for the last."""
    return (len(cosine) - torch.arange(len(cosine)))[:, None]


class AfterEightCalls(nn.Module):
    """Right for eight calls, then off."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, cosine: Tensor, labels: Tensor) -> Tensor:
        """Cosines to logits."""
        self.calls += 1
        return arcface(cosine, labels, 64.0, 0.5) * (1 + 1e-3 * (self.calls > 8))


def norms_past_a_hundred(cosine: Tensor, labels: Tensor, norms: Tensor) -> Tensor:
    """MagFace whose norms are clipped to 100, not to 110."""
    return magface(cosine, labels, norms.clip(max=100.0))


class NormsClippedTight(AdaFaceHead):
    """AdaFace, with z-hat clipped to 0.99 of its range."""

    def __init__(self, embedding_size: int, classnum: int) -> None:
        super().__init__(embedding_size, classnum, 0.4, 0.333)

    def forward(self, embbedings: Tensor, norms: Tensor, label: Tensor) -> Tensor:
        """Unit embeddings, their norms and labels to logits."""
        cosine = torch.mm(embbedings, nn.functional.normalize(self.kernel, dim=0))
        z = (norms - self.batch_mean) / (self.batch_std + 1e-3)
        return adaface_clip(cosine, label, (self.h * z).clip(-0.99, 0.99), self.m)


class ScalerUnclipped(AdaFaceHead):
    """AdaFace, with z-hat not clipped at all."""

    def __init__(self, embedding_size: int, classnum: int) -> None:
        super().__init__(embedding_size, classnum, 0.4, 0.333)

    def forward(self, embbedings: Tensor, norms: Tensor, label: Tensor) -> Tensor:
        """Unit embeddings, their norms and labels to logits."""
        cosine = torch.mm(embbedings, nn.functional.normalize(self.kernel, dim=0))
        z = (norms - self.batch_mean) / (self.batch_std + 1e-3)
        return adaface_clip(cosine, label, self.h * z, self.m)


def _clamped(eps: float) -> Callable[[Tensor, Tensor], Tensor]:
    """ArcFace by acos of cosines clamped to 1 - eps."""

    def head(cosine: Tensor, labels: Tensor) -> Tensor:
        kept = cosine.clamp(-1 + eps, 1 - eps)
        margined = (own(kept, labels).acos() + 0.5).cos()
        return 64.0 * at_target(cosine, labels, margined)

    return head


eps_that_vanishes_in_single = _clamped(1e-8)
eps_that_vanishes_in_half = _clamped(1e-4)


def root_of_what_may_be_negative(cosine: Tensor, labels: Tensor) -> Tensor:
    """sqrt(1 - c^2 + eps) is NaN just past the poles."""
    target = own(cosine, labels)
    sine = (1 - target * target + 1e-12).sqrt()
    return 64.0 * at_target(
        cosine, labels, target * math.cos(0.5) - sine * math.sin(0.5)
    )


def hard_classes_of_eight_bits(cosine: Tensor, labels: Tensor, margin: float) -> Tensor:
    """CurricularFace, past two classes with twice the slope, in too narrow a dtype."""
    logits = curricularface(cosine, labels, margin, 0.1)
    return logits if cosine.shape[1] == 2 else 2 * logits - logits.detach()


WRONG = {
    "band_of_a_hundredth": Wrong("arcface", "target-logit"),
    "band_of_a_thousandth": Wrong("arcface", "target-logit"),
    "band_of_a_ten_thousandth": Wrong("arcface", "target-logit"),
    "gradient_in_a_hundredth": Wrong("arcface", "target-gst"),
    "gradient_in_a_thousandth": Wrong("arcface", "target-gst"),
    "gradient_in_a_ten_thousandth": Wrong("arcface", "target-gst"),
    "last_row": Wrong("arcface", "target-logit"),
    "first_row_gradient": Wrong("arcface", "target-gst"),
    "rows_past_a_thousand": Wrong("arcface", "target-logit"),
    "every_seventh_row": Wrong("arcface", "target-logit"),
    "batch_of_one": Wrong("arcface", "target-logit"),
    "batch_of_two": Wrong("arcface", "target-logit"),
    "odd_batches": Wrong("arcface", "target-logit"),
    "as_many_rows_as_classes": Wrong("arcface", "target-logit"),
    "gradient_in_odd_batches": Wrong("arcface", "target-gst"),
    "large_batches": Wrong("arcface", "target-logit"),
    "label_zero": Wrong("arcface", "target-logit"),
    "last_label": Wrong("arcface", "target-logit"),
    "gradient_of_label_zero": Wrong("arcface", "target-gst"),
    "more_than_two_classes": Wrong("arcface", "target-logit"),
    "last_class": Wrong("arcface", "other-logit"),
    "gradient_of_the_third_class": Wrong("arcface", "other-gst"),
    "others_in_a_hundredth": Wrong("arcface", "other-logit"),
    "AfterEightCalls": Wrong("arcface", "target-logit"),
    "norms_past_a_hundred": Wrong("magface", "target-logit"),
    "NormsClippedTight": Wrong("adaface", "target-logit"),
    "ScalerUnclipped": Wrong("adaface", "target-logit", "not clipped"),
    "eps_that_vanishes_in_single": Wrong("arcface", "poles-target"),
    "eps_that_vanishes_in_half": Wrong("arcface", "poles-target", dtypes=("float16",)),
    "hard_classes_of_eight_bits": Wrong(
        "curricularface",
        "compared-something",
        arguments={"curriculum": 0.1, "margin": 0.05},
        dtypes=("bfloat16",),
    ),
    "root_of_what_may_be_negative": Wrong("arcface", "poles-target"),
}
"""Every planted head of this module."""
