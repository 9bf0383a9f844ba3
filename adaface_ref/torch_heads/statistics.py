"""Running statistics of a batch that may lie on several ranks of torch.distributed."""

from __future__ import annotations

import torch
from torch import Tensor, distributed


def moments(values: Tensor, counted: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Count, mean and unbiased standard deviation of every rank's values together.

    The deviations are taken from the mean of all ranks, so nothing cancels.

    Args:
        values: (B,); NaN does not count.
        counted: (B,) booleans, which rows count.

    Returns:
        Three float64 scalars; without enough rows for it, mean or deviation is 0.
    """
    counted = counted & ~values.isnan()
    kept = torch.where(counted, values.double(), 0.0)
    count, total = sum_over_ranks(torch.stack([counted.double().sum(), kept.sum()]))
    mean = total / count.clamp(min=1)
    deviations = torch.where(counted, kept - mean, 0.0)
    squares = sum_over_ranks(deviations.square().sum())
    return count, mean, (squares / (count - 1).clamp(min=1)).sqrt()


def sum_over_ranks(totals: Tensor) -> Tensor:
    """The sum over all ranks, where there are any."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.all_reduce(totals)
    return totals


def blend(buffer: Tensor, new: Tensor, weight: float, known: Tensor) -> None:
    """Move a buffer towards a batch's value by `weight`, if that value is known."""
    old = buffer.double()
    moved = weight * new + (1 - weight) * old
    buffer.copy_(torch.where(known, moved, old))
