"""The margins k, a and b of a loss whose target is cos(k theta + a) - b, on columns.

Compiled from the spec's own row.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sympy import Expr, Symbol

from adaface_ref.compiler import NUMPY, Compiled, compile_tree
from adaface_ref.spec.losses import LOSSES

Floats = NDArray[np.float64]


class Margins(NamedTuple):
    """k, a and b, each (N,)."""

    multiplier: Floats
    angular: Floats
    additive: Floats


def margins_of(loss: str, columns: Mapping[str, Any]) -> Margins | None:
    """A loss's margins on columns.

    Args:
        loss: a loss id.
        columns: its parameters, (N,) each.

    Returns:
        The margins, or None where the loss has another form.
    """
    row = LOSSES[loss]
    if row.angular_margin is None:
        return None
    parts = (row.multiplier, row.angular_margin, row.additive_margin)
    return Margins(*(on_columns(loss, part, columns) for part in parts))


def on_columns(loss: str, tree: Expr, columns: Mapping[str, Any]) -> Floats:
    """An expression in a loss's parameters, its inputs clipped where the loss clips.

    Args:
        loss: a loss id.
        tree: without cosines.
        columns: the loss's parameters, (N,) each.

    Returns:
        Array (N,).
    """
    clipped = {
        symbol.name: np.clip(columns[symbol.name], *_evaluated(ends, columns))
        for symbol, ends in LOSSES[loss].clipped.items()
        if symbol in tree.free_symbols
    }
    (value,) = _evaluated((tree,), {**columns, **clipped})
    return np.broadcast_to(np.asarray(value, float), np.shape(columns["scale"]))


def _evaluated(trees: tuple[Expr, ...], columns: Mapping[str, Any]) -> tuple[Any, ...]:
    names, function = _compiled(trees)
    values: tuple[Any, ...] = function(*(columns[name] for name in names))
    return values


@cache
def _compiled(trees: tuple[Expr, ...]) -> tuple[tuple[str, ...], Compiled]:
    symbols: set[Symbol] = set().union(*(tree.free_symbols for tree in trees))
    names = tuple(sorted(symbol.name for symbol in symbols))
    return names, compile_tree(trees, names, NUMPY)
