"""Reads a head: logits and their derivatives at cosines of our choice.

Class 0 of a reading is each row's target; the others follow in the order given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from adaface_ref.choices import DTYPES
from adaface_ref.gate.guarding.errors import SubjectError
from adaface_ref.gate.guarding.guard import calling

Array = NDArray[np.float64]
CROSS_ENTROPY = torch.nn.functional.cross_entropy
"""Bound before any head is imported that may replace it."""

TORCH_DTYPES: dict[str, torch.dtype] = {name: getattr(torch, name) for name in DTYPES}


@dataclass(frozen=True)
class Batch:
    """What a head is given.

    Args:
        cosine: (B, C), a leaf that asks for its gradient.
        labels: (B,).
        rows: further (B,) tensors by quantity, such as `norms`.
    """

    cosine: torch.Tensor
    labels: torch.Tensor
    rows: Mapping[str, torch.Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Evaluation:
    """What a head gives: logits (B, C), and a scalar mean loss where it has one.

    Its own loss may have been the mean, the sum or one value for each row; one whose
    logits cannot be seen gives the loss alone.
    """

    logits: torch.Tensor | None
    loss: torch.Tensor | None = None
    reduction: str = ""

    @property
    def shown(self) -> torch.Tensor:
        """The logits.

        Raises:
            SubjectError: they cannot be seen.
        """
        if self.logits is None:
            raise SubjectError("the head's logits cannot be seen")
        return self.logits


Evaluate = Callable[[Batch], Evaluation]


@dataclass(frozen=True)
class Reading:
    """A head's answer in float64, target class first.

    Args:
        logits: (B, C).
        jacobian: (B, C, C); [i, k, j] is the derivative of logit k by cosine j.
        loss_gradient: (B, C), the derivative of the head's own loss of each row,
            where it gives a loss.
        dtype: the dtype that the head worked in.
        after: (B, C), the cosines as the head left them.
        untouched: whether the head left all its arguments as they were.
        observed: whether the logits could be seen; they and their jacobian are NaN
            where the head gives a loss alone.
    """

    logits: Array
    jacobian: Array
    loss_gradient: Array | None
    dtype: str
    after: Array
    untouched: bool
    observed: bool = True

    @property
    def gst(self) -> Array:
        """(B, C): the derivative of the loss by each cosine.

        From the head's own loss where it gives one; else of softmax cross-entropy of
        its logits, in float64 and without ever forming P - 1.
        """
        if self.loss_gradient is not None:
            return self.loss_gradient
        with np.errstate(all="ignore"):
            shifted = np.exp(self.logits - self.logits.max(axis=1, keepdims=True))
            residual = shifted / shifted.sum(axis=1, keepdims=True)
            residual[:, 0] = -residual[:, 1:].sum(axis=1)
            return np.asarray(np.einsum("bk,bkj->bj", residual, self.jacobian))


def make_batch(
    cosines: Array,
    labels: NDArray[np.int64],
    rows: Mapping[str, Array],
    dtype: str,
    device: str,
) -> Batch:
    """Lay cosines out under labels.

    Args:
        cosines: (B, C), target first; values of the dtype.
        labels: (B,), where each row's target goes.
        rows: further (B,) columns.
        dtype: one of DTYPES.
        device: a torch device.

    Returns:
        The batch.
    """
    order = _places(labels, cosines.shape[1])
    matrix = np.empty_like(cosines)
    np.put_along_axis(matrix, order, cosines, axis=1)
    kind = TORCH_DTYPES[dtype]
    return Batch(
        torch.tensor(matrix, dtype=kind, device=device).requires_grad_(),
        torch.tensor(labels, device=device),
        {k: torch.tensor(v, dtype=kind, device=device) for k, v in rows.items()},
    )


def read(evaluate: Evaluate, batch: Batch) -> Reading:
    """Run a head once and differentiate each of its logits.

    Args:
        evaluate: the head behind its adapter.
        batch: what to give it.

    Returns:
        The reading.

    Raises:
        SubjectError: the head raised, or gave no logits of shape (B, C).
    """
    size, classes = batch.cosine.shape
    given = [batch.cosine.detach().clone(), batch.labels.clone()]
    cosine, labels = batch.cosine, batch.labels.clone()
    rows = {name: row.clone() for name, row in batch.rows.items()}
    edited = cosine * 1
    evaluation = evaluate(Batch(edited, labels, rows))
    observed = evaluation.logits is not None or evaluation.loss is None
    gradients = [np.full((size, classes), np.nan)] * classes
    logits, loss = torch.full_like(cosine, torch.nan), None
    with calling(backward=True):
        if observed:
            logits = _checked(evaluation.logits, batch.cosine)
            gradients = [
                _numpy(_gradient(logits.gather(1, places), cosine))
                for places in (
                    (batch.labels[:, None] + k) % classes for k in range(classes)
                )
            ]
        if evaluation.loss is not None:
            loss = _numpy(_gradient(evaluation.loss * size, cosine))
    order = _places(batch.labels.cpu().numpy(), classes)
    same = torch.equal(edited.detach(), given[0]) and torch.equal(labels, given[1])
    return Reading(
        np.take_along_axis(_numpy(logits), order, axis=1),
        np.stack([np.take_along_axis(g, order, axis=1) for g in gradients], axis=1),
        None if loss is None else np.take_along_axis(loss, order, axis=1),
        _narrower(logits.dtype, cosine.dtype),
        np.take_along_axis(_numpy(edited), order, axis=1),
        same and all(torch.equal(rows[k], batch.rows[k]) for k in rows),
        observed,
    )


def joined(readings: Sequence[Reading]) -> Reading:
    """Readings of several batches as one.

    Args:
        readings: at least one, all with as many classes.

    Returns:
        Their rows, one after another.
    """
    losses = [r.loss_gradient for r in readings if r.loss_gradient is not None]
    return Reading(
        np.concatenate([reading.logits for reading in readings]),
        np.concatenate([reading.jacobian for reading in readings]),
        np.concatenate(losses) if len(losses) == len(readings) else None,
        readings[0].dtype,
        np.concatenate([reading.after for reading in readings]),
        all(reading.untouched for reading in readings),
        all(reading.observed for reading in readings),
    )


def training_gradient(evaluate: Evaluate, batch: Batch) -> tuple[Array, Array]:
    """Logits, and the gradient that training sends back to the cosines.

    Args:
        evaluate: the head behind its adapter.
        batch: what to give it.

    Returns:
        Logits (B, C), 0 where they cannot be seen, and (B, C) of the head's own loss,
        or of cross-entropy of its logits in their own dtype; both summed over rows,
        target class first.

    Raises:
        SubjectError: the head raised, or gave no logits of shape (B, C).
    """
    size, classes = batch.cosine.shape
    rows = {name: row.clone() for name, row in batch.rows.items()}
    evaluation = evaluate(Batch(batch.cosine * 1, batch.labels.clone(), rows))
    logits = torch.zeros_like(batch.cosine)
    with calling(backward=True):
        if evaluation.logits is not None or evaluation.loss is None:
            logits = _checked(evaluation.logits, batch.cosine)
        if evaluation.loss is None:
            loss = CROSS_ENTROPY(logits, batch.labels, reduction="sum")
        else:
            loss = evaluation.loss * size
        gradient = _numpy(_gradient(loss, batch.cosine))
    order = _places(batch.labels.cpu().numpy(), classes)
    found = (np.take_along_axis(part, order, 1) for part in (_numpy(logits), gradient))
    return next(found), next(found)


def _places(labels: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """The class at each place of a row: its target, then the classes that follow."""
    return np.asarray((labels[:, None] + np.arange(classes)[None, :]) % classes)


def _checked(logits: object, cosine: torch.Tensor) -> torch.Tensor:
    """A head's logits as a plain tensor, whatever functions a class of its own has."""
    if not isinstance(logits, torch.Tensor):
        kind = type(logits).__name__
        raise SubjectError(f"the head gave {kind}, but must give a tensor of logits")
    if type(logits) is not torch.Tensor:
        with torch._C.DisableTorchFunctionSubclass():
            logits = logits.as_subclass(torch.Tensor)
    if not logits.is_floating_point():
        kind = str(logits.dtype)
        raise SubjectError(f"the head gave {kind}, but must give floating logits")
    for name in ("shape", "device"):
        got, must = getattr(logits, name), getattr(cosine, name)
        if got != must:
            shown = [tuple(v) if name == "shape" else v for v in (got, must)]
            raise SubjectError(
                f"the head's logits.{name}={shown[0]}, but must be {shown[1]}"
            )
    return logits


def gradient_by(leaf: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """The derivative of what a head gave, summed, by what it was given.

    Args:
        leaf: what it was given.
        value: what it gave.

    Returns:
        Of the leaf's shape: 0 where the value does not depend on it.

    Raises:
        SubjectError: the head's backward raised.
    """
    with calling(backward=True):
        return _gradient(value, leaf)


def _gradient(value: torch.Tensor, leaf: torch.Tensor) -> torch.Tensor:
    if not value.requires_grad:
        return torch.zeros_like(leaf)
    (gradient,) = torch.autograd.grad(
        value.sum(), leaf, retain_graph=True, allow_unused=True
    )
    return torch.zeros_like(leaf) if gradient is None else gradient


def _numpy(tensor: torch.Tensor) -> Array:
    return np.asarray(tensor.detach().to("cpu", torch.float64).numpy())


def _narrower(first: torch.dtype, second: torch.dtype) -> str:
    kinds = {kind: name for name, kind in TORCH_DTYPES.items()}
    widest = max((first, second), key=lambda kind: torch.finfo(kind).eps)
    return kinds[widest]
