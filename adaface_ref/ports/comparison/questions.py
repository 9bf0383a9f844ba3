"""What a port is asked: which cells, at which points."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from adaface_ref import numpy_reference
from adaface_ref.errors import DomainError
from adaface_ref.evidence.truth.agreement import parameters_of, quantities_of
from adaface_ref.points import block, in_dtype, recommended
from adaface_ref.ports.pipe.bits import Floats
from adaface_ref.ports.pipe.protocol import Hello

Columns = Mapping[str, Floats]

SIZE = 10_000
"""Points of one request, besides the corners."""

FIRST = 2**10
"""Points of the first request, which all go to the oracle."""

RIVALS = (0.0, 0.5)
SCALERS = (-1.0, 0.0, 1.0)


class Cell(NamedTuple):
    """One loss under one profile, as a port announced it."""

    loss: str
    profile: str


def cells_of(
    hello: Hello, losses: Collection[str], profiles: Collection[str]
) -> tuple[Cell, ...]:
    """The cells to judge.

    Args:
        hello: what the port announced.
        losses, profiles: only these; all where empty.

    Returns:
        At least one.

    Raises:
        DomainError: a filter names what the port does not announce, or leaves nothing.
    """
    every = [Cell(loss, p) for loss, of_it in hello.losses.items() for p in of_it]
    _require_announced("--loss", losses, hello.losses)
    kept = [cell for cell in every if not losses or cell.loss in losses]
    _require_announced("--profile", profiles, {cell.profile for cell in kept})
    return tuple(c for c in kept if not profiles or c.profile in profiles)


def dtypes_of(hello: Hello, only: Collection[str]) -> tuple[str, ...]:
    """The dtypes to judge in.

    Args:
        hello: what the port announced.
        only: these; all where empty.

    Raises:
        DomainError: one that the port does not announce.
    """
    _require_announced("--dtype", only, hello.dtypes)
    return tuple(t for t in hello.dtypes if not only or t in only)


def _require_announced(
    option: str, words: Iterable[str], known: Collection[str]
) -> None:
    for word in words:
        if word not in known:
            must = f"what the port announces: {', '.join(sorted(known))}"
            raise DomainError(f"{option}={word}, but must be {must} [port]")


def quantities_to_ask(hello: Hello, loss: str) -> tuple[str, ...]:
    """What a port is asked of a loss: of what it has, what the loss has."""
    return tuple(q for q in hello.quantities if q in quantities_of(loss))


def blocks(
    cell: Cell, dtype: str, seed: int, points: int
) -> Iterator[tuple[Columns, int]]:
    """Points of a cell, and how many of each block's first are for the oracle.

    Args:
        cell: loss and profile.
        dtype: of the cosines.
        seed: the same seed gives the same points.
        points: how many in all, besides the first block and the corners.
    """
    for number in range(math.ceil(points / SIZE) + 1):
        size = min(SIZE, points - (number - 1) * SIZE) if number else FIRST
        drawn = np.random.SeedSequence([seed, number]).generate_state(1)[0]
        columns = block(
            cell.loss, int(drawn), profile=cell.profile, size=size, dtype=dtype
        )
        yield columns, 0 if number else columns["target_cosine"].size


def first_block(cell: Cell, dtype: str, seed: int) -> Columns:
    """The first points of a cell."""
    return next(blocks(cell, dtype, seed, 1))[0]


def pole_points(cell: Cell, dtype: str) -> Columns:
    """Points at c = +-1 where neither P nor 1 - P underflows in any dtype.

    Args:
        cell: loss and profile.
        dtype: of the cosines.

    Returns:
        Arrays (N,) by name.
    """
    usual = recommended(cell.loss)
    ends, scalers, rivals = (
        part.ravel()
        for part in np.meshgrid([1.0, -1.0], SCALERS, [*RIVALS, np.nan], indexing="ij")
    )
    columns = {name: np.full(ends.size, value) for name, value in usual.items()}
    for name in parameters_of(cell.loss):
        columns.setdefault(name, np.zeros(ends.size))
    if "margin_scaler" in columns:
        columns["margin_scaler"] = scalers
    if "feature_norm" in columns:
        columns["feature_norm"] = 60 + 50 * scalers
    margined = numpy_reference.logit(cell.loss, ends, profile=cell.profile, **columns)
    level = margined / columns["scale"]
    columns["rival_cosine"] = in_dtype(np.where(np.isnan(rivals), level, rivals), dtype)
    columns["other_cosine"] = in_dtype(np.clip(columns["rival_cosine"], -1, 0.5), dtype)
    return {**columns, "target_cosine": ends}


def point_at(columns: Columns, index: int) -> dict[str, Floats]:
    """One point of a block, arrays (1,)."""
    return {name: column[index : index + 1] for name, column in columns.items()}


def as_columns(point: Mapping[str, float]) -> dict[str, Floats]:
    """A point as arrays (1,)."""
    return {name: np.asarray([value]) for name, value in point.items()}
