"""Adapters for heads that compute their cosines from embeddings: read by a leaf."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from typing import Any

import torch

from adaface_ref.gate.calls import FORWARD, Call, bind, parameters_of, run
from adaface_ref.gate.door import (
    EMBEDDING_SIZE,
    GIVEN,
    ROWS,
    Door,
    Opened,
    Request,
    built,
    constructor_call,
    logits_of,
    require_meanings,
    texts_of,
    values_of,
)
from adaface_ref.gate.leaf import SNIPPET, LeafOfCosines
from adaface_ref.gate.reading import Batch, Evaluate, Evaluation
from adaface_ref.gate.reduction import reduced, reduction_of
from adaface_ref.gate.targets import SubjectError, Target, TargetError


def embedding(target: Target, request: Request) -> Door:
    """The adapter for nn.Module classes that make their own cosines."""
    subject: Any = target.object
    if not (inspect.isclass(subject) and issubclass(subject, torch.nn.Module)):
        raise TargetError(
            f"target={target.name}, but must be an nn.Module class for the adapter "
            "embedding [gate]"
        )
    make = constructor_call(subject, request)
    return _through_leaf("embedding", target, request, make, {})


def metric_learning(target: Target, request: Request) -> Door:
    """The adapter for pytorch-metric-learning, whose ArcFaceLoss takes degrees."""
    subject: Any = target.object
    if not inspect.isclass(subject):
        raise TargetError(
            f"target={target.name}, but must be a class for the adapter "
            "pytorch-metric-learning [gate]"
        )
    names = ("num_classes", "embedding_size", "margin", "scale")
    meanings = dict(zip(names, ("classes", *names[1:]), strict=True))
    make = Call(meanings, frozenset(), request.given)
    bases = [base.__name__ for base in inspect.getmro(subject)]
    margin = request.parameters.get("margin", 0.0)
    if "ArcFaceLoss" not in bases:
        return _through_leaf("pytorch-metric-learning", target, request, make, {})
    degrees = {"margin": (math.degrees(margin), f"math.degrees({margin!r})")}
    return _through_leaf("pytorch-metric-learning", target, request, make, degrees)


def _through_leaf(
    adapter: str,
    target: Target,
    request: Request,
    make: Call,
    changed: Mapping[str, tuple[float, str]],
) -> Door:
    subject: Any = target.object

    def build(classes: int, dtype: str, device: str) -> Any:
        values = values_of(request, classes, dtype, device)
        return built(subject, make, values | {k: v for k, (v, _) in changed.items()})

    call = bind(
        parameters_of(build(2, "float32", "cpu")),
        {k: v for k, v in FORWARD.items() if k != "cosine"},
        {},
        places=("embeddings", "labels", "norms"),
    )
    require_meanings(call, ("embeddings", "labels"), target)

    def opened(classes: int, dtype: str, device: str) -> Opened:
        head = build(classes, dtype, device)
        return Opened(_leaf_reader(head, call), head)

    def shown(classes: int, dtype: str) -> dict[str, str]:
        texts = texts_of(values_of(request, classes, dtype, "cpu"))
        return texts | {name: text for name, (_, text) in changed.items()}

    def source(classes: int, dtype: str) -> tuple[str, ...]:
        values = GIVEN | {"embeddings": "embeddings"}
        making = make.source("subject", shown(classes, dtype))
        norms = "norms.reshape(-1)" if "norms" in takes else "1.0"
        return (
            SNIPPET,
            f"head = {making}.to(torch.{dtype})",
            f"embeddings = cosine.new_zeros(len(labels), {EMBEDDING_SIZE})",
            f"embeddings[:, 0] = {norms}",
            f"with reader:\n    result = {call.source('head', values)}",
            "logits = result if reader.logits is None else reader.logits",
        )

    texts = shown(2, "float64")
    rows = [f"{n}={texts[m]}" for n, m in make.meanings.items() if m in texts]
    mapping = (*rows, *(f"{name}={value!r}" for name, value in make.extra.items()))
    how = "read through a leaf of cosines in place of its first matrix product"
    takes = frozenset(row for row in ROWS if call.has(row))
    if request.loss in ("adaface", "magface"):
        takes |= {"norms"}  # as the embeddings' own length, where it is no argument
    used = frozenset(make.extra)
    return Door(adapter, how, mapping, used, takes, True, opened, source)


def _leaf_reader(head: Any, call: Call) -> Evaluate:
    known: list[str] = []

    def answer(batch: Batch) -> tuple[Any, LeafOfCosines]:
        size = batch.cosine.shape[0]
        embeddings = batch.cosine.new_zeros(size, EMBEDDING_SIZE)
        norms = batch.rows.get("norms")
        embeddings[:, 0] = 1.0 if norms is None else norms.reshape(-1)
        values = {"embeddings": embeddings, "labels": batch.labels, **batch.rows}
        leaf = LeafOfCosines(batch.cosine)
        with leaf:
            result = run("running the head", head, call, values)
        if not leaf.replaced:
            raise SubjectError(
                "the head makes no (batch, classes) matrix product to read it by"
            )
        return result, leaf

    def evaluate(batch: Batch) -> Evaluation:
        result, leaf = answer(batch)
        logits = logits_of(result, batch)
        if getattr(logits, "shape", None) == batch.cosine.shape:
            return Evaluation(logits)
        if leaf.logits is None or not isinstance(result, torch.Tensor):
            raise SubjectError("the head gives neither logits nor a cross-entropy")
        if not known:
            known.append(reduction_of(lambda copies: answer(copies)[0], batch))
        return reduced(result, leaf.logits, known[0])

    return evaluate
