"""Planted heads that are right when called plainly, and wrong in another way."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.exact.heads import adaface_clip, arcface, cosface, curricularface, magface
from zoo.planting import Wrong

_BUFFERS: dict[tuple[int, ...], Tensor] = {}
_KEPT: list[Tensor] = []
_COUNT = [0]


class Plain(nn.Module):
    """CosFace on cosines, with a margin of its own."""

    def __init__(self, scale: float = 64.0, margin: float = 0.35) -> None:
        super().__init__()
        self.scale, self.margin = scale, margin

    def forward(self, cosine: Tensor, labels: Tensor) -> Tensor:
        """Cosines to logits."""
        hot = functional.one_hot(labels, cosine.shape[1]).to(cosine)
        return self.scale * (cosine - self.margin * hot)


def bare_without_autograd(cosine: Tensor, labels: Tensor) -> Tensor:
    """ArcFace; no margin where no gradient is asked for."""
    return (
        arcface(cosine, labels, 64.0, 0.5) if torch.is_grad_enabled() else 64.0 * cosine
    )


def bare_on_features(cosine: Tensor, labels: Tensor, norms: Tensor) -> Tensor:
    """MagFace; no margin on cosines that want no gradient."""
    return magface(cosine, labels, norms) if cosine.requires_grad else 64.0 * cosine


def only_long_labels(
    cosine: Tensor, labels: Tensor, margin_scaler: Tensor, m: float
) -> Tensor:
    """AdaFace; labels that are no int64 are taken for rows to be skipped."""
    if labels.dtype != torch.int64:
        return 64.0 * cosine.clamp(-1 + 1e-3, 1 - 1e-3)
    return adaface_clip(cosine, labels, margin_scaler, m)


def reads_memory_in_order(cosine: Tensor, labels: Tensor) -> Tensor:
    """CosFace on the numbers as they lie one after another."""
    laid = torch.as_strided(cosine, cosine.shape, (cosine.shape[1], 1))
    return cosface(laid, labels)


class CopyForgets(Plain):
    """A deep copy has no margin."""

    def __deepcopy__(self, memo: dict[int, Any]) -> CopyForgets:
        return type(self)(self.scale, 0.0)


class ValidatesForGood(Plain):
    """eval() takes the margin off, and train() does not put it back."""

    def train(self, mode: bool = True) -> ValidatesForGood:
        """Set the mode."""
        super().train(mode)
        self.margin = self.margin if mode else 0.0
        return self


def one_buffer(
    cosine: Tensor, labels: Tensor, curriculum: float, margin: float
) -> Tensor:
    """CurricularFace whose logits lie in one buffer for all calls."""
    logits = curricularface(cosine, labels, margin, curriculum)
    key = (*logits.shape, int(logits.dtype == torch.float64))
    buffer = _BUFFERS.setdefault(key, torch.empty_like(logits).detach())
    shift = logits - logits.detach()
    buffer.copy_(logits.detach())
    return _Viewed.apply(shift, buffer)  # type: ignore[no-any-return,no-untyped-call]


class _Viewed(torch.autograd.Function):
    """A buffer in place of a result."""

    @staticmethod
    def forward(ctx: Any, shift: Tensor, buffer: Tensor) -> Tensor:
        return buffer.view_as(buffer)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        return gradients[0], None


class _AnglesOfTheLast(torch.autograd.Function):
    """ArcFace whose backward takes the angles of the newest forward."""

    newest: Tensor

    @staticmethod
    def forward(ctx: Any, cosine: Tensor, hot: Tensor) -> Tensor:
        angle = torch.acos(cosine)
        _AnglesOfTheLast.newest = angle
        ctx.save_for_backward(hot)
        return 64.0 * torch.cos(angle + 0.5 * hot)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (hot,), angle = ctx.saved_tensors, _AnglesOfTheLast.newest
        slope = torch.sin(angle + 0.5 * hot) / torch.sin(angle)
        return 64.0 * gradients[0] * slope, None


def backward_of_the_last_call(cosine: Tensor, labels: Tensor) -> Tensor:
    """ArcFace, right as long as each backward follows its forward."""
    inside = cosine.clamp(-1 + 1e-3, 1 - 1e-3)
    hot = functional.one_hot(labels, cosine.shape[1]).to(cosine)
    return _AnglesOfTheLast.apply(inside, hot)  # type: ignore[no-any-return,no-untyped-call]


def bare_in_a_backward(cosine: Tensor, labels: Tensor) -> Tensor:
    """ArcFace; no margin where a backward makes the forward anew, as checkpoints do."""
    inside = cosine.clamp(-1 + 1e-3, 1 - 1e-3)
    anew = torch._C._current_graph_task_id() != -1
    return arcface(inside, labels, 64.0, 0.0 if anew else 0.5)


def no_gradient_of_narrow_labels(cosine: Tensor, labels: Tensor) -> Tensor:
    """CosFace; labels of int32 give the same values and no gradient."""
    logits = cosface(cosine, labels.long())
    return logits if labels.dtype == torch.int64 else logits.detach()


class ValidatesFrozen(nn.Module):
    """CosFace; eval() freezes the weights, and train() leaves them so."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features))

    def train(self, mode: bool = True) -> ValidatesFrozen:
        """Set the mode."""
        super().train(mode)
        if not mode:
            self.requires_grad_(False)
        return self

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to logits."""
        unit = functional.normalize(self.weight)
        return cosface(functional.normalize(embeddings) @ unit.T, labels)


class _CosinesByInputs(torch.autograd.Function):
    """A product that gives the weights a gradient where the rows want one."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(rows, weight)
        return rows @ weight.T

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        rows, weight = ctx.saved_tensors
        if not ctx.needs_input_grad[0]:
            return None, None
        return gradients[0] @ weight, gradients[0].T @ rows


class IdleOnFrozenFeatures(nn.Module):
    """CosFace whose weights do not train on embeddings that want no gradient."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to logits."""
        pair = map(functional.normalize, (embeddings, self.weight))
        cosine = _CosinesByInputs.apply(*pair)  # type: ignore[no-untyped-call]
        return cosface(cosine, labels)


class ValidatesWithOldWeights(nn.Module):
    """NormFace that keeps the unit weights of its first validation."""

    def __init__(self, in_features: int, out_features: int, scale: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features))
        self.scale = scale
        self.unit: Tensor | None = None

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings to logits."""
        unit = functional.normalize(self.weight)
        if not self.training:
            unit = self.unit = unit.detach() if self.unit is None else self.unit
        return self.scale * functional.normalize(embeddings) @ unit.T


class BareInTraining(Plain):
    """Has a buffer; in training mode no margin where no gradient is asked for."""

    def __init__(self, scale: float = 64.0, margin: float = 0.35) -> None:
        super().__init__(scale, margin)
        self.register_buffer("version", torch.ones(1))

    def forward(self, cosine: Tensor, labels: Tensor) -> Tensor:
        """Cosines to logits."""
        if self.training and not torch.is_grad_enabled():
            return self.scale * cosine
        return super().forward(cosine, labels)


class BareInValidation(BareInTraining):
    """In eval mode no margin where no gradient is asked for; refused in training."""

    def forward(self, cosine: Tensor, labels: Tensor) -> Tensor:
        """Cosines to logits."""
        if torch.is_grad_enabled():
            return super().forward(cosine, labels)
        if self.training:
            raise RuntimeError("training wants gradients")
        return self.scale * cosine


def margin_by_call(cosine: Tensor, labels: Tensor) -> Tensor:
    """ArcFace, after three hundred calls with a larger margin."""
    _COUNT[0] += 1
    margin = 0.5 if _COUNT[0] <= 300 else 0.55
    return arcface(cosine, labels, 64.0, margin)


def keeps_its_graphs(cosine: Tensor, labels: Tensor) -> Tensor:
    """CosFace that logs its logits, graph and all."""
    logits = cosface(cosine, labels)
    _KEPT.append(logits)
    return logits


WRONG_CALLING = {
    "bare_without_autograd": Wrong("arcface", "without-gradients", "under no_grad"),
    "bare_on_features": Wrong("magface", "without-gradients", "under no_grad"),
    "only_long_labels": Wrong("adaface", "labels-dtype", "int32"),
    "BareInTraining": Wrong("cosface", "without-gradients", "under no_grad"),
    "BareInValidation": Wrong("cosface", "without-gradients", "under no_grad"),
    "no_gradient_of_narrow_labels": Wrong("cosface", "labels-dtype", "int32"),
    "reads_memory_in_order": Wrong("cosface", "memory-layout", "transposed"),
    "CopyForgets": Wrong("cosface", "copies", "deepcopy"),
    "ValidatesForGood": Wrong("cosface", "modes-return", "train()"),
    "one_buffer": Wrong(
        "curricularface", "results-apart", "later call", {"curriculum": 0.1}
    ),
    "IdleOnFrozenFeatures": Wrong("cosface", "without-gradients", "want no gradient"),
    "ValidatesWithOldWeights": Wrong("normface", "modes-return", "weights moved"),
    "ValidatesFrozen": Wrong("cosface", "modes-return", "train()"),
    "backward_of_the_last_call": Wrong("arcface", "results-apart", "later call"),
    "bare_in_a_backward": Wrong("arcface", "results-apart", "checkpoint"),
    "margin_by_call": Wrong("arcface", "many-calls", "calls"),
    "keeps_its_graphs": Wrong("cosface", "many-calls", "kept in a list"),
}
"""Every planted head."""
