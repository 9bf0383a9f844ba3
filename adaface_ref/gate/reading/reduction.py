"""Tells a loss head's reduction from what it gives for a row and for two of it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch

from adaface_ref.gate.guarding.errors import SubjectError
from adaface_ref.gate.guarding.guard import calling
from adaface_ref.gate.reading.reading import Batch, Evaluation

MEAN, SUM, NONE = "the mean", "the sum", "one value for each row"

HARD = -0.5
"""A target cosine at which no loss is 0, so that a sum can be told from a mean."""


def reduction_of(loss: Callable[[Batch], torch.Tensor], like: Batch) -> str:
    """Which reduction a loss has.

    Args:
        loss: gives a batch's loss.
        like: a batch, for its classes, dtype and the first row's quantities.

    Returns:
        MEAN, SUM or NONE; MEAN, too, for one that is none of these.
    """
    with torch.no_grad():
        one, two = (loss(_copies(like, count)) for count in (1, 2))
    if two.ndim and two.numel() == 2:
        return NONE
    ratio = float(two.double().mean() / one.double().mean())
    return SUM if abs(ratio - 2) < 0.5 else MEAN


def copy_of(head: Any) -> Any:
    """A copy to try something with; the head itself where it cannot be copied."""
    try:
        with calling("copying the head"):
            return copy.deepcopy(head)
    except SubjectError:
        return head


def reduced(
    result: torch.Tensor, logits: torch.Tensor | None, reduction: str, size: int
) -> Evaluation:
    """A loss as a mean over a batch of `size`, whatever its own reduction is."""
    rows = size if reduction == SUM else 1
    return Evaluation(logits, result.mean() / rows, reduction)


def _copies(like: Batch, count: int) -> Batch:
    """So many copies of one hard row."""
    cosine = like.cosine.detach()[:1].repeat(count, 1).fill_(-HARD)
    cosine[:, 0] = HARD
    labels = like.labels[:1].repeat(count) * 0
    rows = {
        name: row.detach()[:1].expand(count, *row.shape[1:])
        for name, row in like.rows.items()
    }
    return Batch(cosine, labels, rows)
