"""Puts our own cosines into a head that computes them from embeddings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

PRODUCTS = frozenset(
    {"matmul", "mm", "addmm", "linear", "einsum", "__matmul__", "__rmatmul__"}
)


class LeafOfCosines(TorchFunctionMode):
    """Replaces the first (batch, classes) matrix product by given cosines.

    Also keeps the logits that the head hands to cross-entropy.

    Args:
        cosine: what the head shall take for its cosines, (B, C).
    """

    def __init__(self, cosine: torch.Tensor) -> None:
        super().__init__()
        self.cosine = cosine
        self.replaced = False
        self.logits: torch.Tensor | None = None

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Called by torch for every function while the mode is on."""
        result = func(*args, **(kwargs or {}))
        if func is torch.nn.functional.cross_entropy and self.logits is None:
            self.logits = args[0] if args else (kwargs or {})["input"]
        if self.replaced or getattr(func, "__name__", "") not in PRODUCTS:
            return result
        if isinstance(result, torch.Tensor) and result.shape == self.cosine.shape:
            self.replaced = True
            return self.cosine
        return result


SNIPPET = (
    f"PRODUCTS = {sorted(PRODUCTS)}\n"
    + """

class Leaf(torch.overrides.TorchFunctionMode):
    # Takes our cosines for the head's first (batch, classes) product.
    replaced, logits = False, None

    def __torch_function__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if func is torch.nn.functional.cross_entropy and self.logits is None:
            self.logits = args[0] if args else kwargs["input"]
        if self.replaced or getattr(func, "__name__", "") not in PRODUCTS:
            return result
        if getattr(result, "shape", None) == cosine.shape:
            self.replaced = True
            return cosine
        return result


reader = Leaf()
"""
)
"""The same class for a snippet that has only torch; a test runs it."""
