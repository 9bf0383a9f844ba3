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


Snapshot = Mapping[int, tuple[Any, Mapping[str, Any]]]


def snapshot() -> Snapshot:
    """The functions of OWNERS and of this package, as they are now."""
    return {id(owner): (owner, dict(vars(owner))) for owner in _owners()}


def replaced(before: Snapshot) -> list[Replaced]:
    """What was replaced or removed since.

    Args:
        before: a snapshot.

    Returns:
        In the order of OWNERS; torch's own late wrapping of its functions left out.
    """
    found = []
    for owner, names in before.values():
        now = vars(owner)
        for name, value in names.items():
            new = now.get(name)
            if new is not value and callable(value) and not _is_wrapped(value, new):
                found.append(Replaced(owner, name, value))
    return found


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
