"""Judges a function of embeddings, class weights and labels as a module has them."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch

from adaface_ref.gate.guarding.errors import TargetError
from adaface_ref.gate.head.target import Target
from adaface_ref.gate.reading.argument_meanings import FORWARD, parameters_of


class WithWeights(torch.nn.Module):
    """Calls a function of embeddings, weights and labels with weights of its own."""

    def __init__(self, function, names, settings, shape):  # type: ignore[no-untyped-def]
        super().__init__()
        self.function, self.names, self.settings = function, names, settings
        self.weight = torch.nn.Parameter(torch.randn(shape))

    def forward(self, embeddings, labels):  # type: ignore[no-untyped-def]
        """What the function gives."""
        given = dict(zip(self.names, (embeddings, self.weight, labels)))  # noqa: B905
        return self.function(**given, **self.settings)


SNIPPET = textwrap.dedent(inspect.getsource(WithWeights))
for _mark in ("  # type: ignore[no-untyped-def]", "  # noqa: B905"):
    SNIPPET = SNIPPET.replace(_mark, "")


def with_weights(target: Target) -> Target:
    """Give a function of embeddings, weights and labels weights of its own.

    Args:
        target: a resolved target.

    Returns:
        One that makes modules, for a size of embeddings and a number of classes; any
        other target as it is.
    """
    function: Any = target.object
    if inspect.isclass(function) or isinstance(function, torch.nn.Module):
        return target
    try:
        parameters = parameters_of(function)
    except TargetError:
        return target
    names = _named(parameters)
    if names is None:
        return target
    layout = "C, D" if _takes(function, names, (3, 5)) else "D, C"
    free = [p for p in parameters if p.name not in names]

    def make(embedding_size: int, classes: int, **settings: Any) -> WithWeights:
        shape = (classes, embedding_size)
        shape = shape if layout == "C, D" else shape[::-1]
        return WithWeights(function, names, settings, shape)  # type: ignore[no-untyped-call]

    keyword = inspect.Parameter.KEYWORD_ONLY
    sizes = [inspect.Parameter(name, keyword) for name in ("embedding_size", "classes")]
    settings = [p.replace(kind=keyword) for p in free if p.kind != p.VAR_KEYWORD]
    signature = inspect.Signature([*sizes, *settings])
    make.__signature__ = signature  # type: ignore[attr-defined]
    lines = (
        *target.import_lines,
        SNIPPET,
        "function = subject",
        "",
        "",
        "def subject(embedding_size, classes, **settings):",
        "    shape = dict(C=classes, D=embedding_size)",
        f"    shape = [shape[axis] for axis in {layout.split(', ')!r}]",
        f"    return WithWeights(function, {names!r}, settings, shape)",
        "",
    )
    return replace(target, object=make, import_lines=lines)


def _named(parameters: list[inspect.Parameter]) -> tuple[str, str, str] | None:
    """The names of embeddings, weights and labels, where there are all three."""
    found = []
    for row in (FORWARD["embeddings"], FORWARD["weights"], FORWARD["labels"]):
        name = next((p.name for p in parameters if p.name in row), None)
        if name is None:
            return None
        found.append(name)
    return found[0], found[1], found[2]


def _takes(
    function: Callable[..., object], names: tuple[str, ...], shape: tuple[int, int]
) -> bool:
    """Whether a function runs on weights of a shape (C, D)."""
    classes, size = shape
    given: Mapping[str, torch.Tensor] = dict(
        zip(
            names,
            (torch.randn(2, size), torch.randn(shape), torch.tensor([0, classes - 1])),
            strict=True,
        )
    )
    try:
        function(**given)
    except Exception:
        return False
    return True
