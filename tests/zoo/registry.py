"""All heads of the zoo, whichever of its modules they stand in."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from adaface_ref import numpy_reference
from adaface_ref.torch_heads.modules import HEADS
from zoo.planted import JUDGED, planted
from zoo.planting import Wrong


class Exact(NamedTuple):
    """One exact head.

    Args:
        loss: its loss.
        profile: the profile that it must have, or `auto`.
        arguments: what it is judged with.
    """

    loss: str
    profile: str = "auto"
    arguments: Mapping[str, object] = {}


@cache
def wrong() -> Mapping[str, Wrong]:
    """Every planted head by its target: of the tables of zoo.wrong, and of FAULTS."""
    found = {
        target: Wrong(**{k: getattr(row, k) for k in Wrong._fields if hasattr(row, k)})
        for target, row in _rows_of("wrong")
        if hasattr(row, "check")
    }
    return found | planted()


@cache
def exact() -> Mapping[str, Exact]:
    """Every exact head by its target: zoo.exact, the formula planted, and our own."""
    found = {}
    for target, row in _rows_of("exact"):
        if isinstance(row, str) and row in numpy_reference.LOSSES:
            found[target] = Exact(row)
        elif hasattr(row, "loss"):
            fields = {name: getattr(row, name) for name in ("profile", "arguments")
                      if hasattr(row, name)}  # fmt: skip
            found[target] = Exact(row.loss, **fields)
    for loss, rules in numpy_reference.DEFINED.items():
        judged = JUDGED.get(loss, {})
        found[f"zoo.planted:{loss}__right"] = Exact(loss, "auto", judged)
        name = HEADS[loss].__name__
        found[f"adaface_ref.torch_heads:{name}"] = Exact(loss, rules[-1])
    return found


def _rows_of(family: str) -> Iterator[tuple[str, Any]]:
    """The rows of all tables (dicts in capitals) of a package of heads."""
    package = importlib.import_module(f"zoo.{family}")
    names = [f"zoo.{family}.{m.name}" for m in pkgutil.iter_modules(package.__path__)]
    for module in names:
        content = vars(importlib.import_module(module))
        for name, table in content.items():
            if name.isupper() and isinstance(table, dict):
                for key, row in table.items():
                    if key in content:
                        yield f"{module}:{key}", row
