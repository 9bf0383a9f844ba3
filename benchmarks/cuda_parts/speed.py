"""Forward and backward of every head of ours, against softmax without a margin.

Ours compute in float32 at least; the plain softmax computes in the dtype it is given,
so that the ratio in bfloat16 holds the price of that, too.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from adaface_ref.torch_heads import HEADS, MagFace
from cuda_parts.work import Work

DTYPES = (torch.float32, torch.bfloat16)
PLAIN = "plain"
FEWEST = 5
"""Steps of a measurement."""


class Size(NamedTuple):
    """How much is computed.

    Args:
        rows: B.
        classes: C.
        length: D, of an embedding.
        seconds: of every measurement, about.
    """

    rows: int
    classes: int
    length: int
    seconds: float


FULL = Size(1024, 1_000_000, 512, 1.5)
SMALL = Size(32, 2_000, 16, 0.02)


class Plain(nn.Module):
    """Normalised softmax, as one would write it: scaled cosines, in the given dtype.

    Args:
        length: D.
        classes: C.
    """

    def __init__(self, length: int, classes: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(classes, length))
        nn.init.normal_(self.weight, std=length**-0.5)

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Logits (B, C)."""
        weight = functional.normalize(self.weight)
        return 64.0 * functional.linear(functional.normalize(embeddings), weight)


def run(work: Work) -> list[str]:
    """Measures them all, and says which ran out of memory or gave what is no number."""
    size = SMALL if work.rehearse else FULL
    precision = torch.get_float32_matmul_precision()
    work.keep(size=size._asdict(), float32_products=precision, heads={})
    unexpected = []
    for dtype in DTYPES:
        name = str(dtype).removeprefix("torch.")
        found: dict[str, Any] = {}
        for head, row in rows(size, dtype, work.device):
            plain = found.get(PLAIN, row).get("milliseconds")
            if plain and "milliseconds" in row:
                row["ratio_to_plain"] = round(row["milliseconds"] / plain, 3)
            found[head] = row
            work.keep(heads={**work.figures["heads"], name: found})
            print(f"{name} {head}: {row}", flush=True)
            if "error" in row:
                unexpected.append(f"{head}, {name}: {row['error']}")
            elif not row["finite"]:
                unexpected.append(f"{head}, {name}: a gradient is not finite")
    return unexpected


def rows(
    size: Size, dtype: torch.dtype, device: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """One head after the other; one that does not fit leaves room for the next."""
    makers: dict[str, Callable[[int, int], nn.Module]] = {PLAIN: Plain, **HEADS}
    for name, maker in makers.items():
        try:
            row = measured(maker, size, dtype, device)
        except RuntimeError as error:  # out of memory, and what a library calls so
            row = {"error": f"{type(error).__name__}: {str(error)[:300]}"}
        gc.collect()
        if device == "cuda":
            torch.cuda.empty_cache()
        yield name, row


def measured(
    maker: Callable[[int, int], nn.Module], size: Size, dtype: torch.dtype, device: str
) -> dict[str, Any]:
    """Median milliseconds of forward and backward, and memory beyond what is given."""
    torch.manual_seed(0)
    with torch.device(device):
        head = maker(size.length, size.classes).to(dtype)
        # Of every length that MagFace's margin depends on.
        lengths = torch.linspace(10, 110, size.rows)
        drawn = functional.normalize(torch.randn(size.rows, size.length))
        embeddings = (drawn * lengths[:, None]).to(dtype).requires_grad_()
        labels = torch.randint(size.classes, (size.rows,))

    def step() -> None:
        """As in training; MagFace with its regulariser, of the same norms."""
        head.zero_grad(set_to_none=True)
        embeddings.grad = None
        if isinstance(head, MagFace):
            norms = torch.linalg.vector_norm(embeddings.float(), dim=1)
            logits = head(embeddings, labels, norms)
            loss = functional.cross_entropy(logits, labels) + head.regulariser(norms)
        else:
            loss = functional.cross_entropy(head(embeddings, labels), labels)
        loss.backward()

    step()  # what is compiled or set up at first is not the head's
    memory = extra_memory(step, head, embeddings) if device == "cuda" else None
    taken = seconds_of(step, size.seconds, device)
    gradients = [embeddings.grad, *(weight.grad for weight in head.parameters())]
    return {
        "milliseconds": round(statistics.median(taken) * 1000, 3),
        "runs": len(taken),
        "extra_memory_gib": memory,
        "finite": all(g is not None and bool(g.isfinite().all()) for g in gradients),
    }


def seconds_of(step: Callable[[], None], about: float, device: str) -> list[float]:
    """Seconds of every step of many; torch's own timer would want setuptools."""
    until = time.perf_counter() + about
    taken: list[float] = []
    while len(taken) < FEWEST or time.perf_counter() < until:
        began = time.perf_counter()
        step()
        if device == "cuda":
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - began)
    return taken


def extra_memory(
    step: Callable[[], None], head: nn.Module, embeddings: Tensor
) -> float:
    """GiB that a step takes at most, gradients counted, weights and inputs not."""
    head.zero_grad(set_to_none=True)
    embeddings.grad = None
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    step()
    torch.cuda.synchronize()
    return round((torch.cuda.max_memory_allocated() - before) / 2**30, 2)
