"""What the tests of the torch form share: losses with their settings, and cosines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from adaface_ref.torch_heads import DEFAULTS, HEADS, LOSSES, PARAMETERS, MarginHead

OF_A_SAMPLE = {"curriculum": 0.3, "feature_norm": 60.0, "margin_scaler": 0.75}
"""What belongs to a batch or a sample, and has no default."""

SETTINGS: dict[str, dict[str, Any]] = {
    loss: {name: {**OF_A_SAMPLE, **DEFAULTS[loss]}[name] for name in names}
    for loss, names in PARAMETERS.items()
}
SETTINGS["combined"]["multiplier"] = 1.25  # at its default, 1, it would not show
CASES = [(loss, rule) for loss, row in LOSSES.items() for rule in row.rules]
CLIPPED = [loss for loss, row in LOSSES.items() if "clip" in row.rules]
ROWS, SIZE, CLASSES = 12, 8, 5
DTYPES = (torch.float64, torch.float32, torch.float16, torch.bfloat16)

every_case = pytest.mark.parametrize(("loss", "rule"), CASES)
COMPILED = [(loss, rule) for loss, rule in CASES
            if loss == "arcface" or rule == [*LOSSES[loss].rules][-1]]  # fmt: skip
"""Every rule, and every loss: what is compiled is one of each."""

every_rule_and_loss = pytest.mark.parametrize(("loss", "rule"), COMPILED)
every_loss = pytest.mark.parametrize("loss", LOSSES)
every_head = pytest.mark.parametrize("loss", HEADS)
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=str)

# torch.compile itself makes an instance of the autograd.Function that it traces.
dynamo_instantiates = pytest.mark.filterwarnings(
    "ignore:.*should not be instantiated:DeprecationWarning"
)


def cosines(device: str = "cpu", size: int = 500) -> tuple[Tensor, Tensor, Tensor]:
    """Target, rival and other cosines; the other does not exceed the rival."""
    source = torch.Generator().manual_seed(0)
    drawn = 1.998 * torch.rand(2, size, generator=source, dtype=torch.float64) - 0.999
    target, other = drawn.to(device)
    return target, other.clamp(min=-0.2) + 0.1, other


def compiled(asked: Callable[..., Any]) -> Callable[..., Any]:
    """One graph, or an error; differentiated as for training, but run as it stands."""
    torch.compiler.reset()
    return torch.compile(asked, fullgraph=True, backend="aot_eager")


def head(loss: str, device: str = "cpu", **settings: Any) -> MarginHead:
    """A head with the same weights every time."""
    torch.manual_seed(0)
    return HEADS[loss](SIZE, CLASSES, **settings).to(device)


def embedded(device: str = "cpu", length: float = 8.0) -> tuple[Tensor, Tensor]:
    """Embeddings with norms of about 3 times `length`, and labels of every class."""
    source = torch.Generator().manual_seed(1)
    embeddings = length * torch.randn(ROWS, SIZE, generator=source)
    return embeddings.to(device), torch.arange(ROWS, device=device) % CLASSES


def buffers(module: MarginHead) -> dict[str, float]:
    return {name: value.item() for name, value in module.named_buffers()}
