"""Planted wrong heads, each with one fault, and the check that must catch it."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.exact.heads import AdaFaceHead, adaface_clip, at_target, own, turned
from zoo.planting import Wrong


def cos_theta_minus_m(cosine: Tensor, labels: Tensor) -> Tensor:
    """The angular margin has the wrong sign."""
    return 64.0 * at_target(cosine, labels, turned(own(cosine, labels), -0.5))


def margin_in_degrees(cosine: Tensor, labels: Tensor, margin: float) -> Tensor:
    """The margin is taken for degrees."""
    target = turned(own(cosine, labels), math.radians(margin))
    return 64.0 * at_target(cosine, labels, target)


def margin_on_all_classes(cosine: Tensor, labels: Tensor) -> Tensor:
    """No one-hot."""
    return 64.0 * turned(cosine, 0.5)


def margin_on_a_non_target(cosine: Tensor, labels: Tensor) -> Tensor:
    """The class after the label gets the margin."""
    following = (labels + 1) % cosine.shape[1]
    return 64.0 * at_target(cosine, following, turned(own(cosine, following), 0.5))


def scale_before_additive_margin(cosine: Tensor, labels: Tensor) -> Tensor:
    """s c - m for s (c - m)."""
    return at_target(64.0 * cosine, labels, 64.0 * own(cosine, labels) - 0.35)


def scale_missing_on_others(cosine: Tensor, labels: Tensor) -> Tensor:
    """Only the target is scaled."""
    return at_target(cosine, labels, 64.0 * (own(cosine, labels) - 0.35))


def others_without_gradient(cosine: Tensor, labels: Tensor) -> Tensor:
    """The forward is right, the other classes are detached."""
    target = own(cosine, labels) - 0.35
    return 64.0 * at_target(cosine.detach(), labels, target)


def eps_too_wide(cosine: Tensor, labels: Tensor) -> Tensor:
    """Cosines clamped to [-0.99, 0.99]."""
    clamped = cosine.clamp(-0.99, 0.99)
    return 64.0 * at_target(clamped, labels, turned(own(clamped, labels), 0.5))


def swapped_branches(cosine: Tensor, labels: Tensor) -> Tensor:
    """The where of `fallback`, the wrong way round."""
    target = own(cosine, labels)
    core, plain = turned(target, 0.5), target - 0.5 * math.sin(0.5)
    margined = torch.where(target > math.cos(math.pi - 0.5), plain, core)
    return 64.0 * at_target(cosine, labels, margined)


def straight_through(cosine: Tensor, labels: Tensor) -> Tensor:
    """The forward is right, the gradient that of plain cosines."""
    exact = at_target(cosine, labels, turned(own(cosine, labels), 0.5))
    return 64.0 * (cosine + (exact - cosine).detach())


def margin_without_effect(cosine: Tensor, labels: Tensor, margin: float) -> Tensor:
    """The margin is subtracted from every class, so softmax never sees it."""
    target = own(cosine, labels) - margin
    return 64.0 * (at_target(cosine, labels, target + margin))


def safe_in_the_forward_only(cosine: Tensor, labels: Tensor) -> Tensor:
    """sqrt is masked after it was taken: the gradient at the poles is NaN."""
    target = own(cosine, labels)
    square = (1 - target) * (1 + target)
    sine = torch.where(square > 0, square.sqrt(), torch.zeros_like(square))
    return 64.0 * at_target(
        cosine, labels, target * math.cos(0.5) - sine * math.sin(0.5)
    )


def non_target_at_the_pole(cosine: Tensor, labels: Tensor) -> Tensor:
    """The margin of every class; where hides the value, not the NaN gradient."""
    hot = functional.one_hot(labels, cosine.shape[1]).bool()
    square = (1 - cosine) * (1 + cosine)
    square = torch.where(hot, square.clamp(min=1e-38), square)
    margined = cosine * math.cos(0.5) - square.sqrt() * math.sin(0.5)
    return 64.0 * torch.where(hot, margined, cosine)


def margin_in_single(cosine: Tensor, labels: Tensor) -> Tensor:
    """0.35 times integers is a float32, whatever the cosines are."""
    return 64.0 * (cosine - 0.35 * functional.one_hot(labels, cosine.shape[1]))


def overwritten_cosines(cosine: Tensor, labels: Tensor) -> Tensor:
    """The margin is written into the caller's cosines."""
    index = torch.arange(len(labels))
    cosine[index, labels] -= 0.35
    return 64.0 * cosine


def narrow_band(cosine: Tensor, labels: Tensor) -> Tensor:
    """Right but for one thousandth of the cosines."""
    target = own(cosine, labels)
    off = (target > 0.3) & (target < 0.301)
    margined = turned(target, 0.5) + 0.001 * off
    return 64.0 * at_target(cosine, labels, margined)


def only_the_fourth_class(cosine: Tensor, labels: Tensor) -> Tensor:
    """Right for up to three classes."""
    logits = 64.0 * at_target(cosine, labels, own(cosine, labels) - 0.35)
    logits[:, 3:] = logits[:, 3:] * 1.01
    return logits


def angular_sign(cosine: Tensor, labels: Tensor, margin_scaler: Tensor) -> Tensor:
    """AdaFace with g_angle = + m z."""
    shift = 0.4 * margin_scaler[:, None]
    target = turned(own(cosine, labels), shift) - (0.4 + shift)
    return 64.0 * at_target(cosine, labels, target)


def additive_without_margin(
    cosine: Tensor, labels: Tensor, margin_scaler: Tensor
) -> Tensor:
    """AdaFace with g_add = m z."""
    shift = 0.4 * margin_scaler[:, None]
    return 64.0 * at_target(cosine, labels, turned(own(cosine, labels), -shift) - shift)


def additive_scaler_sign(
    cosine: Tensor, labels: Tensor, margin_scaler: Tensor
) -> Tensor:
    """AdaFace with g_add = m - m z."""
    shift = 0.4 * margin_scaler[:, None]
    target = turned(own(cosine, labels), -shift) - (0.4 - shift)
    return 64.0 * at_target(cosine, labels, target)


def missing_upper_clip(cosine: Tensor, labels: Tensor, margin_scaler: Tensor) -> Tensor:
    """AdaFace with the angle clipped below only."""
    clamped = cosine.clamp(-1 + 1e-3, 1 - 1e-3)
    shift = 0.4 * margin_scaler[:, None]
    angle = (own(clamped, labels).acos() - shift).clip(min=1e-3)
    return 64.0 * at_target(clamped, labels, angle.cos() - (0.4 + shift))


class ScalerWithoutConcentration(AdaFaceHead):
    """AdaFace with z for h z."""

    def __init__(self, embedding_size: int, classnum: int) -> None:
        super().__init__(embedding_size, classnum, 0.4, 1.0)


class ClipBeforeConcentration(AdaFaceHead):
    """AdaFace with h clip(z) for clip(h z)."""

    def __init__(self, embedding_size: int, classnum: int) -> None:
        super().__init__(embedding_size, classnum, 0.4, 0.333)

    def forward(self, embbedings: Tensor, norms: Tensor, label: Tensor) -> Tensor:
        """Unit embeddings, their norms and labels to logits."""
        cosine = torch.mm(embbedings, functional.normalize(self.kernel, dim=0))
        z = ((norms - self.batch_mean) / (self.batch_std + 1e-3)).clip(-1, 1)
        return adaface_clip(cosine, label, self.h * z, self.m)


class StatisticsWithoutEps(AdaFaceHead):
    """AdaFace with nothing added to the deviation."""

    def __init__(self, embedding_size: int, classnum: int) -> None:
        super().__init__(embedding_size, classnum, 0.4, 0.333)

    def forward(self, embbedings: Tensor, norms: Tensor, label: Tensor) -> Tensor:
        """Unit embeddings, their norms and labels to logits."""
        cosine = torch.mm(embbedings, functional.normalize(self.kernel, dim=0))
        z = (norms - self.batch_mean) / self.batch_std
        return adaface_clip(cosine, label, (self.h * z).clip(-1, 1), self.m)


class NormsClippedLow(AdaFaceHead):
    """AdaFace with norms clipped to 55."""

    def __init__(self, embedding_size: int, classnum: int) -> None:
        super().__init__(embedding_size, classnum, 0.4, 0.333)

    def forward(self, embbedings: Tensor, norms: Tensor, label: Tensor) -> Tensor:
        """Unit embeddings, their norms and labels to logits."""
        return super().forward(embbedings, norms.clip(max=55.0), label)


class _FromProbability(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, labels: Tensor) -> Tensor:
        ctx.save_for_backward(logits, labels)
        return functional.cross_entropy(logits, labels)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        logits, labels = ctx.saved_tensors
        return gradients[0] * logits.softmax(dim=1) / len(labels), None


class GstFromProbability(nn.Module):
    """A loss whose backward has P for P - 1."""

    def __init__(self, embedding_size: int, classes: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(classes, embedding_size))

    def logits(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """CosFace's."""
        cosine = functional.linear(
            functional.normalize(embeddings), functional.normalize(self.weight)
        )
        return 64.0 * at_target(cosine, labels, own(cosine, labels) - 0.35)

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to a mean loss."""
        logits = self.logits(embeddings, labels)
        loss: Tensor = _FromProbability.apply(logits, labels)  # type: ignore[no-untyped-call]
        return loss


class EntropyWithoutMaximum(GstFromProbability):
    """Cross-entropy by log(sum(exp)), which overflows once s passes 88."""

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to a mean loss."""
        logits = 2 * self.logits(embeddings, labels)
        functional.cross_entropy(logits, labels)  # for a log
        loss = logits.exp().sum(dim=1).log() - own(logits, labels)[:, 0]
        return loss.mean()


WRONG = {
    "cos_theta_minus_m": Wrong("arcface", "target-logit", "cos(theta - a)"),
    "margin_in_degrees": Wrong("arcface", "target-logit", "degrees"),
    "margin_on_all_classes": Wrong("arcface", "other-logit", "every class"),
    "margin_on_a_non_target": Wrong("arcface", "target-logit", "another class"),
    "scale_before_additive_margin": Wrong("cosface", "target-logit", "after the scale"),
    "scale_missing_on_others": Wrong("cosface", "other-logit", "lack the scale"),
    "others_without_gradient": Wrong("cosface", "other-gst", "no gradient reaches"),
    "eps_too_wide": Wrong("arcface", "target-gst", "eps too wide"),
    "swapped_branches": Wrong("arcface", "target-logit", "swapped"),
    "straight_through": Wrong("arcface", "own-gradient", "slope 1"),
    "margin_without_effect": Wrong("cosface", "margin-has-effect", "no effect"),
    "safe_in_the_forward_only": Wrong("arcface", "poles-target"),
    "non_target_at_the_pole": Wrong("arcface", "poles-other"),
    "margin_in_single": Wrong(
        "cosface", "target-logit", "single precision", status="warning"
    ),
    "overwritten_cosines": Wrong("cosface", "inputs-untouched", status="warning"),
    "narrow_band": Wrong("arcface", "target-logit", "the core is right"),
    "only_the_fourth_class": Wrong("cosface", "other-logit"),
    "angular_sign": Wrong("adaface", "target-logit", "cos(theta - a)"),
    "additive_without_margin": Wrong("adaface", "target-logit", "lacks its + m"),
    "additive_scaler_sign": Wrong("adaface", "target-logit", "sign on z-hat"),
    "missing_upper_clip": Wrong("adaface", "target-gst"),
    "ScalerWithoutConcentration": Wrong("adaface", "target-logit", "lacks h"),
    "ClipBeforeConcentration": Wrong("adaface", "target-logit", "before h"),
    "StatisticsWithoutEps": Wrong("adaface", "statistics-policy"),
    "NormsClippedLow": Wrong("adaface", "statistics-policy", "norms are not clipped"),
    "GstFromProbability": Wrong("cosface", "target-gst", "P instead of P - 1"),
    "EntropyWithoutMaximum": Wrong(
        "cosface", "target-gst", arguments={"scale": 128.0}
    ),
}  # fmt: skip
"""Every planted head."""
