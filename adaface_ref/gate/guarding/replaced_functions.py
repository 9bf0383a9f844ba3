"""Finds functions that somebody replaced in torch, NumPy, Python or the gate itself."""

from __future__ import annotations

import builtins
import inspect
import json
import math
import os
import random
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

OWNERS: tuple[Any, ...] = (
    torch, torch.Tensor, torch.nn.functional, torch.nn.Module, torch.autograd,
    torch.linalg, torch.special, torch.random, torch.overrides,
    np, np.linalg, np.random, builtins, math, json, os, random, time,
)  # fmt: skip
"""Whose functions a judgement rests on, besides those of this package."""


class Replaced(NamedTuple):
    """A function that is another one than before.

    Args:
        owner: the module or class.
        name: the function's.
        before: what it was.
    """

    owner: Any
    name: str
    before: Any

    @property
    def text(self) -> str:
        """Such as `torch.nn.functional.cross_entropy`."""
        module = getattr(self.owner, "__module__", "")
        name = getattr(self.owner, "__qualname__", self.owner.__name__)
        return ".".join(part for part in (module, name, self.name) if part)


class Functions:
    """The functions of OWNERS and of this package, as they are when it is made."""

    def __init__(self) -> None:
        self._known = [(owner, dict(vars(owner))) for owner in _owners()]
        self._values = [tuple(names.values()) for _, names in self._known]

    def replaced(self) -> list[Replaced]:
        """What was replaced or removed since, but for what torch itself wraps late."""
        found: list[Replaced] = []
        for place, (owner, names) in enumerate(self._known):
            values = tuple(vars(owner).values())
            if _same(values, self._values[place]):
                continue
            here = _compared(owner, names)
            found += here
            if not here:
                self._values[place] = values
        return found


def _same(values: tuple[Any, ...], known: tuple[Any, ...]) -> bool:
    """Whether all are the same objects; only others are asked for equality."""
    try:
        return values == known
    except Exception:
        return False


def _compared(owner: Any, names: Mapping[str, Any]) -> list[Replaced]:
    now = vars(owner)
    return [
        Replaced(owner, name, value)
        for name, value in names.items()
        if callable(value) and now.get(name) is not value
        if not _is_wrapped(value, now.get(name))
    ]


def restore(changes: list[Replaced]) -> None:
    """Put functions back.

    Args:
        changes: what `replaced` found.
    """
    for owner, name, before in changes:
        setattr(owner, name, before)


def _owners() -> list[Any]:
    ours = [
        module
        for name, module in sys.modules.items()
        if name.startswith("adaface_ref.") and module is not None
    ]
    classes = [
        value
        for module in ours
        for value in vars(module).values()
        if inspect.isclass(value) and value.__module__ == module.__name__
    ]
    return [*OWNERS, *ours, *classes]


def _is_wrapped(old: Any, new: Any) -> bool:
    """Whether torch wrapped one of its own, as its compiler does when first used."""
    code = getattr(new, "__code__", None)
    if code is None or getattr(new, "__wrapped__", None) is not old:
        return False
    return Path(torch.__file__).parent in Path(code.co_filename).parents
