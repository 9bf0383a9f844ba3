"""One door for heads of every shape: cosines and labels in, logits out."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any

import torch

from adaface_ref import numpy_reference as reference
from adaface_ref.gate.guarding.errors import TargetError
from adaface_ref.gate.guarding.guard import calling
from adaface_ref.gate.head.door import (
    GIVEN,
    PER_ROW,
    Door,
    Opened,
    Request,
    built,
    constructor_call,
    mapping_of,
    one_hot,
    require_meanings,
    texts_of,
    values_of,
)
from adaface_ref.gate.head.embedding_adapters import (
    TRIED,
    adaface_head,
    catalyst_layer,
    embedding,
    embedding_factory,
    loss_head,
    metric_learning,
    transformers_head,
)
from adaface_ref.gate.head.target import Target
from adaface_ref.gate.reading.argument_meanings import (
    BUILDING,
    BY_PLACE,
    CONSTRUCTOR,
    FORWARD,
    MEANT,
    OF_COSINES,
    Call,
    bind,
    parameters_of,
)
from adaface_ref.gate.reading.forms import Form, find_form, form_evaluator, reading
from adaface_ref.gate.reading.reading import TORCH_DTYPES

ROW_NAMES = {"feature_norm": "norms"}
"""Parameters of a loss that a head knows by another name."""


def open_door(target: Target, request: Request, adapter: str | None) -> Door:
    """Choose the adapter that fits a target.

    Args:
        target: a resolved target.
        request: what is judged.
        adapter: a key of ADAPTERS, or None to recognise the target's shape.

    Returns:
        The door.

    Raises:
        TargetError: no such adapter, or the target has no shape known here.
        SubjectError: the head raised when it was built.
    """
    name = adapter or _recognise(target)
    if name not in ADAPTERS:
        known = ", ".join(ADAPTERS)
        raise TargetError(f"adapter={name}, but must be one of {known} [gate]")
    _require_class(target, name)
    door = ADAPTERS[name](target, request)
    unused = [name for name in request.given if name not in door.used]
    if unused:
        raise TargetError(
            f"arguments={unused[0]}, but must be a parameter of {request.loss} or an "
            "argument of the target [gate]"
        )
    return door


PLACEHOLDERS = tuple(f"argument {number}" for number in range(64))
"""So that a constructor can be looked at whatever it takes."""

READY = {
    "pytorch_metric_learning": "pytorch-metric-learning",
    "transformers": "transformers",
    "catalyst": "catalyst",
}
"""Adapters for heads of packages, and for what is derived from them."""


def _require_class(target: Target, adapter: str) -> None:
    """Refuse an instance where the head must be built for each number of classes."""
    subject: Any = target.object
    if not isinstance(subject, torch.nn.Module):
        return
    names = {parameter.name for parameter in parameters_of(subject)}
    makes_cosines = names & set(FORWARD["embeddings"])
    if adapter == "callable" and (names & set(FORWARD["cosine"]) or not makes_cosines):
        return
    raise TargetError(
        f"target={target.name}, but must be the class {type(subject).__name__}, not an "
        "instance of it: it is built anew for each number of classes [gate]"
    )


def _recognise(target: Target) -> str:
    subject: Any = target.object
    bases = inspect.getmro(subject) if inspect.isclass(subject) else ()
    for base in bases:
        package = base.__module__.partition(".")[0]
        if package in READY:
            return READY[package]
    if torch.nn.Module in bases:
        names = {*[*inspect.signature(subject.forward).parameters][1:]}
        if names & set(FORWARD["cosine"]):
            return "cosine"
        sized = _is_sized(subject)
        makes_cosines = sized or names & set(OF_COSINES["embeddings"])
        return "embedding" if makes_cosines else "cosine"
    if bases:
        return "cosine"
    parameters = parameters_of(subject)
    if {p.name for p in parameters} & set(FORWARD["labels"]):
        return "callable"
    required = [p for p in parameters if p.default is p.empty]
    known = {name for row in CONSTRUCTOR.values() for name in row}
    if all(p.name in known or p.kind == p.VAR_KEYWORD for p in required):
        return "cosine"
    return "callable"


def _is_sized(subject: Any) -> bool:
    """Whether a constructor takes an embedding's size, in a dataclass perhaps, or is
    for a number of classes and takes embeddings."""
    call = bind(parameters_of(subject), CONSTRUCTOR, {}, places=PLACEHOLDERS)
    names = {*[*inspect.signature(subject.forward).parameters][1:]}
    many = "classes" in call.mapped and bool(names & set(FORWARD["embeddings"]))
    return many or "embedding_size" in call.mapped


def _callable(target: Target, request: Request) -> Door:
    subject: Any = target.object
    parameters = parameters_of(subject)
    keywords = {name: MEANT.get(name, name) for name in request.chosen}
    if any(p.name in CONSTRUCTOR["loss"] for p in parameters):
        # A callable of all losses takes each one's parameters by keyword.
        names = reference.PARAMETERS[request.loss]
        keywords = {name: ROW_NAMES.get(name, name) for name in names}
    call = bind(
        parameters,
        CONSTRUCTOR | OF_COSINES,
        request.given,
        places=BY_PLACE,
        keywords=keywords,
    )
    require_meanings(call, ("cosine", "labels"), target)
    values = values_of(request, 2, "float64", "cpu")
    takes = frozenset(row for row in PER_ROW if call.has(row))
    form = find_form(
        lambda _: subject,
        call,
        lambda classes: values_of(request, classes, "float32", "cpu"),
        {name: TRIED[name] for name in takes},
    )

    def opened(classes: int, dtype: str, device: str) -> Opened:
        head, constants = subject, values_of(request, classes, dtype, device)
        if isinstance(subject, torch.nn.Module):
            with calling(BUILDING):
                head = copy.deepcopy(subject)
                head = head.to(device=device, dtype=TORCH_DTYPES[dtype])
        return Opened(form_evaluator(head, call, constants, form), head)

    def source(classes: int, dtype: str) -> tuple[str, ...]:
        texts = texts_of(values_of(request, classes, dtype, "cpu")) | GIVEN
        texts |= one_hot(form)
        move = f".to(torch.{dtype})" if isinstance(subject, torch.nn.Module) else ""
        return (
            f"head = subject{move}",
            *reading(form, call.source("head", texts)),
        )

    mapping = mapping_of(call, texts_of(values))
    how = f"read directly: cosines in, {_out(form)} out"
    used = frozenset(call.extra)
    return Door(
        "callable",
        how,
        mapping,
        used,
        takes,
        False,
        opened,
        source,
        form=form,
        mapped=call.mapped,
    )


def _factory(target: Target, request: Request) -> Door:
    subject: Any = target.object
    make = constructor_call(subject, request)

    def build(classes: int, dtype: str, device: str) -> Any:
        return built(subject, make, values_of(request, classes, dtype, device))

    first = build(2, "float32", "cpu")
    if not callable(first):
        raise TargetError(
            f"target={target.name}, but must return a callable, "
            f"not {type(first).__name__} [gate]"
        )
    names = {parameter.name for parameter in parameters_of(first)}
    if names & set(FORWARD["embeddings"]) and not _is_of_cosines(first, make, names):
        return embedding_factory(target, request)
    call = bind(parameters_of(first), OF_COSINES, {}, places=BY_PLACE)
    require_meanings(call, ("cosine", "labels"), target)
    takes = frozenset(row for row in PER_ROW if call.has(row))
    form = find_form(
        lambda classes: build(classes, "float32", "cpu"),
        call,
        lambda _: {},
        {name: TRIED[name] for name in takes},
    )

    def opened(classes: int, dtype: str, device: str) -> Opened:
        head = build(classes, dtype, device)
        return Opened(form_evaluator(head, call, {}, form), head)

    def source(classes: int, dtype: str) -> tuple[str, ...]:
        texts = texts_of(values_of(request, classes, dtype, "cpu"))
        move = f".to(torch.{dtype})" if isinstance(first, torch.nn.Module) else ""
        return (
            f"head = {make.source('subject', texts)}{move}",
            *reading(form, call.source("head", GIVEN | one_hot(form))),
        )

    mapping = mapping_of(make, texts_of(values_of(request, 2, "float64", "cpu")))
    how = f"built, then read directly: cosines in, {_out(form)} out"
    used = frozenset(make.extra)
    return Door(
        "cosine",
        how,
        mapping,
        used,
        takes,
        False,
        opened,
        source,
        form=form,
        mapped=make.mapped,
    )


def _is_of_cosines(head: Any, make: Call, names: set[str]) -> bool:
    """Whether what was built is given cosines: by name, or since it has no weights."""
    if names & set(FORWARD["cosine"]):
        return True
    sized = {"classes", "embedding_size"} & make.mapped
    weights = isinstance(head, torch.nn.Module) and any(True for _ in head.parameters())
    return not sized and not weights and not names & set(OF_COSINES["embeddings"])


def _out(form: Form) -> str:
    """What a head of cosines gives, for the report."""
    return "logits" if form.shows_logits else "a loss"


ADAPTERS: dict[str, Callable[[Target, Request], Door]] = {
    "callable": _callable,
    "cosine": _factory,
    "embedding": embedding,
    "loss": loss_head,
    "adaface": adaface_head,
    "pytorch-metric-learning": metric_learning,
    "transformers": transformers_head,
    "catalyst": catalyst_layer,
}
