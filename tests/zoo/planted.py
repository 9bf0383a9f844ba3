"""Planted heads made from the rows of FAULTS: a row's own formula, run as a head.

`zoo.planted:arcface__angular_sign` is the head of a loss and a row. `arcface__right`
has no fault: it passes, so what fails the others is the row and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from adaface_ref import numpy_reference as reference
from adaface_ref.faults.parts import Mask, Parts, Values, parts_of, right
from adaface_ref.faults.rows import FAULTS, Fault
from adaface_ref.gate.head.settings import Head
from adaface_ref.gate.head.target import resolve
from adaface_ref.gate.measured.cause import parts_at
from adaface_ref.gate.measured.identity import Probes, probe
from adaface_ref.gate.reading.reading import Array
from adaface_ref.gate.session.opening import open_session
from adaface_ref.gate.session.session import Session
from zoo.planting import Wrong

RIGHT = Fault("right", "", right)

SPREAD, STD_EPS, NORMS = 0.333, 1e-3, (1e-3, 100.0)
"""AdaFace's h, the eps of its deviation, and what it clips norms to."""

JUDGED: dict[str, dict[str, float]] = {
    "curricularface": {"curriculum": 0.3},
    "combined": {"multiplier": 0.9},
}
"""Parameters at which faults show: a recommended t of 0 or m1 of 1 hides some."""

CHECKS = (
    ("logit", "target-logit"),
    ("other_logit", "other-logit"),
    ("slope", "target-gst"),
    ("weight", "target-gst"),
    ("other_slope", "other-gst"),
)
"""The check of each value, in the order in which they name a fault."""


def parameters_of(loss: str) -> dict[str, float]:
    """The values at which a loss's planted heads are built and judged."""
    return {**reference.RECOMMENDED[loss], **JUDGED.get(loss, {})}


class _AsPlanted(torch.autograd.Function):
    """Logits and slopes that were computed elsewhere."""

    @staticmethod
    def forward(
        ctx: Any,
        cosine: Tensor,
        norms: Tensor,
        logits: Tensor,
        slopes: Tensor,
        by_norm: Tensor,
    ) -> Tensor:
        ctx.save_for_backward(slopes, by_norm)
        return logits.clone()

    @staticmethod
    def backward(
        ctx: Any, *gradients: Tensor
    ) -> tuple[Tensor, Tensor, None, None, None]:
        slopes, by_norm = ctx.saved_tensors
        along = (gradients[0] * by_norm).sum(dim=1)
        return gradients[0] * slopes, along, None, None, None


class _Weighted(torch.autograd.Function):
    """Cross-entropy whose derivative by the target logit was computed elsewhere."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, labels: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(logits, labels, weight)
        return functional.cross_entropy(logits, labels)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        logits, labels, weight = ctx.saved_tensors
        residual = logits.softmax(dim=1).scatter(1, labels[:, None], weight)
        return gradients[0] * residual / len(labels), None, None


class Planted(nn.Module):
    """From cosines, labels and norms to the logits that a row gives.

    Args:
        loss: a loss id.
        fault: the row.
    """

    batch_mean: Tensor
    batch_std: Tensor

    def __init__(self, loss: str, fault: Fault) -> None:
        super().__init__()
        self.loss, self.fault = loss, fault
        if loss == "adaface":
            self.register_buffer("batch_mean", torch.tensor(20.0))
            self.register_buffer("batch_std", torch.tensor(100.0))

    def parts(self, cosine: Array, labels: Array, norms: Array) -> Parts:
        """What the values are made of: (B, 1) for the target, (B, C - 1) others."""
        order = (labels[:, None] + np.arange(cosine.shape[1])) % cosine.shape[1]
        placed = np.take_along_axis(cosine, order, axis=1).clip(-1, 1)
        rows, unclipped = norms.reshape(-1, 1), None
        given = {k: np.asarray(v) for k, v in parameters_of(self.loss).items()}
        if self.loss == "adaface":
            mean, std = self.batch_mean.item(), self.batch_std.item()
            unclipped = SPREAD * (rows.clip(*NORMS) - mean) / (std + STD_EPS)
            given["margin_scaler"] = unclipped.clip(-1, 1)
        if self.loss == "magface":
            given["feature_norm"] = rows
        columns = {k: np.broadcast_to(v, rows.shape) for k, v in given.items()}
        target, other = placed[:, :1], placed[:, 1:]
        return parts_of(
            self.loss, columns, target, other, unclipped=unclipped, spread=SPREAD
        )

    @torch.no_grad()
    def _update(self, norms: Tensor) -> None:
        """AdaFace's running statistics, so that a row's fault is the only one."""
        safe = norms.clip(*NORMS)
        good = safe[~safe.isnan()]
        if self.loss == "adaface" and self.training and len(good) > 1:
            self.batch_mean.lerp_(good.mean().to(self.batch_mean), 0.01)
            self.batch_std.lerp_(good.std().to(self.batch_std), 0.01)

    def forward(self, cosine: Tensor, labels: Tensor, norms: Tensor) -> Tensor:
        """Cosines, labels and feature norms to logits."""
        if bool((labels < 0).any()):
            raise IndexError("a label is below 0")
        self._update(norms)
        found = [t.detach().cpu().double().numpy() for t in (cosine, labels, norms)]
        parts = self.parts(found[0], found[1].astype(int), found[2])
        with np.errstate(all="ignore"):
            values = self.fault.values(parts)
        order = torch.remainder(
            labels[:, None] + torch.arange(cosine.shape[1]), cosine.shape[1]
        )

        def laid_out(first: Array, rest: Array) -> Tensor:
            shape = found[0].shape[0], found[0].shape[1] - 1
            ends = np.broadcast_to(first, (shape[0], 1)), np.broadcast_to(rest, shape)
            row = np.concatenate(ends, axis=1)
            # At the poles a slope may be infinite, and only its being finite counts.
            finite = torch.tensor(np.where(np.isfinite(row), row, 0.0))
            return torch.zeros_like(finite).scatter(1, order, finite).to(cosine)

        logits = laid_out(values.logit, values.other_logit)
        slopes = laid_out(values.slope, values.other_slope)
        with np.errstate(invalid="ignore"):
            by_norm = laid_out(self._by_norm(parts, values), 0 * values.other_logit)
        planted: Tensor = _AsPlanted.apply(cosine, norms, logits, slopes, by_norm)  # type: ignore[no-untyped-call]
        return planted

    def _by_norm(self, parts: Parts, values: Values) -> Array:
        """The target logit's slope by the norm: MagFace's margin follows it."""
        if self.loss != "magface":
            return 0 * values.logit
        columns = parts.columns
        low, high = columns["norm_lower"], columns["norm_upper"]
        rise = (columns["margin_upper"] - columns["margin_lower"]) / (high - low)
        inside = (columns["feature_norm"] > low) & (columns["feature_norm"] < high)
        sine = np.sqrt((1 - parts.target) * (1 + parts.target))
        return np.asarray(np.where(inside, -values.slope * sine * rise, 0.0))

    def weight(self, cosine: Array, labels: Array, norms: Array) -> Array:
        """The row's derivative of the loss by the target logit, (B, 1)."""
        parts = self.parts(cosine, labels, norms)
        with np.errstate(all="ignore"):
            logits = right(parts).other_logit / parts.scale
            rival = reference.rival_cosine(logits, parts.scale[:, 0])[:, None]
            weight = self.fault.values(parts._replace(other=rival)).weight
        assert weight is not None
        return weight


class PlantedLoss(nn.Module):
    """From embeddings to a loss, for rows whose fault is in the cross-entropy."""

    loss = ""
    fault = RIGHT

    def __init__(self, embedding_size: int, classes: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(classes, embedding_size))
        self.head = Planted(self.loss, self.fault)

    def forward(self, embeddings: Tensor, labels: Tensor, norms: Tensor) -> Tensor:
        """Embeddings, labels and feature norms to a mean loss."""
        unit = functional.normalize(embeddings)
        cosine = functional.linear(unit, functional.normalize(self.weight))
        logits = self.head(cosine, labels, norms)
        found = [t.detach().cpu().double().numpy() for t in (cosine, labels, norms)]
        weight = self.head.weight(found[0], found[1].astype(int), found[2])
        loss: Tensor = _Weighted.apply(logits, labels, torch.tensor(weight).to(logits))  # type: ignore[no-untyped-call]
        return loss


def name_of(loss: str, fault: Fault) -> str:
    """A planted head's name in this module."""
    return f"{loss}__{fault.id.replace('-', '_').replace('.', '')}"


def probes_of(loss: str) -> Probes:
    """The gate's probe points, at a head of the loss that is right."""
    return probe(_session(loss))


def _session(loss: str) -> Session:
    target = resolve(Planted(loss, RIGHT))
    given = JUDGED.get(loss, {})
    head = Head(
        target,
        loss,
        "pure",
        arguments=given,
        dtypes=("float64",),
        effort="quick",
    )
    return open_session(target, head)


class Row(NamedTuple):
    """One row of FAULTS for one loss: what it gives, and which value differs first."""

    fault: Fault
    loss: str
    check: str


@cache
def rows() -> Mapping[str, Row]:
    """Each row of FAULTS, for each loss in which it changes anything at a probe."""
    found = {}
    for loss in reference.LOSSES:
        probes = probes_of(loss)
        parts, clear = parts_at(probes), probes.telling
        for fault in FAULTS:
            if fault.needs and fault.needs not in parts.columns:
                continue
            check = _first_difference(fault, parts, clear)
            if check and fault.check:
                check = fault.check
                # Profile `detached` has slope 1 in hard classes too: this fits none.
                if check == "own-gradient" and "curriculum" in parts.columns:
                    check = "profile"
            if check:
                found[name_of(loss, fault)] = Row(fault, loss, check)
    return found


def _first_difference(fault: Fault, parts: Parts, clear: Mask) -> str:
    with np.errstate(all="ignore"):
        values, wanted = fault.values(parts), right(parts)
    if values.weight is not None:
        wanted = wanted._replace(weight=0 * parts.target)
    for field, check in CHECKS:
        got, due = getattr(values, field), getattr(wanted, field)
        if got is not None and not np.allclose(got[clear], due[clear], rtol=1e-6):
            return check
    return ""


def indistinguishable(name: str) -> set[str]:
    """The words of all rows that give what a row gives, at most probes."""
    row = rows()[name]
    probes = probes_of(row.loss)
    parts = parts_at(probes)
    with np.errstate(all="ignore"):
        values = row.fault.values(parts)
        return {
            other.words
            for other in FAULTS
            if (not other.needs or other.needs in parts.columns)
            and _same(values, other.values(parts), parts)
        }


def _same(first: Values, second: Values, parts: Parts) -> bool:
    good = np.abs(parts.target) < 2
    for one, two in zip(first, second, strict=True):
        if (one is None) is not (two is None):
            return False
        if one is not None and two is not None:
            good &= np.isclose(one, two, rtol=1e-6, atol=1e-6)
    return bool(good.mean() >= 0.9)


@cache
def _made(name: str) -> Callable[..., Any]:
    loss = name.partition("__")[0]
    known = [RIGHT, *FAULTS]
    fault = next((f for f in known if name_of(loss, f) == name), None)
    if loss not in reference.LOSSES or fault is None:
        raise AttributeError(f"no planted head {name}")
    if fault.id == "gst-from-probability":
        fields = {"loss": loss, "fault": fault, "__module__": __name__}
        return type(name, (PlantedLoss,), fields)
    return Planted(loss, fault)


def __getattr__(name: str) -> Callable[..., Any]:
    return _made(name)


def planted() -> dict[str, Wrong]:
    """Every planted head made from a row, by its target."""
    return {
        f"zoo.planted:{name}": Wrong(
            row.loss, row.check, row.fault.words, JUDGED.get(row.loss, {})
        )
        for name, row in rows().items()
    }
