"""The single numbers that a head keeps: buffers, plain tensors, Python numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch


def scalars(head: object) -> dict[str, float]:
    """What single numbers a head keeps, however it keeps them.

    Args:
        head: a head; one that is no torch module keeps none.

    Returns:
        Value by dotted name. Learnt parameters are left out.
    """
    return {
        name: float(value.detach() if _is_tensor(value) else value)
        for name, _, _, value in _slots(head)
    }


def put(head: object, name: str, value: float) -> None:
    """Set one of them, without a trace in any graph.

    Args:
        head: the head.
        name: a key of `scalars(head)`.
        value: its new value.

    Raises:
        KeyError: the head keeps no such number.
    """
    for slot, module, attribute, old in _slots(head):
        if slot == name:
            changed = torch.full_like(old, value) if _is_tensor(old) else value
            setattr(module, attribute, changed)
            return
    raise KeyError(name)


def put_line(head: object, name: str, value: float) -> str:
    """The same as source text, for a head called `head`."""
    kept = next(old for slot, _, _, old in _slots(head) if slot == name)
    if not _is_tensor(kept):
        return f"head.{name} = {_text(value)}"
    return f"head.{name} = torch.full_like(head.{name}, {_text(value)})"


def _text(value: float) -> str:
    return repr(value) if abs(value) < float("inf") else f"float('{value}')"


def _is_tensor(value: object) -> bool:
    return isinstance(value, torch.Tensor)


def _slots(head: object) -> Iterator[tuple[str, Any, str, Any]]:
    if not isinstance(head, torch.nn.Module):
        return
    for path, module in head.named_modules():
        for name, value in {**vars(module), **module._buffers}.items():
            if _is_tensor(value):
                single = value.numel() == 1 and value.is_floating_point()
            else:
                single = isinstance(value, int | float) and not isinstance(value, bool)
            if single and not name.startswith("_"):
                yield f"{path}.{name}" if path else name, module, name, value
