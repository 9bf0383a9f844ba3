"""nn.Module heads to train with: normalised weights, margins, statistics that last."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from adaface_ref.errors import domain_error, quoted, shape_error
from adaface_ref.torch_heads.arguments import (
    Value,
    require_domain,
    require_floating,
    require_labels,
    require_names,
    require_norms,
    require_order,
    widen,
)
from adaface_ref.torch_heads.logits import margin_logits, require_pole_gradient
from adaface_ref.torch_heads.losses import LOSSES, check_call, row_of
from adaface_ref.torch_heads.statistics import blend, moments

DEFAULTS: dict[str, dict[str, float]] = {
    "normface": {"scale": 64.0},
    "sphereface": {"scale": 64.0, "multiplier": 4},
    "cosface": {"scale": 64.0, "margin": 0.35},
    "arcface": {"scale": 64.0, "margin": 0.5},
    "combined": {
        "scale": 64.0,
        "multiplier": 1.0,
        "angular_offset": 0.3,
        "additive_offset": 0.2,
    },
    "curricularface": {"scale": 64.0, "margin": 0.5, "new_batch_weight": 0.01},
    "magface": {
        "scale": 64.0,
        "norm_lower": 10.0,
        "norm_upper": 110.0,
        "margin_lower": 0.45,
        "margin_upper": 0.8,
        "regulariser_weight": 35.0,
    },
    "adaface": {
        "scale": 64.0,
        "margin": 0.4,
        "concentration": 0.333,
        "new_batch_weight": 0.01,
        "eps": 1e-3,
        "norm_lower": 1e-3,
        "norm_upper": 100.0,
    },
}
"""What each head is built with where nothing else is said."""


class MarginHead(nn.Module):
    """Class weights and a margin: embeddings and labels in, logits out.

    Args:
        embedding_size: E, the length of an embedding.
        classes: C.
        profile: `rule[:field,...]`, what the head does outside the core region.
        pole_gradient: "nearest" (finite) or "limit", see `margin_logits`.
        settings: numbers in place of those of `DEFAULTS[loss]`.

    Raises:
        DomainError: a name or value outside its domain.
    """

    loss: ClassVar[str] = ""
    profile_by_default: ClassVar[str] = "pure"

    def __init__(
        self,
        embedding_size: int,
        classes: int,
        *,
        profile: str | None = None,
        pole_gradient: str = "nearest",
        **settings: float,
    ) -> None:
        super().__init__()
        where = type(self).__name__
        row_of(self.loss, where)
        for name, size in (("embedding_size", embedding_size), ("classes", classes)):
            whole = isinstance(size, Integral) and not isinstance(size, bool)
            if not whole or size < 1:
                raise domain_error(name, quoted(size), "an integer >= 1", where)
        defaults = DEFAULTS[self.loss]
        require_names(where, defaults, settings, defaults, where)
        given = {**defaults, **settings}
        for name, value in given.items():
            if not isinstance(value, Real):
                raise domain_error(name, quoted(value), "a number", where)
            require_domain(name, value, where, self.loss)
        require_order(given, where)
        require_pole_gradient(pole_gradient, where)
        names = LOSSES[self.loss].parameters
        self.constants = {name: given[name] for name in names if name in given}
        self.policy = {name: given[name] for name in given if name not in names}
        profile = self.profile_by_default if profile is None else profile
        _, parsed = check_call(self.loss, profile, {**self.constants}, where, names)
        self.profile, self.pole_gradient = str(parsed), pole_gradient
        self.weight = nn.Parameter(torch.empty(classes, embedding_size))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw every class's direction anew, uniformly, with a length of about 1."""
        nn.init.normal_(self.weight, std=self.weight.shape[1] ** -0.5)

    def forward(
        self, embeddings: Tensor, labels: Tensor, norms: Tensor | None = None
    ) -> Tensor:
        """Logits, in float32 at least, whatever autocast says.

        Args:
            embeddings: (B, E), of any length.
            labels: (B,) integers in [0, C); -1 for a row without margin, to be skipped
                by cross_entropy(ignore_index=-1).
            norms: (B,) or (B, 1) feature norms, where the embeddings have lost theirs.

        Returns:
            (B, C).

        Raises:
            DomainError: a label out of range, a norm that is none.
            ShapeError: shapes other than those named.
        """
        labels = self._require(embeddings, labels, norms)
        with torch.autocast(embeddings.device.type, enabled=False):
            dtype = torch.promote_types(embeddings.dtype, self.weight.dtype)
            dtype = torch.promote_types(dtype, torch.float32)
            embeddings, weight = embeddings.to(dtype), self.weight.to(dtype)
            if norms is None:
                norms = torch.linalg.vector_norm(embeddings, dim=1)
            cosine = functional.linear(
                functional.normalize(embeddings), functional.normalize(weight)
            )
            batch = self.batch_parameters(cosine, labels, norms.reshape(-1))
            return margin_logits(
                self.loss,
                cosine,
                labels,
                profile=self.profile,
                pole_gradient=self.pole_gradient,
                check=False,
                **self.constants,
                **batch,
            )

    def _require(
        self, embeddings: Tensor, labels: Tensor, norms: Tensor | None
    ) -> Tensor:
        """Refuse what does not fit, cosines' values apart; the labels as int64."""
        classes, size = self.weight.shape
        where = type(self).__name__
        require_floating("embeddings", embeddings, where)
        shape = tuple(embeddings.shape)
        if len(shape) != 2 or shape[1] != size:
            raise shape_error("embeddings", shape, f"(B, {size})", where)
        rows = shape[0]
        if norms is not None:
            require_norms("norms", norms, where, rows)
        return require_labels(labels, rows, classes, where)

    def batch_parameters(
        self, cosine: Tensor, labels: Tensor, norms: Tensor
    ) -> dict[str, Value]:
        """The loss's parameters that follow from the batch: none, for most losses."""
        return {}

    def _apply(self, fn: Callable[[Any], Any], recurse: bool = True) -> Self:
        """As for every module, but half precision would stop the statistics."""
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        for name, buffer in self.named_buffers(recurse=False):
            dtype = torch.promote_types(buffer.dtype, torch.float32)
            setattr(self, name, buffer.to(dtype))
        return self

    def extra_repr(self) -> str:
        """Sizes, profile and settings, for print(head)."""
        classes, size = self.weight.shape
        given = {**self.constants, **self.policy}
        settings = ", ".join(f"{name}={value}" for name, value in given.items())
        return f"{size}, {classes}, profile={self.profile!r}, {settings}"


class NormFace(MarginHead):
    """Normalised softmax: s cos(theta)."""

    loss = "normface"


class SphereFace(MarginHead):
    """s ((-1)^k cos(q theta) - 2k)."""

    loss = "sphereface"


class CosFace(MarginHead):
    """s (cos(theta) - m)."""

    loss = "cosface"


class ArcFace(MarginHead):
    """s cos(theta + m)."""

    loss = "arcface"


class Combined(MarginHead):
    """s (cos(m1 theta + m2) - m3)."""

    loss = "combined"


class CurricularFace(MarginHead):
    """s cos(theta + m), and s c_j (t + c_j) for harder classes; t runs in a buffer.

    `curriculum` is the running mean of the target cosines over every rank's rows, with
    `new_batch_weight` on the new batch, brought up to date before it is used.
    """

    loss = "curricularface"
    curriculum: Tensor

    def __init__(self, embedding_size: int, classes: int, **settings: Any) -> None:
        super().__init__(embedding_size, classes, **settings)
        self.register_buffer("curriculum", torch.tensor(0.0))

    @torch.no_grad()
    def batch_parameters(
        self, cosine: Tensor, labels: Tensor, norms: Tensor
    ) -> dict[str, Value]:
        """t, after this batch where the head is in training; a copy, for backward."""
        if self.training:
            index = labels.clamp(min=0).unsqueeze(1)
            target = cosine.gather(1, index).squeeze(1).clamp(-1, 1)
            count, mean, _ = moments(target, labels >= 0)
            weight = self.policy["new_batch_weight"]
            blend(self.curriculum, mean, weight, count >= 1)
        return {"curriculum": self.curriculum.clone()}


class MagFace(MarginHead):
    """s cos(theta + m(norm)), with a margin that rises with the norm: its gradient too.

    Add `regulariser(norms)` to the loss, or norms fall where they can.
    """

    loss = "magface"

    def batch_parameters(
        self, cosine: Tensor, labels: Tensor, norms: Tensor
    ) -> dict[str, Value]:
        """The norms, not held constant."""
        return {"feature_norm": norms}

    def regulariser(self, feature_norm: Tensor, labels: Tensor | None = None) -> Tensor:
        """w (a/u_a^2 + 1/a) with a = clip(norm, l_a, u_a), on average over the batch.

        Args:
            feature_norm: (B,) or (B, 1).
            labels: (B,), where rows with label -1 are to be left out.

        Returns:
            A scalar to add to the loss, with a gradient that raises low norms.
        """
        where = "regulariser"
        dtype = require_floating("feature_norm", feature_norm, where)
        feature_norm = require_norms("feature_norm", feature_norm, where)
        given: dict[str, Value] = {**self.constants, "feature_norm": feature_norm}
        values = {
            name: widen(name, value, feature_norm, where)
            for name, value in given.items()
        }
        penalty = LOSSES["magface"].penalty(values)
        if labels is None:
            return penalty.mean().to(dtype)
        rows, classes = len(feature_norm), self.weight.shape[0]
        real = require_labels(labels, rows, classes, where) >= 0
        total = torch.where(real, penalty, 0.0).sum()
        return (total / real.sum().clamp(min=1)).to(dtype)


class AdaFace(MarginHead):
    """s (cos(theta + a) - b), a = -m z, b = m z + m, z the clipped standard norm.

    `batch_mean` and `batch_std` are running statistics of the norms of every rank's
    rows, with `new_batch_weight` on the new batch, brought up to date before they are
    used. A batch of one has no spread and leaves `batch_std` alone.
    """

    loss = "adaface"
    profile_by_default = "clip"
    batch_mean: Tensor
    batch_std: Tensor

    def __init__(self, embedding_size: int, classes: int, **settings: Any) -> None:
        super().__init__(embedding_size, classes, **settings)
        self.register_buffer("batch_mean", torch.tensor(20.0))
        self.register_buffer("batch_std", torch.tensor(100.0))

    @torch.no_grad()
    def batch_parameters(
        self, cosine: Tensor, labels: Tensor, norms: Tensor
    ) -> dict[str, Value]:
        """The margin scaler, constant for the gradient."""
        policy = self.policy
        norms = norms.double().clamp(policy["norm_lower"], policy["norm_upper"])
        if self.training:
            count, mean, std = moments(norms, labels >= 0)
            blend(self.batch_mean, mean, policy["new_batch_weight"], count >= 1)
            blend(self.batch_std, std, policy["new_batch_weight"], count >= 2)
        spread = self.batch_std.double() + policy["eps"]
        standard_norm = (norms - self.batch_mean.double()) / spread
        return {"margin_scaler": (policy["concentration"] * standard_norm).clamp(-1, 1)}


HEADS: dict[str, type[MarginHead]] = {
    head.loss: head
    for head in (
        *(NormFace, SphereFace, CosFace, ArcFace, Combined),
        *(CurricularFace, MagFace, AdaFace),
    )
}
"""Each loss's head."""
