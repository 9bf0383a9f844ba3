"""Adapters for heads that compute their cosines from embeddings."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import torch

from adaface_ref.gate.guarding.errors import target_error
from adaface_ref.gate.head.door import (
    EMBEDDING_SIZE,
    GIVEN,
    PER_ROW,
    Door,
    Opened,
    Request,
    WholeHead,
    built,
    constructor_call,
    mapping_of,
    one_hot,
    require_meanings,
    texts_of,
    values_of,
)
from adaface_ref.gate.head.target import Target
from adaface_ref.gate.reading import black_box, leaf
from adaface_ref.gate.reading.argument_meanings import (
    FORWARD,
    Call,
    bind,
    parameters_of,
)
from adaface_ref.gate.reading.forms import reading
from adaface_ref.gate.reading.ways_to_read import choose, evaluator
from adaface_ref.spec.losses import LOSSES

EMBEDDED = {meaning: names for meaning, names in FORWARD.items() if meaning != "cosine"}
"""What the arguments of a forward that makes its own cosines mean."""

PLACES = ("embeddings", "labels", "norms")
"""What unnamed arguments of such a forward mean."""

TRIED = {
    "norms": (40.0, 47.0, 53.0, 90.0),
    "margin_scaler": (-1.0, -0.25, 0.5, 1.0),
}
"""Values of row quantities at which a way of reading is tried."""

Changed = Mapping[str, tuple[float, str]]
"""Values, and their source text, that replace what is given by meaning."""

UNCHANGED: Changed = MappingProxyType({})


def embedding(target: Target, request: Request) -> Door:
    """The adapter for nn.Module classes that make their own cosines."""
    make = constructor_call(_module(target, "embedding"), request)
    return _opened("embedding", target, request, make)


def embedding_factory(target: Target, request: Request) -> Door:
    """The adapter for functions that make a module of embeddings."""
    return _opened(
        "embedding", target, request, constructor_call(target.object, request)
    )


def loss_head(target: Target, request: Request) -> Door:
    """The adapter for nn.Module classes that give a loss, a scalar or one a row."""
    make = constructor_call(_module(target, "loss"), request)
    return _opened("loss", target, request, make, gives_loss=True)


def adaface_head(target: Target, request: Request) -> Door:
    """The adapter for heads shaped like AdaFace's: (embeddings, norms, labels)."""
    make = constructor_call(_module(target, "adaface"), request)
    places = ("embeddings", "norms", "labels")
    return _opened("adaface", target, request, make, places=places)


def transformers_head(target: Target, request: Request) -> Door:
    """The adapter for transformers' AMSoftmaxLoss, which gives a mean loss."""
    make = constructor_call(_module(target, "transformers"), request)
    return _opened("transformers", target, request, make, gives_loss=True)


def catalyst_layer(target: Target, request: Request) -> Door:
    """The adapter for catalyst's layers (input, target) -> logits."""
    subject = _module(target, "catalyst")
    if subject.__name__ == "AdaCos":
        must = "one of the losses, and AdaCos takes its scale from every batch anew"
        raise target_error(target.name, must)
    return _opened("catalyst", target, request, constructor_call(subject, request))


def metric_learning(target: Target, request: Request) -> Door:
    """The adapter for pytorch-metric-learning, whose ArcFaceLoss takes degrees."""
    name = "pytorch-metric-learning"
    subject = _module(target, name)
    make = constructor_call(subject, request)
    margin = request.parameters.get("margin", 0.0)
    changed: Changed = {"margin": (math.degrees(margin), f"math.degrees({margin!r})")}
    if "ArcFaceLoss" not in {base.__name__ for base in inspect.getmro(subject)}:
        changed = UNCHANGED
    return _opened(name, target, request, make, changed=changed, gives_loss=True)


def _module(target: Target, adapter: str) -> type[torch.nn.Module]:
    """The target, which must be a class of modules."""
    subject: Any = target.object
    if inspect.isclass(subject) and issubclass(subject, torch.nn.Module):
        return subject
    raise target_error(target.name, f"an nn.Module class for the adapter {adapter}")


def _opened(
    adapter: str,
    target: Target,
    request: Request,
    make: Call,
    *,
    places: tuple[str, ...] = PLACES,
    changed: Changed = UNCHANGED,
    gives_loss: bool = False,
) -> Door:
    """A door whose way of reading was tried on the head itself."""
    subject: Any = target.object

    def sized(classes: int, size: int, dtype: str, device: str) -> Any:
        values = values_of(request, classes, dtype, device, size)
        return built(subject, make, values | {k: v for k, (v, _) in changed.items()})

    def build(classes: int, dtype: str, device: str) -> Any:
        return sized(classes, EMBEDDING_SIZE, dtype, device)

    call = bind(parameters_of(build(2, "float32", "cpu")), EMBEDDED, {}, places=places)
    require_meanings(call, ("embeddings", "labels"), target)
    takes = frozenset(row for row in PER_ROW if call.has(row))
    row = LOSSES[request.loss]
    if row.row_quantity is not None and "margin_scaler" not in takes:
        takes |= {"norms"}  # as the embeddings' own length, where it is no argument
    manner = choose(
        lambda classes: build(classes, "float32", "cpu"),
        call,
        {name: TRIED[name] for name in takes},
        size=EMBEDDING_SIZE,
        gives_loss=gives_loss,
        held=row.statistics_of == "norms",
    )

    def opened(classes: int, dtype: str, device: str) -> Opened:
        head = build(classes, dtype, device)
        manner.put_on_axes(head, classes)
        return Opened(evaluator(head, manner), head)

    def making(classes: int, size: int, dtype: str) -> str:
        text = make.source("subject", shown(classes, dtype, size))
        return f"{text}.to(torch.{dtype})"

    def shown(classes: int, dtype: str, size: int = EMBEDDING_SIZE) -> dict[str, str]:
        texts = texts_of(values_of(request, classes, dtype, "cpu", size))
        return texts | {name: text for name, (_, text) in changed.items()}

    def weights(classes: int, dtype: str) -> list[str]:
        """The lines that give the head the weights it is judged with."""
        if manner.layout is None:
            return []
        head = build(classes, dtype, "cpu")
        manner.put_on_axes(head, classes)
        parts = zip(manner.layout.names, manner.layout.tensors(head), strict=True)
        return [f"head.{name}.data.copy_(torch.tensor({part.tolist()}))"
                for name, part in parts]  # fmt: skip

    def source(classes: int, dtype: str) -> tuple[str, ...]:
        length = "torch.ones(len(labels))"
        if "norms" in takes and not call.has("norms"):
            length = "norms.reshape(-1)"
        embeddings = (
            f"embeddings = cosine.new_zeros(len(labels), {manner.size})\n"
            f"embeddings[:, 0] = {length}"
        )
        if manner.black_box:
            embeddings = (
                f"embeddings = Embedding.apply(cosine, {length}, {manner.size})"
            )
        given = GIVEN | {"embeddings": "embeddings"} | one_hot(manner.form)
        return (
            leaf.SNIPPET,
            black_box.SNIPPET,
            f"head = {making(classes, EMBEDDING_SIZE, dtype)}",
            *weights(classes, dtype),
            embeddings,
            f"reader = Reader(replaced={manner.black_box})",
            *reading(manner.form, call.source("head", given), "with reader:\n    "),
        )

    mapping = mapping_of(make, shown(2, "float64"))
    used = frozenset(make.extra)
    return Door(
        adapter, manner.why, mapping, used, takes, True, opened, source,
        manner.black_box, manner.form,
        WholeHead(sized, making, call, manner.column, manner.form),
        make.mapped,
    )  # fmt: skip
