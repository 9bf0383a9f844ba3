"""Finds logits and a loss in whatever a head returns.

A result may be a tensor, a tuple, a dict, a named tuple, a dataclass, or these within
one another. Where a part is a loss that can be differentiated, the loss is judged.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import torch


class Found(NamedTuple):
    """What a result holds.

    Args:
        logits: (B, C), or None.
        loss: a scalar or one value a row, or None.
        judged: source text from the result to the loss, or to the logits where there is
            none, such as "[0]" or ".logits".
        logits_at: the same for the logits.
    """

    logits: torch.Tensor | None
    loss: torch.Tensor | None
    judged: str = ""
    logits_at: str = ""


def parts_of(result: object) -> dict[str, torch.Tensor]:
    """Every tensor of a result by where it stands, as source text.

    Args:
        result: what a head returned.

    Returns:
        The tensors, in the result's own order.
    """
    return dict(_walk(result, ""))


def find_parts(result: object, rows: int, classes: int, *, loss: bool = False) -> Found:
    """Tell a result's logits and loss from its other parts.

    Args:
        result: what a head returned.
        rows: B.
        classes: C.
        loss: whether a table (B, C) is no logits, since the head is known to give a
            loss.

    Returns:
        The logits are the table with the largest numbers: cosines are small beside
        them, and one-hot labels are no float that varies. A loss varies with the
        inputs: an accuracy does not.
    """
    floats = [part for part in parts_of(result).values() if part.is_floating_point()]
    tables = [part for part in floats if tuple(part.shape) == (rows, classes)]
    tables = [part for part in tables if part.requires_grad] or tables
    losses = [part for part in floats if _may_be_loss(part, rows)]
    losses = [part for part in losses if all(part is not table for table in tables)]
    differentiable = [part for part in losses if part.requires_grad]
    if not tables or loss:
        differentiable = differentiable or losses
    logits = max(tables, key=_size, default=None)
    if loss and logits is not None and not differentiable:
        differentiable = [logits]
    chosen = differentiable[0] if differentiable else None

    def place(wanted: torch.Tensor | None) -> str:
        parts = parts_of(result).items()
        return next((text for text, part in parts if part is wanted), "")

    judged = logits if chosen is None else chosen
    return Found(logits, chosen, place(judged), place(logits))


def _may_be_loss(part: torch.Tensor, rows: int) -> bool:
    return part.ndim < 3 and part.numel() in (1, rows)


def _size(table: torch.Tensor) -> float:
    if table.is_meta:
        return 0.0
    size = table.detach().double().abs()
    return float(torch.nan_to_num(size, nan=0.0, posinf=torch.inf).max())


def _walk(result: Any, where: str) -> Iterator[tuple[str, torch.Tensor]]:
    if isinstance(result, torch.Tensor):
        yield where, result
        return
    items: Iterator[tuple[str, Any]]
    if isinstance(result, Mapping):
        items = ((f"[{key!r}]", item) for key, item in result.items())
    elif isinstance(result, tuple | list):
        items = ((f"[{place}]", item) for place, item in enumerate(result))
    elif dataclasses.is_dataclass(result) and not isinstance(result, type):
        names = (item.name for item in dataclasses.fields(result))
        items = ((f".{name}", getattr(result, name)) for name in names)
    else:
        return
    for key, item in items:
        yield from _walk(item, where + key)
